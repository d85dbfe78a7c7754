//! Service accounts of a project, and their API keys.

use openai_admin::{
    ApiKeyId, OwnerProjectAccessFilter, ProjectId, ServiceAccountId, ServiceAccountRole, Timestamp,
    models::{
        ProjectApiKey, ProjectApiKeyListResponse, ProjectServiceAccount, ProjectServiceAccountCreateRequest,
        ProjectServiceAccountCreateResponse, ServiceAccountApiKeyBody,
    },
    operations::{
        CreateServiceAccount, CreateServiceAccountApiKey, DeleteProjectApiKey, DeleteServiceAccount,
        ListAuditLogs, ListProjectApiKeys, ListServiceAccounts, RetrieveProjectApiKey,
        RetrieveServiceAccount, UpdateProjectApiKey, UpdateServiceAccount,
    },
};
use openai_admin_store::{DatabaseUrl, Error, IdempotencyKey, Kind, Refusal, Result, Secret, Stamp};
use serde_json::{Value as Json, json};

use crate::{
    projects, roles,
    support::{Database, NOW, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    a_service_account_is_created_with_a_key_whose_value_is_shown_once,
    a_service_account_may_be_created_without_a_role_and_a_key,
    the_key_of_a_service_account_is_deleted_without_the_account,
    a_service_account_has_several_keys_with_scopes_and_expiry,
    the_scopes_and_the_expiry_of_a_key_change_with_one_event,
    an_expired_key_and_a_change_without_fields_are_refused,
    a_retried_creation_of_a_key_does_not_show_its_value_again,
    a_service_account_is_updated_with_its_user_and_one_event,
    an_update_gives_a_bare_service_account_a_role_and_takes_none,
    the_value_of_a_key_is_not_in_the_database,
    a_retried_creation_does_not_show_its_secret_again,
    a_retried_creation_without_a_secret_gets_the_same_answer,
    a_service_account_is_a_member_of_groups_and_has_roles_until_it_is_deleted,
    archiving_a_project_deletes_its_service_accounts_and_keys,
    the_default_project_takes_no_service_accounts,
    a_service_account_is_only_found_in_its_project,
    keys_are_filtered_by_the_access_of_their_owners_and_paged,
    no_request_is_authenticated_by_the_key_of_a_project,
}

/// Makes a change that returns a secret. Its value is unique to this change.
fn stamp(acme: &Tenant) -> Stamp {
    let stamp = acme.database.stamp();
    let (value, hash) = (format!("sk-svcacct-{}", stamp.change), format!("hash of {}", stamp.change));
    let redacted = "sk-svc".to_owned();
    stamp.with_secret(Secret { value: value.into(), hash, redacted })
}

fn request(project: &ProjectId, name: &str) -> CreateServiceAccount {
    let body = ProjectServiceAccountCreateRequest::new(name.try_into().unwrap());
    CreateServiceAccount::new(project.clone(), body)
}

pub(crate) async fn create(
    acme: &Tenant,
    project: &ProjectId,
    name: &str,
) -> Result<ProjectServiceAccountCreateResponse> {
    acme.store().change(acme.org(), stamp(acme), request(project, name)).await
}

pub(crate) async fn create_key(
    acme: &Tenant,
    project: &ProjectId,
    account: &ServiceAccountId,
    body: Json,
) -> Result<ServiceAccountApiKeyBody> {
    let body = serde_json::from_value(body).unwrap();
    let request = CreateServiceAccountApiKey::new(project.clone(), account.clone(), body);
    acme.store().change(acme.org(), stamp(acme), request).await
}

pub(crate) async fn update_key(
    acme: &Tenant,
    project: &ProjectId,
    key: &ApiKeyId,
    body: Json,
) -> Result<ProjectApiKey> {
    let body = serde_json::from_value(body).unwrap();
    acme.change(UpdateProjectApiKey::new(project.clone(), key.clone(), body)).await
}

fn after_now(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_seconds(i64::try_from(NOW).unwrap() + seconds))
}

