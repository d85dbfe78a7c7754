//! No statement reads or sorts more rows than its answer needs. Every operation is run, and the plan of each prepared
//! statement is checked: over one group with nearly all users, and over many small groups.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]
#![allow(dead_code, unused_macros, unused_imports, reason = "this file uses only a part of the shared code")]

mod operations;
#[path = "../conformance/schema.rs"]
mod schema;
#[path = "../conformance/support.rs"]
mod support;
#[path = "../conformance/tenant.rs"]
mod tenant;

use std::{
    collections::BTreeSet,
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use openai_admin_store::DatabaseUrl;
use operations::every_operation;
use serde_json::json;
use support::{Database, Engine, run_and_check};
use tenant::Part;
use tracing::{Event, Metadata, field::Field, span};

/// Statements that may read or sort a whole organization, with the reason.
const EXCEPTIONS: [(&str, &str); 13] = [
    (
        "select count(*) from certificates where org",
        "an organization has few certificates, counted when one is added",
    ),
    ("pg_snapshot_xip", "few transactions are under way at the same time"),
    ("from organizations order by org", "there are few organizations"),
    ("from sequences where sequences.org", "there are few kinds of things"),
    ("where k.org = $1", "an organization has few keys, listed for a person"),
    (
        "where org = $1 and removed_at is null order by seq",
        "a dump reads every user, group and role, and an unknown permission is searched in all roles",
    ),
    ("g.org = $1 and g.removed_at is null order by", "a dump reads every group"),
    ("where org = $1 order by group_seq, user_seq", "a dump reads every membership"),
    ("order by project_seq, setting", "a dump reads every setting"),
    ("else 1 end, project_seq, model", "a dump reads every rate limit"),
    ("order by user_seq, group_seq, role_seq", "a dump reads every role assignment"),
    ("order by project_seq, group_seq", "a dump reads every group of a project"),
    ("order by m.project_seq, m.user_seq", "a dump reads every user of a project"),
];

/// One group with all 10,000 users, or 5,000 groups with two of them each.
const SHAPES: [(&str, &str); 2] = [
    ("one dominant group", "select 1, case when i <= 9990 then 1 else i - 9989 end, i from n"),
    ("many small groups", "select 1, 1 + i % 5000, i from n"),
];

fn no_statement_reads_more_than_it_answers(engine: Engine) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Fails if the other test of this process has already set it, to the same subscriber.
    let _ = tracing::subscriber::set_global_default(Statements);
    for (shape, memberships) in SHAPES {
        run_and_check(engine, async |database| {
            let acme = database.acme(0, json!([])).await;
            fill(&database, memberships);
            // For each shape: SQLite reads the members of a small group with another statement.
            every_operation(&acme).await;
            let statements = STATEMENTS.lock().unwrap().clone();
            let statements: Vec<String> =
                statements.into_iter().filter(|(of, _)| *of == name(engine)).map(|(_, sql)| sql).collect();
            // Half of the statements that a SQLite connection caches (`STATEMENTS_MAX`).
            assert!((100..=256).contains(&statements.len()), "{} statements were noted", statements.len());
            let is_exception = |sql: &str| EXCEPTIONS.iter().any(|(exception, _)| sql.contains(exception));
            let statements: Vec<String> = statements.into_iter().filter(|sql| !is_exception(sql)).collect();
            for (sql, plan) in statements.iter().zip(plans(&database, &statements)) {
                if let Some(line) = plan.iter().find(|line| is_costly(line)) {
                    panic!("{shape}: {line}\nin the plan of: {sql}\n{}", plan.join("\n"));
                }
            }
        });
    }
}

#[test]
fn no_statement_reads_more_than_it_answers_on_sqlite() {
    no_statement_reads_more_than_it_answers(Engine::Sqlite);
}

#[test]
fn no_statement_reads_more_than_it_answers_on_postgres() {
    no_statement_reads_more_than_it_answers(Engine::PostgresOwnDatabase);
}

