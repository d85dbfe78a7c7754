//! Usage: records are counted once, and summed in time buckets.

use openai_admin::{
    Timestamp,
    models::{UsageBatch, UsageCompletionsResult, UsagePage},
    operations::{CreateUsageBatch, UsageCompletions},
};
use openai_admin_store::{Error, Result};
use serde_json::{Value as Json, json};

use crate::{
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    usage_is_summed_in_buckets_of_each_width,
    a_record_counts_for_its_minute,
    usage_is_grouped_and_filtered,
    every_number_of_a_record_is_in_the_sums,
    a_batch_is_counted_once,
    a_refused_batch_counts_nothing,
    a_batch_whose_sums_are_too_large_is_refused,
    pages_of_usage_continue_while_usage_arrives,
    invalid_usage_requests_are_refused,
    organizations_do_not_see_the_usage_of_others,
}

const DAY: i64 = 86_400;
/// A midnight.
const START: i64 = 20_000 * DAY;

pub(crate) async fn count(acme: &Tenant, id: &str, completions: Json) -> Result<UsageBatch> {
    let body = json!({ "batch_id": id, "completions": completions });
    acme.change(CreateUsageBatch::new(serde_json::from_value(body).unwrap())).await
}

fn record(time: i64, tokens: u64) -> Json {
    json!({ "time": time, "input_tokens": tokens, "output_tokens": 1, "num_model_requests": 1 })
}

fn record_of(time: i64, tokens: u64, of: Json) -> Json {
    let mut record = record(time, tokens);
    record.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    record
}

type Page = UsagePage<UsageCompletionsResult>;

async fn usage(acme: &Tenant, query: Json) -> Result<Page> {
    let request: UsageCompletions = serde_json::from_value(query).unwrap();
    acme.store().read(acme.org(), Timestamp::from_unix_seconds(START + 10 * DAY), request).await
}

/// The start of each bucket, relative to `START`, and the input tokens of its results.
fn tokens(page: &Page) -> Vec<(i64, Vec<u64>)> {
    let results =
        |results: &[UsageCompletionsResult]| results.iter().map(|result| result.input_tokens).collect();
    page.data
        .iter()
        .map(|bucket| (bucket.start_time.unix_seconds() - START, results(&bucket.results)))
        .collect()
}

async fn usage_is_summed_in_buckets_of_each_width(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let times = [0, 59, 60, 3599, 3600, DAY - 1, DAY, 3 * DAY];
    let records: Vec<Json> = (0..).zip(times).map(|(n, at)| record(START + at, 1 << n)).collect();
    count(&acme, "1", json!(records)).await.unwrap();
    let days = usage(&acme, json!({ "start_time": START, "end_time": START + 4 * DAY })).await.unwrap();
    assert_eq!(
        tokens(&days),
        [(0, vec![0b11_1111]), (DAY, vec![0b100_0000]), (2 * DAY, vec![]), (3 * DAY, vec![0b1000_0000])]
    );
    assert_eq!((days.has_more, days.next_page), (false, None));
    let hours = json!({ "start_time": START, "end_time": START + 7200, "bucket_width": "1h" });
    assert_eq!(tokens(&usage(&acme, hours).await.unwrap()), [(0, vec![0b1111]), (3600, vec![0b1_0000])]);
    let minutes = json!({ "start_time": START, "end_time": START + 180, "bucket_width": "1m" });
    assert_eq!(
        tokens(&usage(&acme, minutes).await.unwrap()),
        [(0, vec![0b11]), (60, vec![0b100]), (120, vec![])]
    );
}

async fn a_record_counts_for_its_minute(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let records = json!([record(START + 59, 1), record(START + 60, 2), record(START + DAY + 130, 4)]);
    count(&acme, "1", records).await.unwrap();
    // The minute of the first record starts before this range, and that of the last before its end.
    let query = json!({ "start_time": START + 30, "end_time": START + DAY + 121 });
    let page = usage(&acme, query).await.unwrap();
    assert_eq!(tokens(&page), [(30, vec![2]), (DAY, vec![4])]);
    assert_eq!(page.data[0].end_time.unix_seconds(), START + DAY);
    let query = json!({ "start_time": START, "end_time": START + DAY + 120 });
    assert_eq!(tokens(&usage(&acme, query).await.unwrap()), [(0, vec![3]), (DAY, vec![])]);
}

