use openai_admin::{Client, models::CreateGroupUserBody};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let base_url = std::env::args().nth(1).expect("a base URL");
    let client = Client::builder().key("sk-admin-123").base_url(base_url).build()?;
    let body = CreateGroupUserBody::new("user-aB3dE5gH7jK9mN1pQ3sT5vW7".parse()?);
    let added =
        runtime.block_on(client.group_users().add_group_user("group_01J1F8ABCDXYZ0123456789AB", body))?;
    println!("{}", added.user_id);
    Ok(())
}
