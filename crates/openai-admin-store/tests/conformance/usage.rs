//! Usage: records are counted once, and summed in time buckets.

use openai_admin::{
    Timestamp,
    models::{UsageBatch, UsageCompletionsResult, UsagePage},
    operations::{
        CreateUsageBatch, UsageAudioSpeeches, UsageAudioTranscriptions, UsageCodeInterpreterSessions,
        UsageCompletions, UsageCosts, UsageDecisions, UsageEmbeddings, UsageFileSearchCalls, UsageImages,
        UsageModerations, UsageVectorStores, UsageWebSearchCalls,
    },
};
use openai_admin_store::{Error, Reads, Result};
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
    each_kind_of_usage_is_summed_filtered_and_grouped,
    a_vector_store_counts_with_its_last_record,
    costs_are_exact,
    costs_have_a_quantity_by_line_item,
    costs_are_listed_by_day_only,
    sums_of_a_group_that_are_too_large_are_refused,
}

const DAY: i64 = 86_400;
/// A midnight.
const START: i64 = 20_000 * DAY;

pub(crate) async fn count(acme: &Tenant, id: &str, completions: Json) -> Result<UsageBatch> {
    count_in(acme, id, "completions", completions).await
}

async fn count_in(acme: &Tenant, id: &str, list: &str, records: Json) -> Result<UsageBatch> {
    let mut body = json!({ "batch_id": id, "completions": [] });
    body[list] = records;
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

/// The results of the first bucket, as JSON.
async fn results<R>(acme: &Tenant, query: Json) -> Result<Vec<Json>>
where
    R: Reads + serde::de::DeserializeOwned + 'static,
    R::Response: serde::Serialize,
{
    let request: R = serde_json::from_value(query).unwrap();
    let page = acme.store().read(acme.org(), Timestamp::from_unix_seconds(START + 10 * DAY), request).await?;
    let page = serde_json::to_value(page).unwrap();
    Ok(page["data"][0]["results"].as_array().unwrap().clone())
}

/// Records two values of a dimension and reads them by it, and filtered if the dimension has a filter.
async fn check_kind<R>(acme: &Tenant, list: &str, numbers: &[&str], dimensions: &[(&str, &str, [&str; 2])])
where
    R: Reads + serde::de::DeserializeOwned + 'static,
    R::Response: serde::Serialize,
{
    let numbered = |factor: usize| -> Json {
        let numbers = (1..).zip(numbers).map(|(n, name)| ((*name).to_owned(), json!(n * factor)));
        Json::Object(numbers.collect())
    };
    let record = |time: i64, factor: usize, value: usize| {
        let mut record = numbered(factor);
        record["time"] = json!(time);
        for (dimension, _, values) in dimensions {
            record[*dimension] = json!(values[value]);
        }
        record
    };
    let records = json!([record(START, 1, 0), record(START + 3600, 2, 0), record(START + 60, 10, 1)]);
    count_in(acme, list, list, records).await.unwrap();
    let all = results::<R>(acme, json!({ "start_time": START, "limit": 1 })).await.unwrap();
    assert_eq!(all.len(), 1, "{list}");
    for (n, name) in (1..).zip(numbers) {
        assert_eq!(all[0][*name], json!(13 * n), "{list} {name}");
    }
    for (dimension, filter, values) in dimensions {
        let by = json!({ "start_time": START, "limit": 1, "group_by": [dimension] });
        let by = results::<R>(acme, by).await.unwrap();
        let found: Vec<(&Json, &Json)> = by.iter().map(|by| (&by[*dimension], &by[numbers[0]])).collect();
        assert_eq!(
            found,
            [(&json!(values[0]), &json!(3)), (&json!(values[1]), &json!(10))],
            "{list} {dimension}"
        );
        if !filter.is_empty() {
            let mut query = json!({ "start_time": START, "limit": 1 });
            query[*filter] = json!([values[1]]);
            let found = results::<R>(acme, query).await.unwrap();
            assert_eq!((found.len(), &found[0][numbers[0]]), (1, &json!(10)), "{list} {filter}");
            assert_eq!(found[0][*dimension], json!(null), "{list} {filter}");
        }
    }
}

async fn each_kind_of_usage_is_summed_filtered_and_grouped(database: Database) {
    let acme = &database.acme(0, json!([])).await;
    let project = ("project_id", "project_ids", ["proj_a", "proj_b"]);
    let owners = [
        project,
        ("user_id", "user_ids", ["user_a", "user_b"]),
        ("api_key_id", "api_key_ids", ["key_a", "key_b"]),
    ];
    let [project_id, user, key] = owners;
    let model = ("model", "models", ["gpt-4", "gpt-5"]);
    let of_model = [project_id, user, key, model];
    let source = ("api_source", "", ["agents_api", "unlabeled"]);
    let tokens = ["input_tokens", "output_tokens", "num_model_requests", "input_cache_write_12h_tokens"];
    let tier = ("service_tier", "", ["default", "flex"]);
    let requests = "num_model_requests";
    check_kind::<UsageCompletions>(acme, "completions", &tokens, &[model, tier, source]).await;
    check_kind::<UsageDecisions>(acme, "decisions", &tokens, &[project, user, key, model, tier, source])
        .await;
    check_kind::<UsageEmbeddings>(acme, "embeddings", &["input_tokens", requests], &of_model).await;
    check_kind::<UsageModerations>(acme, "moderations", &["input_tokens", requests], &of_model).await;
    check_kind::<UsageAudioSpeeches>(acme, "audio_speeches", &["characters", requests], &of_model).await;
    check_kind::<UsageAudioTranscriptions>(acme, "audio_transcriptions", &["seconds", requests], &of_model)
        .await;
    let size = ("size", "sizes", ["1024x1024", "512x512"]);
    let kind = ("source", "sources", ["image.edit", "image.generation"]);
    let of_image = [project_id, user, key, model, size, kind];
    check_kind::<UsageImages>(acme, "images", &["images", requests], &of_image).await;
    let sessions = "code_interpreter_sessions";
    check_kind::<UsageCodeInterpreterSessions>(acme, sessions, &["num_sessions"], &[project]).await;
    let store = ("vector_store_id", "vector_store_ids", ["vs_a", "vs_b"]);
    let of_search = [project_id, user, key, store];
    check_kind::<UsageFileSearchCalls>(acme, "file_search_calls", &["num_requests"], &of_search).await;
    let level = ("context_level", "context_levels", ["high", "low"]);
    let of_search = [project_id, user, key, model, level, source];
    check_kind::<UsageWebSearchCalls>(acme, "web_search_calls", &["num_requests", requests], &of_search)
        .await;
}

async fn a_vector_store_counts_with_its_last_record(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let record = |time: i64, store: &str, bytes: u64| json!({ "time": START + time, "project_id": "proj_a", "vector_store_id": store, "usage_bytes": bytes });
    let records = json!([record(7200, "vs_a", 5), record(60, "vs_a", 100), record(90, "vs_b", 10)]);
    count_in(&acme, "1", "vector_stores", records).await.unwrap();
    // Records may arrive late.
    count_in(&acme, "2", "vector_stores", json!([record(30, "vs_a", 1000)])).await.unwrap();
    let query = |width: &str| json!({ "start_time": START, "bucket_width": width, "limit": 1 });
    for (width, bytes) in [("1d", 15), ("1h", 110), ("1m", 1000)] {
        let found = results::<UsageVectorStores>(&acme, query(width)).await.unwrap();
        assert_eq!(found[0]["usage_bytes"], json!(bytes), "{width}");
    }
    let mut query = query("1d");
    query["project_ids"] = json!(["proj_b"]);
    assert!(results::<UsageVectorStores>(&acme, query).await.unwrap().is_empty());
}

fn cost(time: i64, amount: &str, of: Json) -> Json {
    let mut record = json!({ "time": START + time, "amount": amount });
    record.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    record
}

async fn costs_are_exact(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let tenths: Vec<Json> =
        (0..30).map(|second| cost(second, "0.1", json!({ "project_id": "proj_a" }))).collect();
    count_in(&acme, "1", "costs", json!(tenths)).await.unwrap();
    let rest = json!([
        cost(5, "0.000000001", json!({ "project_id": "proj_b", "api_key_id": "key_b", "user_id": "user_b" })),
        cost(5, "999999.99", json!({ "project_id": "proj_b", "api_source": "agents_api" })),
        cost(DAY, "7", json!({})),
    ]);
    count_in(&acme, "2", "costs", rest).await.unwrap();
    let day = |group_by: Json| json!({ "start_time": START, "limit": 1, "group_by": group_by });
    let all = results::<UsageCosts>(&acme, json!({ "start_time": START, "limit": 1 })).await.unwrap();
    assert_eq!(all[0]["amount"]["value"].to_string(), "1000002.990000001");
    let by = results::<UsageCosts>(&acme, day(json!(["project_id"]))).await.unwrap();
    assert_eq!(
        (&by[0]["project_id"], by[0]["amount"]["value"].to_string()),
        (&json!("proj_a"), "3".to_owned())
    );
    let by = results::<UsageCosts>(&acme, day(json!(["api_key_id", "user_id", "api_source"]))).await.unwrap();
    assert_eq!(by.len(), 3);
    let mut query = day(json!([]));
    query["api_key_ids"] = json!(["key_b"]);
    let by = results::<UsageCosts>(&acme, query).await.unwrap();
    assert_eq!(by[0]["amount"]["value"].to_string(), "1e-9");
    for amount in ["-0.1", "1000000.01"] {
        assert_refused!(
            count_in(&acme, "3", "costs", json!([cost(0, amount, json!({}))])).await,
            Error::InvalidValue { field, .. } if field == "costs[0].amount"
        );
    }
}

async fn costs_have_a_quantity_by_line_item(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let of = |item: &str, quantity: f64, unit: &str| json!({ "line_item": item, "quantity": quantity, "quantity_unit": unit });
    let records = json!([
        cost(0, "0.5", of("gpt-5, input", 1000.0, "tokens")),
        cost(60, "0.25", of("gpt-5, input", 500.0, "tokens")),
        cost(60, "2", of("storage", 0.75, "gibibyte_hours")),
    ]);
    count_in(&acme, "1", "costs", records).await.unwrap();
    let query = json!({ "start_time": START, "limit": 1, "group_by": ["line_item"] });
    let by = results::<UsageCosts>(&acme, query).await.unwrap();
    assert_eq!(
        (&by[0]["line_item"], &by[0]["quantity"], &by[0]["quantity_unit"], &by[0]["amount"]["value"]),
        (&json!("gpt-5, input"), &json!(1500), &json!("tokens"), &json!(0.75))
    );
    assert_eq!((&by[1]["quantity"], &by[1]["quantity_unit"]), (&json!(0.75), &json!("gibibyte_hours")));
    let query = json!({ "start_time": START, "limit": 1, "line_items": ["storage"] });
    let all = results::<UsageCosts>(&acme, query).await.unwrap();
    assert_eq!(
        (&all[0]["amount"]["value"], &all[0]["quantity"], &all[0]["quantity_unit"]),
        (&json!(2), &json!(null), &json!(null))
    );
}

async fn costs_are_listed_by_day_only(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let read = |limit: Option<i64>| {
        let query = json!({ "start_time": START - 400 * DAY, "limit": limit, "bucket_width": "1d" });
        acme.store().read(
            acme.org(),
            Timestamp::from_unix_seconds(START),
            serde_json::from_value::<UsageCosts>(query).unwrap(),
        )
    };
    assert_eq!(read(None).await.unwrap().data.len(), 7);
    assert_eq!(read(Some(180)).await.unwrap().data.len(), 180);
    assert!(serde_json::from_value::<UsageCosts>(json!({ "start_time": 0, "limit": 181 })).is_err());
    assert!(serde_json::from_value::<UsageCosts>(json!({ "start_time": 0, "bucket_width": "1h" })).is_err());
}

async fn sums_of_a_group_that_are_too_large_are_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let of = |project: &str| record_of(START, 1, json!({ "project_id": project }));
    count(&acme, "1", json!([of("proj_a"), of("proj_b")])).await.unwrap();
    database.execute("update usage_sums set sum_0 = 9223372036854775800");
    let day = json!({ "start_time": START, "limit": 1 });
    assert_refused!(
        usage(&acme, day).await,
        Error::InvalidValue { field, .. } if field == "group_by"
    );
    let by =
        usage(&acme, json!({ "start_time": START, "limit": 1, "group_by": ["project_id"] })).await.unwrap();
    assert_eq!(by.data[0].results.len(), 2);
}
