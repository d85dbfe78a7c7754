//! The real client on the real server.

use openai_admin::{
    Order, UserRole,
    models::{CreateGroupBody, CreateGroupUserBody, CreateUserBody, UpdateGroupBody, UserRoleUpdateRequest},
};

use crate::support::TestServer;

#[tokio::test]
async fn a_group_supports_all_its_operations() {
    let server = TestServer::new().await;
    let client = server.client();
    let group =
        client.groups().create_group(CreateGroupBody::new("Support".try_into().unwrap())).await.unwrap();
    assert!(group.request_id().is_some_and(|id| id.starts_with("req_")));
    let renamed = UpdateGroupBody::new("Escalations".try_into().unwrap());
    assert_eq!(client.groups().update_group(&group.id, renamed).await.unwrap().name, "Escalations");
    assert_eq!(client.groups().retrieve_group(&group.id).await.unwrap().name, "Escalations");
    assert_eq!(client.groups().list_groups().await.unwrap().data.len(), 1);
    assert!(client.groups().delete_group(&group.id).await.unwrap().deleted);
    let error = client.groups().retrieve_group(&group.id).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!((error.code(), error.param()), (Some("group_not_found"), Some("group_id")));
    assert_eq!(
        error.to_string(),
        format!(
            "retrieve-group: 404 Not Found: No group with id '{}'. (request {})",
            group.id,
            error.request_id().unwrap()
        )
    );
}

#[tokio::test]
async fn members_are_listed_over_pages_in_both_directions() {
    let server = TestServer::new().await;
    let client = server.client();
    let group = client.groups().create_group(CreateGroupBody::new("g".try_into().unwrap())).await.unwrap();
    let mut expected = Vec::new();
    for number in 0..7 {
        let email = format!("user{number}@example.com").try_into().unwrap();
        let body = CreateUserBody::new(email, format!("User {number}").try_into().unwrap());
        let user = client.users().create_user(body).await.unwrap();
        let body = CreateGroupUserBody::new(user.id.clone());
        client.group_users().add_group_user(&group.id, body).await.unwrap();
        expected.push(user.id.clone());
    }
    for limit in 1..=8 {
        let list = client.group_users().list_group_users(&group.id).limit(limit).order(Order::Asc);
        let ids: Vec<_> = list.items().try_collect().await.unwrap().into_iter().map(|user| user.id).collect();
        assert_eq!(ids, expected, "pages of {limit}");
    }
    let newest_first = client.group_users().list_group_users(&group.id).items().try_collect().await.unwrap();
    assert!(newest_first.iter().map(|user| &user.id).eq(expected.iter().rev()));

    let member = client.group_users().retrieve_group_user(&group.id, &expected[0]).await.unwrap();
    assert_eq!((&*member.name, member.is_service_account), ("User 0", Some(false)));
    client.group_users().remove_group_user(&group.id, &expected[0]).await.unwrap();
    assert!(
        client.group_users().remove_group_user(&group.id, &expected[0]).await.unwrap_err().is_not_found()
    );
}

#[tokio::test]
async fn users_are_listed_modified_and_deleted() {
    let server = TestServer::new().await;
    let client = server.client();
    for name in ["ada", "bob", "carol"] {
        server.user(name).await;
    }
    let users = client.users().list_users().limit(2).items().try_collect().await.unwrap();
    assert_eq!(users.len(), 3);
    let found = client.users().list_users().emails(["BOB@example.com"]).await.unwrap();
    let bob = found.data[0].id.clone();
    let owner = client.users().modify_user(&bob, UserRoleUpdateRequest::role(UserRole::Owner)).await.unwrap();
    assert_eq!(owner.role, Some(UserRole::Owner));
    let error =
        client.users().modify_user(&bob, UserRoleUpdateRequest::role("emperor".into())).await.unwrap_err();
    assert_eq!((error.code(), error.param()), (Some("invalid_value"), Some("role")));
    let error = client.users().delete_user(&bob).await.unwrap_err();
    assert_eq!((error.code(), error.param()), (Some("last_owner"), Some("user_id")));
    assert_eq!((error.status().map(|status| status.as_u16()), error.is_not_found()), (Some(400), false));
    client.users().modify_user(&users[2].id, UserRoleUpdateRequest::role(UserRole::Owner)).await.unwrap();
    assert!(client.users().delete_user(&bob).await.unwrap().deleted);
    assert!(client.users().retrieve_user(&bob).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn the_client_refuses_an_invalid_page_size() {
    let server = TestServer::new().await;
    let client = server.client();
    let error = client.group_users().list_group_users("group_1").limit(1001).await.unwrap_err();
    assert!(!error.was_sent());
    assert_eq!(error.kind(), openai_admin::ErrorKind::InvalidRequest);
    let error = client.group_users().list_group_users("..").await.unwrap_err();
    assert!(!error.was_sent());
    let error = client.groups().list_groups().limit(0).items().next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "a limit of 0 never ends: use at least 1");
}
