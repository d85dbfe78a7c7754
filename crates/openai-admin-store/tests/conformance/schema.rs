//! A migrated schema of the PostgreSQL server, for one case at a time. The cases of a run share a few: the migrations take
//! longer than most cases.

use openai_admin_store::{DatabaseUrl, Store};
use postgres::{Client, NoTls};

use crate::support::server;

/// With a number, the advisory lock of a schema.
const LOCKS: i32 = 1_868_656_997;

/// The columns, indexes and constraints of the schema that is searched first, and the migrations that have run.
const DEFINITION: &str = "
    select md5(string_agg(line, E'\n' order by line collate \"C\")) from (
        select format('%s %s %s %s %s', c.relname, a.attname, a.atttypid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
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
        for t in select tablename from pg_tables where schemaname = current_schema() and tablename <> 'schema_migrations'
        loop execute format('delete from %I', t); end loop;
    end $$";

/// When it is dropped, it is emptied for the next case. After a case that failed or altered a table, the next case makes
/// the schema again.
pub(crate) struct Schema {
    name: String,
    /// What [`DEFINITION`] says of a migrated schema.
    migrated: String,
    /// It holds the lock of the schema.
    session: Client,
}

impl Schema {
    pub(crate) fn take() -> Self {
        let mut session = Client::connect(&server(), NoTls).unwrap();
        let mut is_free = |number: &i32| -> bool {
            session.query_one("select pg_try_advisory_lock($1, $2)", &[&LOCKS, number]).unwrap().get(0)
        };
        let number = (1..).find(|number| is_free(number)).expect("fewer cases at a time than numbers");
        let name = format!("conformance_{number}");
        let comment = "select obj_description(to_regnamespace($1), 'pg_namespace')";
        if let Some(migrated) = session.query_one(comment, &[&name]).unwrap().get(0) {
            // The comment comes back when the case has passed.
            session
                .batch_execute(&format!("comment on schema {name} is null; set search_path = {name}"))
                .unwrap();
            return Self { name, migrated, session };
        }
        let anew =
            format!("drop schema if exists {name} cascade; create schema {name}; set search_path = {name}");
        session.batch_execute(&anew).unwrap();
        migrate(&url(&name));
        let migrated = session.query_one(DEFINITION, &[]).unwrap().get(0);
        Self { name, migrated, session }
    }

    pub(crate) fn url(&self) -> String {
        url(&self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let end = "select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name = $1";
        self.session.query(end, &[&self.name]).unwrap();
        let others = "select count(*) from pg_stat_activity where application_name = $1";
        let others: i64 = self.session.query_one(others, &[&self.name]).unwrap().get(0);
        assert_eq!(others, 0, "connections to {} have not ended", self.name);
        let definition: String = self.session.query_one(DEFINITION, &[]).unwrap().get(0);
        if definition == self.migrated {
            let is_empty = format!("comment on schema {} is '{definition}'", self.name);
            self.session.batch_execute(&format!("{EMPTY}; {is_empty}")).unwrap();
        }
    }
}

fn url(schema: &str) -> String {
    let mark = if server().contains('?') { '&' } else { '?' };
    format!("{}{mark}application_name={schema}&options=-csearch_path%3D{schema}", server())
}

fn migrate(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        Store::open(&DatabaseUrl::Postgres(url.to_owned())).await.unwrap().close().await;
    });
}
