//! For every operation, the ids of another organization are as unknown as ids that do not exist.

use axum::http::header;
use openai_admin::{Method, wire};
use openai_admin_server::{OperationFacts, operations};
use serde_json::{Value, json};

use crate::support::{Answer, KEY, TestServer, adapted, bearer, every_field};

/// The name of each resource of the first organization.
const MARK: &str = "acme";

/// Body fields with an id that names no resource of the organization.
const FREE_IDS: [&str; 7] = [
    "batch_id",
    "external_id",
    "external_key_id",
    "kms_project_id",
    "tenant_id",
    "workload_identity_pool_id",
    "workload_identity_provider_id",
];

/// The ids of a request, by the names of its parameters.
struct Ids {
    project: String,
    values: Value,
}

impl Ids {
    /// The id for a parameter or a field.
    fn of(&self, name: &str) -> &str {
        match name {
            "project_id" => &self.project,
            _ => self.values[name].as_str().unwrap_or_else(|| panic!("add an id for '{name}' to this test")),
        }
    }

    fn path(&self, operation: &OperationFacts) -> String {
        let names: Vec<&str> = wire::placeholders(operation.path).collect();
        names.iter().fold(format!("/v1{}", operation.path), |path, name| {
            path.replace(&format!("{{{name}}}"), self.of(name))
        })
    }

    /// All required fields, with an id in each field that takes one.
    fn body(&self, operation: &OperationFacts) -> String {
        let mut body = adapted(every_field(), operation.id);
        body["projects"] = json!([{ "id": self.project, "role": "member" }]);
        body["checks"][0]["user_id"] = self.of("user_id").into();
        body["certificate_ids"] = json!([self.of("certificate_id")]);
        body["email"] = self.of("email").into();
        body["ids"] = json!([self.of("user_id"), self.of("group_id"), self.of("role_id")]);
        for field in operation.fields().body {
            if field.name.ends_with("_id") && !FREE_IDS.contains(&&*field.name) {
                body[&field.name] = self.of(&field.name).into();
            }
        }
        body.to_string()
    }
}

async fn send(server: &TestServer, key: &str, operation: &OperationFacts, ids: &Ids) -> Answer {
    let body = if operation.has_body() { ids.body(operation) } else { String::new() };
    let mut path = ids.path(operation);
    if operation.id.starts_with("usage-") {
        path.push_str("?start_time=0&limit=1");
    }
    if operation.path.ends_with("/search") {
        path.push_str(&format!("?starts_with={MARK}"));
    }
    let mut request = server.request(operation.method.as_str(), &path, body);
    request.headers_mut().insert(header::AUTHORIZATION, bearer(key).parse().unwrap());
    server.send(request).await
}

