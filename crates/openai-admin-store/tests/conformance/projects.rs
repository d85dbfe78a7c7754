//! Projects: the default project, and those that are created and archived.

use openai_admin::{
    ProjectStatus,
    models::{Project, ProjectListResponse},
    operations::{
        ArchiveProject, CreateProject, ListAuditLogs, ListProjects, ModifyProject, RetrieveProject,
    },
};
use openai_admin_store::{Error, IdempotencyKey, Kind, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    an_organization_has_a_default_project_that_cannot_be_changed,
    a_project_is_created_modified_and_archived_with_its_events,
    archived_projects_are_listed_on_request,
    paging_projects_continues_after_the_last_item,
    a_project_is_created_once_under_a_key,
}

const DEFAULT: &str = "proj_default_org-acme";

pub(crate) async fn create(acme: &Tenant, name: &str) -> Project {
    acme.change(CreateProject::new(serde_json::from_value(json!({ "name": name })).unwrap())).await.unwrap()
}

async fn modify(acme: &Tenant, id: &str, body: Json) -> Result<Project> {
    acme.change(ModifyProject::new(id.parse().unwrap(), serde_json::from_value(body).unwrap())).await
}

pub(crate) async fn archive(acme: &Tenant, id: &str) -> Result<Project> {
    acme.change(ArchiveProject::new(id.parse().unwrap())).await
}

async fn list(acme: &Tenant, query: Json) -> Result<ProjectListResponse> {
    acme.read(serde_json::from_value::<ListProjects>(query).unwrap()).await
}

fn names(page: &ProjectListResponse) -> Vec<&str> {
    page.data.iter().filter_map(|project| project.name.as_deref()).collect()
}

async fn an_organization_has_a_default_project_that_cannot_be_changed(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let project = acme.read(RetrieveProject::new(DEFAULT.parse().unwrap())).await.unwrap();
    assert_eq!(project.name.as_deref(), Some("Default project"));
    assert_eq!(project.status, Some(ProjectStatus::Active));
    assert_eq!(list(&acme, json!({})).await.unwrap().data, [project]);
    assert_refused!(
        modify(&acme, DEFAULT, json!({ "name": "Ours" })).await,
        Error::Refused { refusal: Refusal::DefaultProject, value } if value == DEFAULT
    );
    assert_refused!(archive(&acme, DEFAULT).await, Error::Refused { refusal: Refusal::DefaultProject, .. });
    for unknown in ["proj_default_org-other", "proj_default_", "proj_1"] {
        assert_refused!(
            acme.read(RetrieveProject::new(unknown.parse().unwrap())).await,
            Error::NotFound { kind: Kind::Project, id } if id == unknown
        );
    }
}

async fn a_project_is_created_modified_and_archived_with_its_events(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let body = json!({ "name": "Search", "residency": "EU_STORAGE_PROCESSING", "external_key_id": "key_1" });
    let project = acme.change(CreateProject::new(serde_json::from_value(body).unwrap())).await.unwrap();
    assert_eq!(acme.read(RetrieveProject::new(project.id.clone())).await.unwrap(), project);
    let id = project.id.as_str();

    let renamed = modify(&acme, id, json!({ "name": "Ranking" })).await.unwrap();
    assert_eq!(
        (renamed.name.as_deref(), renamed.external_key_id.as_deref()),
        (Some("Ranking"), Some("key_1"))
    );
    let cleared = modify(&acme, id, json!({ "external_key_id": null })).await.unwrap();
    assert_eq!((cleared.name.as_deref(), cleared.external_key_id), (Some("Ranking"), None));
    modify(&acme, id, json!({ "name": "Ranking" })).await.unwrap();

    let archived = archive(&acme, id).await.unwrap();
    assert_eq!(
        (archived.status.clone(), archived.archived_at.is_some()),
        (Some(ProjectStatus::Archived), true)
    );
    assert_eq!(archive(&acme, id).await.unwrap(), archived);
    assert_refused!(
        modify(&acme, id, json!({ "name": "Again" })).await,
        Error::Refused { refusal: Refusal::ProjectArchived, .. }
    );

    let mut request = ListAuditLogs::new();
    request.project_ids = vec![id.to_owned()];
    let logs = acme.store().list_audit_logs(acme.org(), request).await.unwrap();
    let told: Vec<Json> = logs
        .data
        .iter()
        .map(|log| {
            let project = log.project.as_ref().unwrap();
            assert_eq!((project.id.as_deref(), project.name.as_deref()), (Some(id), Some("Ranking")));
            json!([log.r#type.as_str(), log.detail])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["project.archived", { "id": id }]),
            json!(["project.updated", { "id": id }]),
            json!(["project.updated", { "id": id, "changes_requested": { "title": "Ranking" } }]),
            json!(["project.created", { "id": id, "data": { "name": "Search", "title": "Search" } }]),
        ]
    );
}

pub(crate) async fn archived_projects_are_listed_on_request(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for name in ["One", "Two", "Three"] {
        let project = create(&acme, name).await;
        if name == "Two" {
            archive(&acme, project.id.as_str()).await.unwrap();
        }
    }
    assert_eq!(names(&list(&acme, json!({})).await.unwrap()), ["Default project", "One", "Three"]);
    let all = list(&acme, json!({ "include_archived": true })).await.unwrap();
    assert_eq!(names(&all), ["Default project", "One", "Two", "Three"]);
}

async fn paging_projects_continues_after_the_last_item(database: Database) {
    let acme = database.acme(0, json!([])).await;
    for name in ["One", "Two"] {
        create(&acme, name).await;
    }
    let mut seen = Vec::new();
    let mut query = json!({ "limit": 1 });
    loop {
        let page = list(&acme, query.clone()).await.unwrap();
        seen.extend(names(&page).into_iter().map(str::to_owned));
        if !page.has_more {
            break;
        }
        query["after"] = json!(page.last_id);
        // It keeps its position when it is archived.
        if page.last_id.as_ref().unwrap().as_str() != DEFAULT {
            archive(&acme, page.last_id.as_ref().unwrap().as_str()).await.unwrap();
        }
    }
    assert_eq!(seen, ["Default project", "One", "Two"]);
    assert_refused!(list(&acme, json!({ "after": "proj_nope" })).await, Error::UnknownCursor(_));
}

async fn a_project_is_created_once_under_a_key(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let request = CreateProject::new(serde_json::from_value(json!({ "name": "Search" })).unwrap());
    let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
    let stamp = || acme.database.stamp().once(Some(key.clone()));
    let first = acme.store().change(acme.org(), stamp(), request.clone()).await.unwrap();
    assert_eq!(acme.store().change(acme.org(), stamp(), request.clone()).await.unwrap(), first);
    archive(&acme, first.id.as_str()).await.unwrap();
    assert_refused!(acme.store().change(acme.org(), stamp(), request).await, Error::IdempotentAnswerDeleted);
}
