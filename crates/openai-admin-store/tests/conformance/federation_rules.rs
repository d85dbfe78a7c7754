//! Federation rules of workload identity providers.

use openai_admin::{
    ProjectId,
    operations::{
        CreateFederationRule, DeleteFederationRule, DeleteServiceAccount, ListAuditLogs, ListFederationRules,
        RetrieveFederationRule, UpdateFederationRule,
    },
};
use openai_admin_store::{Error, Kind, Refusal, Result, Rule, Rules};
use serde_json::{Value as Json, json};

use crate::{
    projects, service_accounts,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
    workload_identity_providers,
};

conformance! {
    a_rule_has_defaults,
    a_rule_keeps_all_fields,
    an_update_keeps_absent_fields,
    an_update_without_changes_records_nothing,
    an_invalid_rule_is_refused,
    a_rule_needs_a_service_account_of_its_project,
    a_rule_is_only_found_at_its_provider,
    rules_are_listed_by_service_account,
    a_provider_with_rules_is_deleted_only_without_the_rule,
    deleting_a_service_account_deletes_its_rules,
    archiving_a_project_deletes_the_rules_of_its_service_accounts,
    events_name_the_provider_and_the_project,
    a_rule_is_erased_with_its_texts,
}

/// A provider and a service account of a project, which rules join.
pub(crate) struct Ends {
    pub(crate) provider: String,
    pub(crate) project: String,
    pub(crate) account: String,
}

impl Ends {
    pub(crate) async fn create(tenant: &Tenant) -> Self {
        let provider = workload_identity_providers::create(tenant, "CI").await;
        let project = projects::create(tenant, "Search").await.id;
        let account = service_account(tenant, &project).await;
        Self { provider, project: project.to_string(), account }
    }

    pub(crate) fn body(&self) -> Json {
        json!({
            "project_id": self.project, "service_account_id": self.account,
            "attribute_matchers": { "sub": "main" },
        })
    }

    pub(crate) async fn create_rule(&self, tenant: &Tenant) -> String {
        let rule = create(tenant, &self.provider, self.body()).await.unwrap();
        rule["id"].as_str().unwrap().to_owned()
    }
}

async fn service_account(tenant: &Tenant, project: &ProjectId) -> String {
    service_accounts::create(tenant, project, "Nightly").await.unwrap().id.to_string()
}

pub(crate) async fn create(tenant: &Tenant, provider: &str, body: Json) -> Result<Json> {
    let request = json!({ "workload_identity_provider_id": provider, "body": body });
    let request: CreateFederationRule = serde_json::from_value(request).unwrap();
    tenant.change(request).await.map(|rule| json!(rule))
}

pub(crate) async fn retrieve(tenant: &Tenant, provider: &str, id: &str) -> Result<Json> {
    let request = RetrieveFederationRule::new(provider.parse().unwrap(), id.parse().unwrap());
    tenant.read(request).await.map(|rule| json!(rule))
}

pub(crate) async fn update(tenant: &Tenant, provider: &str, id: &str, body: Json) -> Result<Json> {
    let body = serde_json::from_value(body).unwrap();
    let request = UpdateFederationRule::new(provider.parse().unwrap(), id.parse().unwrap(), body);
    tenant.change(request).await.map(|rule| json!(rule))
}

pub(crate) async fn delete(tenant: &Tenant, provider: &str, id: &str) -> Result<Json> {
    let request = DeleteFederationRule::new(provider.parse().unwrap(), id.parse().unwrap());
    tenant.change(request).await.map(|deleted| json!(deleted))
}

pub(crate) async fn list(tenant: &Tenant, provider: &str, mut query: Json) -> Result<(Vec<String>, bool)> {
    query["workload_identity_provider_id"] = json!(provider);
    let page = tenant.read(serde_json::from_value::<ListFederationRules>(query).unwrap()).await?;
    Ok((page.data.iter().map(|rule| rule.id.to_string()).collect(), page.has_more))
}

async fn delete_account(tenant: &Tenant, ends: &Ends) {
    let request = DeleteServiceAccount::new(ends.project.parse().unwrap(), ends.account.parse().unwrap());
    tenant.change(request).await.unwrap();
}

async fn a_rule_has_defaults(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let created = create(&acme, &ends.provider, ends.body()).await.unwrap();
    let expected = json!({
        "object": "organization.workload_identity_federation_rule", "id": created["id"],
        "workload_identity_provider_id": ends.provider, "project_id": ends.project,
        "service_account_id": ends.account, "name": null, "description": null, "enabled": true,
        "attribute_matchers": { "sub": "main" }, "permissions": { "type": "service_account_default" },
        "created_at": created["created_at"], "updated_at": created["created_at"],
    });
    assert_eq!(created, expected);
    let id = created["id"].as_str().unwrap();
    assert_eq!(retrieve(&acme, &ends.provider, id).await.unwrap(), expected);
}

