//! Each rule refuses a request, and the same request succeeds when the rule is off.

use openai_admin_emulator::{Emulator, Fixtures};
use openai_admin_store::{DatabaseUrl, Rule, Store};
use serde_json::{Value, json};

use crate::support::{Answer, ask, emulator};

/// Rules that refuse no request: they change an answer, and have a separate test.
const NOT_REFUSING: [Rule; 1] = [Rule::UnpublishedEvent];
const CERTIFICATES_MAX: usize = 50;
const EXTERNAL_KEYS: &str = "/v1/organization/external_keys";
const CERTIFICATES: &str = "/v1/organization/certificates";
const INVITES: &str = "/v1/organization/invites";
const PROJECT_USERS: &str = "/v1/organization/projects/project_id/users";

/// A request: method, path and body.
type Ask = (&'static str, &'static str, Value);

/// For a rule: requests that prepare the state, the request that the rule refuses, and the code of the refusal.
struct Case {
    rule: Rule,
    before: Vec<Ask>,
    request: Ask,
    code: &'static str,
}

fn case(rule: Rule, before: Vec<Ask>, request: Ask, code: &'static str) -> Case {
    Case { rule, before, request, code }
}

/// The organization of the official tests, with a group of an identity provider.
fn fixtures() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/official-suite.yaml");
    let mut fixtures: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let managed = json!({ "id": "group_managed", "name": "Managed", "is_scim_managed": true });
    fixtures["groups"].as_array_mut().unwrap().push(managed);
    fixtures
}

/// A valid certificate: that of the fixtures.
fn certificate(fixtures: &Value) -> Value {
    let requests = fixtures["requests"].as_array().unwrap();
    let upload = requests.iter().find(|request| request["operation"] == "uploadCertificate").unwrap();
    json!({ "certificate": upload["body"]["certificate"] })
}

fn cases(certificate: &Value) -> Vec<Case> {
    let get = |path| ("GET", path, json!({}));
    let delete = |path| ("DELETE", path, json!({}));
    let post = |path, body| ("POST", path, body);
    let invite = |email: &str| post(INVITES, json!({ "email": email, "role": "reader" }));
    let activate =
        post("/v1/organization/certificates/activate", json!({ "certificate_ids": ["certificate_id"] }));
    // The fixtures have two.
    let uploads = vec![post(CERTIFICATES, certificate.clone()); CERTIFICATES_MAX - 2];
    vec![
        case(
            Rule::AlreadyInProject,
            vec![],
            post(PROJECT_USERS, json!({ "user_id": "user_id", "role": "member" })),
            "already_in_project",
        ),
        case(
            Rule::GroupAlreadyInProject,
            vec![],
            post(
                "/v1/organization/projects/project_id/groups",
                json!({ "group_id": "group_id", "role": "role_id" }),
            ),
            "group_already_in_project",
        ),
        case(
            Rule::InvalidCertificate,
            vec![],
            post(CERTIFICATES, json!({ "certificate": "text" })),
            "invalid_certificate",
        ),
        case(Rule::InvalidEmail, vec![], invite("email"), "invalid_value"),
        case(
            Rule::LimitOfZero,
            vec![],
            get("/v1/organization/users?limit=0&after=unknown"),
            "integer_below_min_value",
        ),
        case(Rule::MissingUser, vec![], post(PROJECT_USERS, json!({ "role": "member" })), "invalid_value"),
        case(
            Rule::MismatchedEmail,
            vec![],
            post(
                PROJECT_USERS,
                json!({ "user_id": "owner_1", "email": "user@example.com", "role": "member" }),
            ),
            "invalid_value",
        ),
        case(
            Rule::NotATenantEvent,
            vec![],
            get("/v1/organization/audit_logs?tenant_only=true&event_types[]=user.added"),
            "invalid_value",
        ),
        case(
            Rule::UnknownPermission,
            vec![],
            post("/v1/organization/roles", json!({ "role_name": "Pilot", "permissions": ["fly"] })),
            "invalid_value",
        ),
        case(
            Rule::UnknownRole,
            vec![],
            post("/v1/organization/users/user_id", json!({ "role": "role" })),
            "invalid_value",
        ),
        case(
            Rule::UnknownExternalId,
            vec![],
            post(
                EXTERNAL_KEYS,
                json!({ "type": "aws", "name": "Key", "role_arn": "role", "kms_arn": "key", "external_id": "text" }),
            ),
            "invalid_value",
        ),
        case(
            Rule::ExternalKeyVersion,
            vec![],
            post(
                EXTERNAL_KEYS,
                json!({ "type": "azure", "name": "Key", "tenant_id": "tenant", "vault_uri": "vault", "key_name": "key", "key_version": "1" }),
            ),
            "invalid_value",
        ),
        case(
            Rule::KeyServiceUnreachable,
            vec![],
            post("/v1/organization/external_keys/external_key_id/validate", json!({})),
            "key_service_unreachable",
        ),
        case(
            Rule::StorageUnreachable,
            vec![],
            post("/v1/organization/external_storage/extstorage_123/validate", json!({})),
            "storage_unreachable",
        ),
        case(
            Rule::DefaultTierDisabled,
            vec![],
            post(
                "/v1/organization/projects/project_id/service_tier_settings",
                json!({ "default": "fast", "enabled_tiers": [] }),
            ),
            "invalid_value",
        ),
        case(
            Rule::ExternalKeyInUse,
            vec![post(
                "/v1/organization/projects",
                json!({ "name": "Sealed", "external_key_id": "external_key_id" }),
            )],
            delete("/v1/organization/external_keys/external_key_id"),
            "external_key_in_use",
        ),
        case(
            Rule::WorkloadIdentityProviderInUse,
            vec![],
            delete("/v1/organization/workload_identity_providers/x"),
            "workload_identity_provider_in_use",
        ),
        case(Rule::AlreadyAMember, vec![], invite("user@example.com"), "already_a_member"),
        case(Rule::AlreadyInvited, vec![], invite("invited@example.com"), "already_invited"),
        case(
            Rule::CertificateActive,
            vec![activate],
            delete("/v1/organization/certificates/certificate_id"),
            "certificate_active",
        ),
        case(Rule::CertificateLimit, uploads, post(CERTIFICATES, certificate.clone()), "certificate_limit"),
        case(
            Rule::InviteAccepted,
            vec![post("/v1/x/invites/invite_id/accept", json!({}))],
            delete("/v1/organization/invites/invite_id"),
            "invite_accepted",
        ),
        case(
            Rule::NotAMember,
            vec![],
            delete("/v1/organization/groups/group_id/users/owner_1"),
            "not_a_member",
        ),
        case(
            Rule::NotInProject,
            vec![],
            delete("/v1/organization/projects/project_id/users/owner_1"),
            "not_in_project",
        ),
        case(Rule::LastOwner, vec![], delete("/v1/organization/users/owner_1"), "last_owner"),
        case(
            Rule::ManagedGroup,
            vec![],
            post("/v1/organization/groups/group_managed", json!({ "name": "Renamed" })),
            "scim_managed_group",
        ),
    ]
}

