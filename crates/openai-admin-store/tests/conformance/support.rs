//! A new database for each case, on either engine, and the code that runs a case on it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use openai_admin_store::{DatabaseUrl, Stamp, Store};
use serde_json::Value as Json;
use tempfile::TempDir;
use ulid::Ulid;

use crate::{schema::Taken, tenant::Tenant};

/// Registers cases for each engine, and also for the database in memory unless they need a second connection. A case
/// that is not listed is dead code, which clippy reports.
macro_rules! conformance {
    (also in_memory: $($case:ident,)* $([but not: $($other:ident,)*])?) => {
        mod in_memory {
            $(#[test] fn $case() { crate::support::run(crate::support::Engine::Memory, super::$case); })*
        }
        crate::support::conformance! { $($case,)* $($($other,)*)? }
    };
    ($($case:ident,)*) => {
        mod sqlite {
            $(#[test] fn $case() { crate::support::run(crate::support::Engine::Sqlite, super::$case); })*
        }
        mod postgres {
            $(#[test] fn $case() { crate::support::run(crate::support::Engine::Postgres, super::$case); })*
        }
    };
}
pub(crate) use conformance;

/// Asserts that an operation returned a matching error.
macro_rules! assert_refused {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        match $result {
            Err($pattern) $(if $guard)? => {}
            other => panic!("expected {}, but got {other:?}", stringify!($pattern $(if $guard)?)),
        }
    };
}
pub(crate) use assert_refused;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Sqlite,
    /// A schema of a database that other cases use too.
    Postgres,
    /// A separate database of the server, for cases about transactions that concern the whole database.
    PostgresOwnDatabase,
    /// SQLite without a file, as the emulator uses it.
    Memory,
}

/// Runs a case on a new database, which is verified afterwards.
pub(crate) fn run<F: Future<Output = ()>>(engine: Engine, case: impl FnOnce(Database) -> F) {
    run_and_check(engine, async |database| {
        case(database.clone()).await;
        assert_eq!(database.problems().await, Vec::<String>::new(), "after the case");
    });
}

/// Runs a case on a new database without verifying it.
pub(crate) fn run_and_check<F: Future<Output = ()>>(engine: Engine, case: impl FnOnce(Database) -> F) {
    let home = Home::new(engine);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database {
            store: match (engine, &home.data) {
                (Engine::Memory, _) => Store::open_in_memory(None).await.unwrap(),
                (_, Data::Schema(schema)) => schema.store().clone(),
                _ => Store::open(&home.url).await.unwrap(),
            },
            is_in_memory: matches!(engine, Engine::Memory),
            url: home.url.clone(),
            stamps: Arc::new(AtomicU64::new(0)),
        };
        let store = database.store.clone();
        case(database).await;
        if !matches!(home.data, Data::Schema(_)) {
            store.close().await;
        }
    });
}

/// The data of a case: a directory, or a schema or database of the server. Dropping it removes the data.
struct Home {
    url: DatabaseUrl,
    data: Data,
}

enum Data {
    Directory { _removed: TempDir },
    Schema(Box<Taken>),
    OwnDatabase(String),
}

impl Home {
    fn new(engine: Engine) -> Self {
        match engine {
            // A database in memory has no URL to open.
            Engine::Sqlite | Engine::Memory => {
                let directory = tempfile::tempdir().unwrap();
                let url = DatabaseUrl::Sqlite(directory.path().join("test.db"));
                Self { url, data: Data::Directory { _removed: directory } }
            }
            Engine::Postgres => {
                let schema = Taken::new();
                Self { url: schema.url(), data: Data::Schema(Box::new(schema)) }
            }
            Engine::PostgresOwnDatabase => {
                let database = unique_name();
                on_server(&server(), &format!("drop database if exists {database} with (force)"));
                on_server(&server(), &format!("create database {database} template template0"));
                let server = server();
                let (address, _) = server.rsplit_once('/').expect("the URL names a database");
                let url = DatabaseUrl::Postgres(format!("{address}/{database}?application_name={database}"));
                Self { url, data: Data::OwnDatabase(database) }
            }
        }
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        if let Self::OwnDatabase(database) = self {
            on_server(&server(), &format!("drop database if exists {database} with (force)"));
        }
    }
}

