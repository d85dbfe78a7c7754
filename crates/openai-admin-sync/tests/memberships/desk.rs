//! Test setup: an organization on a real server, group files, and runs in a folder.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{collections::BTreeMap, future::pending, sync::Arc};

use jiff::{Timestamp, civil::date};
use openai_admin::{Client, GroupId};
use openai_admin_server::{Caller, Config, Minter, Server, testing};
use openai_admin_store::Store;
use openai_admin_sync::{
    Approval, Executor, InputErrors, Journal, Lanes, Plan, PlanOptions, Reader, Start,
    current::ReadError,
    desired::{self, Desired},
    executor::Executed,
    file, fresh,
    plan::Effect,
    verify,
    verify::Verification,
};
use serde_json::{Value as Json, json};

pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) reader: Reader,
    pub(crate) known: BTreeMap<String, GroupId>,
}

impl Desk {
    /// Users a, b, c … in groups: `("Support", "abc")` has three members.
    pub(crate) async fn with_groups(groups: &[(&str, &str)]) -> Self {
        let users: Vec<Json> =
            ('a'..='z').map(|c| json!({ "id": format!("user_{c}"), "email": email(c) })).collect();
        let groups: Vec<Json> = groups
            .iter()
            .map(|(name, members)| {
                let members: Vec<String> = members.chars().map(|c| format!("user_{c}")).collect();
                json!({ "id": format!("group_{}", name.to_lowercase().replace(' ', "_")), "name": name, "members": members })
            })
            .collect();
        let directory = json!({ "organization": { "id": "org-test" }, "users": users, "groups": groups });
        Self::with_directory(directory).await
    }

    pub(crate) async fn with_directory(directory: Json) -> Self {
        Self::of(testing::client_with(serde_json::from_value(directory).unwrap()).await.unwrap())
    }

    /// Also returns clients whose changes have other actors in the audit log.
    pub(crate) async fn with_actors(directory: Json) -> (Self, impl Fn(&str) -> Client) {
        let (store, minter) = (Store::open_in_memory(None).await.unwrap(), Minter::system());
        let directory = serde_json::from_value(directory).unwrap();
        let organization = store.load(minter.stamp("test"), directory).await.unwrap().organization;
        let server = Server::new(store, minter, Config::default());
        let client_of = move |actor: &str| {
            let router = server.router_as(Caller::local(&organization).with_actor(actor));
            Client::builder().base_url("http://localhost/v1").service(router).build().unwrap()
        };
        (Self::of(client_of("test")), client_of)
    }

    pub(crate) fn of(client: Client) -> Self {
        let lanes = Arc::new(Lanes::new(openai_admin_sync::LaneSettings::default()));
        let reader = Reader::new(&client, Arc::clone(&lanes));
        Self { client, lanes, reader, known: BTreeMap::new() }
    }

    pub(crate) fn options(&self) -> PlanOptions {
        PlanOptions { known_groups: self.known.clone(), ..PlanOptions::at(now()) }
    }

    pub(crate) async fn plan(&self, text: &str) -> Result<Plan, ReadError> {
        let desired = desired(text, &[]).map_err(ReadError::Input)?;
        self.plan_desired(&desired).await
    }

    pub(crate) async fn plan_desired(&self, desired: &Desired) -> Result<Plan, ReadError> {
        openai_admin_sync::plan(&self.reader, desired, &self.options()).await
    }

    /// Applies a new plan and verifies it.
    pub(crate) async fn apply(&self, plan: &Plan, approval: &Approval) -> (Executed, Verification) {
        self.start(plan, approval, Start::of(plan, approval)).await
    }

    /// Compares a saved plan with the current state, and applies it unless it is stale.
    pub(crate) async fn apply_kept(&self, plan: &Plan) -> Result<(Executed, Verification), Vec<String>> {
        let earlier = fresh::Earlier::default();
        let start = fresh::compare(&self.reader, plan, &Approval::None, &earlier, 4).await.unwrap();
        if !start.differences.is_empty() {
            return Err(start.differences.iter().map(ToString::to_string).collect());
        }
        Ok(self.start(plan, &Approval::None, start).await)
    }

    async fn start(&self, plan: &Plan, approval: &Approval, start: Start) -> (Executed, Verification) {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(&folder.path().join("journal.jsonl")).unwrap();
        let executed = Executor {
            client: self.client.clone(),
            lanes: &self.lanes,
            journal: &mut journal,
            clock: &now,
            concurrency: 4,
            progress: &mut |_| {},
        }
        .run(plan, start, pending())
        .await
        .unwrap();
        let verification =
            verify::verify(&self.reader, plan, approval, &executed.group_ids, 4).await.unwrap();
        (executed, verification)
    }

    /// The members of a group, as sorted letters.
    pub(crate) async fn members(&self, group: &str) -> String {
        let id = GroupId::new(group).unwrap();
        let users = self.reader.list_group_users(id).await.unwrap();
        let mut letters: Vec<String> =
            users.iter().map(|user| user.id.as_str().trim_start_matches("user_").to_owned()).collect();
        letters.sort();
        letters.concat()
    }
}

pub(crate) fn email(letter: char) -> String {
    format!("{letter}@example.com")
}

/// `members: [a@example.com, …]` for letters.
pub(crate) fn members(letters: &str) -> String {
    let emails: Vec<String> = letters.chars().map(email).collect();
    format!("members: [{}]", emails.join(", "))
}

/// The desired state of a file with its tables.
pub(crate) fn desired(text: &str, tables: &[(&str, &str)]) -> Result<Desired, InputErrors> {
    let file = file::parse(&format!("version: 1\n{text}\n"), "groups.yaml").map_err(InputErrors::from)?;
    let mut read = |_: &str, path: &str| {
        let table = tables.iter().find(|(name, _)| *name == path);
        table.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "not found".to_owned())
    };
    desired::expand(&[("groups.yaml".to_owned(), file)], date(2026, 11, 23), &mut read)
}

/// The changes of a plan, as `+a Support`, `-b Support` and `-c role owner`.
pub(crate) fn changes(plan: &Plan) -> Vec<String> {
    plan.operations()
        .map(|(group, operation)| {
            let who = operation.user_id().map(|id| id.as_str().trim_start_matches("user_"));
            let who = who.or(operation.email()).unwrap_or_default();
            let group = group.map(|group| group.name.clone());
            let what = group.or(operation.right().map(ToString::to_string)).unwrap();
            match (operation.is(Effect::Grant), operation.is(Effect::Revoke)) {
                (true, _) => format!("+{who} {what}"),
                (_, true) => format!("-{who} {what}"),
                _ => format!("{} {what}", operation.action()),
            }
        })
        .collect()
}
