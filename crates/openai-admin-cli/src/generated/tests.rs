//! The rules over every operation that there is, and generated commands beside the hand-written ones.

use std::collections::{HashMap, HashSet};

use clap::{Command, CommandFactory as _};
use openai_admin::{Client, Method, testing::Script};
use openai_admin_server::Coverage;
use serde_json::{Value, json};

use super::{
    Call, Extent, Operation, Sent, WRITTEN, call, given::Given, grow, operations, table::OPERATIONS,
    words::words,
};
use crate::{arguments::Arguments, command_line};

/// Every operation, as if none had a hand-written command.
fn all() -> Vec<&'static Operation> {
    OPERATIONS.iter().collect()
}

fn has_command(command: &Command, words: &[String]) -> bool {
    match words.split_first() {
        Some((first, rest)) => command.find_subcommand(first).is_some_and(|below| has_command(below, rest)),
        None => true,
    }
}

fn split(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

pub(crate) fn typed(words: &str) -> Call {
    let arguments: Vec<_> = std::iter::once("openai-admin").chain(words.split(' ')).map(Into::into).collect();
    let command = grow(Command::new("openai-admin"), &all(), Extent::Typed(&arguments));
    let matches = command.try_get_matches_from(arguments).unwrap_or_else(|error| panic!("{error}"));
    call(&matches, &all()).expect("arguments").expect("an operation")
}

#[test]
fn every_operation_has_exactly_one_command() {
    let written = Arguments::command();
    let generated = operations();
    let mut seen = HashSet::new();
    for operation in OPERATIONS {
        let words = match WRITTEN.iter().find(|(id, _)| *id == operation.id) {
            Some((_, by_hand)) => {
                assert!(has_command(&written, &split(by_hand)), "there is no `{by_hand}`");
                split(by_hand)
            }
            None => {
                let words = words(operation, &generated);
                assert!(!has_command(&written, &words), "`{}` is written by hand", words.join(" "));
                words
            }
        };
        assert!(seen.insert(words.clone()), "two operations are called `{}`", words.join(" "));
    }
    let known: HashSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert!(WRITTEN.iter().all(|(id, _)| known.contains(id)), "an operation is gone");
}

#[test]
fn the_whole_command_line_is_consistent() {
    command_line::whole().debug_assert();
    grow(Command::new("openai-admin"), &all(), Extent::Whole).debug_assert();
}

/// An operation of which nothing is known but what is published.
fn published(id: &'static str, method: Method, path: &'static str, is_list: bool) -> Operation {
    Operation {
        id,
        method,
        path,
        tag: "",
        request: || Value::Null,
        answer: || Value::Null,
        check: |_| Ok(()),
        sent: match is_list {
            true => Sent::InPages(|_, _, _| Box::pin(async { Ok(()) })),
            false => Sent::Once(|_, _| Box::pin(async { Ok(Value::Null) })),
        },
    }
}

#[test]
fn every_published_operation_gets_a_name_that_people_would_type() {
    let known = Coverage::of_all().into_iter().map(|(operation, _)| {
        let lists = operation.id.starts_with("list") || operation.id.ends_with("list");
        published(operation.id, operation.method, operation.path, lists)
    });
    // What the official SDKs know beside the published description.
    let newer = [
        ("validate-external-key", Method::Post, "/organization/external_keys/{external_key_id}/validate"),
        ("create-external-storage", Method::Post, "/organization/external_storage"),
        (
            "update-federation-rule",
            Method::Post,
            "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules/{rule_id}",
        ),
        (
            "update-project-service-tier-settings",
            Method::Post,
            "/organization/projects/{project_id}/service_tier_settings",
        ),
        (
            "retrieve-project-service-tier-settings",
            Method::Get,
            "/organization/projects/{project_id}/service_tier_settings",
        ),
        ("usage-decisions", Method::Get, "/organization/usage/decisions"),
    ];
    let newer = newer.into_iter().map(|(id, method, path)| published(id, method, path, false));
    let operations: Vec<Operation> = known.chain(newer).collect();
    let operations: Vec<&Operation> = operations.iter().collect();
    let mut names: Vec<(String, &str)> =
        operations.iter().map(|operation| (words(operation, &operations).join(" "), operation.id)).collect();
    names.sort();
    let distinct: HashMap<&str, &str> = names.iter().map(|(name, id)| (name.as_str(), *id)).collect();
    assert_eq!(distinct.len(), names.len());
    let lines: Vec<String> = names.iter().map(|(name, id)| format!("{name:52}{id}")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_is_typed_becomes_the_request_that_its_type_would_be() {
    let call = typed("groups users list group_1 --order desc");
    assert_eq!(call.operation.id, "list-group-users");
    let expected = Given {
        path: vec![("group_id".into(), "group_1".into())],
        query: vec![("order".into(), "desc".into())],
        body: None,
    };
    assert_eq!(call.given, expected);
    let call = typed("users update user_ada --role owner --technical-level expert");
    assert_eq!(call.given.body, Some(json!({ "role": "owner", "technical_level": "expert" })));
    assert!((call.operation.check)(&call.given).is_ok());
    let call = typed("audit-logs list --effective-at-gte 2026-01-31 --actor-id user_ada --actor-id user_bob");
    let query =
        [("effective_at[gte]", "1769817600"), ("actor_ids[]", "user_ada"), ("actor_ids[]", "user_bob")];
    let given: HashSet<(&str, &str)> =
        call.given.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(given, query.into_iter().collect());
}

#[test]
fn a_body_from_a_file_lies_under_what_was_typed() {
    let mut given = Given { body: Some(json!({ "name": "typed" })), ..Given::default() };
    given.put_over(json!({ "name": "in the file", "other": [1] }));
    assert_eq!(given.body, Some(json!({ "name": "typed", "other": [1] })));
}

#[tokio::test]
async fn a_request_travels_as_it_was_typed() {
    let script = Script::new().then_ok(r#"{"id":"group_1","name":"New","created_at":0}"#);
    let client =
        Client::builder().base_url("http://localhost/v1").service(script.clone()).build().expect("a client");
    let call = typed("groups update group_1 --name New");
    let Sent::Once(send) = call.operation.sent else { panic!("it is sent once") };
    assert_eq!(send(&client, &call.given).await.expect("an answer")["name"], "New");
    let sent = &script.requests()[0];
    assert_eq!((sent.method.as_str(), &*sent.target), ("POST", "/v1/organization/groups/group_1"));
    assert_eq!(&*sent.body, br#"{"name":"New"}"#);
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_service() {
    let call = typed("groups get ..");
    let failure = (call.operation.check)(&call.given).expect_err("no id");
    assert_eq!(failure.message, "Invalid 'group_id': expected an id, but it is a relative path segment.");
}