#[test]
fn the_most_frequent_operations_are_planned_once_on_sqlite() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = tracing::subscriber::set_global_default(Statements);
    for (shape, memberships) in SHAPES {
        run_and_check(Engine::Sqlite, async |database| {
            let acme = database.acme(0, json!([])).await;
            fill(&database, memberships);
            REPLANNED.lock().unwrap().clear();
            // More often than there are reader threads, and each time with other values.
            for turn in 1..40 {
                for part in [Part::new().asc(), Part::new().desc()] {
                    let part = part.limit(1 + 2 * turn);
                    acme.members("group_1", part.after(&format!("user_{}", 100 * turn))).await.unwrap();
                }
                acme.add(&format!("group_{}", 20 + turn), "user_7").await.unwrap();
                acme.remove(&format!("group_{}", 20 + turn), "user_7").await.unwrap();
            }
            let replanned = REPLANNED.lock().unwrap().clone();
            assert_eq!(replanned, BTreeSet::new(), "{shape}");
        });
    }
}

/// Inserts rows directly: only the plans are checked, not the sums. Stored answers have the time of the test's changes:
/// older ones would be deleted, and statements planned for an empty table.
fn fill(database: &Database, memberships: &str) {
    let numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)";
    database.execute(&format!(
        "{numbers} insert into users (org, seq, id, email, email_key, name, role, user_type, is_service_account, added_at)
         select 1, i, 'user_' || i, 'user_' || i, 'user_' || i, 'User', 'reader', 'user', 0, 0 from n;
         {numbers} insert into groups (org, seq, id, name, group_type, is_scim_managed, created_at)
         select 1, i, 'group_' || i, 'Group ' || i, 'group', 0, 0 from n where i <= 5000;
         {numbers} insert into group_users (org, group_seq, user_seq) {memberships};
         {numbers} insert into audit_events (org, place, change, item, recorded_at, actor, event, group_seq, user_seq)
         select 1, 0, 'fill', i, 0, 'test', 'group.user.added', 1, i from n;
         {numbers} insert into api_keys (hash, org, id, name, redacted, scopes, created_at)
         select 'hash_' || i, 1, 'key_' || i, 'Key', '', '', 0 from n;
         {numbers} insert into idempotency_keys (org, key, seq, request, recorded_at, group_seq, user_seq, answer)
         select 1, 'key_' || i, i, '', 1750000000, case i % 2 when 0 then i end, case i % 2 when 1 then i end, '' from n;
         {numbers} insert into role_assignments (org, user_seq, group_seq, project_seq, role_seq)
         select 1, case i % 2 when 0 then i else 0 end, case i % 2 when 1 then 1 + i % 5000 else 0 end, i % 5000, i from n;
         {numbers} insert into roles (org, seq, project_seq, id, name, permissions, created_at, updated_at)
         select 1, i, 0, 'role_' || i, 'Role ' || i, '[]', 0, 0 from n;
         {numbers} insert into usage_dimensions (org, series, seq, dimensions)
         select 1 + i % 20, 1, i, '[\"proj_' || i || '\"]' from n;
         {numbers} insert into usage_sums (org, series, width, begins_at, dimension_seq, sum_0, sum_1, sum_2, sum_3, sum_4,
             sum_5, sum_6, sum_7, sum_8, sum_9, sum_10, sum_11, sum_12, sum_13, sum_14, sum_15)
         select 1, 1, 60, 60 * i, 1, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i from n;
         {numbers} insert into usage_batches (org, id, records, recorded_at) select 1, 'batch_' || i, 1, 0 from n;
         {numbers} insert into service_accounts (org, seq, id, project_seq, user_seq, name, role, created_at)
         select 1, i, 'svc_acct_' || i, 1 + i % 5000, i, 'Account ' || i, 'member', 0 from n where i > 1000;
         {numbers} insert into api_keys (hash, org, id, name, redacted, scopes, created_at, project_seq, user_seq)
         select 'project_hash_' || i, 1, 'project_key_' || i, 'Key', '', '', 0, 1 + i % 5000, i from n where i > 1000;
         {numbers} insert into projects (org, seq, id, name, created_at)
         select 1, i, 'proj_' || i, 'Project ' || i, 0 from n;
         {numbers} insert into project_users (org, project_seq, user_seq, added_at)
         select 1, i % 5000, i, 0 from n where i % 5000 > 0;
         {numbers} insert into project_groups (org, project_seq, group_seq, created_at)
         select 1, 1 + i % 4999, 1 + i % 5000, 0 from n;
         {numbers} insert into certificates (org, seq, id, name, content, valid_at, expires_at, created_at, removed_at)
         select 1, i, 'cert_' || i, 'Certificate ' || i, '', 0, 0, 0, case when i > 40 then 0 end from n;
         {numbers} insert into certificate_activations (org, project_seq, certificate_seq)
         select 1, i % 5000, i from n where i < 5000;
         {numbers} insert into settings (org, project_seq, setting, value)
         select 1, i, 'spend_limit', '{{}}' from n where i > 1;
         {numbers} insert into spend_alerts (org, seq, id, project_seq, threshold_amount, currency, period, recipients, created_at)
         select 1, i, 'alert_' || i, i % 5000, 1, 'USD', 'month', '[]', 0 from n;
         {numbers} insert into external_keys (org, seq, id, name, purpose, location, created_at)
         select 1, i, 'extkey_' || i, 'Key', 'ekm', '{{\"type\":\"aws\"}}', 0 from n;
         {numbers} insert into workload_identity_providers (org, seq, id, name, issuer, audience, enabled,
             attribute_transformations, verification, created_at, updated_at)
         select 1, i, 'wip_' || i, 'CI', '', '', 1, '[]', '{{\"type\":\"discovery\"}}', 0, 0 from n;
         {numbers} insert into external_storage (org, seq, id, project_seq, provider, geography, status, created_at)
         select 1, i, 'extstorage_' || i, i % 5000, '{{\"type\":\"aws\"}}', '', 'pending', 0 from n where i % 5000 > 0;
         {numbers} insert into federation_rules (org, seq, id, provider_seq, project_seq, account_seq, enabled,
             attribute_matchers, permissions, created_at, updated_at)
         select 1, i, 'wifr_' || i, 1 + i % 5000, 1 + i % 5000, i, 1, '{{}}',
                '{{\"type\":\"service_account_default\"}}', 0, 0 from n where i > 1000;
         update projects set external_key_id = 'extkey_' || seq where org = 1 and seq < 1000;
         {numbers} insert into rate_limits (org, project_seq, model, value)
         select 1, i, 'gpt-4o', '{{}}' from n where i > 1;
         {numbers} insert into invites (org, seq, id, email, email_key, role, projects, created_at, expires_at, user_seq)
         select 1, i, 'invite-' || i, 'invite_' || i, 'invite_' || i, 'reader', '[]', 0, 2000000000 * (i % 2),
                case i % 3 when 0 then i end from n;
         insert into sequences (org, kind, last) values (1, 'role', 10000), (1, 'project', 10000), (1, 'invite', 10000),
         (1, 'service_account', 10000), (1, 'certificate', 10000), (1, 'alert', 10000), (1, 'external_key', 10000),
         (1, 'workload_identity_provider', 10000), (1, 'workload_identity_federation_rule', 10000),
         (1, 'external_storage', 10000);
         update organizations set last_user_seq = 10000, last_group_seq = 5000;"
    ));
    // A PostgreSQL server analyzes its tables itself. SQLite does not, and plans without statistics.
    if let DatabaseUrl::Postgres(_) = database.url {
        database.execute("analyze");
    }
}

