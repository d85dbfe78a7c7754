//! Removes a person from every group: `OPENAI_ADMIN_KEY=… cargo run --example offboard EMAIL`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openai_admin::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let email = std::env::args().nth(1).ok_or("usage: offboard EMAIL")?;
    let client = Client::from_env()?;

    let found = client.users().list_users().emails([email.as_str()]).await?;
    let user = found.data.first().ok_or("no user has this address")?;
    // The published API cannot list the groups of a user, so this tries every group.
    let mut groups = client.groups().list_groups().limit(1000).items();
    while let Some(group) = groups.next().await {
        let group = group?;
        match client.group_users().remove_group_user(&group.id, &user.id).await {
            Ok(_) => println!("removed from {}", group.name),
            Err(error) if error.is_not_found() => {}
            Err(error) => println!("still in {}: {error}", group.name),
        }
    }
    Ok(())
}
