//! Usage over the API: recording it, and reading it in buckets.

use serde_json::json;

use crate::support::{Answer, TestServer};

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

/// Sends JSON lines.
async fn send_lines(server: &TestServer, media_type: &str, lines: &[&str]) -> Answer {
    let mut request = server.request("POST", "/v1/x/usage", lines.join("\n"));
    request.headers_mut().insert("content-type", media_type.parse().unwrap());
    server.send(request).await
}

const ID: &str = r#"{"batch_id":"1"}"#;
const RECORD: &str =
    r#"{"completions":{"time":1730500000,"input_tokens":10,"output_tokens":5,"num_model_requests":1}}"#;
const COST: &str = r#"{"costs":{"time":1730500000,"amount":0.06}}"#;

#[tokio::test]
async fn json_lines_record_the_same_batch_as_json() {
    let server = TestServer::new().await;
    for (media_type, is_new) in [
        ("application/x-ndjson", true),
        ("application/jsonl; charset=utf-8", false),
        ("APPLICATION/JSONL", false),
    ] {
        let counted = send_lines(&server, media_type, &[ID, RECORD, COST, "", RECORD, ""]).await;
        assert_eq!(
            (&counted.body["records"], &counted.body["is_new"]),
            (&json!(3), &json!(is_new)),
            "{counted:?}"
        );
    }
    let batch = json!({ "batch_id": "1" }).to_string();
    assert_eq!(server.post("/v1/x/usage", &batch).await.body["is_new"], false);
    let query = "start_time=1730419200&end_time=1730505600";
    let results = server.get(&format!("{COMPLETIONS}?{query}")).await.body["data"][0]["results"].clone();
    assert_eq!((&results[0]["input_tokens"], &results[0]["num_model_requests"]), (&json!(20), &json!(2)));
    let costs = server.get(&format!("/v1/organization/costs?{query}")).await;
    assert!(costs.text.contains(r#""value":0.06"#), "{costs:?}");
}

#[tokio::test]
async fn a_refused_line_is_named_and_nothing_of_its_batch_is_recorded() {
    let server = TestServer::new().await;
    let many_cached = r#"{"completions":{"time":1,"input_tokens":1,"input_cached_tokens":2,"output_tokens":5,"num_model_requests":1}}"#;
    for (lines, code, param, start) in [
        (
            vec![ID, RECORD, r#"{"costs":{"time":1}}"#],
            "missing_required_parameter",
            "costs.amount",
            "Line 3: ",
        ),
        (vec![ID, COST, RECORD, "", many_cached], "invalid_value", "completions.input_tokens", "Line 5: "),
        (vec![RECORD], "missing_required_parameter", "batch_id", "Line 1: "),
    ] {
        let answer = send_lines(&server, "application/x-ndjson", &lines).await;
        let message = answer.assert_error(400, Some(code), Some(param));
        assert!(message.starts_with(start) && !message.contains("[1]"), "{message}");
    }
    let query = "start_time=1730419200&end_time=1730505600";
    let page = server.get(&format!("{COMPLETIONS}?{query}")).await;
    assert_eq!(page.body["data"][0]["results"], json!([]));
    assert_eq!(send_lines(&server, "application/x-ndjson", &[ID, RECORD]).await.body["is_new"], true);
}

#[tokio::test]
async fn a_batch_of_10_000_lines_is_recorded_and_one_more_is_refused() {
    let server = TestServer::new().await;
    let record = r#"{"web_search_calls":{"time":1730500000,"num_model_requests":1,"num_requests":1,"project_id":"proj_0123456789","model":"gpt-5"}}"#;
    let mut lines = vec![ID];
    lines.extend([record; 10_000]);
    let counted = send_lines(&server, "application/x-ndjson", &lines).await;
    assert_eq!(counted.body["records"], 10_000, "{counted:?}");
    lines[0] = r#"{"batch_id":"2"}"#;
    lines.push(record);
    let answer = send_lines(&server, "application/x-ndjson", &lines).await;
    answer.assert_error(400, Some("invalid_value"), Some("web_search_calls"));
}

#[tokio::test]
async fn json_lines_have_their_own_bound_and_belong_to_one_operation() {
    let server = TestServer::new().await;
    let blanks = " ".repeat(4 * 1024 * 1024 + 1);
    let answer = send_lines(&server, "application/x-ndjson", &[&blanks]).await;
    assert!(
        answer.assert_error(413, Some("request_too_large"), None).contains("4194304 bytes"),
        "{answer:?}"
    );
    let answer = send_lines(&server, "text/csv", &[ID]).await;
    let message = answer.assert_error(400, Some("unsupported_content_type"), None);
    assert!(message.contains("'application/json' or 'application/x-ndjson'"), "{message}");
    let mut request = server.request("POST", "/v1/organization/groups", r#"{"name":"a"}"#);
    request.headers_mut().insert("content-type", "application/x-ndjson".parse().unwrap());
    server.send(request).await.assert_error(400, Some("unsupported_content_type"), None);
}
