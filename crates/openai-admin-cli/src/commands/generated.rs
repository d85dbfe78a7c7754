//! Runs the commands that are generated from the declarations of operations.

use std::path::Path;

use openai_admin::{Client, Method, ProjectId};
use openai_admin_sync::yaml;
use serde_json::Value;

use super::load;
use crate::{
    arguments::GlobalArguments,
    failure::{Doing as _, Failure, Result},
    generated::{
        Call, Dispatch, Listing, Operation, RequestFields, chosen_columns, item, layout, past, phrase,
        retrieval,
    },
    output::{Output, file_name},
    prompt::Consent,
    resolve,
    session::{Access, Context, Session},
};

/// The beginnings of ids, which are not looked up.
const PROJECT_PREFIX: &str = "proj_";
const ROLE_PREFIXES: [&str; 2] = ["role_", "role-"];

pub(super) async fn run(mut call: Call, context: &Context<'_>) -> Result<()> {
    if let Some(file) = &call.body {
        let body = body(file, context.global)?;
        call.given.merge_body(body);
    }
    (call.operation.check)(&call.given)?;
    let words = call.words.join(" ");
    let consent = match &call.removal {
        Some(arguments) => Consent::of_removal(arguments, &format!("`{words}`"))?,
        None => Consent::Given,
    };
    let access = if call.operation.method == Method::Get { Access::Reads } else { Access::Changes };
    let run = async |session: &Session<'_>| {
        find(call.operation, &mut call.given, &session.client).await?;
        send(&call, consent, &session.client, session.output).await
    };
    context.with_session(access, &words, run).await
}

