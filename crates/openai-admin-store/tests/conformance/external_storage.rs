//! External storage of the organization.

use openai_admin::operations::{
    CreateExternalStorage, DeleteExternalStorage, ListExternalStorage, RetrieveExternalStorage,
    ValidateExternalStorage,
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
    a_storage_has_the_fields_of_its_type,
    storages_are_listed_by_project,
    an_invalid_storage_is_refused,
    a_storage_needs_an_active_project,
    a_storage_cannot_be_validated,
    a_storage_is_deleted_again,
}

fn provider() -> Json {
    json!({ "type": "aws", "bucket": "acme", "role_arn": "arn:aws:iam::123456789012:role/openai" })
}

async fn create_with(tenant: &Tenant, project_id: &str, provider: &Json) -> Result<Json> {
    let body = json!({ "project_id": project_id, "provider": provider });
    change::<CreateExternalStorage>(tenant, &Json::Null, &body).await
}

/// Creates a storage of the default project.
pub(crate) async fn create(tenant: &Tenant) -> String {
    let project_id = format!("proj_default_{}", tenant.organization.id);
    let storage = create_with(tenant, &project_id, &provider()).await.unwrap();
    storage["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn retrieve(tenant: &Tenant, id: &str) -> Result<Json> {
    tenant.read(RetrieveExternalStorage::new(id.parse().unwrap())).await.map(|storage| json!(storage))
}

pub(crate) async fn delete(tenant: &Tenant, id: &str) -> Result<Json> {
    tenant.change(DeleteExternalStorage::new(id.parse().unwrap())).await.map(|deleted| json!(deleted))
}

async fn validate(tenant: &Tenant, id: &str, rules: Rules) -> Result<Json> {
    let mut stamp = tenant.database.stamp();
    stamp.rules = rules;
    let request = ValidateExternalStorage::new(id.parse().unwrap());
    tenant.store().change(tenant.org(), stamp, request).await.map(|storage| json!(storage))
}

/// Validates a storage without the rule that no storage can be reached.
pub(crate) async fn validate_anyway(tenant: &Tenant, id: &str) -> Result<Json> {
    validate(tenant, id, Rules::default().with(Rule::StorageUnreachable, false)).await
}

/// The location of a storage of each type, the fields that the service adds to it, and its geography.
fn types(project_id: &str) -> [(Json, Json, &'static str); 4] {
    [
        (provider(), json!({ "account_id": "123456789012", "region": "", "external_id": project_id }), ""),
        (
            json!({
                "type": "azure", "tenant_id": "tenant", "subscription_id": "subscription",
                "resource_group": "group", "account_name": "account", "container": "container",
            }),
            json!({ "region": "" }),
            "",
        ),
        (
            json!({
                "type": "gcp", "bucket": "acme", "workload_identity_project_number": "1",
                "workload_identity_pool_id": "pool", "workload_identity_provider_id": "provider",
            }),
            json!({ "audience": project_id, "region": "" }),
            "",
        ),
        (
            json!({ "type": "oci", "tenancy_ocid": "tenancy", "region": "us-ashburn-1", "bucket": "acme" }),
            json!({}),
            "US",
        ),
    ]
}

async fn a_storage_has_the_fields_of_its_type(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id.to_string();
    for (mut provider, added, geography) in types(&project) {
        let mut given = provider.clone();
        // A field of another type is dropped.
        if given["type"] != "azure" {
            given["container"] = json!("other");
        }
        let created = create_with(&acme, &project, &given).await.unwrap();
        provider.as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
        let expected = json!({
            "object": "organization.external_storage", "id": created["id"], "project_id": project,
            "provider": provider, "geography": geography, "status": "pending",
            "created_at": created["created_at"],
        });
        assert_eq!(created, expected);
        assert_eq!(retrieve(&acme, created["id"].as_str().unwrap()).await.unwrap(), expected);
    }
}

async fn storages_are_listed_by_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id.to_string();
    let (first, second) = (create(&acme).await, create(&acme).await);
    let third = create_with(&acme, &project, &provider()).await.unwrap();
    let third = third["id"].as_str().unwrap().to_owned();
    let list = async |query: Json| {
        let page = acme.read(serde_json::from_value::<ListExternalStorage>(query).unwrap()).await?;
        let ids: Vec<String> = page.data.iter().map(|storage| storage.id.to_string()).collect();
        Result::Ok((ids, page.has_more))
    };
    let all = [first.clone(), second.clone(), third.clone()].to_vec();
    assert_eq!(list(json!({})).await.unwrap(), (all, false));
    let default = "proj_default_org-acme";
    let page = list(json!({ "project_id": default, "limit": 1 })).await.unwrap();
    assert_eq!(page, (vec![first.clone()], true));
    let page = list(json!({ "project_id": default, "after": first })).await.unwrap();
    assert_eq!(page, (vec![second.clone()], false));
    let page = list(json!({ "project_id": default, "order": "desc" })).await.unwrap();
    assert_eq!(page, (vec![second, first], false));
    assert_eq!(list(json!({ "project_id": project })).await.unwrap(), (vec![third], false));
    let unknown = list(json!({ "project_id": "proj_unknown" })).await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::Project, .. });
}

async fn an_invalid_storage_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let with = |field: &str, value: Json| {
        let mut provider = provider();
        provider[field] = value;
        provider
    };
    for (provider, expected) in [
        (with("type", json!("ibm")), "provider.type"),
        (with("type", json!("oci")), "provider.tenancy_ocid"),
        (with("role_arn", json!(null)), "provider.role_arn"),
        (with("bucket", json!("a\0")), "provider.bucket"),
    ] {
        match create_with(&acme, "proj_default_org-acme", &provider).await.unwrap_err() {
            Error::InvalidValue { field, .. } => assert_eq!(field, expected),
            error => panic!("{expected}: {error:?}"),
        }
    }
}

async fn a_storage_needs_an_active_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let unknown = create_with(&acme, "proj_unknown", &provider()).await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::Project, .. });
    let project = projects::create(&acme, "Search").await.id.to_string();
    let created = create_with(&acme, &project, &provider()).await.unwrap();
    projects::archive(&acme, &project).await.unwrap();
    let archived = create_with(&acme, &project, &provider()).await;
    assert_refused!(archived, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    // Its storage stays until it is deleted.
    let id = created["id"].as_str().unwrap();
    assert_eq!(retrieve(&acme, id).await.unwrap(), created);
    delete(&acme, id).await.unwrap();
}

async fn a_storage_cannot_be_validated(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = create(&acme).await;
    let refused = validate(&acme, &id, Rules::default()).await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::StorageUnreachable, .. });
    assert_eq!(retrieve(&acme, &id).await.unwrap()["status"], "pending");
    let events = database.events();
    assert_eq!(validate_anyway(&acme, &id).await.unwrap()["status"], "validated");
    assert_eq!(retrieve(&acme, &id).await.unwrap()["status"], "validated");
    assert_eq!(database.events(), events);
    let unknown = validate_anyway(&acme, "extstorage_unknown").await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::ExternalStorage, .. });
}

async fn a_storage_is_deleted_again(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let id = create(&acme).await;
    let deleted = delete(&acme, &id).await.unwrap();
    let expected = json!({ "object": "organization.external_storage.deleted", "id": id, "deleted": true });
    assert_eq!(deleted, expected);
    assert_eq!(database.texts("select provider from external_storage"), [""]);
    let events = database.events();
    assert_eq!(delete(&acme, &id).await.unwrap(), expected);
    assert_eq!(database.events(), events);
}
