//! Roles of projects.

use openai_admin::{
    models::{PublicRoleListResource, Role},
    operations::{
        CreateProjectRole, DeleteProjectRole, ListAuditLogs, ListProjectRoles, RetrieveProjectRole,
        RetrieveRole, UpdateProjectRole,
    },
};
use openai_admin_store::{Error, Kind, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    project_groups, projects,
    support::{Database, assert_refused, conformance},
    tenant::{Tenant, ids},
};

conformance! {
    predefined_roles_of_a_project_come_first_and_cannot_be_changed,
    a_role_of_a_project_is_created_updated_and_deleted_with_its_events,
    a_name_is_unique_within_its_project_alone,
    deleting_a_role_of_a_project_ends_its_assignments,
    roles_of_an_archived_project_are_read_only,
    roles_of_another_resource_are_not_found,
    roles_are_loaded_into_projects,
}

pub(crate) async fn create(acme: &Tenant, project: &str, name: &str) -> Result<Role> {
    let body =
        serde_json::from_value(json!({ "role_name": name, "permissions": ["api.model.read"] })).unwrap();
    acme.change(CreateProjectRole::new(project.parse().unwrap(), body)).await
}

pub(crate) async fn update(acme: &Tenant, project: &str, role: &str, body: Json) -> Result<Role> {
    let body = serde_json::from_value(body).unwrap();
    acme.change(UpdateProjectRole::new(project.parse().unwrap(), role.parse().unwrap(), body)).await
}

pub(crate) async fn delete(acme: &Tenant, project: &str, role: &str) -> Result<()> {
    acme.change(DeleteProjectRole::new(project.parse().unwrap(), role.parse().unwrap())).await.map(drop)
}

async fn retrieve(acme: &Tenant, project: &str, role: &str) -> Result<Role> {
    acme.read(RetrieveProjectRole::new(project.parse().unwrap(), role.parse().unwrap())).await
}

async fn list(acme: &Tenant, project: &str, query: Json) -> Result<PublicRoleListResource> {
    let mut request = query;
    request["project_id"] = json!(project);
    acme.read(serde_json::from_value::<ListProjectRoles>(request).unwrap()).await
}

async fn acme(database: &Database) -> (Tenant, String) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "Group" }])).await;
    let project = projects::create(&acme, "Search").await.id.to_string();
    (acme, project)
}

async fn predefined_roles_of_a_project_come_first_and_cannot_be_changed(database: Database) {
    let (acme, project) = acme(&database).await;
    let custom = create(&acme, &project, "Tester").await.unwrap();
    let bound = |name| format!("role-api-project-{name}__api-project__{project}");
    let expected = [bound("owner"), bound("member"), bound("viewer"), custom.id.to_string()];
    assert_eq!(ids(&list(&acme, &project, json!({})).await.unwrap()), expected);
    let query = json!({ "order": "desc", "after": custom.id, "limit": 1 });
    assert_eq!(ids(&list(&acme, &project, query).await.unwrap()), [bound("viewer")]);
    for id in ["role-api-project-owner", &bound("owner")] {
        let role = retrieve(&acme, &project, id).await.unwrap();
        assert_eq!((role.id.to_string(), role.resource_type.as_str()), (bound("owner"), "api.project"));
        for refused in [
            update(&acme, &project, id, json!({ "role_name": "Boss" })).await.map(drop),
            delete(&acme, &project, id).await,
        ] {
            assert_refused!(refused, Error::InvalidValue { field, .. } if field == "role_id");
        }
    }
    assert_eq!(list(&acme, "proj_default_org-acme", json!({})).await.unwrap().data.len(), 3);
}