async fn create_only(acme: &Tenant, project: &ProjectId) -> ProjectServiceAccountCreateResponse {
    let mut request = request(project, "Bare");
    request.body.create_service_account_only = Some(true);
    acme.change(request).await.unwrap()
}

async fn keys(acme: &Tenant, project: &ProjectId) -> ProjectApiKeyListResponse {
    let mut request = ListProjectApiKeys::new(project.clone());
    request.owner_project_access = Some(OwnerProjectAccessFilter::Any);
    acme.read(request).await.unwrap()
}

async fn a_service_account_is_created_with_a_key_whose_value_is_shown_once(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let created = create(&acme, &project, "Nightly").await.unwrap();
    let key = created.api_key.clone().unwrap();
    assert_eq!((created.role.clone(), &*key.name), (ServiceAccountRole::Member, "Secret Key"));
    assert!(key.value.starts_with("sk-svcacct-") && !format!("{created:?}").contains("sk-svcacct-"));

    let account = RetrieveServiceAccount::new(project.clone(), created.id.clone());
    let account = acme.read(account).await.unwrap();
    assert_eq!((&account.id, &*account.name, &account.role), (&created.id, "Nightly", &created.role));
    let listed = keys(&acme, &project).await.data;
    let [listed] = &*listed else { panic!("{listed:?}") };
    assert_eq!((&listed.id, &*listed.name, &*listed.redacted_value), (&key.id, "Secret Key", "sk-svc"));
    assert_eq!(listed.owner.service_account.as_ref().unwrap().id, created.id);
    let retrieved = RetrieveProjectApiKey::new(project.clone(), key.id.clone());
    assert_eq!(acme.read(retrieved).await.unwrap(), *listed);
}

async fn the_key_of_a_service_account_is_deleted_without_the_account(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let account = create(&acme, &project, "Nightly").await.unwrap();
    let key = account.api_key.unwrap().id;
    let before = database.events().len();
    let delete = DeleteProjectApiKey::new(project.clone(), key.clone());
    let deleted = acme.change(delete.clone()).await.unwrap();
    assert_eq!((deleted.id, deleted.deleted), (key, true));
    let events = database.events_since(before);
    assert!(events.len() == 1 && events[0].starts_with("api_key.deleted "), "{events:?}");
    assert!(keys(&acme, &project).await.data.is_empty());
    assert_refused!(acme.change(delete).await, Error::NotFound { kind: Kind::ApiKey, .. });
    acme.read(RetrieveServiceAccount::new(project.clone(), account.id.clone())).await.unwrap();
    acme.change(DeleteServiceAccount::new(project, account.id)).await.unwrap();
}

async fn a_service_account_has_several_keys_with_scopes_and_expiry(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let account = create_only(&acme, &project).await.id;
    let plain = create_key(&acme, &project, &account, json!({})).await.unwrap();
    assert_eq!((&*plain.name, plain.expires_at), ("Secret Key", None));
    assert!(plain.value.starts_with("sk-svcacct-") && !format!("{plain:?}").contains("sk-svcacct-"));
    let body = json!({ "name": "CI", "scopes": ["api.responses.write"], "expires_in_seconds": 60 });
    let named = create_key(&acme, &project, &account, body).await.unwrap();
    assert_eq!((&*named.name, named.expires_at), ("CI", after_now(60)));
    let listed = keys(&acme, &project).await.data;
    let listed: Vec<_> = listed.iter().map(|key| (&key.id, key.expires_at)).collect();
    let mut expected = [(&plain.id, None), (&named.id, after_now(60))];
    expected.sort();
    assert_eq!(listed, expected);
    for (body, at) in
        [(json!({ "scopes": ["string"] }), "scopes[0]"), (json!({ "scopes": ["api.a b"] }), "scopes[0]")]
    {
        let refused = create_key(&acme, &project, &account, body).await;
        assert_refused!(refused, Error::InvalidValue { field, .. } if field == at);
    }
    let second = projects::create(&acme, "Second").await.id;
    let elsewhere = create_key(&acme, &second, &account, json!({})).await;
    assert_refused!(elsewhere, Error::NotFound { kind: Kind::ServiceAccount, .. });
}

