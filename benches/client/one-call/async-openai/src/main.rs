use async_openai::{Client, config::OpenAIConfig, types::admin::groups::CreateGroupUserBody};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let base_url = std::env::args().nth(1).expect("a base URL");
    let config = OpenAIConfig::new().with_api_base(base_url).with_api_key("sk-admin-123");
    let client = Client::with_config(config);
    let body = CreateGroupUserBody { user_id: "user-aB3dE5gH7jK9mN1pQ3sT5vW7".to_owned() };
    let added =
        runtime.block_on(client.admin().groups().users("group_01J1F8ABCDXYZ0123456789AB").add(body))?;
    println!("{}", added.user_id);
    Ok(())
}
