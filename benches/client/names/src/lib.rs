//! The rows of docs/coming-from-other-clients.md, in its order: the other client's words, then ours.

#![allow(clippy::missing_errors_doc, missing_docs, reason = "the functions are rows of a page")]

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

pub mod client_base {
    use openai_client_base::{
        apis::{
            Error, ResponseContent,
            configuration::Configuration,
            group_users_api::{
                AddGroupUserError, add_group_user, list_group_users, remove_group_user, retrieve_group_user,
            },
            groups_api::{create_group, delete_group, list_groups, retrieve_group, update_group},
            users_api::{delete_user, list_users, modify_user, retrieve_user},
        },
        models::{self, CreateGroupUserBody},
    };

    use super::Result;

    pub async fn there(base_url: String, key: String, other: models::CreateGroupBody) -> Result {
        let configuration =
            Configuration { base_path: base_url, bearer_access_token: Some(key), ..Configuration::default() };
        let body = CreateGroupUserBody::new("user_7".into());
        let call = add_group_user().configuration(&configuration).group_id("group_1");
        let _: models::GroupUserAssignment = call.create_group_user_body(body.clone()).call().await?;
        let call = list_group_users().configuration(&configuration).group_id("group_1");
        let _: models::UserListResource = call.limit(50).after("user_7").order("asc").call().await?;
        retrieve_group_user()
            .configuration(&configuration)
            .group_id("group_1")
            .user_id("user_7")
            .call()
            .await?;
        remove_group_user()
            .configuration(&configuration)
            .group_id("group_1")
            .user_id("user_7")
            .call()
            .await?;
        create_group().configuration(&configuration).create_group_body(other).call().await?;
        list_groups().configuration(&configuration).call().await?;
        retrieve_group().configuration(&configuration).group_id("group_1").call().await?;
        let _ = update_group().configuration(&configuration).group_id("group_1");
        delete_group().configuration(&configuration).group_id("group_1").call().await?;
        list_users().configuration(&configuration).call().await?;
        retrieve_user().configuration(&configuration).user_id("user_7").call().await?;
        let _ = modify_user().configuration(&configuration).user_id("user_7");
        delete_user().configuration(&configuration).user_id("user_7").call().await?;
        let call = add_group_user().configuration(&configuration).group_id("group_1");
        if let Err(Error::ResponseError(response)) = call.create_group_user_body(body).call().await {
            let ResponseContent { status, content, entity } = *response;
            let is_not_found = matches!(entity, Some(AddGroupUserError::Status404(_)));
            println!("{status} {content} {is_not_found}");
        }
        Ok(())
    }
}

pub mod async_openai {
    use async_openai::{
        Client,
        config::OpenAIConfig,
        error::OpenAIError,
        traits::RequestOptionsBuilder,
        types::admin::{
            groups::{CreateGroupBody, CreateGroupUserBody},
            users::UserRoleUpdateRequest,
        },
    };

    use super::Result;

    pub async fn there(base_url: &str, key: &str, name: String, modified: UserRoleUpdateRequest) -> Result {
        let client = Client::with_config(OpenAIConfig::new().with_api_key(key).with_api_base(base_url));
        let admin = client.admin();
        let groups = admin.groups();
        groups.list().await?;
        groups.create(CreateGroupBody { name }).await?;
        let users = groups.users("group_1");
        users.list().await?;
        users.add(CreateGroupUserBody { user_id: "user_7".into() }).await?;
        users.remove("user_7").await?;
        let users = admin.users();
        users.list().await?;
        users.retrieve("user_7").await?;
        users.modify("user_7", modified).await?;
        users.delete("user_7").await?;
        let listed = groups.users("group_1").query(&[("limit", "50"), ("after", "user_7")])?.list().await;
        if let Err(OpenAIError::ApiError(error)) = listed {
            println!("{} {:?} {:?}", error.status_code, error.api_error.code, error.api_error.param);
        }
        Ok(())
    }
}

pub mod ours {
    use openai_admin::{
        Client, Order, Response, RetryPolicy, UserRole,
        models::{
            CreateGroupUserBody, GroupUser, GroupUserAssignment, UserListResource, UserRoleUpdateRequest,
        },
    };

    use super::Result;

    pub async fn here(base_url: &str, key: &str, name: String) -> Result {
        Client::from_env()?;
        let client = Client::builder().base_url(base_url).key(key).retry_policy(RetryPolicy::new()).build()?;
        let users = client.group_users();
        let body = CreateGroupUserBody::new("user_7".parse()?);
        let _: Response<GroupUserAssignment> = users.add_group_user("group_1", body.clone()).await?;
        users.add_group_user("group_1", "user_7").await?;
        let _: Response<UserListResource> =
            users.list_group_users("group_1").limit(50).after("user_7").order(Order::Asc).await?;
        let mut items = users.list_group_users("group_1").items();
        let _: Option<GroupUser> = items.next().await.transpose()?;
        users.retrieve_group_user("group_1", "user_7").await?;
        users.remove_group_user("group_1", "user_7").await?;
        let groups = client.groups();
        groups.create_group(&name).await?;
        groups.list_groups().await?;
        groups.list_groups().items().next().await.transpose()?;
        groups.retrieve_group("group_1").await?;
        groups.update_group("group_1", name).await?;
        groups.delete_group("group_1").await?;
        let people = client.users();
        people.list_users().await?;
        people.retrieve_user("user_7").await?;
        people.modify_user("user_7", UserRoleUpdateRequest::role(UserRole::Reader)).await?;
        people.delete_user("user_7").await?;
        let patient = client.with_timeout(std::time::Duration::from_secs(5)).with_retries(2);
        if let Err(error) = patient.group_users().add_group_user("group_1", body).await {
            let known = (error.status(), error.code(), error.param(), error.message(), error.body());
            println!("{known:?} {}", error.is_not_found());
        }
        Ok(())
    }
}