async fn the_scopes_and_the_expiry_of_a_key_change_with_one_event(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let key = create(&acme, &project, "Nightly").await.unwrap().api_key.unwrap().id;
    let before = keys(&acme, &project).await.data.remove(0);
    let scopes = json!({ "scopes": ["api.model.read"] });
    assert_eq!(update_key(&acme, &project, &key, scopes).await.unwrap(), before);
    let both = json!({ "scopes": [], "expires_in_seconds": 60 });
    let changed = update_key(&acme, &project, &key, both).await.unwrap();
    assert_eq!(changed.expires_at, after_now(60));
    assert_eq!(keys(&acme, &project).await.data, [changed]);
    let logs = acme.logs(json!({ "event_types[]": ["api_key.updated"] })).await.unwrap().data;
    let details: Vec<Json> =
        logs.iter().rev().map(|log| serde_json::to_value(&log.detail).unwrap()).collect();
    let expected = [
        json!({ "id": key, "changes_requested": { "scopes": ["api.model.read"] } }),
        json!({ "id": key, "changes_requested": { "scopes": [], "expires_in_seconds": 60 } }),
    ];
    assert_eq!(details, expected);
    assert_eq!(logs[0].project.as_ref().unwrap().id.as_deref(), Some(project.as_str()));
}

async fn an_expired_key_and_a_change_without_fields_are_refused(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let key = create(&acme, &project, "Nightly").await.unwrap().api_key.unwrap().id;
    let empty = update_key(&acme, &project, &key, json!({})).await;
    assert_refused!(empty, Error::InvalidValue { field, .. } if field == "scopes");
    update_key(&acme, &project, &key, json!({ "expires_in_seconds": 60 })).await.unwrap();
    let body = serde_json::from_value(json!({ "expires_in_seconds": 60 })).unwrap();
    let late = UpdateProjectApiKey::new(project.clone(), key.clone(), body);
    assert_refused!(
        acme.change_at(NOW + 60, late).await,
        Error::Refused { refusal: Refusal::ApiKeyExpired, .. }
    );
    let second = projects::create(&acme, "Second").await.id;
    let elsewhere = update_key(&acme, &second, &key, json!({ "scopes": [] })).await;
    assert_refused!(elsewhere, Error::NotFound { kind: Kind::ApiKey, .. });
    projects::archive(&acme, project.as_str()).await.unwrap();
    let archived = update_key(&acme, &project, &key, json!({ "scopes": [] })).await;
    assert_refused!(archived, Error::Refused { refusal: Refusal::ProjectArchived, .. });
}

async fn a_retried_creation_of_a_key_does_not_show_its_value_again(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let account = create_only(&acme, &project).await.id;
    let create = async || {
        let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
        let request = CreateServiceAccountApiKey::new(
            project.clone(),
            account.clone(),
            serde_json::from_str("{}").unwrap(),
        );
        acme.store().change(acme.org(), stamp(&acme).once(Some(key)), request).await
    };
    create().await.unwrap();
    assert_refused!(create().await, Error::IdempotentAnswerSecret);
    assert_eq!(keys(&acme, &project).await.data.len(), 1);
}

pub(crate) async fn update(
    acme: &Tenant,
    project: &ProjectId,
    account: &str,
    body: Json,
) -> Result<ProjectServiceAccount> {
    let body = serde_json::from_value(body).unwrap();
    acme.change(UpdateServiceAccount::new(project.clone(), account.parse().unwrap(), body)).await
}

