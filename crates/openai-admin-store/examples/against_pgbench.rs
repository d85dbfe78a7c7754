//! Benchmarks the store on PostgreSQL against `pgbench` with the same statements, in alternation:
//!
//! ```console
//! $ scripts/with-postgres sh -c \
//!     'cargo run --release -p openai-admin-store --example against_pgbench -- "$OPENAI_ADMIN_TEST_POSTGRES" 5 3'
//! ```
//!
//! The last two arguments are the seconds of a measurement and the number of repetitions. `pgbench` must be on the
//! PATH. The database of the URL gets a new schema, which replaces that of an earlier run.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use std::{
    io::Write,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use openai_admin::{
    ListEndpoint as _,
    operations::{AddGroupUser, ListGroupUsers},
};
use openai_admin_store::{DatabaseUrl, Org, Stamp, Store};
use ulid::Ulid;

const SCHEMA: &str = "against_pgbench";
const USERS: u64 = 1_000_000;
/// The first group holds all users, the others are empty.
const GROUPS: u64 = 1_001;
const CLIENTS: [usize; 2] = [16, 64];

const PAGE: &str = "\\set place random(1000, 1000000)
select u.id, u.name, u.email
from (select user_seq from group_users
      where org = 1
        and group_seq = (select seq from groups where org = 1 and id = 'group_1' and removed_at is null)
        and user_seq < (select seq from users where org = 1 and id = 'user_' || :place)
      order by user_seq desc limit 101) m
cross join lateral (select * from users where org = 1 and seq = m.user_seq limit 1) u
order by m.user_seq desc;";
const INSERT: &str = "\\set group random(2, 1001)
\\set user random(1, 1000000)
insert into group_users (org, group_seq, user_seq) values (1, :group, :user) on conflict do nothing;";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the URL of a database");
    let seconds: u64 = arguments.next().map_or(5, |seconds| seconds.parse().unwrap());
    let rounds: usize = arguments.next().map_or(3, |rounds| rounds.parse().unwrap());
    let mark = if url.contains('?') { '&' } else { '?' };
    let in_schema = format!("{url}{mark}options=-csearch_path%3D{SCHEMA}");

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut admin = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    admin.batch_execute(&format!("drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}")).unwrap();
    let (store, org) = runtime.block_on(async {
        let store = Store::open(&DatabaseUrl::Postgres(in_schema.clone())).await.unwrap();
        let organization = store.open_organization(Stamp::new(Ulid::from_parts(0, 0), "example"), None).await;
        (store, organization.unwrap().org)
    });
    fill(&in_schema);

    for round in 1..=rounds {
        for clients in CLIENTS {
            for (name, script, ours) in [("list", PAGE, Ours::List), ("add", INSERT, Ours::Add)] {
                let theirs = pgbench(&url, script, clients, seconds);
                let ours = runtime.block_on(measure(&store, org, ours, clients, seconds));
                println!(
                    "round {round}, {name:4}, {clients:2} clients: store {ours:8.0}/s   pgbench {theirs:8.0}/s   {:.2}",
                    ours / theirs
                );
            }
        }
    }
    runtime.block_on(store.close());
    let sizes = "select relname::text, pg_relation_size(oid) from pg_class
                 where relname in ('group_users', 'group_users_pkey', 'group_users_by_user') order by 1";
    let mut client = postgres::Client::connect(&in_schema, postgres::NoTls).unwrap();
    let rows: i64 = client.query_one("select count(*) from group_users", &[]).unwrap().get(0);
    for row in client.query(sizes, &[]).unwrap() {
        let (name, bytes): (String, i64) = (row.get(0), row.get(1));
        println!("{name}: {:.1} bytes per membership of {rows}", bytes as f64 / rows as f64);
    }
    admin.batch_execute(&format!("drop schema {SCHEMA} cascade")).unwrap();
}

fn fill(url: &str) {
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    client
        .batch_execute(&format!(
            "insert into users (org, seq, id, email, email_key, name, role, user_type, is_service_account, added_at)
             select 1, i, 'user_' || i, 'user_' || i || '@example.com', 'user_' || i || '@example.com', 'User ' || i,
                    'reader', 'user', 0, 0 from generate_series(1, {USERS}) i;
             insert into groups (org, seq, id, name, group_type, is_scim_managed, created_at)
             select 1, i, 'group_' || i, 'Group ' || i, 'group', 0, 0 from generate_series(1, {GROUPS}) i;
             insert into group_users select 1, 1, i from generate_series(1, {USERS}) i;
             insert into audit_events (org, change, item, recorded_at, actor, event, user_seq)
             select 1, 'fill', i, 0, 'example', 'user.added', i from generate_series(1, {USERS}) i;
             insert into audit_events (org, change, item, recorded_at, actor, event, group_seq)
             select 1, 'fill', -i, 0, 'example', 'group.created', i from generate_series(1, {GROUPS}) i;
             insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq)
             select 1, 'join', i, 0, 'example', 'group.user.added', 1, i from generate_series(1, {USERS}) i;
             update organizations set last_user_seq = {USERS}, last_group_seq = {GROUPS}"
        ))
        .unwrap();
    client.batch_execute("vacuum analyze").unwrap();
    client.batch_execute("checkpoint").unwrap();
}

/// Transactions per second.
fn pgbench(url: &str, script: &str, clients: usize, seconds: u64) -> f64 {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(script.as_bytes()).unwrap();
    let options = format!("-c jit=off -c plan_cache_mode=force_generic_plan -c search_path={SCHEMA}");
    let output = Command::new("pgbench")
        .env("PGOPTIONS", options)
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &clients.to_string(),
            "-T",
            &seconds.to_string(),
            "-f",
        ])
        .args([file.path().to_str().unwrap(), url])
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let tps = output.lines().find_map(|line| line.strip_prefix("tps = ")).expect("pgbench says its rate");
    tps.split(' ').next().unwrap().parse().unwrap()
}

#[derive(Clone, Copy)]
enum Ours {
    List,
    Add,
}

/// Operations per second.
async fn measure(store: &Store, org: Org, what: Ours, clients: usize, seconds: u64) -> f64 {
    static CHANGES: AtomicU64 = AtomicU64::new(1);
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let done = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (store, done) = (store.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                while Instant::now() < end {
                    let change = CHANGES.fetch_add(1, Ordering::Relaxed);
                    let (one, other) = (mixed(change), mixed(change ^ u64::MAX));
                    match what {
                        Ours::List => {
                            let mut list = ListGroupUsers::new("group_1".parse().unwrap());
                            list.set_limit(100).unwrap();
                            list.set_after(format!("user_{}", 1000 + one % (USERS - 1000)).parse().unwrap());
                            let page = store.list_group_users(org, list).await.unwrap();
                            assert_eq!(page.data.len(), 100);
                        }
                        Ours::Add => {
                            let group = format!("group_{}", 2 + one % (GROUPS - 1)).parse().unwrap();
                            let user = format!("user_{}", 1 + other % USERS).parse().unwrap();
                            let stamp = Stamp::new(Ulid::from_parts(change, u128::from(change)), "example");
                            store.add_group_user(org, stamp, AddGroupUser::new(group, user)).await.unwrap();
                        }
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

/// A pseudorandom number (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
