//! Workload identity providers of the organization.

use openai_admin::operations::{
    CreateWorkloadIdentityProvider, DeleteWorkloadIdentityProvider, RetrieveWorkloadIdentityProvider,
    UpdateWorkloadIdentityProvider,
};
use openai_admin_store::{Error, Kind, Result};
use serde_json::{Value as Json, json};

use crate::{
    settings::update as change,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    a_provider_has_defaults,
    a_provider_keeps_all_fields,
    an_update_keeps_absent_fields,
    an_update_without_changes_records_nothing,
    an_invalid_provider_is_refused,
    a_provider_is_erased_with_its_texts,
}

pub(crate) fn body(name: &str) -> Json {
    json!({ "type": "oidc", "name": name, "issuer": "https://ci.example.com", "audience": "openai" })
}

pub(crate) async fn create_with(tenant: &Tenant, body: &Json) -> Result<Json> {
    change::<CreateWorkloadIdentityProvider>(tenant, &Json::Null, body).await
}

pub(crate) async fn create(tenant: &Tenant, name: &str) -> String {
    let provider = create_with(tenant, &body(name)).await.unwrap();
    provider["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn retrieve(tenant: &Tenant, id: &str) -> Result<Json> {
    let request = RetrieveWorkloadIdentityProvider::new(id.parse().unwrap());
    tenant.read(request).await.map(|provider| json!(provider))
}

pub(crate) async fn update(tenant: &Tenant, id: &str, body: Json) -> Result<Json> {
    let request = json!({ "workload_identity_provider_id": id, "body": body });
    let request: UpdateWorkloadIdentityProvider = serde_json::from_value(request).unwrap();
    tenant.change(request).await.map(|provider| json!(provider))
}

pub(crate) async fn delete(tenant: &Tenant, id: &str) -> Result<Json> {
    let request = DeleteWorkloadIdentityProvider::new(id.parse().unwrap());
    tenant.change(request).await.map(|deleted| json!(deleted))
}

async fn a_provider_has_defaults(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = create_with(&acme, &body("CI")).await.unwrap();
    let expected = json!({
        "object": "organization.workload_identity_provider", "id": created["id"], "type": "oidc", "name": "CI",
        "description": null, "issuer": "https://ci.example.com", "audience": "openai", "enabled": true,
        "attribute_transformations": [], "verification": { "type": "discovery", "discovery_url": null },
        "created_at": created["created_at"], "updated_at": created["created_at"],
    });
    assert_eq!(created, expected);
    assert_eq!(retrieve(&acme, created["id"].as_str().unwrap()).await.unwrap(), expected);
}

fn full_body() -> Json {
    let mut body = body("CI");
    body["description"] = json!("Builds");
    body["enabled"] = json!(false);
    body["attribute_transformations"] = json!([{ "attribute": "branch", "expression": "claims.ref" }]);
    body["verification"] =
        json!({ "type": "uploaded_jwks", "jwks": { "keys": [{ "kty": "RSA", "x-own": [1.5] }] } });
    body
}

async fn a_provider_keeps_all_fields(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let body = full_body();
    let created = create_with(&acme, &body).await.unwrap();
    let retrieved = retrieve(&acme, created["id"].as_str().unwrap()).await.unwrap();
    for (field, value) in body.as_object().unwrap() {
        assert_eq!((&created[field], &retrieved[field]), (value, value), "{field}");
    }
}

async fn an_update_keeps_absent_fields(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = create_with(&acme, &full_body()).await.unwrap();
    let id = created["id"].as_str().unwrap();
    let updated_one_by_one = [
        ("name", json!("Deploy")),
        ("issuer", json!("https://deploy.example.com")),
        ("audience", json!("other")),
        ("description", json!(null)),
        ("enabled", json!(true)),
        ("attribute_transformations", json!([])),
        ("verification", json!({ "type": "discovery", "discovery_url": "https://keys.example.com" })),
    ];
    let mut expected = created.clone();
    for (field, value) in updated_one_by_one {
        expected[field] = value.clone();
        let updated = update(&acme, id, json!({ field: value })).await.unwrap();
        expected["updated_at"] = updated["updated_at"].clone();
        assert_eq!(updated, expected, "{field}");
        assert_eq!(retrieve(&acme, id).await.unwrap(), expected, "{field}");
    }
}

async fn an_update_without_changes_records_nothing(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = create_with(&acme, &full_body()).await.unwrap();
    let events = database.events();
    let mut same = full_body();
    same.as_object_mut().unwrap().remove("type");
    for body in [json!({}), same] {
        assert_eq!(update(&acme, created["id"].as_str().unwrap(), body).await.unwrap(), created);
    }
    assert_eq!(database.events(), events);
}

async fn an_invalid_provider_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = create(&acme, "CI").await;
    let transformation = json!({ "attribute": "a", "expression": "b" });
    for (field, value, expected) in [
        ("name", json!("a\0"), "name"),
        ("description", json!("a\0"), "description"),
        ("issuer", json!("a\0"), "issuer"),
        ("audience", json!("a\0"), "audience"),
        ("attribute_transformations", json!(vec![transformation; 21]), "attribute_transformations"),
        (
            "attribute_transformations",
            json!([{ "attribute": "a", "expression": "b\0" }]),
            "attribute_transformations[0].expression",
        ),
        ("verification", json!({ "type": "none" }), "verification.type"),
        ("verification", json!({ "type": "discovery" }), "verification.discovery_url"),
        ("verification", json!({ "type": "uploaded_jwks" }), "verification.jwks"),
        (
            "verification",
            json!({ "type": "discovery", "discovery_url": null, "jwks": {} }),
            "verification.jwks",
        ),
        (
            "verification",
            json!({ "type": "discovery", "discovery_url": "a\0" }),
            "verification.discovery_url",
        ),
    ] {
        let mut new = body("CI");
        new[field] = value.clone();
        for refused in [create_with(&acme, &new).await, update(&acme, &id, json!({ field: value })).await] {
            match refused.unwrap_err() {
                Error::InvalidValue { field, .. } => assert_eq!(field, expected),
                error => panic!("{expected}: {error:?}"),
            }
        }
    }
    let mut other = body("CI");
    other["type"] = json!("x509");
    assert_refused!(create_with(&acme, &other).await, Error::InvalidValue { .. });
    assert_refused!(
        update(&acme, "wip_unknown", json!({})).await,
        Error::NotFound { kind: Kind::WorkloadIdentityProvider, .. }
    );
}

async fn a_provider_is_erased_with_its_texts(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let created = create_with(&acme, &full_body()).await.unwrap();
    let deleted = delete(&acme, created["id"].as_str().unwrap()).await.unwrap();
    let expected = json!({
        "object": "organization.workload_identity_provider.deleted", "id": created["id"], "deleted": true,
    });
    assert_eq!(deleted, expected);
    let texts = "select name || coalesce(description, '') || issuer || audience || attribute_transformations
                 || verification from workload_identity_providers";
    assert_eq!(database.texts(texts), [""]);
}