/// The first organization, with a resource of each kind, and their ids.
async fn filled(server: &TestServer) -> Value {
    let directory = json!({
        "organization": { "id": server.organization.id, "title": MARK },
        "users": [{ "id": "user_a", "email": "ada@one.example", "name": MARK, "role": "owner" }],
        "groups": [{ "id": "group_a", "name": MARK, "members": ["user_a"] }],
        "roles": [{ "id": "role_a", "name": MARK, "permissions": ["api.groups.read"] }],
        "projects": [{
            "id": "proj_a", "name": MARK,
            "users": [{ "user": "user_a", "role": "owner" }], "groups": [{ "group": "group_a", "roles": ["member"] }],
        }],
    });
    let directory = serde_json::from_value(directory).unwrap();
    server.store.load(server.minter.stamp("test"), directory).await.unwrap();
    let created = async |path: &str, body: Value| {
        let answer = server.post(path, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    };
    let invite = json!({ "email": "bob@one.example", "role": "reader" });
    let invite = created("/v1/organization/invites", invite).await;
    let named = json!({ "name": MARK });
    let account = created("/v1/organization/projects/proj_a/service_accounts", named.clone()).await;
    let key = created("/v1/organization/admin_api_keys", named).await;
    let certificate = json!({ "name": MARK, "certificate": certificate() });
    let certificate = created("/v1/organization/certificates", certificate).await;
    let alert = json!({
        "threshold_amount": 1, "currency": "USD", "interval": "month",
        "notification_channel": { "type": "email", "recipients": ["ada@one.example"] },
    });
    let alert = created("/v1/organization/spend_alerts", alert).await;
    let external_key = json!({
        "type": "azure", "name": MARK, "tenant_id": MARK, "vault_uri": MARK, "key_name": MARK,
    });
    let external_key = created("/v1/organization/external_keys", external_key).await;
    let provider = json!({ "type": "oidc", "name": MARK, "issuer": MARK, "audience": MARK });
    let provider = created("/v1/organization/workload_identity_providers", provider).await;
    let storage = json!({
        "project_id": "proj_a", "provider": { "type": "aws", "bucket": MARK, "role_arn": MARK },
    });
    let storage = created("/v1/organization/external_storage", storage).await;
    let rules = format!(
        "/v1/organization/workload_identity_providers/{}/federation_rules",
        provider["id"].as_str().unwrap()
    );
    let rule =
        json!({ "project_id": "proj_a", "service_account_id": account["id"], "attribute_matchers": {} });
    let rule = created(&rules, rule).await;
    created("/v1/x/usage", json!({ "batch_id": "b", "completions": [] })).await;
    json!({
        "user_id": "user_a", "group_id": "group_a", "role_id": "role_a", "permission": "api.groups.read",
        "email": "ada@one.example",
        "invite_id": invite["id"], "key_id": key["id"],
        "service_account_id": account["id"], "api_key_id": account["api_key"]["id"],
        "certificate_id": certificate["id"], "alert_id": alert["id"], "rate_limit_id": "rl-o3",
        "external_key_id": external_key["id"], "workload_identity_provider_id": provider["id"],
        "external_storage_id": storage["id"],
        "workload_identity_federation_rule_id": rule["id"],
    })
}

/// A certificate in PEM format that is valid for decades.
fn certificate() -> String {
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

/// Ids and an address in the same form that no organization has.
fn unknown(ids: &Value) -> Value {
    let mut unknown = ids.clone();
    for (name, id) in unknown.as_object_mut().unwrap() {
        if name != "permission" {
            *id = format!("x{}", id.as_str().unwrap()).into();
        }
    }
    unknown
}

/// The contents of the first organization and its events, of which each change has one.
async fn state(server: &TestServer) -> (Value, Value) {
    let directory = server.store.dump(server.organization.clone()).await.unwrap();
    let events = server.get("/v1/organization/audit_logs?limit=100").await.body;
    (serde_json::to_value(directory).unwrap(), events)
}

#[tokio::test]
async fn the_ids_of_another_organization_are_unknown_to_every_operation() {
    let server = TestServer::new().await;
    let ids = filled(&server).await;
    let other = server.key_of_other_organization("org-other").await;
    let third = server.key_of_other_organization("org-third").await;
    let before = state(&server).await;
    let default = format!("proj_default_{}", server.organization.id);
    for project in ["proj_a", &default] {
        let theirs = Ids { project: project.to_owned(), values: ids.clone() };
        let nones = Ids { project: format!("{project}x"), values: unknown(&ids) };
        for operation in operations() {
            let id = operation.id;
            let answer = send(&server, &other, &operation, &theirs).await;
            let expected = send(&server, &third, &operation, &nones).await;
            let error = |answer: &Answer| {
                let error = &answer.body["error"];
                (answer.status, error["code"].clone(), error["param"].clone())
            };
            assert_eq!(error(&answer), error(&expected), "{id}: {}", answer.text);
            let takes_an_id = wire::placeholders(operation.path).any(|name| name != "permission");
            match answer.status.as_u16() {
                404 => {}
                _ if takes_an_id => {
                    panic!("{id} answers {} to an unknown id: {}", answer.status, answer.text)
                }
                200 => assert!(
                    operation.method != Method::Get || !answer.text.contains(MARK),
                    "{id}: {}",
                    answer.text
                ),
                _ => {
                    let code = answer.body["error"]["code"].as_str().unwrap_or_default();
                    let is_undecodable = ["missing_required_parameter", "invalid_type"].contains(&code);
                    assert!(
                        !is_undecodable,
                        "add the required fields of {id} to `every_field`: {}",
                        answer.text
                    );
                }
            }
        }
    }
    assert_eq!(state(&server).await, before);
    assert_eq!(server.get_with(KEY, "/v1/organization/invites").await.body["data"][0]["status"], "pending");
}