fn is_role_id(text: &str) -> bool {
    ROLE_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Replaces names of groups, projects and roles and email addresses of users by ids, like the hand-written commands. A
/// name is looked up only if it does not look like an id.
async fn find(operation: &Operation, given: &mut RequestFields, client: &Client) -> Result<()> {
    // This operation calls the id of a role `role`; elsewhere that is the name of a predefined role.
    let role_field = if operation.id == "add-project-group" { "role" } else { "role_id" };
    let mut project = None;
    for (field, text) in &mut given.path {
        match field.as_str() {
            "group_id" => *text = resolve::group(client, text).await?.id.to_string(),
            "user_id" if text.contains('@') => *text = resolve::user(client, text).await?.id.to_string(),
            "project_id" => {
                if !text.starts_with(PROJECT_PREFIX) {
                    *text = resolve::project(client, text).await?.to_string();
                }
                project = ProjectId::new(text.as_str()).ok();
            }
            "role_id" if !is_role_id(text) => {
                *text = resolve::role(client, project.as_ref(), text).await?.to_string();
            }
            _ => {}
        }
    }
    for (field, value) in given.body.iter_mut().filter_map(Value::as_object_mut).flatten() {
        let Some(text) = value.as_str() else { continue };
        *value = match field.as_str() {
            "group_id" => resolve::group(client, text).await?.id.to_string().into(),
            "user_id" if text.contains('@') => resolve::user(client, text).await?.id.to_string().into(),
            field if field == role_field && !is_role_id(text) => {
                resolve::role(client, project.as_ref(), text).await?.to_string().into()
            }
            _ => continue,
        };
    }
    Ok(())
}

async fn send(call: &Call, consent: Consent, client: &Client, output: &Output) -> Result<()> {
    let Call { operation, given, .. } = call;
    let verb = call.words.last().map_or("", String::as_str);
    let doing = phrase(operation, verb, given.ids());
    if consent == Consent::DryRun {
        check_exists(call, client).await?;
    }
    consent.ask(&format!("{doing}?"), output)?;
    match operation.dispatch {
        Dispatch::Once(send) => {
            let answer = send(client, given).await.doing(|| doing.clone())?;
            if operation.method == Method::Delete && output.is_for_people() {
                output.note(&doing.replacen(verb, &past(verb), 1));
                return Ok(());
            }
            show(operation, &answer, output)
        }
        Dispatch::InPages(print) => {
            let schema = (operation.answer)();
            let (Some(part), Some(page_size)) = (&call.part, call.form.page_size) else { return Ok(()) };
            let listing = Listing {
                part,
                page_size,
                item: item(&schema).unwrap_or(&Value::Null),
                columns: chosen_columns(operation),
                none: &match doing.strip_prefix("search ") {
                    Some(things) => format!("no match among {things}"),
                    None => format!("no {}", doing.trim_start_matches("list ")),
                },
                doing: &doing,
                output,
            };
            print(client, given, &listing).await
        }
    }
}

/// Reads the thing to remove, if the API can read it, so that a dry run fails like the removal if it does not exist.
async fn check_exists(call: &Call, client: &Client) -> Result<()> {
    let Some(Operation { dispatch: Dispatch::Once(send), .. }) = retrieval(call.operation) else {
        return Ok(());
    };
    let given = RequestFields { path: call.given.path.clone(), ..RequestFields::default() };
    let id = call.given.ids().last().unwrap_or_default();
    send(client, &given).await.map(drop).doing(|| format!("find '{id}'"))
}

/// Prints a response: a single object, or the rows of a list.
fn show(operation: &Operation, answer: &Value, output: &Output) -> Result<()> {
    let schema = (operation.answer)();
    match (item(&schema), answer["data"].as_array()) {
        (Some(item), Some(items)) => {
            output.items_as(&layout(item, chosen_columns(operation)), items, "no items")
        }
        _ => output.item_as(&layout(&schema, &[]), answer),
    }
}

/// Reads the body from a file.
fn body(file: &Path, global: &GlobalArguments) -> Result<Value> {
    let is_input = |file: &Path| file == Path::new("-");
    if is_input(file) && global.key_file.as_deref().is_some_and(is_input) {
        return Err(Failure::usage("both --key-file and --body are standard input")
            .hint("put the key in OPENAI_ADMIN_KEY or a file"));
    }
    let name = file_name(file);
    let text = load::read(file).doing(|| format!("read {name}"))?;
    match serde_json::from_str(&text) {
        Ok(body) => Ok(body),
        Err(_) => Ok(yaml::read(&text, &name)?),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, io, rc::Rc};

    use clap::FromArgMatches as _;
    use openai_admin::testing::Script;
    use openai_admin_server::testing;
    use serde_json::json;

    use super::*;
    use crate::{
        arguments::{Arguments, Command, UsersCommand},
        commands::{audit_logs, groups, users},
        config::Environment,
        generated::tests::typed,
    };

    /// Captures the output of a command.
    #[derive(Clone, Default)]
    struct Written(Rc<RefCell<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.take()).expect("UTF-8")
        }
    }

    async fn service() -> Client {
        let directory = json!({
            "users": [
                { "id": "user_ada", "name": "Ada", "email": "ada@example.com" },
                { "id": "user_bob", "email": "bob@example.com" },
            ],
            "groups": [
                { "id": "group_1", "name": "Support", "members": ["user_ada", "user_bob"] },
                { "id": "group_2", "name": "Research", "members": ["user_bob"] },
            ],
        });
        testing::client_with(serde_json::from_value(directory).expect("a directory")).await.expect("a server")
    }

    /// Runs the hand-written and the generated command, and returns the output of both.
    async fn both(client: &Client, by_hand: &str, generated: &str, format: &str) -> (String, String) {
        let words = ["openai-admin", "-o", format].into_iter().chain(by_hand.split(' '));
        let matches = Arguments::command_line().get_matches_from(words);
        let Arguments { global, command } = Arguments::from_arg_matches(&matches).expect("a command");
        let written = Written::default();
        let output = Output::new(&global, &Environment::default()).written_to(written.clone());
        let session = Session::with_client(client.clone(), &output);
        match command {
            Command::Groups(command) => groups::run(command, &session).await.expect("groups"),
            Command::Users(UsersCommand::Api(command)) => users::run(command, &session).await.expect("users"),
            Command::AuditLogs(command) => audit_logs::run(command, &session).await.expect("audit logs"),
            other => panic!("{other:?} is not one of the tested commands"),
        }
        let by_hand = written.text();
        send(&typed(generated), Consent::Given, client, &output).await.expect("the generated command");
        (by_hand, written.text())
    }

    #[tokio::test]
    async fn a_generated_command_prints_the_same_as_the_hand_written_one() {
        let client = service().await;
        for (by_hand, generated) in [
            ("groups list", "groups list"),
            ("groups list --limit 1", "groups list --limit 1"),
            ("groups list --order desc", "groups ls --order desc"),
            ("groups list --after group_1", "groups list --after group_1"),
            ("groups get Support", "groups get group_1"),
            ("groups users list Support", "groups users list group_1"),
            ("groups users get Support ada@example.com", "groups users show group_1 user_ada"),
            ("users list --email ada@example.com", "users list --email ada@example.com"),
            ("users get ada@example.com", "users get user_ada"),
            ("users groups ada@example.com", "users groups list user_ada"),
        ] {
            for format in ["json", "jsonl", "yaml", "csv"] {
                // A CSV of users leaves out columns that are always empty.
                if format == "csv" && ["users list", "users get"].iter().any(|one| by_hand.starts_with(one)) {
                    continue;
                }
                let (expected, written) = both(&client, by_hand, generated, format).await;
                assert_eq!(written, expected, "{generated} -o {format}");
                assert!(!expected.is_empty(), "{by_hand} -o {format}");
            }
        }
        let (expected, written) =
            both(&client, "audit-logs list --limit 3", "audit-logs list --limit 3", "json").await;
        assert_eq!(written, expected);
    }

    #[tokio::test]
    async fn a_generated_change_equals_the_hand_written_one() {
        for (by_hand, generated) in [
            ("users update ada@example.com --role owner", "users update user_ada --role owner"),
            ("groups delete Support --yes", "groups delete group_1 --yes"),
            ("users remove ada@example.com --yes", "users rm user_ada --yes"),
        ] {
            let (client, other) = (service().await, service().await);
            let (expected, _) = both(&client, by_hand, "groups list", "json").await;
            let (_, written) = both(&other, "groups list", generated, "json").await;
            assert_eq!(without_times(&written), without_times(&expected), "{generated}");
        }
    }

    #[tokio::test]
    async fn a_list_is_read_to_its_end_and_its_columns_come_from_its_items() {
        let role = |id: &str| {
            json!({ "object": "role", "id": id, "name": format!("Role {id}"), "description": null,
                    "permissions": ["api.groups.read"], "resource_type": "api.organization", "predefined_role": false })
        };
        let first = json!({ "object": "list", "data": [role("role_1")], "has_more": true, "next": "role_1" });
        let last = json!({ "object": "list", "data": [role("role_2")], "has_more": false, "next": null });
        let script = Script::new().then_ok(first.to_string()).then_ok(last.to_string());
        let client = Client::builder()
            .base_url("http://localhost/v1")
            .service(script.clone())
            .build()
            .expect("a client");
        let matches = Arguments::command_line().get_matches_from(["openai-admin", "groups", "list"]);
        let Arguments { global, .. } = Arguments::from_arg_matches(&matches).expect("a command");
        let written = Written::default();
        let output = Output::new(&global, &Environment::default()).written_to(written.clone());
        send(&typed("roles list --order desc"), Consent::Given, &client, &output).await.expect("roles");
        let targets: Vec<String> = script.requests().into_iter().map(|request| request.target).collect();
        assert_eq!(
            targets,
            [
                "/v1/organization/roles?limit=1000&order=desc",
                "/v1/organization/roles?limit=1000&after=role_1&order=desc"
            ]
        );
        insta::assert_snapshot!(written.text());
    }

    /// The two services may have been created in different seconds.
    fn without_times(json: &str) -> Value {
        let mut tree: Value = serde_json::from_str(json).expect("JSON");
        tree.as_object_mut().expect("an object").retain(|field, _| !field.ends_with("_at"));
        tree
    }
}