async fn a_service_account_is_updated_with_its_user_and_one_event(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "Team" }])).await;
    let project = projects::create(&acme, "Search").await.id;
    let created = create(&acme, &project, "Nightly").await.unwrap();
    let account = created.id.as_str();
    acme.add("group_1", account).await.unwrap();
    let before = database.events().len();
    for body in
        [json!({}), json!({ "name": null, "role": null }), json!({ "name": "Nightly", "role": "member" })]
    {
        assert_eq!(&*update(&acme, &project, account, body).await.unwrap().name, "Nightly");
    }
    assert_eq!(database.events().len(), before);
    let updated =
        update(&acme, &project, account, json!({ "name": "Hourly", "role": "owner" })).await.unwrap();
    assert_eq!((&*updated.name, &updated.role), ("Hourly", &ServiceAccountRole::Owner));
    assert_eq!(updated.created_at, created.created_at);
    let events = database.events_since(before);
    assert!(events.len() == 1 && events[0].starts_with("service_account.updated "), "{events:?}");
    let retrieve = RetrieveServiceAccount::new(project.clone(), created.id.clone());
    assert_eq!(acme.read(retrieve).await.unwrap(), updated);
    assert_eq!(acme.user(account).await.unwrap().name.as_deref(), Some("Hourly"));
    assert_eq!(keys(&acme, &project).await.data[0].owner.service_account.as_ref().unwrap().name, "Hourly");
}

async fn an_update_gives_a_bare_service_account_a_role_and_takes_none(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let other = projects::create(&acme, "Ranking").await.id;
    let account = create_only(&acme, &project).await.id;
    let role = |role: &str| json!({ "role": role });
    let updated = update(&acme, &project, account.as_str(), role("member")).await.unwrap();
    assert_eq!(updated.role, ServiceAccountRole::Member);
    for wrong in ["none", "viewer"] {
        assert_refused!(
            update(&acme, &project, account.as_str(), role(wrong)).await,
            Error::InvalidValue { field, .. } if field == "role"
        );
    }
    assert_refused!(
        update(&acme, &other, account.as_str(), role("owner")).await,
        Error::NotFound { kind: Kind::ServiceAccount, .. }
    );
    projects::archive(&acme, project.as_str()).await.unwrap();
    assert_refused!(
        update(&acme, &project, account.as_str(), role("owner")).await,
        Error::Refused { refusal: Refusal::ProjectArchived, .. }
    );
}

async fn a_service_account_may_be_created_without_a_role_and_a_key(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let created = create_only(&acme, &project).await;
    assert_eq!((created.role, created.api_key), (ServiceAccountRole::None, None));
    assert!(keys(&acme, &project).await.data.is_empty());
}

async fn the_value_of_a_key_is_not_in_the_database(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
    let stamp = stamp(&acme).once(Some(key));
    let hash = stamp.secret.clone().unwrap().hash;
    let created = acme.store().change(acme.org(), stamp, request(&project, "Nightly")).await.unwrap();
    let value = created.api_key.unwrap().value;
    for (text, is_there) in [(value.as_str(), false), (hash.as_str(), true), ("Nightly", true)] {
        assert_eq!(holds(&database, text), is_there, "{text}");
    }
}

