//! Properties for any organization and any file: `apply` ends in the desired state, a second plan is empty, a user who is
//! in both states is never removed, and `export | plan` has no changes.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use openai_admin::Client;
use openai_admin_server::{Caller, Config, Minter, Server};
use openai_admin_store::{DatabaseUrl, Store};
use openai_admin_sync::{
    Approval, Plan,
    current::{self, CurrentGroup},
    export, guard,
    plan::Effect,
    render::Summary,
};
use proptest::{
    prelude::*,
    test_runner::{Config as Cases, TestRunner},
};
use serde_json::{Value as Json, json};

use crate::desk::Desk;

/// The number of pairs that the tests try on each engine; `SYNC_CASES` overrides it.
const CASES: u32 = 40;
const USERS: usize = 14;
const GROUPS: usize = 6;

/// An organization and its desired state.
#[derive(Clone, Debug)]
struct Pair {
    /// The members of each existing group.
    current: Vec<BTreeSet<usize>>,
    /// The desired state of each group: the first ones exist, the others are new.
    wishes: Vec<Wish>,
    /// The groups that the file renames.
    renamed: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
enum Wish {
    Absent,
    Unmanaged,
    Members { mode: &'static str, members: BTreeSet<usize>, pinned: bool },
}

fn pair() -> impl Strategy<Value = Pair> {
    let set = || prop::collection::btree_set(0..USERS, 0..USERS);
    let wish = prop_oneof![
        1 => Just(Wish::Absent),
        1 => Just(Wish::Unmanaged),
        6 => (prop_oneof![3 => Just("exact"), 1 => Just("add-only"), 1 => Just("remove-only")], set(), any::<bool>())
            .prop_map(|(mode, members, pinned)| Wish::Members { mode, members, pinned }),
    ];
    (
        prop::collection::vec(set(), 1..GROUPS),
        prop::collection::vec(wish, 1..GROUPS + 2),
        prop::collection::btree_set(0..GROUPS, 0..2),
    )
        .prop_map(|(current, wishes, renamed)| Pair { current, wishes, renamed })
}

fn user_id(user: usize) -> String {
    format!("user_{user:02}")
}

/// Some members have no address.
fn member(user: usize) -> Json {
    if user.is_multiple_of(5) {
        json!({ "id": user_id(user) })
    } else {
        json!(format!("U{user}@Example.com"))
    }
}

impl Pair {
    fn directory(&self, organization: &str) -> Json {
        let users: Vec<Json> = (0..USERS)
            .map(|user| match user.is_multiple_of(5) {
                true => json!({ "id": user_id(user), "is_service_account": true }),
                false => json!({ "id": user_id(user), "email": format!("u{user}@example.com") }),
            })
            .collect();
        let groups: Vec<Json> = self
            .current
            .iter()
            .enumerate()
            .map(|(group, members)| {
                let members: Vec<String> = members.iter().map(|user| user_id(*user)).collect();
                json!({ "id": format!("group_{group}"), "name": format!("Group: {group} #"), "members": members })
            })
            .collect();
        json!({ "organization": { "id": organization }, "users": users, "groups": groups })
    }

    fn file(&self) -> Json {
        let groups: Vec<Json> = self
            .wishes
            .iter()
            .enumerate()
            .filter_map(|(group, wish)| {
                let exists = group < self.current.len();
                let old = format!("Group: {group} #");
                let is_renamed = exists && self.renamed.contains(&group);
                let mut desired =
                    json!({ "name": if is_renamed { format!("New {group}") } else { old.clone() } });
                let fields = desired.as_object_mut().unwrap();
                if is_renamed {
                    fields.insert("previously".to_owned(), json!([old]));
                }
                match wish {
                    Wish::Absent => return None,
                    Wish::Unmanaged => {}
                    Wish::Members { mode, members, pinned } => {
                        fields.insert("mode".to_owned(), json!(mode));
                        fields.insert("allow_empty".to_owned(), json!(true));
                        let members: Vec<Json> = members.iter().map(|user| member(*user)).collect();
                        fields.insert("members".to_owned(), json!(members));
                        if *pinned && exists {
                            fields.insert("id".to_owned(), json!(format!("group_{group}")));
                        }
                    }
                }
                Some(desired)
            })
            .collect();
        json!({ "version": 1, "groups": groups })
    }

