//! Lists the groups without an async runtime: `OPENAI_ADMIN_KEY=… cargo run --example blocking --features blocking`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use openai_admin::{Client, blocking};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = blocking::Client::new(Client::from_env()?)?;
    for group in client.items(client.groups().list_groups()) {
        let group = group?;
        let users = client.wait(client.group_users().list_group_users(&group.id).limit(1))?;
        println!("{}\t{}", group.name, if users.data.is_empty() { "empty" } else { "in use" });
    }
    Ok(())
}
