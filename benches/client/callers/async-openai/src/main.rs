//! The calls through `async-openai`.

use async_openai::{
    Client, config::OpenAIConfig, error::OpenAIError, types::admin::groups::CreateGroupUserBody,
};
use driver::{Caller, GROUP_ID, KEY, PAGE_USERS, USER_ID};

#[derive(Clone)]
struct AsyncOpenAi(Client<OpenAIConfig>);

impl Caller for AsyncOpenAi {
    fn new(base_url: &str) -> Self {
        Self(Client::with_config(OpenAIConfig::new().with_api_base(base_url).with_api_key(KEY)))
    }

    async fn add(&self) {
        let body = CreateGroupUserBody { user_id: USER_ID.to_owned() };
        let answer = self.0.admin().groups().users(GROUP_ID).add(body).await.expect("an answer");
        assert_eq!(answer.user_id, USER_ID);
    }

    async fn list(&self) {
        let answer = self.0.admin().groups().users(GROUP_ID).list().await.expect("an answer");
        assert_eq!(answer.data.len(), PAGE_USERS);
    }

    async fn tell(&self, arguments: &[String]) -> String {
        match tell(&self.0, arguments).await {
            Ok(answer) => format!("ok {answer}"),
            Err(error) => format!("error {error} | {error:?}"),
        }
    }
}

async fn tell(client: &Client<OpenAIConfig>, arguments: &[String]) -> Result<String, OpenAIError> {
    let id = |place: usize| arguments[place].as_str();
    let groups = client.admin();
    let groups = groups.groups();
    match id(0) {
        "debug" => Ok(format!("{client:?}")),
        "add" => {
            let body = CreateGroupUserBody { user_id: id(2).to_owned() };
            Ok(format!("{:?}", groups.users(id(1)).add(body).await?))
        }
        "remove" => Ok(format!("{:?}", groups.users(id(1)).remove(id(2)).await?)),
        "retrieve" => Ok(format!("{:?}", groups.users(id(1)).retrieve(id(2)).await?)),
        _ => Ok(format!("{:?}", groups.users(id(1)).list().await?)),
    }
}

driver::caller!(AsyncOpenAi);