fn full_body(ends: &Ends) -> Json {
    let mut body = ends.body();
    body["name"] = json!("Builds");
    body["description"] = json!("Of the main branch");
    body["enabled"] = json!(false);
    body["attribute_matchers"] = json!({ "ref": "main", "protected": true, "attempt": 1, "share": 0.5 });
    body["permissions"] = json!({ "type": "restricted", "scopes": ["api.model.request"] });
    body
}

async fn a_rule_keeps_all_fields(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let body = full_body(&ends);
    let created = create(&acme, &ends.provider, body.clone()).await.unwrap();
    let retrieved = retrieve(&acme, &ends.provider, created["id"].as_str().unwrap()).await.unwrap();
    for (field, value) in body.as_object().unwrap() {
        assert_eq!((&created[field], &retrieved[field]), (value, value), "{field}");
    }
}

async fn an_update_keeps_absent_fields(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let mut expected = create(&acme, &ends.provider, full_body(&ends)).await.unwrap();
    let id = expected["id"].as_str().unwrap().to_owned();
    for (field, value) in [
        ("name", json!("Deploys")),
        ("name", json!(null)),
        ("description", json!(null)),
        ("enabled", json!(true)),
        ("attribute_matchers", json!({ "attempt": "1" })),
        ("permissions", json!({ "type": "service_account_default" })),
    ] {
        expected[field] = value.clone();
        let updated = update(&acme, &ends.provider, &id, json!({ field: value })).await.unwrap();
        expected["updated_at"] = updated["updated_at"].clone();
        assert_eq!(updated, expected, "{field}");
        assert_eq!(retrieve(&acme, &ends.provider, &id).await.unwrap(), expected, "{field}");
    }
}

async fn an_update_without_changes_records_nothing(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let created = create(&acme, &ends.provider, full_body(&ends)).await.unwrap();
    let events = database.events();
    for body in [json!({}), full_body(&ends)] {
        let updated = update(&acme, &ends.provider, created["id"].as_str().unwrap(), body).await;
        assert_eq!(updated.unwrap(), created);
    }
    assert_eq!(database.events(), events);
}

async fn an_invalid_rule_is_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let id = ends.create_rule(&acme).await;
    for (field, value, expected) in [
        ("name", json!("a\0"), "name"),
        ("description", json!("a\0"), "description"),
        ("permissions", json!({ "type": "all" }), "permissions.type"),
        ("permissions", json!({ "type": "restricted" }), "permissions.scopes"),
        ("permissions", json!({ "type": "restricted", "scopes": [] }), "permissions.scopes"),
        ("permissions", json!({ "type": "service_account_default", "scopes": ["a"] }), "permissions.scopes"),
    ] {
        let mut new = ends.body();
        new[field] = value.clone();
        let updated = update(&acme, &ends.provider, &id, json!({ field: value })).await;
        for refused in [create(&acme, &ends.provider, new).await, updated] {
            match refused.unwrap_err() {
                Error::InvalidValue { field, .. } => assert_eq!(field, expected),
                error => panic!("{expected}: {error:?}"),
            }
        }
    }
}

async fn a_rule_needs_a_service_account_of_its_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let other = projects::create(&acme, "Other").await.id;
    let with = |field: &str, value: &str| {
        let mut body = ends.body();
        body[field] = json!(value);
        create(&acme, &ends.provider, body)
    };
    assert_refused!(
        with("project_id", other.as_str()).await,
        Error::NotFound { kind: Kind::ServiceAccount, .. }
    );
    assert_refused!(
        with("service_account_id", "svc_acct_unknown").await,
        Error::NotFound { kind: Kind::ServiceAccount, .. }
    );
    assert_refused!(with("project_id", "proj_unknown").await, Error::NotFound { kind: Kind::Project, .. });
    projects::archive(&acme, &ends.project).await.unwrap();
    assert_refused!(
        create(&acme, &ends.provider, ends.body()).await,
        Error::Refused { refusal: Refusal::ProjectArchived, .. }
    );
    assert_refused!(
        create(&acme, "wip_unknown", ends.body()).await,
        Error::NotFound { kind: Kind::WorkloadIdentityProvider, .. }
    );
}

async fn a_rule_is_only_found_at_its_provider(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let rule = ends.create_rule(&acme).await;
    let other = workload_identity_providers::create(&acme, "Other").await;
    for refused in [
        retrieve(&acme, &other, &rule).await,
        update(&acme, &other, &rule, json!({})).await,
        delete(&acme, &other, &rule).await,
    ] {
        assert_refused!(refused, Error::NotFound { kind: Kind::FederationRule, .. });
    }
    assert_eq!(list(&acme, &other, json!({})).await.unwrap(), (vec![], false));
    assert_refused!(list(&acme, &other, json!({ "after": rule })).await, Error::UnknownCursor(_));
}