async fn a_role_of_a_project_is_created_updated_and_deleted_with_its_events(database: Database) {
    let (acme, project) = acme(&database).await;
    let role = create(&acme, &project, "Tester").await.unwrap();
    assert_eq!(role.resource_type, "api.project");
    let id = role.id.as_str();
    assert_eq!(retrieve(&acme, &project, id).await.unwrap(), role);
    let renamed = update(&acme, &project, id, json!({ "role_name": "Annotator" })).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.permissions), ("Annotator", role.permissions.clone()));
    delete(&acme, &project, id).await.unwrap();
    assert_refused!(retrieve(&acme, &project, id).await, Error::NotFound { kind: Kind::Role, .. });

    let mut request = ListAuditLogs::new();
    request.project_ids = vec![project.clone()];
    let logs = acme.store().list_audit_logs(acme.org(), request).await.unwrap();
    let told: Vec<Json> =
        logs.data.iter().rev().skip(1).map(|log| json!([log.r#type.as_str(), log.detail])).collect();
    let created = json!({
        "id": id, "role_name": "Tester", "permissions": ["api.model.read"], "resource_type": "api.project",
        "resource_id": project
    });
    assert_eq!(told[0], json!(["role.created", created]));
    assert_eq!(
        told[1],
        json!(["role.updated", { "id": id, "changes_requested": { "role_name": "Annotator" } }])
    );
    assert_eq!(told[2], json!(["role.deleted", { "id": id }]));
}

async fn a_name_is_unique_within_its_project_alone(database: Database) {
    let (acme, project) = acme(&database).await;
    let second = projects::create(&acme, "Second").await.id.to_string();
    crate::roles::create(&acme, "Tester").await.unwrap();
    create(&acme, &project, "Tester").await.unwrap();
    create(&acme, &second, "Tester").await.unwrap();
    create(&acme, &second, "reader").await.unwrap();
    for taken in ["Tester", "viewer"] {
        let refused = create(&acme, &project, taken).await;
        assert_refused!(refused, Error::AlreadyExists { kind: Kind::Role, value, .. } if value == taken);
    }
}

async fn deleting_a_role_of_a_project_ends_its_assignments(database: Database) {
    let (acme, project) = acme(&database).await;
    let role = create(&acme, &project, "Tester").await.unwrap().id;
    project_groups::add_with(&acme, &project, "group_1", role.as_str()).await.unwrap();
    delete(&acme, &project, role.as_str()).await.unwrap();
    let census = database.store.census().await.unwrap();
    assert_eq!((census.of("role assignment"), census.of("project group")), (Some(0), Some(1)));
}

async fn roles_of_an_archived_project_are_read_only(database: Database) {
    let (acme, project) = acme(&database).await;
    let role = create(&acme, &project, "Tester").await.unwrap();
    projects::archive(&acme, &project).await.unwrap();
    assert_eq!(retrieve(&acme, &project, role.id.as_str()).await.unwrap(), role);
    assert_eq!(list(&acme, &project, json!({})).await.unwrap().data.len(), 4);
    for refused in [
        create(&acme, &project, "Other").await.map(drop),
        update(&acme, &project, role.id.as_str(), json!({})).await.map(drop),
        delete(&acme, &project, role.id.as_str()).await,
    ] {
        assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    }
}

async fn roles_of_another_resource_are_not_found(database: Database) {
    let (acme, project) = acme(&database).await;
    let other = database.tenant("org-other", 0, json!([])).await;
    let theirs = projects::create(&other, "Theirs").await.id.to_string();
    let second = projects::create(&acme, "Second").await.id.to_string();
    let role = create(&acme, &project, "Tester").await.unwrap().id;
    let of_organization = crate::roles::create(&acme, "Tester").await.unwrap().id;
    for (project, role) in [(&second, role.as_str()), (&project, of_organization.as_str())] {
        assert_refused!(retrieve(&acme, project, role).await, Error::NotFound { kind: Kind::Role, .. });
        assert_refused!(delete(&acme, project, role).await, Error::NotFound { kind: Kind::Role, .. });
    }
    let refused = acme.read(RetrieveRole::new(role.clone())).await;
    assert_refused!(refused, Error::NotFound { kind: Kind::Role, .. });
    assert_refused!(create(&acme, &theirs, "Ours").await, Error::NotFound { kind: Kind::Project, .. });
    let refused = retrieve(&other, &project, role.as_str()).await;
    assert_refused!(refused, Error::NotFound { kind: Kind::Project, .. });
}

async fn roles_are_loaded_into_projects(database: Database) {
    let (acme, _) = acme(&database).await;
    let directory = |name: &str| {
        let role = json!({ "id": "role_1", "name": name, "permissions": ["api.model.read"] });
        let group = json!({ "group": "group_1", "roles": [name] });
        json!({ "roles": [role], "projects": [{ "id": "proj_1", "name": "Loaded", "roles": [role], "groups": [group] }] })
    };
    let first = acme.load(directory("Tester")).await.unwrap();
    assert_eq!((first.roles_created, first.roles_assigned), (2, 1));
    let second = acme.load(directory("Annotator")).await.unwrap();
    assert_eq!((second.roles_created, second.roles_updated, second.roles_assigned), (0, 2, 0));
    assert_eq!(retrieve(&acme, "proj_1", "role_1").await.unwrap().name, "Annotator");
    delete(&acme, "proj_1", "role_1").await.unwrap();
    let refused = acme.load(directory("Annotator")).await;
    assert_refused!(refused, Error::InvalidValue { field, .. } if field == "projects[0].roles[0].id");
}