/// Whether a text is anywhere in a database: in its file and log, or in any row of any table.
fn holds(database: &Database, text: &str) -> bool {
    let DatabaseUrl::Sqlite(file) = &database.url else {
        let rows = database.texts(
            "select coalesce(string_agg(query_to_xml(format('select * from %I', tablename), true, true, '')::text, ''), '')
             from pg_tables where schemaname = current_schema()",
        );
        return rows.iter().any(|row| row.contains(text));
    };
    let log = file.with_file_name(format!("{}-wal", file.file_name().unwrap().to_str().unwrap()));
    [file, &log].into_iter().any(|file| {
        let bytes = std::fs::read(file).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

async fn a_retried_creation_does_not_show_its_secret_again(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let key = |key: &str| Some(IdempotencyKey { key: key.to_owned(), request: String::new() });
    let create = async |under: &str| {
        let stamp = stamp(&acme).once(key(under));
        acme.store().change(acme.org(), stamp, request(&project, "Nightly")).await
    };
    let created = create("once").await.unwrap();
    assert_refused!(create("once").await, Error::IdempotentAnswerSecret);
    let listed = acme.read(ListServiceAccounts::new(project.clone())).await.unwrap().data;
    assert_eq!((listed.len(), keys(&acme, &project).await.data.len()), (1, 1));
    create("another").await.unwrap();
    acme.change(DeleteServiceAccount::new(project.clone(), created.id)).await.unwrap();
    assert_refused!(create("once").await, Error::IdempotentAnswerDeleted);
}

async fn a_retried_creation_without_a_secret_gets_the_same_answer(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let mut request = request(&project, "Bare");
    request.body.create_service_account_only = Some(true);
    let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
    let create = async || {
        let stamp = stamp(&acme).once(Some(key.clone()));
        acme.store().change(acme.org(), stamp, request.clone()).await.unwrap()
    };
    assert_eq!(create().await, create().await);
}

async fn a_service_account_is_a_member_of_groups_and_has_roles_until_it_is_deleted(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "Team" }])).await;
    let project = projects::create(&acme, "Search").await.id;
    let role = roles::create(&acme, "Support").await.unwrap().id;
    let account = create(&acme, &project, "Nightly").await.unwrap().id;
    acme.add("group_1", account.as_str()).await.unwrap();
    roles::assign_user(&acme, account.as_str(), role.as_str()).await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, [account.as_str()]);
    assert_refused!(
        acme.delete_user(account.as_str()).await,
        Error::Refused { refusal: Refusal::ServiceAccountUser, .. }
    );
    let before = database.events().len();
    acme.change(DeleteServiceAccount::new(project.clone(), account.clone())).await.unwrap();
    assert!(acme.member_ids("group_1").await.is_empty() && keys(&acme, &project).await.data.is_empty());
    assert_refused!(acme.user(account.as_str()).await, Error::NotFound { kind: Kind::User, .. });
    let events: Vec<String> = database
        .events_since(before)
        .into_iter()
        .map(|event| event.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        events,
        [
            "api_key.deleted",
            "group.user.removed",
            "role.assignment.deleted",
            "user.deleted",
            "service_account.deleted"
        ]
    );
    let mut of_project = ListAuditLogs::new();
    of_project.project_ids = vec![project.to_string()];
    let logs = acme.store().list_audit_logs(acme.org(), of_project).await.unwrap().data;
    let types: Vec<&str> = logs.iter().map(|log| log.r#type.as_str()).collect();
    assert_eq!(
        types,
        [
            "service_account.deleted",
            "api_key.deleted",
            "api_key.created",
            "service_account.created",
            "project.created"
        ]
    );
}