async fn usage_is_grouped_and_filtered(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let records = json!([
        record_of(START, 1, json!({ "project_id": "proj_a", "model": "gpt-5", "batch": true })),
        record_of(START, 2, json!({ "project_id": "proj_a", "model": "gpt-4", "service_tier": "flex" })),
        record_of(START, 4, json!({ "project_id": "proj_b", "model": "gpt-5", "user_id": "user_1" })),
        record_of(START, 8, json!({ "model": "gpt-5", "batch": false, "api_key_id": "key_1" })),
    ]);
    count(&acme, "1", records).await.unwrap();
    let results = async |also: Json| {
        let mut query = json!({ "start_time": START, "limit": 1 });
        query.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
        usage(&acme, query).await.unwrap().data.remove(0).results
    };
    let by_model = results(json!({ "group_by": ["model"] })).await;
    let named: Vec<_> = by_model.iter().map(|by| (by.model.as_deref(), by.input_tokens)).collect();
    assert_eq!(named, [(Some("gpt-4"), 2), (Some("gpt-5"), 13)]);
    assert_eq!(by_model[0].project_id, None);
    let by_two = results(json!({ "group_by": ["batch", "project_id"] })).await;
    let named: Vec<_> =
        by_two.iter().map(|by| (by.project_id.as_deref(), by.batch, by.input_tokens)).collect();
    assert_eq!(
        named,
        [
            (None, Some(false), 8),
            (Some("proj_a"), None, 2),
            (Some("proj_a"), Some(true), 1),
            (Some("proj_b"), None, 4)
        ]
    );
    for (filter, tokens) in [
        (json!({ "project_ids": ["proj_a"] }), vec![3]),
        (json!({ "project_ids": ["proj_a", "proj_b"], "models": ["gpt-5"] }), vec![5]),
        (json!({ "user_ids": ["user_1"] }), vec![4]),
        (json!({ "api_key_ids": ["key_1"] }), vec![8]),
        (json!({ "batch": true }), vec![1]),
        (json!({ "batch": false }), vec![8]),
        (json!({ "project_ids": ["string"] }), vec![]),
    ] {
        let found: Vec<u64> = results(filter.clone()).await.iter().map(|by| by.input_tokens).collect();
        assert_eq!(found, tokens, "{filter}");
    }
}

async fn every_number_of_a_record_is_in_the_sums(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let numbers = [
        ("input_tokens", 1000),
        ("output_tokens", 20),
        ("num_model_requests", 3),
        ("input_cached_tokens", 4),
        ("input_cache_write_tokens", 50),
        ("input_text_tokens", 6),
        ("output_text_tokens", 7),
        ("input_cached_text_tokens", 8),
        ("input_audio_tokens", 9),
        ("input_cached_audio_tokens", 10),
        ("output_audio_tokens", 11),
        ("input_image_tokens", 12),
        ("input_cached_image_tokens", 13),
        ("output_image_tokens", 1_000_000_000_000_i64),
    ];
    let record = |time: i64| {
        let mut record = json!({ "time": time });
        for (name, number) in numbers {
            record[name] = json!(number);
        }
        record
    };
    count(&acme, "1", json!([record(START), record(START + 1)])).await.unwrap();
    count(&acme, "2", json!([record(START + 2)])).await.unwrap();
    let page = usage(&acme, json!({ "start_time": START, "limit": 1 })).await.unwrap();
    let result = serde_json::to_value(&page.data[0].results[0]).unwrap();
    for (name, number) in numbers {
        assert_eq!(result[name], json!(3 * number), "{name}");
    }
    assert_eq!(result["input_uncached_tokens"], json!(3 * (1000 - 54)));
}

async fn a_batch_is_counted_once(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = count(&acme, "1", json!([record(START, 1)])).await.unwrap();
    assert_eq!((first.records, first.is_new), (1, true));
    let again = count(&acme, "1", json!([record(START, 1), record(START, 2)])).await.unwrap();
    assert_eq!((again.records, again.is_new, again.created_at), (1, false, first.created_at));
    let page = usage(&acme, json!({ "start_time": START, "limit": 1 })).await.unwrap();
    assert_eq!(tokens(&page), [(0, vec![1])]);
}

async fn a_refused_batch_counts_nothing(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let many: Vec<Json> = (0..=10_000).map(|_| record(START, 1)).collect();
    for (completions, field) in [
        (json!([record(START, 1), record(-1, 1)]), "completions[1].time"),
        (json!([record(START, 1_000_000_000_001)]), "completions[0].input_tokens"),
        (
            json!([record_of(START, 1, json!({ "output_audio_tokens": u64::MAX }))]),
            "completions[0].output_audio_tokens",
        ),
        (json!([record_of(START, 1, json!({ "input_cached_tokens": 2 }))]), "completions[0].input_tokens"),
        (json!(many), "completions"),
    ] {
        assert_refused!(
            count(&acme, "1", completions).await,
            Error::InvalidValue { field: named, .. } if named == field
        );
    }
    assert!(count(&acme, "1", json!([])).await.unwrap().is_new);
    let page = usage(&acme, json!({ "start_time": START, "limit": 1 })).await.unwrap();
    assert_eq!(tokens(&page), [(0, vec![])]);
}