async fn rules_are_listed_by_service_account(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let first = ends.create_rule(&acme).await;
    let account = service_account(&acme, &ends.project.parse().unwrap()).await;
    let mut body = ends.body();
    body["service_account_id"] = json!(account);
    let second = create(&acme, &ends.provider, body).await.unwrap()["id"].as_str().unwrap().to_owned();
    let third = ends.create_rule(&acme).await;
    let listed = async |query: Json| list(&acme, &ends.provider, query).await.unwrap();
    let of = |account: &str, order: &str| json!({ "service_account_id": account, "order": order });
    assert_eq!(listed(json!({})).await, (vec![first.clone(), second.clone(), third.clone()], false));
    assert_eq!(listed(of(&account, "asc")).await, (vec![second.clone()], false));
    assert_eq!(listed(of(&ends.account, "desc")).await, (vec![third.clone(), first.clone()], false));
    assert_eq!(listed(of("svc_acct_unknown", "asc")).await, (vec![], false));
    let mut query = of(&ends.account, "asc");
    query["limit"] = json!(1);
    assert_eq!(listed(query.clone()).await, (vec![first.clone()], true));
    query["after"] = json!(first);
    assert_eq!(listed(query).await, (vec![third], false));
}

async fn a_provider_with_rules_is_deleted_only_without_the_rule(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    ends.create_rule(&acme).await;
    assert_refused!(
        workload_identity_providers::delete(&acme, &ends.provider).await,
        Error::Refused { refusal: Refusal::WorkloadIdentityProviderInUse, .. }
    );
    let rules = Rules::default().with(Rule::WorkloadIdentityProviderInUse, false);
    workload_identity_providers::delete_with(&acme, &ends.provider, rules).await.unwrap();
    assert_eq!(acme.store().census().await.unwrap().of("federation rule"), Some(0));
}

async fn deleting_a_service_account_deletes_its_rules(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    ends.create_rule(&acme).await;
    delete_account(&acme, &ends).await;
    assert_eq!(list(&acme, &ends.provider, json!({})).await.unwrap(), (vec![], false));
    let of_account = json!({ "service_account_id": ends.account });
    assert_eq!(list(&acme, &ends.provider, of_account).await.unwrap(), (vec![], false));
    workload_identity_providers::delete(&acme, &ends.provider).await.unwrap();
}

async fn archiving_a_project_deletes_the_rules_of_its_service_accounts(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    ends.create_rule(&acme).await;
    projects::archive(&acme, &ends.project).await.unwrap();
    assert_eq!(list(&acme, &ends.provider, json!({})).await.unwrap(), (vec![], false));
}

async fn events_name_the_provider_and_the_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let rule = ends.create_rule(&acme).await;
    update(&acme, &ends.provider, &rule, json!({ "name": "Builds" })).await.unwrap();
    delete(&acme, &ends.provider, &rule).await.unwrap();
    let mut query = ListAuditLogs::new();
    query.resource_ids = vec![rule.clone()];
    let events = json!(acme.store().list_audit_logs(acme.org(), query).await.unwrap().data);
    let event = |kind: &str| {
        let name = format!("workload_identity_provider_mapping.{kind}");
        let event = events.as_array().unwrap().iter().find(|event| event["type"] == name.as_str()).unwrap();
        assert_eq!(event["project"]["id"], ends.project.as_str());
        event[name].clone()
    };
    let data = |name: Option<&str>| {
        let mut data = json!({ "service_account_id": ends.account, "enabled": true });
        if let Some(name) = name {
            data["name"] = json!(name);
        }
        data
    };
    let provider = &ends.provider;
    assert_eq!(event("created"), json!({ "id": rule, "identity_provider_id": provider, "data": data(None) }));
    let changes = data(Some("Builds"));
    assert_eq!(
        event("updated"),
        json!({ "id": rule, "identity_provider_id": provider, "changes_requested": changes })
    );
    assert_eq!(event("deleted"), json!({ "id": rule }));
}

async fn a_rule_is_erased_with_its_texts(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let ends = Ends::create(&acme).await;
    let created = create(&acme, &ends.provider, full_body(&ends)).await.unwrap();
    let deleted = delete(&acme, &ends.provider, created["id"].as_str().unwrap()).await.unwrap();
    let expected = json!({
        "object": "organization.workload_identity_federation_rule.deleted", "id": created["id"], "deleted": true,
    });
    assert_eq!(deleted, expected);
    let texts = "select coalesce(name, '') || coalesce(description, '') || attribute_matchers || permissions
                 from federation_rules";
    assert_eq!(database.texts(texts), [""]);
}
