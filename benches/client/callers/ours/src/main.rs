//! The calls through `openai-admin`.

use driver::{Caller, GROUP_ID, KEY, PAGE_USERS, USER_ID};
use openai_admin::{Client, Error, UserId, models::CreateGroupUserBody};

#[derive(Clone)]
struct Ours(Client);

impl Caller for Ours {
    fn new(base_url: &str) -> Self {
        Self(Client::builder().key(KEY).base_url(base_url).build().expect("a client"))
    }

    async fn add(&self) {
        let body = CreateGroupUserBody::new(UserId::new(USER_ID).expect("an id"));
        let answer = self.0.group_users().add_group_user(GROUP_ID, body).await.expect("an answer");
        assert_eq!(answer.user_id, USER_ID);
    }

    async fn list(&self) {
        let answer = self.0.group_users().list_group_users(GROUP_ID).limit(100).await.expect("an answer");
        assert_eq!(answer.data.len(), PAGE_USERS);
    }

    async fn tell(&self, arguments: &[String]) -> String {
        match tell(&self.0, arguments).await {
            Ok(answer) => format!("ok {answer}"),
            Err(error) => format!("error {error} | {error:?}"),
        }
    }
}

async fn tell(client: &Client, arguments: &[String]) -> Result<String, Error> {
    let users = client.group_users();
    let id = |place: usize| arguments[place].as_str();
    match id(0) {
        "debug" => Ok(format!("{client:?}")),
        "add" => {
            let answer = users.add_group_user(id(1), CreateGroupUserBody::new(id(2).parse()?)).await?;
            Ok(format!("{answer:?}"))
        }
        "remove" => Ok(format!("{:?}", users.remove_group_user(id(1), id(2)).await?)),
        "retrieve" => Ok(format!("{:?}", users.retrieve_group_user(id(1), id(2)).await?)),
        "walk" => {
            let mut items = users.list_group_users(id(1)).items();
            let mut delivered = 0;
            while let Some(item) = items.next().await {
                item?;
                delivered += 1;
            }
            Ok(format!("{delivered} users"))
        }
        _ => Ok(format!("{:?}", users.list_group_users(id(1)).await?)),
    }
}

driver::caller!(Ours);