async fn a_batch_whose_sums_are_too_large_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    count(&acme, "1", json!([record(START, 1)])).await.unwrap();
    database.execute("update usage_sums set sum_0 = 9223372036854775800");
    assert_refused!(
        count(&acme, "2", json!([record(START, 8)])).await,
        Error::InvalidValue { field, expected } if field == "completions" && expected.contains("sums")
    );
    count(&acme, "3", json!([record(START, 7)])).await.unwrap();
    let days = json!({ "start_time": START, "end_time": START + DAY });
    let expected = [(0, vec![i64::MAX.unsigned_abs()])];
    assert_eq!(tokens(&usage(&acme, days).await.unwrap()), expected);
}

async fn pages_of_usage_continue_while_usage_arrives(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let mut query = json!({ "start_time": START + 30, "limit": 4, "group_by": ["model"] });
    let mut seen = Vec::new();
    loop {
        // Into every bucket, also those already read; none is listed twice or missing.
        let records: Vec<Json> = (0..20).map(|day| record(START + 60 + day * DAY, 1)).collect();
        count(&acme, &format!("before {query}"), json!(records)).await.unwrap();
        let page = usage(&acme, query.clone()).await.unwrap();
        seen.extend(page.data.iter().map(|bucket| bucket.start_time.unix_seconds() - START));
        assert_eq!(page.has_more, page.next_page.is_some());
        let Some(next) = page.next_page else { break };
        query["page"] = json!(next);
    }
    let expected: Vec<i64> = [30].into_iter().chain((1..10).map(|day| day * DAY)).collect();
    assert_eq!(seen, expected);
    // Later pages end at the time of the first request, whatever the time is now.
    let first = usage(&acme, json!({ "start_time": START, "limit": 7 })).await.unwrap();
    let rest = json!({ "start_time": START, "limit": 7, "page": first.next_page });
    let later = Timestamp::from_unix_seconds(START + 100 * DAY);
    let rest =
        acme.store().read(acme.org(), later, serde_json::from_value::<UsageCompletions>(rest).unwrap());
    let rest = rest.await.unwrap();
    assert_eq!((rest.data.len(), rest.has_more), (3, false));
}

async fn invalid_usage_requests_are_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for (width, max) in [("1d", 31), ("1h", 168), ("1m", 1440)] {
        let query = |limit: i64| json!({ "start_time": START, "bucket_width": width, "limit": limit });
        assert_eq!(
            usage(&acme, query(max)).await.unwrap().data.len(),
            usize::try_from(max).unwrap().min(match width {
                "1d" => 10,
                _ => usize::MAX,
            })
        );
        if width != "1m" {
            assert_refused!(
                usage(&acme, query(max + 1)).await,
                Error::InvalidValue { field, .. } if field == "limit"
            );
        }
    }
    let first = usage(&acme, json!({ "start_time": START, "limit": 2 })).await.unwrap();
    for query in [
        json!({ "start_time": START, "page": "page_nope" }),
        json!({ "start_time": START, "limit": 2, "group_by": ["model"], "page": first.next_page }),
    ] {
        assert_refused!(usage(&acme, query).await, Error::InvalidValue { field, .. } if field == "page");
    }
    // There is no data between these, and an empty page needs no token.
    for query in [
        json!({ "start_time": START, "end_time": START }),
        json!({ "start_time": START, "end_time": START - 1 }),
        json!({ "start_time": 0, "end_time": 0, "limit": 0, "page": "page" }),
        json!({ "start_time": i64::MAX, "end_time": i64::MIN }),
    ] {
        assert_eq!(usage(&acme, query).await.unwrap(), UsagePage::new(vec![], None));
    }
    let all =
        usage(&acme, json!({ "start_time": i64::MIN, "end_time": i64::MAX, "limit": 31 })).await.unwrap();
    assert_eq!((all.data.len(), all.has_more), (31, true));
}

async fn organizations_do_not_see_the_usage_of_others(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    count(&acme, "1", json!([record(START, 1)])).await.unwrap();
    assert!(count(&other, "1", json!([record(START, 2)])).await.unwrap().is_new);
    for (tenant, expected) in [(&acme, 1), (&other, 2)] {
        let page = usage(tenant, json!({ "start_time": START, "limit": 1 })).await.unwrap();
        assert_eq!(tokens(&page), [(0, vec![expected])]);
    }
}