    /// The expected members at the end, by the name of the group.
    fn expected(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut expected = BTreeMap::new();
        for group in 0..self.current.len().max(self.wishes.len()) {
            let is_renamed = group < self.current.len() && self.renamed.contains(&group);
            let wish = self.wishes.get(group).unwrap_or(&Wish::Absent);
            let is_renamed = is_renamed && !matches!(wish, Wish::Absent);
            let name = if is_renamed { format!("New {group}") } else { format!("Group: {group} #") };
            let now = self.current.get(group);
            let members: BTreeSet<usize> = match (wish, now) {
                (Wish::Absent, None) => continue,
                (Wish::Absent | Wish::Unmanaged, now) => now.cloned().unwrap_or_default(),
                (Wish::Members { mode, members, .. }, now) => {
                    let now = now.cloned().unwrap_or_default();
                    match *mode {
                        "exact" => members.clone(),
                        "add-only" => now.union(members).copied().collect(),
                        _ => now.intersection(members).copied().collect(),
                    }
                }
            };
            expected.insert(name, members.into_iter().map(user_id).collect());
        }
        expected
    }
}

struct Home {
    store: Store,
    organizations: AtomicU64,
}

impl Home {
    async fn client(&self, pair: &Pair) -> Client {
        let number = self.organizations.fetch_add(1, Ordering::Relaxed);
        let minter = Minter::system();
        let directory = serde_json::from_value(pair.directory(&format!("org-{number}"))).unwrap();
        let loaded = self.store.load(minter.stamp("test"), directory).await.unwrap();
        let server = Server::new(self.store.clone(), minter, Config::default());
        let router = server.router_as(Caller::local(&loaded.organization));
        Client::builder().base_url("http://localhost/v1").service(router).build().unwrap()
    }
}

async fn state(desk: &Desk) -> BTreeMap<String, BTreeSet<String>> {
    let mut snapshot = current::read_groups(&desk.reader).await.unwrap();
    let all: Vec<usize> = (0..snapshot.groups.len()).collect();
    current::read_members(&desk.reader, &mut snapshot, &all, 4).await.unwrap();
    let members = |group: &CurrentGroup| group.members().iter().map(|user| user.id.to_string()).collect();
    snapshot.groups.iter().map(|group| (group.name.clone(), members(group))).collect()
}

fn approved(plan: &Plan) -> Approval {
    match guard::blocked_removals(plan) {
        0 => Approval::None,
        blocked => Approval::Removals(blocked),
    }
}

async fn check(home: &Home, pair: Pair) -> Result<(), TestCaseError> {
    let desk = Desk::of(home.client(&pair).await);
    let file = pair.file();
    if file["groups"].as_array().unwrap().is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&file).unwrap();
    let desired = |text: &str| {
        let file = openai_admin_sync::file::parse(text, "groups.json").unwrap();
        let day = jiff::civil::date(2026, 11, 23);
        let files = [("groups.json".to_owned(), file)];
        openai_admin_sync::desired::expand(&files, day, &mut |_, _| Err("no table".to_owned())).unwrap()
    };
    let before = state(&desk).await;
    let plan = desk.plan_desired(&desired(&text)).await.unwrap();
    // The plan removes no user who is in both states.
    let expected = pair.expected();
    for (group, operation) in plan.operations().filter(|(_, operation)| operation.is(Effect::Revoke)) {
        let (group, user) = (group.unwrap(), operation.user_id().unwrap().to_string());
        prop_assert!(!expected[&group.name].contains(&user), "{user} stays in {}", group.name);
    }
    // A saved plan is read back unchanged.
    prop_assert_eq!(&Plan::from_json(plan.to_json().as_bytes()).unwrap(), &plan);
    let approval = approved(&plan);
    let (executed, verification) = desk.apply(&plan, &approval).await;
    prop_assert!(executed.stopped.is_none());
    prop_assert!(executed.results.values().all(|result| result.outcome.is_settled()));
    prop_assert!(verification.is_converged(), "{:?}", verification);
    prop_assert_eq!(&state(&desk).await, &expected);
    let second = desk.plan_desired(&desired(&text)).await.unwrap();
    prop_assert!(Summary::of(&second, &Approval::None).is_empty(), "{:?}", second);
    // A plan of the export has no changes.
    let mut snapshot = current::read_groups(&desk.reader).await.unwrap();
    let all: Vec<usize> = (0..snapshot.groups.len()).collect();
    current::read_members(&desk.reader, &mut snapshot, &all, 4).await.unwrap();
    let exported = export::export(&snapshot).to_yaml().unwrap();
    let nothing = desk.plan_desired(&desired(&exported)).await.unwrap();
    prop_assert!(Summary::of(&nothing, &Approval::None).is_empty(), "{exported}");
    prop_assert_eq!(nothing.groups.len(), expected.len());
    // The run can be undone; created groups stay.
    let (options, results) = (desk.options(), &executed.results);
    let undo =
        openai_admin_sync::undo::plan_undo(&desk.reader, "run", &plan, results, &options).await.unwrap();
    let approval = approved(&undo);
    desk.apply(&undo, &approval).await;
    let mut after = state(&desk).await;
    after.retain(|name, members| before.contains_key(name) || !members.is_empty());
    prop_assert_eq!(after, before);
    Ok(())
}

fn run(url: &DatabaseUrl) {
    #[expect(clippy::disallowed_methods, reason = "the caller of the tests sets the number")]
    let cases = std::env::var("SYNC_CASES").ok();
    let cases = cases.map_or(CASES, |cases| cases.parse().expect("SYNC_CASES is a number"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(Store::open(url)).unwrap();
    let home = Arc::new(Home { store: store.clone(), organizations: AtomicU64::new(0) });
    let cases = Cases { cases, failure_persistence: None, max_shrink_iters: 200, ..Cases::default() };
    let result = TestRunner::new(cases).run(&pair(), |pair| runtime.block_on(check(&home, pair)));
    runtime.block_on(store.close());
    result.unwrap();
}

#[test]
fn every_pair_converges_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    run(&DatabaseUrl::Sqlite(folder.path().join("test.db")));
}

#[test]
fn every_pair_converges_on_postgresql() {
    #[expect(clippy::disallowed_methods, reason = "the test command passes the URL of its server")]
    let server = std::env::var("OPENAI_ADMIN_TEST_POSTGRES")
        .expect("set OPENAI_ADMIN_TEST_POSTGRES to the URL of a PostgreSQL server, or run scripts/with-postgres COMMAND");
    let schema = format!("sync_{}", std::process::id());
    let sql = format!("drop schema if exists {schema} cascade; create schema {schema}");
    on_server(&server, &sql);
    let mark = if server.contains('?') { '&' } else { '?' };
    run(&DatabaseUrl::Postgres(format!("{server}{mark}options=-csearch_path%3D{schema}")));
    on_server(&server, &format!("drop schema {schema} cascade"));
}

fn on_server(url: &str, sql: &str) {
    let done = std::process::Command::new("psql")
        .args([url, "-qc", sql])
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .status();
    assert!(done.unwrap().success(), "psql");
}
