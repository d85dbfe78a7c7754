//! External keys of the organization.

use openai_admin::operations::{
    CreateExternalKey, DeleteExternalKey, ListExternalKeys, ModifyProject, RetrieveExternalKey,
    ValidateExternalKey,
};
use openai_admin_store::{Error, Kind, Refusal, Result, Rule, Rules};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    settings::update as change,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    a_key_has_the_fields_of_its_type,
    a_key_lists_the_projects_that_use_it,
    keys_are_listed_by_purpose,
    an_invalid_key_is_refused,
    a_key_cannot_be_validated,
    a_key_is_erased_with_its_location,
}

pub(crate) fn body(name: &str) -> Json {
    json!({
        "type": "azure", "name": name, "tenant_id": "tenant", "vault_uri": "https://acme.vault.azure.net",
        "key_name": "master",
    })
}

pub(crate) async fn create_with(tenant: &Tenant, body: &Json) -> Result<Json> {
    change::<CreateExternalKey>(tenant, &Json::Null, body).await
}

pub(crate) async fn create(tenant: &Tenant, name: &str) -> String {
    let key = create_with(tenant, &body(name)).await.unwrap();
    key["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn retrieve(tenant: &Tenant, id: &str) -> Result<Json> {
    tenant.read(RetrieveExternalKey::new(id.parse().unwrap())).await.map(|key| json!(key))
}

pub(crate) async fn delete(tenant: &Tenant, id: &str) -> Result<Json> {
    tenant.change(DeleteExternalKey::new(id.parse().unwrap())).await.map(|key| json!(key))
}

async fn validate(tenant: &Tenant, id: &str, rules: Rules) -> Result<Json> {
    let mut stamp = tenant.database.stamp();
    stamp.rules = rules;
    let request = ValidateExternalKey::new(id.parse().unwrap());
    tenant.store().change(tenant.org(), stamp, request).await.map(|result| json!(result))
}

/// Validates a key without the rule that no key service can be reached.
pub(crate) async fn validate_anyway(tenant: &Tenant, id: &str) -> Result<Json> {
    validate(tenant, id, Rules::default().with(Rule::KeyServiceUnreachable, false)).await
}

fn types() -> [Json; 4] {
    [
        json!({ "type": "aws", "role_arn": "role", "kms_arn": "key", "external_id": "org-acme" }),
        json!({
            "type": "gcp", "workload_identity_project_number": "1", "workload_identity_pool_id": "pool",
            "workload_identity_provider_id": "provider", "kms_project_id": "kms", "kms_key_ring_name": "ring",
            "kms_key_name": "key", "kms_key_location": "us", "audience": "proj_default_org-acme",
        }),
        json!({ "type": "azure", "tenant_id": "tenant", "vault_uri": "uri", "key_name": "key" }),
        json!({ "type": "oci", "region": "us-ashburn-1", "vault_ocid": "vault", "key_ocid": "key" }),
    ]
}

async fn a_key_has_the_fields_of_its_type(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for mut expected in types() {
        expected["name"] = json!("Master");
        let mut body = expected.clone();
        // A field of another type is dropped.
        if expected["type"] != "aws" {
            body["kms_arn"] = json!("other");
        }
        let created = create_with(&acme, &body).await.unwrap();
        expected["object"] = json!("organization.external_key");
        expected["purpose"] = json!("ekm");
        expected["workspace_id"] = json!("");
        expected["api_project_ids"] = json!([]);
        (expected["id"], expected["created_at"]) = (created["id"].clone(), created["created_at"].clone());
        assert_eq!(created, expected);
        assert_eq!(retrieve(&acme, created["id"].as_str().unwrap()).await.unwrap(), expected);
    }
}

async fn a_key_lists_the_projects_that_use_it(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let (key, other) = (create(&acme, "Key").await, create(&acme, "Other").await);
    let project = projects::create(&acme, "Search").await.id;
    let modify = json!({ "project_id": project, "body": { "external_key_id": key } });
    acme.change(serde_json::from_value::<ModifyProject>(modify).unwrap()).await.unwrap();
    let expected = json!([project]);
    assert_eq!(retrieve(&acme, &key).await.unwrap()["api_project_ids"], expected);
    let listed = json!(acme.read(ListExternalKeys::new()).await.unwrap());
    assert_eq!(listed["data"][0]["api_project_ids"], expected);
    assert_eq!(listed["data"][1]["api_project_ids"], json!([]));
    assert_refused!(delete(&acme, &key).await, Error::Refused { refusal: Refusal::ExternalKeyInUse, .. });
    assert_eq!(delete(&acme, &other).await.unwrap()["object"], "organization.external_key.deleted");
    projects::archive(&acme, project.as_str()).await.unwrap();
    assert_eq!(delete(&acme, &key).await.unwrap()["api_project_ids"], json!([]));
}

async fn keys_are_listed_by_purpose(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let first = create(&acme, "First").await;
    let mut body = body("Second");
    (body["purpose"], body["key_version"]) = (json!("psp_decryption"), json!("1"));
    let second = create_with(&acme, &body).await.unwrap();
    let third = create(&acme, "Third").await;
    let list = async |query: Json| {
        let page = acme.read(serde_json::from_value::<ListExternalKeys>(query).unwrap()).await.unwrap();
        let ids: Vec<String> = page.data.iter().map(|key| key.id.to_string()).collect();
        (ids, page.has_more)
    };
    assert_eq!(list(json!({ "purpose": "ekm", "limit": 1 })).await, (vec![first.clone()], true));
    let after = json!({ "purpose": "ekm", "after": first });
    assert_eq!(list(after).await, (vec![third.clone()], false));
    let reversed = json!({ "purpose": "ekm", "order": "desc" });
    assert_eq!(list(reversed).await, (vec![third, first], false));
    let decrypts = list(json!({ "purpose": "psp_decryption" })).await;
    assert_eq!(decrypts, (vec![second["id"].as_str().unwrap().to_owned()], false));
    assert_eq!(list(json!({ "limit": 0 })).await, (vec![], false));
    let unknown = serde_json::from_value::<ListExternalKeys>(json!({ "purpose": "none" })).unwrap();
    assert_refused!(acme.read(unknown).await, Error::InvalidValue { .. });
}

async fn an_invalid_key_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let with = |field: &str, value: Json| {
        let mut body = body("Key");
        body[field] = value;
        body
    };
    let mut aws = types()[0].clone();
    (aws["name"], aws["external_id"]) = (json!("Key"), json!("org-other"));
    let mut incomplete = types()[1].clone();
    incomplete["name"] = json!("Key");
    incomplete.as_object_mut().unwrap().remove("audience");
    for (body, expected) in [
        (with("type", json!("ibm")), "type"),
        (with("purpose", json!("other")), "purpose"),
        (with("purpose", json!("psp_decryption")), "key_version"),
        (with("key_version", json!("1")), "key_version"),
        (with("vault_uri", json!("a\0")), "vault_uri"),
        (with("name", json!("a\0")), "name"),
        (incomplete, "audience"),
        (aws, "external_id"),
    ] {
        match create_with(&acme, &body).await.unwrap_err() {
            Error::InvalidValue { field, .. } => assert_eq!(field, expected),
            error => panic!("{expected}: {error:?}"),
        }
    }
}

async fn a_key_cannot_be_validated(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let key = create(&acme, "Key").await;
    let refused = validate(&acme, &key, Rules::default()).await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::KeyServiceUnreachable, .. });
    let events = database.events();
    assert_eq!(validate_anyway(&acme, &key).await.unwrap(), json!({ "status": "valid" }));
    assert_eq!(database.events(), events);
    assert_refused!(
        validate_anyway(&acme, "extkey_unknown").await,
        Error::NotFound { kind: Kind::ExternalKey, .. }
    );
}

async fn a_key_is_erased_with_its_location(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let key = create(&acme, "Key").await;
    delete(&acme, &key).await.unwrap();
    assert_eq!(database.texts("select name || location from external_keys"), [""]);
}
