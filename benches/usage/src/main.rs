//! `usage RECORDS DATABASE`: fills an empty database with usage of a month and reads it.

use std::time::{Duration, Instant};

use openai_admin::{
    Timestamp,
    operations::{CreateUsageBatch, UsageCompletions},
};
use openai_admin_store::{Org, Stamp, Store};
use serde_json::{Value as Json, json};
use ulid::Ulid;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const DAY: u64 = 24 * 60 * 60;
/// The first day of a month of 31 days.
const START: u64 = 20_089 * DAY;
const DAYS: u64 = 31;
/// As many as a batch may have.
const BATCH: u64 = 10_000;
const PROJECTS: u64 = 20;
const MODELS: u64 = 5;
const KEYS: u64 = 10;
/// The numbers of a record.
const NUMBERS: [&str; 4] = ["input_tokens", "input_cached_tokens", "output_tokens", "num_model_requests"];
/// How often each page is read.
const READS: usize = 21;

/// Each page with its query, without `start_time`.
fn pages() -> [(&'static str, Json); 5] {
    let by = json!(["project_id", "model"]);
    [
        ("month by day, by project and model", json!({ "limit": 31, "group_by": by })),
        ("month by day, one project by model", json!({ "limit": 31, "project_ids": ["proj_7"], "group_by": ["model"] })),
        ("month by day, all together", json!({ "limit": 31 })),
        ("week by hour, by project and model", json!({ "limit": 168, "bucket_width": "1h", "group_by": by })),
        ("day by minute, by project and model", json!({ "limit": 1440, "bucket_width": "1m", "group_by": by })),
    ]
}

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [records, database] = &arguments[..] else { return Err("usage: usage RECORDS DATABASE".into()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(records.parse()?, database))
}

async fn measure(records: u64, database: &str) -> Result<(), BoxError> {
    let store = Store::open(&database.parse()?).await?;
    let org = store.open_organization(stamp(0), None).await?.org;
    let begun = Instant::now();
    let recorded = fill(&store, org, records).await?;
    let rate = records as f64 / begun.elapsed().as_secs_f64();
    println!("{records} records in batches of {BATCH}: {rate:.0} a second");
    for (name, query) in pages() {
        let is_month = query["limit"] == 31 && query["project_ids"].is_null();
        let (median, results, sums) = read(&store, org, query).await?;
        println!("{name}: {:.1} ms, {results} results", median.as_secs_f64() * 1000.0);
        if is_month && sums != recorded {
            return Err(format!("{name}: the sums are {sums:?}, but {recorded:?} were recorded").into());
        }
    }
    println!("the sums of the month are exact: {recorded:?}");
    Ok(())
}

/// Returns the sums of all records.
async fn fill(store: &Store, org: Org, records: u64) -> Result<[u64; 4], BoxError> {
    let mut chance = 1;
    let mut sums = [0; 4];
    for batch in 0..records.div_ceil(BATCH) {
        let numbers = batch * BATCH..records.min((batch + 1) * BATCH);
        let completions: Vec<Json> = numbers.map(|number| record(number, records, &mut chance)).collect();
        completions.iter().for_each(|record| add(&mut sums, record));
        let body = json!({ "batch_id": format!("batch_{batch}"), "completions": completions });
        let request = CreateUsageBatch::new(serde_json::from_value(body)?);
        store.change(org, stamp(u128::from(batch) + 1), request).await?;
    }
    Ok(sums)
}

fn add(sums: &mut [u64; 4], record: &Json) {
    for (sum, name) in sums.iter_mut().zip(NUMBERS) {
        *sum += record[name].as_u64().unwrap_or_default();
    }
}

/// Records come in order of time; what they belong to is random.
fn record(number: u64, records: u64, chance: &mut u64) -> Json {
    *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let chance = *chance >> 33;
    let project = chance % PROJECTS;
    json!({
        "time": START + number * DAYS * DAY / records,
        "project_id": format!("proj_{project}"),
        "model": format!("model-{}", chance / PROJECTS % MODELS),
        "api_key_id": format!("key_{project}_{}", chance / PROJECTS / MODELS % KEYS),
        "input_tokens": 1000 + chance % 1000,
        "input_cached_tokens": chance % 1000,
        "output_tokens": chance % 300,
        "num_model_requests": 1,
    })
}

/// The median, the number of results and the sums of a page.
async fn read(store: &Store, org: Org, query: Json) -> Result<(Duration, usize, [u64; 4]), BoxError> {
    let mut query = query;
    query["start_time"] = json!(START);
    let request: UsageCompletions = serde_json::from_value(query)?;
    let now = Timestamp::from_unix_seconds(i64::try_from(START + DAYS * DAY)?);
    let mut taken = Vec::new();
    let (mut results, mut sums) = (0, [0; 4]);
    for _ in 0..READS {
        let begun = Instant::now();
        let page = store.read(org, now, request.clone()).await?;
        taken.push(begun.elapsed());
        let all: Vec<_> = page.data.into_iter().flat_map(|bucket| bucket.results).collect();
        (results, sums) = (all.len(), [0; 4]);
        for result in all {
            add(&mut sums, &serde_json::to_value(result)?);
        }
    }
    taken.sort();
    Ok((taken[READS / 2], results, sums))
}

fn stamp(number: u128) -> Stamp {
    Stamp::new(Ulid::from_parts(START * 1000, number << 24), "usage")
}
