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
    rights::{PROJECT, PROJECT_ID, ROLE, ROLE_ID},
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

/// All memberships of sets and all events about them, one per row: author, added, in the trail, set, user.
fn contents() -> String {
    let member = "select '' as actor, cast(1 as bigint) as added, cast(0 as bigint) as in_trail";
    let event = |added: &str| {
        format!(
            "select a.actor, cast(case a.event when '{added}' then 1 else 0 end as bigint), cast(1 as bigint)"
        )
    };
    let (in_group, assigned, in_project) =
        (event("group.user.added"), event("role.assignment.created"), event("project.user.added"));
    let user = |of: &str| format!("join users u on u.org = {of}.org and u.seq = {of}.user_seq");
    let (of_member, of_event) = (user("m"), user("a"));
    format!(
        "{member}, g.id, u.id from group_users m
         join groups g on g.org = m.org and g.seq = m.group_seq {of_member}
         union all
         {member}, 'set_{ROLE}', u.id from role_assignments m
         join roles r on r.org = m.org and r.seq = m.role_seq {of_member} where r.id = '{ROLE_ID}'
         union all
         {member}, 'set_{PROJECT}', u.id from project_users m
         join projects p on p.org = m.org and p.seq = m.project_seq {of_member} where p.id = '{PROJECT_ID}'
         union all
         {in_group}, g.id, u.id from audit_events a
         join groups g on g.org = a.org and g.seq = a.group_seq {of_event}
         where a.event in ('group.user.added', 'group.user.removed')
         union all
         {assigned}, 'set_{ROLE}', u.id from audit_events a
         join roles r on r.org = a.org and r.seq = a.subject_seq {of_event}
         where a.event in ('role.assignment.created', 'role.assignment.deleted') and r.id = '{ROLE_ID}'
         union all
         {in_project}, 'set_{PROJECT}', u.id from audit_events a {of_event}
         where a.event in ('project.user.added', 'project.user.removed')"
    )
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

/// `group_1` or `set_3`, and `user_4`.
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