/// The plan of each statement.
fn plans(database: &Database, statements: &[String]) -> Vec<Vec<String>> {
    match &database.url {
        DatabaseUrl::Sqlite(file) => {
            let connection = rusqlite::Connection::open(file).unwrap();
            let plan = |sql: &String| {
                let mut plan = connection.prepare(&format!("explain query plan {sql}")).unwrap();
                let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
                let lines =
                    plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get("detail")).unwrap();
                lines.collect::<Result<_, _>>().unwrap()
            };
            statements.iter().map(plan).collect()
        }
        // The client has its own runtime, which cannot be entered from within another.
        DatabaseUrl::Postgres(url) => std::thread::scope(|scope| {
            let plans = || {
                let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                client.batch_execute("set plan_cache_mode = force_generic_plan").unwrap();
                statements.iter().map(|sql| plan_on_postgres(&mut client, sql)).collect()
            };
            scope.spawn(plans).join().unwrap()
        }),
    }
}

/// PostgreSQL plans the first uses of a statement for their values, and later ones for any.
fn plan_on_postgres(client: &mut postgres::Client, sql: &str) -> Vec<String> {
    let mut literal = sql.to_owned();
    for (number, value) in representative_values(sql).iter().enumerate().rev() {
        literal = literal.replace(&format!("${}", number + 1), value);
    }
    let nulls = vec!["null"; parameters(sql)].join(", ");
    let nulls = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    client.batch_execute(&format!("prepare any_values as {sql}")).unwrap();
    let explained = [literal, format!("execute any_values{nulls}")]
        .map(|statement| client.query(&format!("explain (costs off) {statement}"), &[]).unwrap());
    client.batch_execute("deallocate any_values").unwrap();
    explained.iter().flatten().map(|row| row.get(0)).collect()
}

