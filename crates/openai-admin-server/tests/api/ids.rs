//! For any id: either the client refuses it, or the server decodes exactly that id on exactly that route.

use openai_admin::{
    Client,
    models::{CreateGroupBody, CreateGroupUserBody},
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::support::TestServer;

/// Texts that have broken routes before.
const BREAKERS: &[&str] =
    &["/", ".", "..", "%", "%2e", "%2F", "%00", "?", "#", "\\", " ", "+", "&", ";", "{", "}", "\0", "\n"];

/// Ids that often contain texts that break routes.
fn any_id() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(BREAKERS).prop_map(str::to_owned),
        1 => proptest::sample::select(["🦀", "ß", "\u{202e}", "é"].as_slice()).prop_map(str::to_owned),
        2 => "[a-z0-9_-]{1,8}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop_oneof![3 => proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()), 1 => any::<String>()]
}

/// The id that the server decoded as the id of a group, and of a user in a group: its errors quote an unknown
/// id. `None` if the client refuses the id.
async fn what_arrives(client: &Client, group: &str, id: &str) -> Option<[String; 3]> {
    let as_group = client.groups().retrieve_group(id).await.unwrap_err();
    let as_user = client.group_users().retrieve_group_user(group, id).await.unwrap_err();
    if !as_group.was_sent() {
        assert!(!as_user.was_sent());
        return None;
    }
    assert_eq!(
        (as_group.code(), as_group.param()),
        (Some("group_not_found"), Some("group_id")),
        "another route"
    );
    assert_eq!((as_user.code(), as_user.param()), (Some("user_not_found"), Some("user_id")), "another route");
    let body = CreateGroupUserBody::new(id.parse().unwrap());
    let in_body = client.group_users().add_group_user(group, body).await.unwrap_err();
    Some([as_group, as_user, in_body].map(|error| error.message().to_owned()))
}

#[test]
fn an_id_is_refused_or_decoded_exactly() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(TestServer::new());
    let client = server.client();
    let body = CreateGroupBody::new("g".try_into().unwrap());
    let group = runtime.block_on(client.groups().create_group(body)).unwrap().id.to_string();
    let arrived = std::cell::Cell::new(0);

    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) });
    let outcome = runner.run(&any_id(), |id| {
        if let Some([as_group, as_user, in_body]) = runtime.block_on(what_arrives(&client, &group, &id)) {
            prop_assert_eq!(as_group, format!("No group with id '{id}'."));
            let by_address = if id.contains('@') {
                " To find the id of an email address, list the users with `emails[]`."
            } else {
                ""
            };
            prop_assert_eq!(&as_user, &format!("No user with id '{id}'.{by_address}"));
            prop_assert_eq!(in_body, as_user);
            arrived.set(arrived.get() + 1);
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(arrived.get() > 2_000, "only {} ids were sent at all", arrived.get());
}
