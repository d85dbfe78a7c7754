//! The database of a round, and its final contents, read without our own code.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use openai_admin_history::{Audit, AuditEvent, Pair};
use openai_admin_store::DatabaseUrl;
use tempfile::TempDir;

use crate::{
    environment,
    rights::{Set, group_id},
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A file, or a schema of the server. Dropping the value deletes it.
pub(crate) struct Database {
    pub(crate) url: String,
    schema: Option<String>,
    _folder: Option<TempDir>,
}

/// How long PostgreSQL may take to notice a lost client.
const SETTLED_POLLS_MAX: u32 = 2_000;
const SETTLED_POLL: Duration = Duration::from_millis(5);

/// All members of sets and all events about them, one per row: author, added, in the trail, set, person.
fn contents() -> String {
    let queries = Set::all().map(|(number, set)| {
        let (project, role) = (set.project_id().unwrap_or_default(), set.role_id().unwrap_or_default());
        let (table, event, of) = match set {
            Set::GroupUsers(group) => {
                let of = format!("join groups o on o.org = m.org and o.seq = m.group_seq and o.id = '{}'", group_id(group));
                ("group_users", ("group.user.added", "group.user.removed"), of)
            }
            Set::ProjectUsers | Set::ProjectTeams => {
                let of = format!("join projects o on o.org = m.org and o.seq = m.project_seq and o.id = '{project}'");
                match set {
                    Set::ProjectUsers => ("project_users", ("project.user.added", "project.user.removed"), of),
                    _ => ("project_groups", ("project.group.added", "project.group.removed"), of),
                }
            }
            Set::UserRole | Set::TeamRole | Set::ProjectUserRole | Set::ProjectTeamRole => {
                let of = format!("join roles o on o.org = m.org and o.seq = m.role_seq and o.id = '{role}'");
                ("role_assignments", ("role.assignment.created", "role.assignment.deleted"), of)
            }
        };
        let (people, column) = match set.is_of_teams() {
            true => ("groups", "group_seq"),
            false => ("users", "user_seq"),
        };
        let person = format!("join {people} p on p.org = m.org and p.seq = m.{column}");
        let (added, removed) = event;
        // The role of an event is its subject.
        let of_event = of.replace("m.role_seq", "m.subject_seq");
        format!(
            "select '' as actor, cast(1 as bigint) as added, cast(0 as bigint) as in_trail, 'set_{number}', p.id
             from {table} m {of} {person}
             union all
             select m.actor, cast(case m.event when '{added}' then 1 else 0 end as bigint), cast(1 as bigint),
                    'set_{number}', p.id
             from audit_events m {of_event} {person} where m.event in ('{added}', '{removed}')"
        )
    });
    queries.collect::<Vec<_>>().join(" union all ")
}

struct Row {
    actor: String,
    added: bool,
    in_trail: bool,
    pair: Pair,
}

impl Database {
    pub(crate) fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("history.db").display());
                Self { url, schema: None, _folder: Some(folder) }
            }
            Engine::Postgres => {
                static SCHEMAS: AtomicU64 = AtomicU64::new(0);
                let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
                let schema = format!("history_{}_{number}", std::process::id());
                // A killed process with the same id may have left its schema.
                on_server(&format!("drop schema if exists {schema} cascade; create schema {schema}"));
                let mark = if server().contains('?') { '&' } else { '?' };
                let options = format!("application_name={schema}&options=-csearch_path%3D{schema}");
                Self { url: format!("{}{mark}{options}", server()), schema: Some(schema), _folder: None }
            }
        }
    }

    pub(crate) fn parsed(&self) -> DatabaseUrl {
        self.url.parse().unwrap()
    }

    /// Returns when no work of a killed server continues: on SQLite it ended with the process, on PostgreSQL the
    /// backends of its connections first have to notice.
    pub(crate) fn wait_until_settled(&self) {
        let Some(schema) = self.schema.clone() else { return };
        on_another_thread(move || {
            let mut client = postgres::Client::connect(&server(), postgres::NoTls).unwrap();
            let query = "select count(*) from pg_stat_activity where application_name = $1";
            for _ in 0..SETTLED_POLLS_MAX {
                if client.query_one(query, &[&schema]).unwrap().get::<_, i64>(0) == 0 {
                    return;
                }
                std::thread::sleep(SETTLED_POLL);
            }
            panic!("the backends of a killed server are still connected");
        });
    }

    /// Its final contents. `actors` are the clients' names in the audit trail. An event of another actor is from before
    /// the round.
    pub(crate) fn contents(&self, actors: &[String]) -> Audit {
        let rows = match self.parsed() {
            DatabaseUrl::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                let mut statement = connection.prepare(&contents()).unwrap();
                let row = |row: &rusqlite::Row<'_>| {
                    let (group, user): (String, String) = (row.get(3)?, row.get(4)?);
                    let (added, in_trail): (i64, i64) = (row.get(1)?, row.get(2)?);
                    Ok(Row {
                        actor: row.get(0)?,
                        added: added != 0,
                        in_trail: in_trail != 0,
                        pair: pair(&group, &user),
                    })
                };
                let rows = statement.query_map([], row).unwrap();
                rows.collect::<Result<Vec<Row>, _>>().unwrap()
            }
            DatabaseUrl::Postgres(url) => on_another_thread(move || {
                let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
                let rows = client.query(&contents(), &[]).unwrap();
                let row = |row: &postgres::Row| Row {
                    actor: row.get(0),
                    added: row.get::<_, i64>(1) != 0,
                    in_trail: row.get::<_, i64>(2) != 0,
                    pair: pair(row.get(3), row.get(4)),
                };
                rows.iter().map(row).collect()
            }),
        };
        let members: BTreeSet<Pair> = rows.iter().filter(|row| !row.in_trail).map(|row| row.pair).collect();
        let event = |row: &Row| {
            let client = actors.iter().position(|actor| *actor == row.actor)?;
            Some(AuditEvent { client, pair: row.pair, added: row.added })
        };
        Audit { events: rows.iter().filter(|row| row.in_trail).filter_map(event).collect(), members }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(schema) = &self.schema {
            on_server(&format!("drop schema if exists {schema} cascade"));
        }
    }
}

/// `set_3`, and `user_4` or `team_4`.
fn pair(group: &str, user: &str) -> Pair {
    Pair { group: number_of(group), user: number_of(user) }
}

/// The number at the end of an id.
pub(crate) fn number_of(id: &str) -> usize {
    id.rsplit_once('_').and_then(|(_, number)| number.parse().ok()).expect("an id of a round")
}

fn server() -> String {
    environment("OPENAI_ADMIN_TEST_POSTGRES")
        .expect("set OPENAI_ADMIN_TEST_POSTGRES to the URL of a PostgreSQL server, or run scripts/with-postgres COMMAND")
}

fn on_server(sql: &str) {
    let sql = sql.to_owned();
    on_another_thread(move || {
        postgres::Client::connect(&server(), postgres::NoTls).unwrap().batch_execute(&sql).unwrap()
    });
}

/// PostgreSQL's client has its own runtime, which cannot be entered from within another.
fn on_another_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(work).join().unwrap()
}