async fn archiving_a_project_deletes_its_service_accounts_and_keys(database: Database) {
    let acme = database.acme(0, json!([{ "id": "group_1", "name": "Team" }])).await;
    let project = projects::create(&acme, "Search").await.id;
    let other = projects::create(&acme, "Ranking").await.id;
    let ended = create(&acme, &project, "Nightly").await.unwrap().id;
    create_only(&acme, &project).await;
    let kept = create(&acme, &other, "Weekly").await.unwrap().id;
    for account in [&ended, &kept] {
        acme.add("group_1", account.as_str()).await.unwrap();
    }
    projects::archive(&acme, project.as_str()).await.unwrap();
    assert_eq!(acme.member_ids("group_1").await, [kept.as_str()]);
    assert!(keys(&acme, &project).await.data.is_empty());
    assert_eq!(keys(&acme, &other).await.data.len(), 1);
    let archived = |result| assert_refused!(result, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    archived(acme.read(ListServiceAccounts::new(project.clone())).await.map(drop));
    archived(acme.read(RetrieveServiceAccount::new(project.clone(), ended.clone())).await.map(drop));
    archived(acme.change(DeleteServiceAccount::new(project.clone(), ended)).await.map(drop));
    archived(create(&acme, &project, "Again").await.map(drop));
}

async fn the_default_project_takes_no_service_accounts(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = "proj_default_org-acme".parse().unwrap();
    assert_refused!(
        create(&acme, &project, "Nightly").await,
        Error::Refused { refusal: Refusal::DefaultProject, .. }
    );
    assert!(acme.read(ListServiceAccounts::new(project)).await.unwrap().data.is_empty());
}

async fn a_service_account_is_only_found_in_its_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let other = projects::create(&acme, "Ranking").await.id;
    let account = create(&acme, &project, "Nightly").await.unwrap();
    let (id, key) = (account.id, account.api_key.unwrap().id);
    assert_refused!(
        acme.read(RetrieveServiceAccount::new(other.clone(), id.clone())).await,
        Error::NotFound { kind: Kind::ServiceAccount, .. }
    );
    assert_refused!(
        acme.change(DeleteServiceAccount::new(other.clone(), id)).await,
        Error::NotFound { kind: Kind::ServiceAccount, .. }
    );
    assert_refused!(
        acme.read(RetrieveProjectApiKey::new(other.clone(), key.clone())).await,
        Error::NotFound { kind: Kind::ApiKey, .. }
    );
    assert_refused!(
        acme.change(DeleteProjectApiKey::new(other, key)).await,
        Error::NotFound { kind: Kind::ApiKey, .. }
    );
}

async fn keys_are_filtered_by_the_access_of_their_owners_and_paged(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let mut accounts = Vec::new();
    for name in ["One", "Two", "Three"] {
        accounts.push(create(&acme, &project, name).await.unwrap());
    }
    let list = async |query: serde_json::Value| {
        let mut query = query;
        query["project_id"] = json!(project);
        let page = acme.read(serde_json::from_value::<ListProjectApiKeys>(query).unwrap()).await?;
        Ok(page.data.into_iter().map(|key| key.id).collect::<Vec<_>>())
    };
    let ids: Vec<_> = accounts.iter().map(|account| account.api_key.clone().unwrap().id).collect();
    assert_eq!(list(json!({})).await.unwrap(), ids);
    assert_eq!(list(json!({ "owner_project_access": "any", "limit": 2 })).await.unwrap(), ids[..2]);
    assert!(list(json!({ "owner_project_access": "inactive" })).await.unwrap().is_empty());
    assert_refused!(list(json!({ "owner_project_access": "some" })).await, Error::InvalidValue { .. });
    // The id of a deleted key stays a valid cursor.
    acme.change(DeleteServiceAccount::new(project.clone(), accounts[1].id.clone())).await.unwrap();
    assert_eq!(list(json!({ "after": ids[1] })).await.unwrap(), ids[2..]);
    assert_refused!(list(json!({ "after": "key_nope" })).await, Error::UnknownCursor(_));
}

async fn no_request_is_authenticated_by_the_key_of_a_project(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let stamp = stamp(&acme);
    let hash = stamp.secret.clone().unwrap().hash;
    let created = acme.store().change(acme.org(), stamp, request(&project, "Nightly")).await.unwrap();
    let id = created.api_key.unwrap().id.to_string();
    assert_eq!(acme.store().find_api_key(hash).await.unwrap(), None);
    assert_eq!(acme.store().list_api_keys(acme.org()).await.unwrap(), []);
    assert_refused!(
        acme.store().revoke_api_key(acme.org(), database.stamp(), id).await,
        Error::NotFound { kind: Kind::ApiKey, .. }
    );
}
