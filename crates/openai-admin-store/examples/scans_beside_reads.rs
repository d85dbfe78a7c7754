//! Measures how one client's scans of a long audit log affect other clients: sixty requests with a filter that matches
//! nothing, cancelled after half a second and sent again, beside a client that authenticates and reads a page.
//!
//! ```console
//! $ cargo run --release -p openai-admin-store --example scans_beside_reads -- sqlite:/tmp/scans.db 10 20
//! $ scripts/with-postgres sh -c 'cargo run --release -p openai-admin-store --example scans_beside_reads -- \
//!     "$OPENAI_ADMIN_TEST_POSTGRES" 10 20'
//! ```
//!
//! The last two arguments are millions of events, and seconds. The database is filled once: use an empty one.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use std::time::{Duration, Instant};

use openai_admin::{
    Timestamp,
    operations::{ListAuditLogs, ListGroups},
};
use openai_admin_store::{DatabaseUrl, Org, Stamp, Store};
use ulid::Ulid;

/// How many requests the scanning client has in flight, and how long it waits for each.
const SCANS: usize = 60;
const PATIENCE: Duration = Duration::from_millis(500);
/// The number of resources in a filter, none of which exists, and the length of their ids.
const RESOURCES: usize = 100;
const RESOURCE_LENGTH: usize = 500;
/// The pause of the other client between two requests.
const PAUSE: Duration = Duration::from_millis(5);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let url: DatabaseUrl = arguments.next().expect("the URL of a database").parse().unwrap();
    let millions: u64 = arguments.next().map_or(1, |millions| millions.parse().unwrap());
    let seconds: u64 = arguments.next().map_or(10, |seconds| seconds.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let stamp = Stamp::new(Ulid::from_parts(1_000, 1), "bench");
        let org = store.open_organization(stamp, None).await.unwrap().org;
        let events = store.census().await.unwrap().of("audit event").unwrap();
        if events < millions * 1_000_000 {
            let url = url.clone();
            tokio::task::spawn_blocking(move || fill(&url, millions * 1_000_000)).await.unwrap();
        }
        let events = store.census().await.unwrap().of("audit event").unwrap();
        println!("{events} events, {seconds} s each");
        let quiet = reads(&store, org, Duration::from_secs(seconds)).await;
        println!("alone          {}", summary(quiet));
        let scans: Vec<_> = (0..SCANS).map(|_| tokio::spawn(scan(store.clone(), org))).collect();
        let beside = reads(&store, org, Duration::from_secs(seconds)).await;
        println!("beside {SCANS} scans {}", summary(beside));
        scans.iter().for_each(tokio::task::JoinHandle::abort);
        let begun = Instant::now();
        store.ping().await.unwrap();
        println!("after them     the next read took {:.1} ms", milliseconds(begun.elapsed()));
        let begun = Instant::now();
        let mut pages = 0;
        let mut request = nothing();
        loop {
            let page = store.list_audit_logs(org, request.clone()).await.unwrap();
            pages += 1;
            if !page.has_more {
                break;
            }
            request.after = page.last_id;
        }
        println!("one whole scan {pages} pages in {:.1} s", begun.elapsed().as_secs_f64());
        store.close().await;
    });
}

/// A filter that matches nothing.
fn nothing() -> ListAuditLogs {
    let mut request = ListAuditLogs::default();
    request.resource_ids =
        (0..RESOURCES).map(|number| format!("{number}{}", "r".repeat(RESOURCE_LENGTH))).collect();
    request
}

async fn scan(store: Store, org: Org) {
    loop {
        // Dropped, as if a client closed its connection. Rejected immediately if too many wait.
        let _ = tokio::time::timeout(PATIENCE, store.list_audit_logs(org, nothing())).await;
        tokio::task::yield_now().await;
    }
}

/// How long the other client waits for each of its requests.
async fn reads(store: &Store, org: Org, time: Duration) -> Vec<Duration> {
    let (begun, mut waited) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let asked = Instant::now();
        store.find_api_key("hash".to_owned()).await.unwrap();
        store.read(org, Timestamp::from_unix_seconds(0), ListGroups::default()).await.unwrap();
        waited.push(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    waited
}

fn summary(mut waited: Vec<Duration>) -> String {
    waited.sort_unstable();
    let at = |part: f64| milliseconds(waited[((waited.len() - 1) as f64 * part) as usize]);
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms ({} requests)",
        at(0.5),
        at(0.99),
        at(1.0),
        waited.len()
    )
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn fill(url: &DatabaseUrl, events: u64) {
    let (numbers, end) = match url {
        DatabaseUrl::Sqlite(_) => {
            ("with recursive n(i) as (select 1 union all select i + 1 from n where i < $n)", "n")
        }
        DatabaseUrl::Postgres(_) => ("", "generate_series(1, $n) i"),
    };
    let sql = format!(
        "{numbers} insert into audit_events (org, place, change, item, recorded_at, actor, event, group_seq, user_seq)
         select 1, 0, '01M8GFX5WB0C5REWQ5FILLFILL', i, 0, 'key_x', 'group.user.added', 1, 1 from {end}"
    );
    let sql = sql.replace("$n", &events.to_string());
    match url {
        DatabaseUrl::Sqlite(file) => rusqlite::Connection::open(file).unwrap().execute_batch(&sql).unwrap(),
        DatabaseUrl::Postgres(url) => {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            client.batch_execute(&format!("{sql}; analyze")).unwrap();
        }
    }
}
