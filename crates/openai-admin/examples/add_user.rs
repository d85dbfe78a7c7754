//! Adds a user to a group: `OPENAI_ADMIN_KEY=… cargo run --example add_user GROUP_ID USER_ID`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openai_admin::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, group_id, user_id] =
        std::env::args().collect::<Vec<_>>().try_into().map_err(|_| "usage: add_user GROUP_ID USER_ID")?;
    let client = Client::from_env()?;

    match client.group_users().add_group_user(&group_id, &user_id).await {
        Ok(added) => println!("{} is in {}", added.user_id, added.group_id),
        Err(error) if error.is_not_found() => println!("nothing added: {}", error.message()),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
