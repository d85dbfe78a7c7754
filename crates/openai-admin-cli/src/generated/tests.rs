//! Rules for every operation, and generated commands compared with hand-written ones.

use std::collections::{HashMap, HashSet};

use clap::Command;
use openai_admin::{Client, Method, testing::Script};
use openai_admin_server::Coverage;
use serde_json::{Value, json};

use super::{
    Call, Dispatch, Extent, HAND_WRITTEN, Operation, add_commands, call,
    form::form,
    layout, operations, past, phrase,
    request_fields::RequestFields,
    table, with_commands,
    words::{imperative, noun, words},
};
use crate::{
    arguments::Arguments,
    command_line,
    output::{Layout, Name},
};

/// Every operation, including those with a hand-written command.
fn all() -> Vec<&'static Operation> {
    table::all().collect()
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
    let arguments: Vec<&str> = std::iter::once("openai-admin").chain(words.split(' ')).collect();
    let command = add_commands(Command::new("openai-admin"), &all(), Extent::Typed(&arguments));
    let matches = command.try_get_matches_from(&arguments).unwrap_or_else(|error| panic!("{error}"));
    call(&matches, &all()).expect("arguments").expect("an operation")
}

#[test]
fn every_operation_has_exactly_one_command() {
    let mut written = Arguments::command_line();
    written.build();
    let generated = operations(Extent::Whole);
    let mut seen = HashSet::new();
    for operation in all() {
        let words = match HAND_WRITTEN.iter().find(|(id, _)| *id == operation.id) {
            Some((_, by_hand)) => {
                assert!(has_command(&written, &split(by_hand)), "`{by_hand}` does not exist");
                split(by_hand)
            }
            None => {
                let words = words(operation, &generated);
                assert!(!has_command(&written, &words), "`{}` is a hand-written command", words.join(" "));
                words
            }
        };
        assert!(seen.insert(words.clone()), "two operations have the command `{}`", words.join(" "));
    }
    let known: HashSet<&str> = all().iter().map(|operation| operation.id).collect();
    assert!(HAND_WRITTEN.iter().all(|(id, _)| known.contains(id)), "an operation does not exist");
}

#[test]
fn the_whole_command_line_is_consistent() {
    command_line::whole().debug_assert();
    add_commands(Command::new("openai-admin"), &all(), Extent::Whole).debug_assert();
}

/// An operation with only the published data.
fn published(id: &'static str, method: Method, path: &'static str, is_list: bool) -> Operation {
    Operation {
        id,
        method,
        path,
        noun: noun(path),
        request: || Value::Null,
        answer: || Value::Null,
        check: |_| Ok(()),
        dispatch: match is_list {
            true => Dispatch::InPages(|_, _, _| Box::pin(async { Ok(()) })),
            false => Dispatch::Once(|_, _| Box::pin(async { Ok(Value::Null) })),
        },
    }
}