pub(crate) fn server() -> String {
    started("OPENAI_ADMIN_TEST_POSTGRES")
}

fn started(name: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test command passes the URLs of its servers")]
    std::env::var(name).unwrap_or_else(|_| {
        panic!("set {name} to the URL of a PostgreSQL server, or run scripts/with-postgres COMMAND")
    })
}

/// The same database on the replica of the server.
pub(crate) fn replica_of(url: &DatabaseUrl) -> DatabaseUrl {
    let DatabaseUrl::Postgres(url) = url else { panic!("only PostgreSQL has a replica") };
    let options = url.strip_prefix(&server()).expect("a case's database is on the server");
    DatabaseUrl::Postgres(started("OPENAI_ADMIN_TEST_POSTGRES_REPLICA") + options)
}

/// Cases of one process run concurrently, and so do processes.
fn unique_name() -> String {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    format!("conformance_{}_{}", std::process::id(), NAMES.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn on_server(url: &str, sql: &str) {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    // The client has its own runtime, which cannot be entered from within another.
    std::thread::spawn(move || {
        postgres::Client::connect(&url, postgres::NoTls).unwrap().batch_execute(&sql).unwrap();
    })
    .join()
    .unwrap();
}

/// A new database, and a store that has opened it. Clones share the store.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) store: Store,
    /// The URL is not used then.
    pub(crate) is_in_memory: bool,
    pub(crate) url: DatabaseUrl,
    pub(crate) stamps: Arc<AtomicU64>,
}

/// The default time of changes: all in one second, so that lists have ties.
pub(crate) const NOW: u64 = 1_750_000_000;

impl Database {
    /// The next change, at [`NOW`].
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp_at(NOW)
    }

    pub(crate) fn stamp_at(&self, unix_seconds: u64) -> Stamp {
        // Spaced, because the resources that a change creates get the next ids.
        let number = u128::from(self.stamps.fetch_add(1, Ordering::Relaxed)) << 24;
        Stamp::new(Ulid::from_parts(unix_seconds * 1000, number), "test")
    }

    /// An organization with `people` users, `user_1` and so on, and these groups.
    pub(crate) async fn tenant(&self, id: &str, people: usize, groups: Json) -> Tenant {
        let users: Vec<Json> = (1..=people).map(person).collect();
        let directory = serde_json::json!({ "organization": { "id": id }, "users": users, "groups": groups });
        let directory = serde_json::from_value(directory).unwrap();
        let organization = self.store.load(self.stamp(), directory).await.unwrap().organization;
        Tenant { database: self.clone(), organization }
    }

    /// The organization of a case that needs only one.
    pub(crate) async fn acme(&self, people: usize, groups: Json) -> Tenant {
        self.tenant("org-acme", people, groups).await
    }

    /// The same database, opened again, as another process would.
    pub(crate) async fn opened_again(&self) -> Self {
        Self { store: Store::open(&self.url).await.unwrap(), ..self.clone() }
    }

    /// The violations in the database.
    pub(crate) async fn problems(&self) -> Vec<String> {
        if self.is_in_memory {
            return self.store.verify().await.unwrap();
        }
        // On PostgreSQL, opening a store costs more than a case.
        let is_postgres = matches!(self.url, DatabaseUrl::Postgres(_));
        if is_postgres && self.store.ping().await.is_ok() {
            return self.store.verify().await.unwrap();
        }
        let store = Store::open(&self.url).await.unwrap();
        let problems = store.verify().await.unwrap();
        store.close().await;
        problems
    }

    /// Changes the database directly, without the store.
    pub(crate) fn execute(&self, sql: &str) {
        match &self.url {
            DatabaseUrl::Sqlite(file) => {
                rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap()
            }
            DatabaseUrl::Postgres(url) => on_server(url, sql),
        }
    }

    /// Reverts the migrations after `version`, as far as needed to run them again. Cases recreate `audit_events`
    /// themselves.
    pub(crate) fn go_back_to(&self, version: u32) {
        if version < 24 {
            self.execute("drop table console_sessions");
        }
        if version < 23 {
            self.execute("drop table workload_identity_providers; drop table federation_rules");
        }
        if version < 21 {
            self.execute("drop table external_storage");
        }
        if version < 20 {
            self.execute("drop table external_keys; drop index projects_by_external_key");
        }
        if version < 19 {
            self.execute(
                "drop index spend_alerts_by_id;
                 create unique index spend_alerts_by_id on spend_alerts (org, id)",
            );
        }
        if version < 18 {
            self.execute("drop table spend_alerts");
        }
        if version < 17 {
            self.execute("drop table rate_limits");
        }
        if version < 16 {
            self.execute("drop index api_keys_of_organization");
        }
        if version < 15 {
            self.execute("drop index users_by_owner; drop index service_accounts_by_project_user");
        }
        if version < 14 {
            self.execute("drop table project_groups");
        }
        if version < 13 {
            self.execute("drop table project_users");
        }
        if version < 11 {
            self.execute("drop table settings");
        }
        if version < 10 {
            self.execute("drop table usage_dimensions; drop table usage_sums; drop table usage_batches");
        }
        if version < 9 {
            self.execute("drop table certificates; drop table certificate_activations");
        }
        if version < 8 {
            self.execute("drop table invites");
        }
        if version < 7 {
            self.execute(
                "drop table service_accounts;
                 drop index api_keys_by_project; drop index api_keys_by_user;
                 alter table api_keys drop column project_seq;
                 alter table api_keys drop column user_seq",
            );
        }
        if version < 6 {
            self.execute("drop table projects; drop index role_assignments_by_project");
        }
        if version < 5 {
            self.execute(
                "drop index audit_events_by_subject;
                 drop index idempotency_keys_by_created;
                 alter table audit_events drop column subject_kind;
                 alter table audit_events drop column subject_seq;
                 alter table audit_events drop column project_seq;
                 alter table idempotency_keys drop column created_kind;
                 alter table idempotency_keys drop column created_seq;
                 drop table sequences; drop table roles; drop table role_assignments",
            );
        }
        self.execute(&format!("delete from schema_migrations where version > {version}"));
    }

    /// The rows of a query with one text column.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        self.last_texts(&[sql])
    }

    /// The rows of the last of several queries on one connection.
    pub(crate) fn last_texts(&self, queries: &[&str]) -> Vec<String> {
        let (last, before) = queries.split_last().unwrap();
        match self.url.clone() {
            DatabaseUrl::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.execute_batch(&before.join(";")).unwrap();
                let mut statement = connection.prepare(last).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            }
            DatabaseUrl::Postgres(url) => std::thread::scope(|scope| {
                let query = move || {
                    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
                    client.batch_execute(&before.join(";")).unwrap();
                    client.query(*last, &[]).unwrap().iter().map(|row| row.get(0)).collect()
                };
                scope.spawn(query).join().unwrap()
            }),
        }
    }

    /// The audit events after the first `before`: type, group and user.
    pub(crate) fn events_since(&self, before: usize) -> Vec<String> {
        self.events().split_off(before)
    }

    pub(crate) fn events(&self) -> Vec<String> {
        self.texts(
            "select a.event || coalesce(' ' || g.id, '') || coalesce(' ' || u.id, '') || coalesce(' ' || a.detail, '')
             from audit_events a
             left join groups g on g.org = a.org and g.seq = a.group_seq
             left join users u on u.org = a.org and u.seq = a.user_seq
             order by a.change, a.item",
        )
    }
}

/// A user of a directory.
pub(crate) fn person(number: usize) -> Json {
    serde_json::json!({
        "id": format!("user_{number}"),
        "email": format!("user_{number}@example.com"),
        "name": format!("User {number}"),
    })
}

/// `user_1` to `user_n`.
pub(crate) fn user_ids(people: usize) -> Vec<String> {
    (1..=people).map(|number| format!("user_{number}")).collect()
}