fn parameters(sql: &str) -> usize {
    (1..).take_while(|number| sql.contains(&format!("${number}"))).count()
}

/// A page of 100 from the start of the first group, the large one; otherwise the second group, because deleting the
/// large group reads the whole table.
fn representative_values(sql: &str) -> Vec<&'static str> {
    let is_array = |number: usize| {
        ["bigint", "text", "boolean"].iter().any(|of| sql.contains(&format!("${number}::{of}[]")))
    };
    let value = |number: usize| {
        // Must not replace `<>` as `>`, nor the tenth parameter as the first.
        let after = |before: &str| {
            let wanted = format!(" {before} ${number}");
            sql.match_indices(&wanted)
                .any(|(at, found)| !sql[at + found.len()..].starts_with(|next: char| next.is_ascii_digit()))
        };
        if is_array(number) {
            "'{1}'"
        } else if after("limit") {
            "101"
        } else if after(">") {
            "0"
        } else if after("<") {
            "9223372036854775807"
        } else if after("org =") || sql.contains("limit") {
            // Untyped, so that it fits a number or a text.
            "'1'"
        } else {
            "'2'"
        }
    };
    (1..=parameters(sql)).map(value).collect()
}

/// Steps that read little: an organization (there are few), the keys of a page (`m`), and steps without a table.
const CHEAP: [&str; 9] = [
    // The values of a filter.
    "SCAN json_each",
    "Seq Scan on organizations",
    "SCAN organizations",
    "SEARCH organizations",
    "SEARCH o ",
    "SCAN m",
    // The oldest one.
    "SCAN owner LEFT-JOIN",
    "SCAN (subquery",
    "SCAN CONSTANT ROW",
];

fn is_costly(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("->").trim_start();
    if CHEAP.iter().any(|cheap| line.starts_with(cheap)) {
        return false;
    }
    // SQLite.
    let reads_all = line.starts_with("SCAN ") || line.ends_with("(org=?)");
    let builds = line.contains("USE TEMP B-TREE") || line.contains("AUTOMATIC");
    // PostgreSQL.
    let node = ["Seq Scan", "Sort", "Merge Join", "Hash"].iter().any(|node| line.starts_with(node));
    let reads_an_organization = line == "Index Cond: (org = $1)" || line == "Index Cond: (org = '1'::bigint)";
    reads_all || builds || node || reads_an_organization
}

fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite | Engine::Memory => "sqlite",
        Engine::Postgres | Engine::PostgresOwnDatabase => "postgres",
    }
}

/// The statements that the store has prepared, with the name of the engine's thread.
static STATEMENTS: Mutex<BTreeSet<(&'static str, String)>> = Mutex::new(BTreeSet::new());
/// Held by the test that checks the recorded statements, if several run in one process.
static TURN: Mutex<()> = Mutex::new(());
/// The statements that SQLite has planned again since their first use.
static REPLANNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Statements;

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.fields().field("sql").is_some()
    }
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Noting::default());
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Noting {
    sql: String,
}

impl tracing::field::Visit for Noting {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
    fn record_str(&mut self, field: &Field, text: &str) {
        let thread = std::thread::current();
        let engines = [Engine::Sqlite, Engine::Postgres].map(name);
        // Migrations run on a thread with another name.
        let engine =
            engines.into_iter().find(|engine| thread.name().is_some_and(|name| name.starts_with(engine)));
        if let (Some(engine), "sql") = (engine, field.name()) {
            STATEMENTS.lock().unwrap().insert((engine, text.to_owned()));
            self.sql = text.to_owned();
        }
    }
    fn record_i64(&mut self, field: &Field, times: i64) {
        if field.name() == "replanned" && times > 0 {
            REPLANNED.lock().unwrap().insert(std::mem::take(&mut self.sql));
        }
    }
}
