//! The calls through `openai-client-base`.

use driver::{Caller, GROUP_ID, KEY, PAGE_USERS, USER_ID};
use openai_client_base::{
    apis::{configuration::Configuration, group_users_api},
    models::CreateGroupUserBody,
};

#[derive(Clone)]
struct Reference(std::sync::Arc<Configuration>);

impl Caller for Reference {
    fn new(base_url: &str) -> Self {
        let configuration = Configuration {
            base_path: base_url.to_owned(),
            bearer_access_token: Some(KEY.to_owned()),
            ..Configuration::default()
        };
        Self(configuration.into())
    }

    async fn add(&self) {
        let answer = group_users_api::add_group_user()
            .configuration(&self.0)
            .group_id(GROUP_ID)
            .create_group_user_body(CreateGroupUserBody::new(USER_ID.to_owned()))
            .call()
            .await
            .expect("an answer");
        assert_eq!(answer.user_id, USER_ID);
    }

    async fn list(&self) {
        let answer = group_users_api::list_group_users()
            .configuration(&self.0)
            .group_id(GROUP_ID)
            .limit(100)
            .call()
            .await
            .expect("an answer");
        assert_eq!(answer.data.len(), PAGE_USERS);
    }

    async fn tell(&self, arguments: &[String]) -> String {
        let id = |place: usize| arguments[place].as_str();
        match id(0) {
            "debug" => format!("{:?}", self.0),
            "add" => {
                let call = group_users_api::add_group_user()
                    .configuration(&self.0)
                    .group_id(id(1))
                    .create_group_user_body(CreateGroupUserBody::new(id(2).to_owned()));
                tell(call.call().await)
            }
            "remove" => {
                let call = group_users_api::remove_group_user()
                    .configuration(&self.0)
                    .group_id(id(1))
                    .user_id(id(2));
                tell(call.call().await)
            }
            "retrieve" => {
                let call = group_users_api::retrieve_group_user()
                    .configuration(&self.0)
                    .group_id(id(1))
                    .user_id(id(2));
                tell(call.call().await)
            }
            _ => {
                tell(group_users_api::list_group_users().configuration(&self.0).group_id(id(1)).call().await)
            }
        }
    }
}

fn tell<T: std::fmt::Debug, E: std::fmt::Debug + std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(answer) => format!("ok {answer:?}"),
        Err(error) => format!("error {error} | {error:?}"),
    }
}

driver::caller!(Reference);
