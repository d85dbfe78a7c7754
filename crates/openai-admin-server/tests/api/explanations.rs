//! Sends the example of each explanation, and compares the answer.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Request, header},
};
use openai_admin_server::{Config, Evidence, Example, Explanation, OperationFacts, operations};
use openai_admin_store::Snapshot;
use serde_json::{Value, json};

use crate::support::{KEY, TestServer, adapted, bearer};

/// The conditions of an example that its request line does not show.
#[derive(Default)]
struct Setting {
    config: Config,
    headers: Vec<(HeaderName, &'static str)>,
    body: Option<String>,
    key: Option<&'static str>,
    /// Requests to send first, each with the headers of the example.
    before: Vec<(&'static str, String, String)>,
}

/// `None` if no request can cause the error: other tests cover it.
fn setting(explanation: &Explanation, example: &Example) -> Option<Setting> {
    let mut setting = Setting::default();
    let Some(given) = example.given else { return Some(setting) };
    let body = || example.body.unwrap_or_default().to_owned();
    match (explanation.status, explanation.code.unwrap_or_default()) {
        (400, "string_above_max_length") => {
            setting.body = Some(json!({ "name": "x".repeat(256) }).to_string());
        }
        (400, "unknown_parameter") => setting.config = Config::default().with_strict(true),
        (400, "unsupported_content_type") => setting.headers.push((header::CONTENT_TYPE, "text/plain")),
        (413, _) => setting.body = Some("x".repeat(1024 * 1024 + 1)),
        (401, "") => setting.key = Some(""),
        (401, "invalid_api_key") => setting.key = Some("sk-admin-unknown-0123456789abcdef"),
        (401, "mismatched_organization") => setting.headers.push((ORGANIZATION, "org-of-others")),
        (403, "") => setting.key = Some("restricted"),
        (400, "invalid_value") => setting.headers.push((IDEMPOTENCY_KEY, "")),
        (422, _) => {
            setting.headers.push((IDEMPOTENCY_KEY, "some-key"));
            setting.before.push(("POST", example.path.clone(), r#"{"name":"First"}"#.to_owned()));
        }
        (409, "idempotent_answer_deleted") => {
            setting.headers.push((IDEMPOTENCY_KEY, "some-key"));
            setting.before.push(("POST", example.path.clone(), body()));
            setting.before.push(("DELETE", format!("{}/{{created}}", example.path), String::new()));
        }
        (429, _) if given.contains("--requests-per-minute") => {
            setting.config = Config::default().with_requests_per_minute(2.try_into().ok());
            setting.before = vec![("GET", example.path.clone(), String::new()); 2];
        }
        _ => return None,
    }
    Some(setting)
}

const ORGANIZATION: HeaderName = HeaderName::from_static("openai-organization");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The part of `examples/acme/organization.yaml` that the examples use.
async fn acme(config: Config) -> TestServer {
    let server = TestServer::with(config).await;
    let directory = json!({
        "users": [{ "id": "user_ada", "email": "ada@example.com", "name": "Ada Lovelace" }],
        "groups": [
            { "id": "group_support", "name": "Support Team" },
            { "id": "group_staff", "name": "All staff", "is_scim_managed": true, "members": ["user_ada"] },
        ],
        "projects": [{ "id": "proj_search", "name": "Search" }],
    });
    let directory = serde_json::from_value(directory).unwrap();
    server.store.load(server.minter.stamp("test"), directory).await.unwrap();
    server
}

fn request(
    method: &str,
    path: &str,
    key: &str,
    headers: &[(HeaderName, &'static str)],
    body: String,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if !key.is_empty() {
        request.headers_mut().insert(header::AUTHORIZATION, bearer(key).parse().unwrap());
    }
    for (name, value) in headers {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    request
}

#[tokio::test]
async fn every_example_gets_the_explained_answer() {
    let mut not_sent = Vec::new();
    for explanation in Explanation::all() {
        let Some(example) = &explanation.example else { continue };
        let Some(setting) = setting(&explanation, example) else {
            not_sent.push((explanation.status, explanation.code.unwrap_or_default()));
            continue;
        };
        let server = acme(setting.config).await;
        let restricted = server.key_with(&["api.groups.read"]).await;
        let key = match setting.key {
            None => KEY,
            Some("restricted") => &restricted,
            Some(other) => other,
        };
        let mut created = Value::Null;
        for (method, path, body) in setting.before {
            let path = path.replace("{created}", created["id"].as_str().unwrap_or_default());
            let answer = server.send(request(method, &path, key, &setting.headers, body)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            created = answer.body;
        }
        let body = setting.body.unwrap_or_else(|| example.body.unwrap_or_default().to_owned());
        let answer = server.send(request(example.method, &example.path, key, &setting.headers, body)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body),
            (explanation.status, &example.answer),
            "{example:?}"
        );
        if let Some(code) = explanation.code {
            assert_eq!(answer.body["error"]["code"], code);
        }
    }
    // Errors that no request can cause.
    let moments = [
        (400, "invalid_host"),
        (400, "https_required"),
        (408, "request_timeout"),
        (429, "rate_limit_exceeded"),
        (500, "outcome_unknown"),
        (500, "internal_error"),
        (503, "service_unavailable"),
    ];
    assert_eq!(not_sent, moments);
}

/// A request for every operation, whose answer shows whether the operation has a rule.
struct Probe {
    status: u16,
    code: Option<&'static str>,
    evidence: Evidence,
    group: &'static str,
    user: &'static str,
    /// The role, unless it exists.
    role: Option<&'static str>,
    query: String,
    header: Option<(HeaderName, &'static str)>,
    body: Value,
    /// The body, if it is not JSON.
    text: Option<&'static str>,
}

fn probe(status: u16, code: &'static str) -> Probe {
    Probe {
        status,
        code: (!code.is_empty()).then_some(code),
        evidence: Evidence::Seen,
        group: "group_support",
        user: "user_ada",
        role: None,
        query: String::new(),
        header: None,
        body: with_role(json!({ "name": "x", "user_id": "user_ada" })),
        text: None,
    }
}

/// A body with the required fields of roles, their assignments, certificates and settings.
fn with_role(mut body: Value) -> Value {
    body["role_id"] = json!("role-api-organization-reader");
    body["role_name"] = json!("x");
    body["permissions"] = json!([]);
    body["certificate"] = json!("x");
    body["certificate_ids"] = json!(["cert_x"]);
    body["threshold_amount"] = json!(1);
    body["currency"] = json!("USD");
    body["interval"] = json!("month");
    body["notification_channel"] = json!({ "type": "email", "recipients": ["finance@example.com"] });
    body["retention_type"] = json!("zero_data_retention");
    body["mode"] = json!("deny_list");
    body["model_ids"] = json!([]);
    body["type"] = json!("azure");
    for field in
        ["tenant_id", "vault_uri", "key_name", "issuer", "audience", "project_id", "service_account_id"]
    {
        body[field] = json!("x");
    }
    body["project_id"] = json!("proj_search");
    body["default"] = json!("standard");
    body["provider"] = json!({ "type": "aws", "bucket": "x", "role_arn": "x" });
    body["attribute_matchers"] = json!({});
    body
}

fn probes() -> Vec<Probe> {
    let long = "x".repeat(321);
    let assumed = |status, code| Probe { evidence: Evidence::Assumed, ..probe(status, code) };
    let ours = |status, code| Probe { evidence: Evidence::Ours, ..probe(status, code) };
    let wrong = json!([["of no field's type"]]);
    vec![
        Probe {
            group: "group_nope",
            query: "starts_with=x".to_owned(),
            body: with_role(
                json!({ "name": "x", "user_id": "user_ada", "group_id": "group_nope", "role": "role-api-project-member" }),
            ),
            ..assumed(404, "group_not_found")
        },
        Probe {
            user: "user_nope",
            body: with_role(json!({
                "user_id": "user_nope", "role": "reader",
                "checks": [{ "user_id": "user_nope", "permission": "api.groups.read" }],
            })),
            ..assumed(404, "user_not_found")
        },
        Probe {
            role: Some("role_nope"),
            body: json!({ "role_id": "role_nope", "name": "x" }),
            ..assumed(404, "role_not_found")
        },
        assumed(404, "not_a_member"),
        Probe { group: "group_staff", ..assumed(403, "scim_managed_group") },
        Probe {
            body: json!({ "name": "x", "email": "ADA@example.com", "role_name": "owner", "permissions": [] }),
            ..ours(409, "already_exists")
        },
        Probe { query: "after=never-seen&starts_with=x".to_owned(), ..assumed(400, "invalid_value") },
        Probe {
            header: Some((IDEMPOTENCY_KEY, "")),
            body: with_role(
                json!({ "name": "x", "email": "x@example.com", "role": "reader", "group_id": "group_x" }),
            ),
            ..ours(400, "invalid_value")
        },
        Probe { query: "limit=-1".to_owned(), ..probe(400, "integer_below_min_value") },
        Probe { query: "limit=100000".to_owned(), ..probe(400, "integer_above_max_value") },
        Probe {
            query: "limit=1&limit=1&group_type=group&group_type=group&project_id=p&project_id=p".to_owned(),
            text: Some(
                r#"{"name":"x","user_id":"user_ada","role":"owner","role_id":"a","role_name":"a","permissions":[],
                    "name":"y","user_id":"user_bob","role":"reader","role_id":"b","role_name":"b",
                    "certificate":"a","certificate":"b","certificate_ids":[],"certificate_ids":[],
                    "currency":"USD","currency":"USD","retention_type":"a","retention_type":"b",
                    "mode":"a","mode":"b","mcp":null,"mcp":null,"default":"a","default":"b","scopes":[],"scopes":[],
                    "max_requests_per_1_minute":1,"max_requests_per_1_minute":1}"#,
            ),
            ..probe(400, "duplicate_parameter")
        },
        Probe { body: json!({}), ..probe(400, "missing_required_parameter") },
        Probe {
            query: "starts_with=".to_owned(),
            body: json!({ "name": "", "email": "a", "user_id": "u", "role_name": "", "permissions": [],
                          "certificate": "c", "batch_id": "" }),
            ..probe(400, "string_below_min_length")
        },
        Probe {
            query: format!("starts_with={long}"),
            body: json!({ "name": long, "technical_level": long, "user_id": "user_ada", "role_name": long,
                          "email": long, "role": "reader", "permissions": [], "certificate": "c", "batch_id": long }),
            ..probe(400, "string_above_max_length")
        },
        Probe {
            query: "limit=ten".to_owned(),
            body: json!({ "name": wrong, "user_id": wrong, "role": wrong, "role_id": wrong, "role_name": wrong,
                          "permissions": [], "certificate": wrong, "certificate_ids": wrong, "batch_id": wrong,
                          "threshold_amount": wrong, "retention_type": wrong, "mode": wrong, "mcp": wrong, "checks": wrong, "ids": wrong,
                          "scopes": wrong, "project_id": wrong, "default": wrong, "max_requests_per_1_minute": wrong }),
            ..probe(400, "invalid_type")
        },
        Probe {
            header: Some((header::CONTENT_TYPE, "text/plain")),
            ..probe(400, "unsupported_content_type")
        },
        Probe { body: json!([]), ..probe(400, "") },
    ]
}

/// A server with a custom role of the organization, one of the project, and a workload identity provider.
struct Prepared {
    server: TestServer,
    organization_role: String,
    project_role: String,
    provider: String,
    snapshot: Snapshot,
}

impl Prepared {
    async fn new() -> Self {
        let server = acme(Config::default()).await;
        let create = async |path, body: Value| {
            let created = server.post(path, &body.to_string()).await;
            created.body["id"].as_str().expect("an id").to_owned()
        };
        let role = json!({ "role_name": "Custom", "permissions": [] });
        let organization_role = create("/v1/organization/roles", role.clone()).await;
        let project_role = create("/v1/projects/proj_search/roles", role).await;
        let provider = json!({ "type": "oidc", "name": "CI", "issuer": "x", "audience": "x" });
        let provider = create("/v1/organization/workload_identity_providers", provider).await;
        let snapshot = server.store.snapshot().await.expect("a snapshot");
        Self { server, organization_role, project_role, provider, snapshot }
    }

    /// Undoes all changes since the start.
    async fn restore(&self) {
        self.server.store.reset_to(&self.snapshot).await.expect("a snapshot of this database");
    }

    fn role_of(&self, operation: &OperationFacts) -> &str {
        if operation.path.starts_with("/projects/") { &self.project_role } else { &self.organization_role }
    }
}

/// Adds the user and the group of a path to the project whose role assignments an operation is about.
async fn join_project(server: &TestServer, user: &str, group: &str) {
    let project = "/v1/organization/projects/proj_search";
    let member = json!({ "user_id": user, "role": "member" }).to_string();
    let _ = server.post(&format!("{project}/users"), &member).await;
    let group = json!({ "group_id": group, "role": "role-api-project-member" }).to_string();
    let _ = server.post(&format!("{project}/groups"), &group).await;
}

#[tokio::test]
async fn each_explanation_lists_exactly_the_operations_that_return_it() {
    let mut wrong = Vec::new();
    for Probe { status, code, evidence, group, user, role, query, header, body, text } in probes() {
        let all = Explanation::all();
        let is_meant = |it: &&Explanation| (it.status, it.code, it.evidence) == (status, code, evidence);
        let said = &all.iter().find(is_meant).expect("an explanation").operations;
        let mut answered = Vec::new();
        let prepared = Prepared::new().await;
        for operation in operations() {
            let is_in_project = operation.path.starts_with("/projects/");
            if is_in_project {
                join_project(&prepared.server, user, group).await;
            }
            let custom = prepared.role_of(&operation);
            let path = operation.path.replace("{group_id}", group).replace("{user_id}", user);
            let path =
                path.replace("{role_id}", role.unwrap_or(custom)).replace("{project_id}", "proj_search");
            let path = path.replace("{rate_limit_id}", "rl-o3");
            let path = path.replace("{workload_identity_provider_id}", &prepared.provider);
            let path = path.replace("{permission}", "api.groups.read");
            let path = format!("/v1{path}?{query}");
            let headers: Vec<_> = header.iter().cloned().collect();
            let method = operation.method.as_str();
            let body = text.map_or_else(|| adapted(body.clone(), operation.id).to_string(), str::to_owned);
            let answer = prepared.server.send(request(method, &path, KEY, &headers, body)).await;
            if is_in_project || (method != "GET" && answer.status.is_success()) {
                prepared.restore().await;
            }
            let has_code = answer.body["error"].is_object() && answer.body["error"]["code"].as_str() == code;
            if answer.status == status && has_code {
                answered.push(operation.id);
            }
        }
        if &answered != said {
            wrong.push(format!("{status} {code:?} {evidence:?}: answered by {answered:?}, said {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