#[test]
fn every_published_operation_gets_a_plain_command() {
    let known = Coverage::of_all().into_iter().map(|(operation, _)| {
        let lists = operation.id.starts_with("list") || operation.id.ends_with("list");
        published(operation.id, operation.method, operation.path, lists)
    });
    let operations: Vec<Operation> = known.collect();
    let operations: Vec<&Operation> = operations.iter().collect();
    let mut names: Vec<(String, &str)> =
        operations.iter().map(|operation| (words(operation, &operations).join(" "), operation.id)).collect();
    names.sort();
    let distinct: HashMap<&str, &str> = names.iter().map(|(name, id)| (name.as_str(), *id)).collect();
    assert_eq!((distinct.len(), names.len()), (143, 143));
    let lines: Vec<String> = names.iter().map(|(name, id)| format!("{name:52}{id}")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn arguments_become_the_fields_of_the_request() {
    let call = typed("groups users list group_1 --order desc");
    assert_eq!(call.operation.id, "list-group-users");
    let expected = RequestFields {
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
fn options_override_the_body_of_a_file() {
    let mut given = RequestFields { body: Some(json!({ "name": "typed" })), ..RequestFields::default() };
    given.merge_body(json!({ "name": "in the file", "other": [1] }));
    assert_eq!(given.body, Some(json!({ "name": "typed", "other": [1] })));
}

#[tokio::test]
async fn a_request_is_sent_with_its_arguments() {
    let script = Script::new().then_ok(r#"{"id":"group_1","name":"New","created_at":0}"#);
    let client =
        Client::builder().base_url("http://localhost/v1").service(script.clone()).build().expect("a client");
    let call = typed("groups update group_1 --name New");
    let Dispatch::Once(send) = call.operation.dispatch else { panic!("it is sent once") };
    assert_eq!(send(&client, &call.given).await.expect("an answer")["name"], "New");
    let sent = &script.requests()[0];
    assert_eq!((sent.method.as_str(), &*sent.target), ("POST", "/v1/organization/groups/group_1"));
    assert_eq!(&*sent.body, br#"{"name":"New"}"#);
}

#[test]
fn an_invalid_argument_has_the_error_message_of_the_service() {
    let call = typed("groups get ..");
    let failure = (call.operation.check)(&call.given).expect_err("no id");
    assert_eq!(failure.message, "Invalid 'group_id': expected an id, but it is a relative path segment.");
}

/// Each command with its arguments: optional ones in brackets, repeatable ones with dots.
fn outline(command: &Command, before: &str, lines: &mut Vec<String>) {
    for below in command.get_subcommands() {
        let name = format!("{before} {}", below.get_name());
        outline(below, &name, lines);
        if !below.has_subcommands() {
            let arguments =
                below.get_arguments().filter(|argument| argument.get_id() != "help").map(outlined);
            lines.push(
                std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ").trim_start().to_owned(),
            );
        }
    }
}

fn outlined(argument: &clap::Arg) -> String {
    let dots = if matches!(argument.get_action(), clap::ArgAction::Append) { "…" } else { "" };
    match (argument.get_long(), argument.is_required_set()) {
        (None, _) => {
            argument.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default()
        }
        (Some(long), true) => format!("--{long}{dots}"),
        (Some(long), false) => format!("[--{long}{dots}]"),
    }
}

#[test]
fn the_generated_commands_are_these() {
    let mut lines = Vec::new();
    outline(&add_commands(Command::new("openai-admin"), &all(), Extent::Whole), "", &mut lines);
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn help_comes_from_the_declaration() {
    let help = |words: &str| {
        let arguments: Vec<&str> = std::iter::once("openai-admin").chain(words.split(' ')).collect();
        let command = add_commands(Command::new("openai-admin"), &all(), Extent::Named(&arguments));
        command.try_get_matches_from(&arguments).expect_err("help").to_string()
    };
    let pages = [
        "groups users --help",
        "groups users list --help",
        "users update --help",
        "groups delete --help",
        "roles create --help",
        "groups roles assign --help",
        "roles list --help",
    ];
    insta::assert_snapshot!(pages.map(|words| format!("$ openai-admin {words}\n{}", help(words))).join("\n"));
}

#[test]
fn only_the_typed_noun_is_built() {
    let of_groups = operations(Extent::Typed(&["groups", "users", "add"]));
    let is_of_groups =
        |path: &str| ["/organization/groups/", "/x/groups/"].iter().any(|start| path.starts_with(start));
    assert!(of_groups.iter().all(|operation| is_of_groups(operation.path)));
    let bare = add_commands(Command::new("openai-admin"), &all(), Extent::Named(&[]));
    for noun in bare.get_subcommands() {
        assert!(!noun.has_subcommands(), "`{}` is built although it was not typed", noun.get_name());
    }
}

/// A schema of a request with every kind of field.
fn every_kind_of_field() -> Value {
    json!({
        "description": "Creates a thing.\n\nMore about it.",
        "required": ["project_id", "start_time"],
        "properties": {
            "project_id": { "type": "string", "description": "The ID of the project." },
            "start_time": { "type": "integer", "format": "unixtime", "description": "Start." },
            "include_archived": { "type": ["boolean", "null"], "default": false },
            "body": { "anyOf": [{
                "type": "object",
                "required": ["name", "channel"],
                "properties": {
                    "name": { "type": "string", "minLength": 1, "maxLength": 255, "description": "Its name." },
                    "threshold": { "type": "integer", "minimum": 1 },
                    "share": { "type": ["number", "null"] },
                    "only": { "type": "boolean" },
                    "role": { "anyOf": [
                        { "oneOf": [{ "const": "owner", "description": "All." }, { "const": "reader" }] },
                        { "type": "null" },
                    ] },
                    "recipients": { "type": "array", "items": { "type": "string" } },
                    "channel": { "type": "object", "properties": { "type": { "const": "email" } } },
                },
            }, { "type": "null" }] },
        },
    })
}

fn thing(request: fn() -> Value) -> &'static Operation {
    let created =
        published("create-thing", Method::Post, "/organization/projects/{project_id}/things", false);
    Box::leak(Box::new(Operation { request, ..created }))
}

fn typed_for(operation: &'static Operation, words: &[&str]) -> Result<Call, clap::Error> {
    let arguments: Vec<&str> =
        ["openai-admin", "projects", "things", "create"].iter().chain(words).copied().collect();
    let matches = add_commands(Command::new("openai-admin"), &[operation], Extent::Typed(&arguments));
    Ok(call(&matches.try_get_matches_from(arguments)?, &[operation])?.expect("an operation"))
}

#[test]
fn a_message_of_the_service_names_commands() {
    for (message, shown) in [
        ("Delete that invite with `delete-invite`", "Delete that invite with `openai-admin invites delete`"),
        (
            "Create one with `create-project`, a `project`",
            "Create one with `openai-admin projects create`, a `project`",
        ),
        ("Remove them with `delete-user` first", "Remove them with `openai-admin users remove` first"),
        ("delete-invite is not quoted", "delete-invite is not quoted"),
    ] {
        assert_eq!(with_commands(message), shown);
    }
}

/// The body of an upload of this certificate, or the error message.
fn uploaded(certificate: &str) -> Result<Value, String> {
    let arguments =
        ["openai-admin", "certificates", "upload", "--name", "gateway", "--certificate", certificate];
    let operations = operations(Extent::Whole);
    let command = add_commands(Command::new("openai-admin"), &operations, Extent::Typed(&arguments));
    let matches = command.try_get_matches_from(arguments).map_err(|error| error.to_string())?;
    let call = call(&matches, &operations).expect("a call").expect("an operation");
    Ok(call.given.body.expect("a body")["certificate"].take())
}

#[test]
fn a_certificate_is_pem_or_a_file() {
    let pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";
    assert_eq!(uploaded(pem).expect("PEM"), pem);
    let file = std::env::temp_dir().join(format!("openai-admin-certificate-{}.pem", std::process::id()));
    std::fs::write(&file, pem).expect("a file");
    let of_file = uploaded(&format!("@{}", file.display()));
    std::fs::remove_file(&file).expect("the file");
    assert_eq!(of_file.expect("a file"), pem);
    let missing = uploaded("@/no/such/file.pem").expect_err("no file");
    assert!(missing.contains("cannot read /no/such/file.pem: "), "{missing}");
    let name = uploaded("gateway.pem").expect_err("a file name");
    assert!(name.contains("expected PEM text or @FILE; to read gateway.pem, write @gateway.pem"), "{name}");
}

#[test]
fn help_starts_with_an_imperative() {
    for (description, help) in [
        ("Lists groups", "List groups"),
        ("Modifies a user", "Modify a user"),
        ("Fetches", "Fetch"),
        ("Create or replace a limit", "Create or replace a limit"),
    ] {
        assert_eq!(imperative(description), help);
    }
    for operation in all() {
        let help = imperative(&form(operation).about);
        let verb = help.split(' ').next().unwrap_or_default();
        assert!(verb.starts_with(char::is_uppercase) && !verb.ends_with('s'), "{}: {help}", operation.id);
    }
}

#[test]
fn each_kind_of_field_is_parsed() {
    let words = "proj_1 --start-time 2026-01-31 --include-archived=false --name A --threshold 3 --share 0.5 --only \
                 --role owner --recipient a@example.com --recipient b@example.com --body channel.yaml";
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut call = typed_for(thing(every_kind_of_field), &words).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(call.form.about, "Creates a thing");
    assert_eq!(call.body.as_deref(), Some(std::path::Path::new("channel.yaml")));
    call.given.merge_body(json!({ "name": "in the file", "channel": { "type": "email" } }));
    let expected = RequestFields {
        path: vec![("project_id".into(), "proj_1".into())],
        query: vec![("start_time".into(), "1769817600".into()), ("include_archived".into(), "false".into())],
        body: Some(json!({
            "name": "A",
            "channel": { "type": "email" },
            "threshold": 3,
            "share": 0.5,
            "only": true,
            "role": "owner",
            "recipients": ["a@example.com", "b@example.com"],
        })),
    };
    assert_eq!(call.given, expected);
}

#[test]
fn an_invalid_value_is_refused_before_the_request() {
    let operation = thing(every_kind_of_field);
    for (words, problem) in [
        (&["proj_1", "--start-time", "0", "--name", "A"][..], "--body <FILE>"),
        (&["proj_1", "--start-time", "0", "--body", "-", "--threshold", "0"], "0 is not in 1.."),
        (
            &["proj_1", "--start-time", "0", "--body", "-", "--role", "member"],
            "[possible values: owner, reader]",
        ),
        (&["proj_1", "--start-time", "0", "--body", "-", "--only=perhaps"], "invalid value 'perhaps'"),
        (&["--start-time", "0", "--body", "-"], "<PROJECT_ID>"),
        (&["proj_1", "--body", "-"], "--start-time <TIME>"),
        (
            &["proj_1", "--start-time", "0", "--body", "-", "--channel", "x"],
            "unexpected argument '--channel'",
        ),
    ] {
        let error = typed_for(operation, words).err().unwrap_or_else(|| panic!("{words:?} is accepted"));
        assert!(error.to_string().contains(problem), "{words:?}: {error}");
    }
    assert!(
        typed_for(operation, &["proj_1", "--start-time", "0", "--body", "-"]).is_ok(),
        "a file may provide required fields"
    );
}

#[test]
fn a_body_of_several_shapes_comes_from_a_file() {
    let union = || {
        json!({ "properties": {
        "project_id": { "type": "string" },
        "body": { "oneOf": [{ "type": "object", "properties": { "a": {} } }, { "type": "object" }] },
    } })
    };
    let error = typed_for(thing(union), &["proj_1"]).err().expect("no body");
    assert!(error.to_string().contains("--body <FILE>"), "{error}");
    assert_eq!(
        typed_for(thing(union), &["proj_1", "--body", "-"]).expect("a body").given.body,
        Some(json!({}))
    );
}

#[test]
fn only_destructive_commands_ask_for_confirmation() {
    let consents = |words: &str| typed(words).removal.is_some();
    assert!(consents("groups delete group_1") && consents("groups users remove group_1 user_ada"));
    assert!(!consents("groups create --name New") && !consents("groups list"));
}

#[test]
fn a_command_is_described_in_words() {
    let described = |method, path, verb, ids: &[&str]| {
        phrase(&published("", method, path, false), verb, ids.iter().copied())
    };
    let role = "/projects/{project_id}/groups/{group_id}/roles/{role_id}";
    let ids = ["proj_1", "group_1", "role_1"];
    assert_eq!(
        described(Method::Delete, role, "unassign", &ids),
        "unassign role 'role_1' of group 'group_1' of project 'proj_1'"
    );
    let archive = "/organization/projects/{project_id}/archive";
    assert_eq!(described(Method::Post, archive, "archive", &["proj_1"]), "archive project 'proj_1'");
    assert_eq!(described(Method::Post, "/organization/roles", "create", &[]), "create role");
    assert_eq!(described(Method::Get, "/organization/admin_api_keys", "list", &[]), "list admin API keys");
    assert_eq!(past("unassign") + " " + &past("delete"), "unassigned deleted");
}

#[test]
fn columns_are_the_plain_fields_with_the_name_first() {
    let schema = json!({ "properties": {
        "object": { "const": "project.thing" },
        "id": { "type": "string" },
        "created_at": { "type": "integer", "format": "unixtime" },
        "name": { "type": ["string", "null"] },
        "owner": { "type": "object", "properties": {} },
        "scopes": { "type": "array", "items": { "type": "string" } },
    } });
    let fields =
        |columns: &[(Name, Name)]| columns.iter().map(|(_, field)| field.to_string()).collect::<Vec<_>>();
    let all: Layout<Value> = layout(&schema, &[]);
    assert_eq!(fields(&all.columns), ["name", "id", "created_at", "scopes"]);
    assert_eq!((fields(&all.details), &*all.columns[2].0), (vec!["owner".to_owned()], "CREATED (UTC)"));
    assert_eq!(all.names, ["object", "id", "created_at", "name", "owner", "scopes"]);
    let chosen: Layout<Value> = layout(&schema, &["id"]);
    assert_eq!(fields(&chosen.columns), ["id"]);
}

#[test]
fn the_value_of_an_option_is_not_a_noun() {
    for words in ["--local groups users roles list user_ada", "--local users groups roles list group_1"] {
        let arguments: Vec<_> =
            std::iter::once("openai-admin").chain(words.split(' ')).map(Into::into).collect();
        assert!(
            matches!(command_line::parse(&arguments), Ok(command_line::ParsedCommand::Generated(..))),
            "{words}"
        );
    }
}
