//! Usage over the API: recording it, and reading it in buckets.

use serde_json::json;

use crate::support::TestServer;

const COMPLETIONS: &str = "/v1/organization/usage/completions";

#[tokio::test]
async fn recorded_usage_is_returned_in_buckets() {
    let server = TestServer::new().await;
    let record = json!({ "time": 1_730_500_000, "model": "gpt-5", "input_tokens": 10, "input_cached_tokens": 4,
                         "output_tokens": 5, "num_model_requests": 1 });
    let batch = json!({ "batch_id": "1", "completions": [record] }).to_string();
    let counted = server.post("/v1/x/usage", &batch).await;
    assert_eq!((&counted.body["records"], &counted.body["is_new"]), (&json!(1), &json!(true)), "{counted:?}");
    assert_eq!(server.post("/v1/x/usage", &batch).await.body["is_new"], false);
    let query =
        "start_time=1730419200&end_time=1730592000&limit=1&group_by[]=model&models=gpt-5&project_ids[]=";
    let page = server.get(&format!("{COMPLETIONS}?{query}")).await;
    assert_eq!(page.body["data"][0]["results"], json!([]), "no usage has an empty project: {page:?}");
    let query = "start_time=1730419200&end_time=1730592000&limit=1&group_by[]=model&models=gpt-5";
    let page = server.get(&format!("{COMPLETIONS}?{query}")).await;
    let result = &page.body["data"][0]["results"][0];
    assert_eq!(result["object"], "organization.usage.completions.result", "{page:?}");
    assert_eq!((&result["model"], &result["project_id"]), (&json!("gpt-5"), &json!(null)));
    assert_eq!((&result["input_tokens"], &result["input_uncached_tokens"]), (&json!(10), &json!(6)));
    assert_eq!(page.body["has_more"], true);
    let next = page.body["next_page"].as_str().unwrap().replace('=', "%3D").replace('+', "%2B");
    let page = server.get(&format!("{COMPLETIONS}?{query}&page={next}")).await;
    assert_eq!(
        page.body,
        json!({
            "object": "page",
            "data": [{ "object": "bucket", "start_time": 1_730_505_600, "end_time": 1_730_592_000, "results": [] }],
            "has_more": false,
            "next_page": null,
        })
    );
}

#[tokio::test]
async fn an_invalid_parameter_of_usage_is_named() {
    let server = TestServer::new().await;
    for (query, code, param) in [
        ("", "missing_required_parameter", "start_time"),
        ("start_time=0&limit=32", "invalid_value", "limit"),
        ("start_time=0&limit=1441&bucket_width=1m", "integer_above_max_value", "limit"),
        ("start_time=0&limit=-1", "integer_below_min_value", "limit"),
        ("start_time=0&bucket_width=1w", "invalid_value", "bucket_width"),
        ("start_time=0&group_by=colour", "invalid_value", "group_by"),
        ("start_time=0&page=page_nope", "invalid_value", "page"),
    ] {
        let answer = server.get(&format!("{COMPLETIONS}?{query}")).await;
        answer.assert_error(400, Some(code), Some(param));
    }
}
