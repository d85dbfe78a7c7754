//! Lists all users of a group, page by page, in constant memory:
//! `OPENAI_ADMIN_KEY=… cargo run --example list_large_group GROUP_ID [CURSOR]`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use openai_admin::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let group_id = arguments.next().ok_or("usage: list_large_group GROUP_ID [CURSOR]")?;
    let client = Client::from_env()?;

    let mut list = client.group_users().list_group_users(&group_id).limit(1000);
    if let Some(cursor) = arguments.next() {
        list = list.resume_from(&cursor);
    }
    let mut pages = list.pages();
    while let Some(page) = pages.next().await {
        // An interrupted list can be resumed from the last cursor.
        let page = page.inspect_err(|_| eprintln!("to resume: {:?}", pages.cursor()))?;
        for user in &page.data {
            println!("{}\t{}\t{}", user.id, user.name, user.email.as_deref().unwrap_or("-"));
        }
    }
    Ok(())
}