async fn send(emulator: &Emulator, (method, path, body): &Ask) -> Answer {
    ask(emulator, method, path, &body.to_string()).await
}

impl Case {
    async fn check(&self, fixtures: Fixtures) {
        let name = self.rule.name();
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("rules.db"));
        let (directory, requests) = fixtures.into_parts();
        let emulator = Emulator::builder().fixtures(directory).requests(requests).database(url.clone());
        let emulator = emulator.start().await.unwrap();
        for request in &self.before {
            let answer = send(&emulator, request).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        }
        let refused = send(&emulator, &self.request).await;
        assert_eq!(refused.json()["error"]["code"], self.code, "{name}: {}", refused.body);

        let off = json!({ name: "off" }).to_string();
        assert_eq!(ask(&emulator, "PUT", "/_emulator/rules", &off).await.status, 200);
        let answer = send(&emulator, &self.request).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);

        let store = Store::open(&url).await.unwrap();
        assert!(store.verify().await.unwrap().is_empty(), "{name}");
        store.close().await;
    }
}

#[tokio::test]
async fn each_rule_refuses_a_request_that_succeeds_without_it() {
    let fixtures = fixtures();
    let cases = cases(&certificate(&fixtures));
    for case in &cases {
        case.check(serde_json::from_value(fixtures.clone()).unwrap()).await;
    }
    let is_tried = |rule: &Rule| NOT_REFUSING.contains(rule) || cases.iter().any(|case| case.rule == *rule);
    assert!(Rule::ALL.iter().all(is_tried), "a rule has no case");
}

#[tokio::test]
async fn the_audit_log_has_unpublished_events_unless_the_rule_is_off() {
    let emulator = emulator().await;
    let path = "/v1/organization/groups/group_support/users";
    assert_eq!(ask(&emulator, "POST", path, r#"{"user_id":"user_ada"}"#).await.status, 200);
    let has_event = async || {
        let events = ask(&emulator, "GET", "/v1/organization/audit_logs?limit=100", "").await.json();
        events["data"].as_array().unwrap().iter().any(|event| event["type"] == "group.user.added")
    };
    assert!(has_event().await);
    let off = r#"{"unpublished_event":"off"}"#;
    assert_eq!(ask(&emulator, "PUT", "/_emulator/rules", off).await.status, 200);
    assert!(!has_event().await);
}
