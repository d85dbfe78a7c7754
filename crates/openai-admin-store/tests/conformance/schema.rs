//! A migrated schema of the PostgreSQL server and a store that has opened it, for one case at a time. The cases of a run
//! share a few schemas, and those of a process the stores: migrations and connections take longer than most cases.

use std::sync::{Mutex, PoisonError};

use openai_admin_store::{DatabaseUrl, Store};
use postgres::{Client, NoTls};

use crate::support::server;

/// With a number, the advisory lock of a schema.
const LOCKS: i32 = 1_868_656_997;

/// The columns, indexes and constraints of the schema that is searched first, and the migrations that have run. A table
/// that was made again differs: statements are prepared for the first one.
const DEFINITION: &str = "
    select md5(string_agg(line, E'\n' order by line collate \"C\")) from (
        select format('%s %s %s %s %s %s %s', c.oid, c.relname, a.attnum, a.attname, a.atttypid, a.attnotnull,
                      pg_get_expr(d.adbin, d.adrelid))
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relnamespace = current_schema()::regnamespace and c.relkind <> 'i'
        union all
        select indexdef from pg_indexes where schemaname = current_schema()
        union all
        select format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace = current_schema()::regnamespace
        union all
        select tgname::text from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = current_schema()::regnamespace and not t.tgisinternal
        union all
        select version::text from schema_migrations
    ) definition (line)";

const EMPTY: &str = "
    set session_replication_role = replica;
    do $$ declare t text; begin
        for t in select tablename from pg_tables
                 where schemaname = current_schema() and tablename not in ('schema_migrations', 'audit_clock')
        loop execute format('delete from %I', t); end loop;
    end $$";

/// With more connections, stores of earlier cases are still open. Then all connections are ended.
const CONNECTIONS_MAX: i64 = 60;

/// The schemas of this process that no case uses.
static FREE: Mutex<Vec<Schema>> = Mutex::new(Vec::new());

/// A schema that one case uses. When it is dropped, it is emptied for the next case. After a case that failed or altered
/// a table, the next case makes the schema again.
pub(crate) struct Taken(Option<Schema>);

struct Schema {
    name: String,
    /// What [`DEFINITION`] says of a migrated schema.
    migrated: String,
    /// It holds the lock of the schema.
    session: Client,
    store: Store,
}

impl Taken {
    pub(crate) fn new() -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut schema = free.unwrap_or_else(Schema::take);
        // The comment comes back when the case has passed.
        schema.session.batch_execute(&format!("comment on schema {} is null", schema.name)).unwrap();
        Self(Some(schema))
    }

    fn schema(&self) -> &Schema {
        self.0.as_ref().expect("taken until it is dropped")
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Postgres(url(&self.schema().name))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.schema().store
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let schema = self.0.take().and_then(Schema::emptied).filter(Schema::is_open);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).extend(schema);
    }
}

impl Schema {
    fn take() -> Self {
        let mut session = Client::connect(&server(), NoTls).unwrap();
        let mut is_free = |number: &i32| -> bool {
            session.query_one("select pg_try_advisory_lock($1, $2)", &[&LOCKS, number]).unwrap().get(0)
        };
        let number = (1..).find(|number| is_free(number)).expect("fewer cases at a time than numbers");
        let name = format!("conformance_{number}");
        let comment = "select obj_description(to_regnamespace($1), 'pg_namespace')";
        if let Some(migrated) = session.query_one(comment, &[&name]).unwrap().get(0) {
            session.batch_execute(&format!("set search_path = {name}")).unwrap();
            let store = open(&name);
            return Self { name, migrated, session, store };
        }
        let anew =
            format!("drop schema if exists {name} cascade; create schema {name}; set search_path = {name}");
        session.batch_execute(&anew).unwrap();
        let store = open(&name);
        let migrated = session.query_one(DEFINITION, &[]).unwrap().get(0);
        Self { name, migrated, session, store }
    }

    /// Whether the case has left the store open.
    fn is_open(&self) -> bool {
        block_on(self.store.ping()).is_ok()
    }

    /// The schema for the next case, unless this one altered it.
    fn emptied(mut self) -> Option<Self> {
        let name = &self.name;
        let busy = "select count(pg_terminate_backend(pid, 60000)) from pg_stat_activity
                    where application_name = $1 and state <> 'idle'";
        self.session.query(busy, &[name]).unwrap();
        let open = "select count(*) from pg_stat_activity where application_name = $1";
        let open: i64 = self.session.query_one(open, &[name]).unwrap().get(0);
        if open > CONNECTIONS_MAX {
            let end =
                "select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name = $1";
            self.session.query(end, &[name]).unwrap();
        }
        let definition: String = self.session.query_one(DEFINITION, &[]).unwrap().get(0);
        if definition != self.migrated {
            return None;
        }
        let is_empty = format!("comment on schema {name} is '{definition}'");
        self.session.batch_execute(&format!("{EMPTY}; {is_empty}")).unwrap();
        (open <= CONNECTIONS_MAX).then_some(self)
    }
}

fn url(schema: &str) -> String {
    let mark = if server().contains('?') { '&' } else { '?' };
    format!("{}{mark}application_name={schema}&options=-csearch_path%3D{schema}", server())
}

fn open(schema: &str) -> Store {
    block_on(Store::open(&DatabaseUrl::Postgres(url(schema)))).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
