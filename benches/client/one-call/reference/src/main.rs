use openai_client_base::{
    apis::{configuration::Configuration, group_users_api::add_group_user},
    models::CreateGroupUserBody,
};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let configuration = Configuration {
        base_path: std::env::args().nth(1).expect("a base URL"),
        bearer_access_token: Some("sk-admin-123".to_owned()),
        ..Configuration::default()
    };
    let added = runtime.block_on(
        add_group_user()
            .configuration(&configuration)
            .group_id("group_01J1F8ABCDXYZ0123456789AB")
            .create_group_user_body(CreateGroupUserBody::new("user-aB3dE5gH7jK9mN1pQ3sT5vW7".to_owned()))
            .call(),
    );
    println!("{}", added.expect("an answer").user_id);
}
