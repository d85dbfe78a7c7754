//! Groups of projects, each with roles in it.

use openai_admin::{
    ProjectId,
    models::{InviteProjectGroupBody, ProjectGroup, ProjectGroupListResource},
    operations::{
        AddProjectGroup, ListAuditLogs, ListProjectGroups, RemoveProjectGroup, RetrieveProjectGroup,
    },
};
use openai_admin_store::{Error, Kind, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    support::{Database, NOW, assert_refused, conformance},
    tenant::{Tenant, ids},
};

conformance! {
    a_group_is_added_retrieved_and_removed_with_the_events,
    a_group_of_a_project_is_not_added_again,
    a_group_is_added_with_a_role_of_the_project_alone,
    a_group_outside_of_the_project_is_not_found_in_it,
    groups_are_listed_in_both_orders_and_a_page_continues_after_a_removed_group,
    a_managed_group_may_be_in_a_project,
    the_default_project_takes_no_groups,
    archiving_a_project_ends_its_groups,
    groups_are_loaded_into_projects,
    groups_of_another_organization_and_of_another_project_are_separate,
}

const MEMBER: &str = "role-api-project-member";

fn project_id(project: &str) -> ProjectId {
    project.parse().unwrap()
}

pub(crate) async fn add_with(acme: &Tenant, project: &str, group: &str, role: &str) -> Result<ProjectGroup> {
    let body = InviteProjectGroupBody::new(group.parse().unwrap(), role.parse().unwrap());
    acme.change(AddProjectGroup::new(project_id(project), body)).await
}

pub(crate) async fn add(acme: &Tenant, project: &str, group: &str) -> Result<ProjectGroup> {
    add_with(acme, project, group, MEMBER).await
}

async fn retrieve(
    acme: &Tenant,
    project: &str,
    group: &str,
    group_type: Option<&str>,
) -> Result<ProjectGroup> {
    let request = json!({ "project_id": project, "group_id": group, "group_type": group_type });
    acme.read(serde_json::from_value::<RetrieveProjectGroup>(request).unwrap()).await
}

pub(crate) async fn remove(acme: &Tenant, project: &str, group: &str) -> Result<()> {
    acme.change(RemoveProjectGroup::new(project_id(project), group.parse().unwrap())).await.map(drop)
}

async fn list(acme: &Tenant, project: &str, query: Json) -> Result<ProjectGroupListResource> {
    let mut request = query;
    request["project_id"] = json!(project);
    acme.read(serde_json::from_value::<ListProjectGroups>(request).unwrap()).await
}

/// An organization with groups, and a project.
async fn acme(database: &Database) -> (Tenant, String) {
    let group = |number| json!({ "id": format!("group_{number}"), "name": format!("Group {number}") });
    let acme = database.acme(1, (1..=3).map(group).collect()).await;
    let project = projects::create(&acme, "Search").await.id.to_string();
    (acme, project)
}

/// The events of a project about its groups, oldest first.
async fn events(acme: &Tenant, project: &str) -> Vec<(String, String)> {
    let mut request = ListAuditLogs::new();
    request.project_ids = vec![project.to_owned()];
    let logs = acme.store().list_audit_logs(acme.org(), request).await.unwrap();
    let told = logs.data.iter().rev().filter(|log| !log.r#type.as_str().starts_with("project.created"));
    told.map(|log| {
        let detail = log.detail.clone().unwrap();
        let group = detail.group_id.map(|id| id.to_string());
        (log.r#type.to_string(), group.or(detail.id).unwrap_or_default())
    })
    .filter(|(event, _)| event != "project.archived")
    .collect()
}

fn whole_life(project: &str) -> Vec<(String, String)> {
    let role = format!("role_assignment_{MEMBER}__api-project__{project}_group_1");
    [
        ("project.group.added", "group_1"),
        ("role.assignment.created", &role),
        ("role.assignment.deleted", &role),
        ("project.group.removed", "group_1"),
    ]
    .map(|(event, id)| (event.to_owned(), id.to_owned()))
    .to_vec()
}

async fn a_group_is_added_retrieved_and_removed_with_the_events(database: Database) {
    let (acme, project) = acme(&database).await;
    let added = add(&acme, &project, "group_1").await.unwrap();
    let expected = json!({
        "object": "project.group", "project_id": project, "group_id": "group_1", "group_name": "Group 1",
        "group_type": "group", "created_at": NOW
    });
    assert_eq!(serde_json::to_value(&added).unwrap(), expected);
    assert_eq!(retrieve(&acme, &project, "group_1", None).await.unwrap(), added);
    assert_eq!(list(&acme, &project, json!({})).await.unwrap().data, [added]);
    remove(&acme, &project, "group_1").await.unwrap();
    assert!(list(&acme, &project, json!({})).await.unwrap().data.is_empty());
    assert_eq!(events(&acme, &project).await, whole_life(&project));
    add(&acme, &project, "group_1").await.unwrap();
    acme.delete_group("group_1").await.unwrap();
    assert_eq!(events(&acme, &project).await[4..], whole_life(&project));
}

async fn a_group_of_a_project_is_not_added_again(database: Database) {
    let (acme, project) = acme(&database).await;
    add(&acme, &project, "group_1").await.unwrap();
    assert_refused!(
        add_with(&acme, &project, "group_1", "role-api-project-owner").await,
        Error::Refused { refusal: Refusal::GroupAlreadyInProject, value } if value == "group_1"
    );
    assert_eq!(database.store.census().await.unwrap().of("role assignment"), Some(1));
}

async fn a_group_is_added_with_a_role_of_the_project_alone(database: Database) {
    let (acme, project) = acme(&database).await;
    let bound = format!("{MEMBER}__api-project__{project}");
    for role in [
        "role_9",
        "role-api-organization-owner",
        "role-api-project-reader",
        "role-api-project-member__api-project__x",
    ] {
        assert_refused!(
            add_with(&acme, &project, "group_1", role).await,
            Error::NotFound { kind: Kind::Role, id } if id == role
        );
    }
    assert_eq!(database.store.census().await.unwrap().of("project group"), Some(0));
    add_with(&acme, &project, "group_1", &bound).await.unwrap();
}

async fn a_group_outside_of_the_project_is_not_found_in_it(database: Database) {
    let (acme, project) = acme(&database).await;
    for refused in
        [retrieve(&acme, &project, "group_1", None).await.map(drop), remove(&acme, &project, "group_1").await]
    {
        let error = refused.unwrap_err();
        assert_eq!(error.to_string(), format!("group group_1 is not a member of {project}"));
    }
    let unknown = retrieve(&acme, &project, "group_9", None).await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::Group, .. });
    let unknown = retrieve(&acme, "proj_9", "group_1", None).await;
    assert_refused!(unknown, Error::NotFound { kind: Kind::Project, .. });
}

async fn groups_are_listed_in_both_orders_and_a_page_continues_after_a_removed_group(database: Database) {
    let (acme, project) = acme(&database).await;
    for group in ["group_3", "group_1", "group_2"] {
        add(&acme, &project, group).await.unwrap();
    }
    let page = list(&acme, &project, json!({ "limit": 2 })).await.unwrap();
    assert_eq!((ids(&page), page.has_more), (vec!["group_1", "group_2"], true));
    let page = list(&acme, &project, json!({ "order": "desc" })).await.unwrap();
    assert_eq!((ids(&page), page.has_more), (vec!["group_3", "group_2", "group_1"], false));
    remove(&acme, &project, "group_2").await.unwrap();
    for (order, rest) in [("asc", "group_3"), ("desc", "group_1")] {
        let query = json!({ "order": order, "after": "group_2", "limit": 1 });
        assert_eq!(ids(&list(&acme, &project, query).await.unwrap()), [rest]);
    }
    assert!(list(&acme, &project, json!({ "limit": 0 })).await.unwrap().data.is_empty());
    assert_refused!(list(&acme, &project, json!({ "after": "group_9" })).await, Error::UnknownCursor(_));
}

async fn a_managed_group_may_be_in_a_project(database: Database) {
    let groups = json!([
        { "id": "group_1", "name": "Staff", "is_scim_managed": true },
        { "id": "group_2", "name": "Partners", "group_type": "tenant_group" },
    ]);
    let acme = database.acme(0, groups).await;
    let project = projects::create(&acme, "Search").await.id.to_string();
    for (group, fits, other) in [("group_1", "group", "tenant_group"), ("group_2", "tenant_group", "group")] {
        assert_eq!(add(&acme, &project, group).await.unwrap().group_type.as_str(), fits);
        retrieve(&acme, &project, group, Some(fits)).await.unwrap();
        let refused = retrieve(&acme, &project, group, Some(other)).await;
        assert_refused!(refused, Error::NotFound { kind: Kind::Group, .. });
        remove(&acme, &project, group).await.unwrap();
    }
}

async fn the_default_project_takes_no_groups(database: Database) {
    let (acme, _) = acme(&database).await;
    let refused = add(&acme, "proj_default_org-acme", "group_1").await;
    assert_refused!(refused, Error::Refused { refusal: Refusal::DefaultProject, .. });
    assert!(list(&acme, "proj_default_org-acme", json!({})).await.unwrap().data.is_empty());
}

async fn archiving_a_project_ends_its_groups(database: Database) {
    let (acme, project) = acme(&database).await;
    add(&acme, &project, "group_1").await.unwrap();
    projects::archive(&acme, &project).await.unwrap();
    assert!(list(&acme, &project, json!({})).await.unwrap().data.is_empty());
    for refused in [add(&acme, &project, "group_1").await.map(drop), remove(&acme, &project, "group_1").await]
    {
        assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    }
    assert_eq!(events(&acme, &project).await, whole_life(&project));
}

async fn groups_are_loaded_into_projects(database: Database) {
    let (acme, _) = acme(&database).await;
    let load = async |group: Json| {
        acme.load(json!({ "projects": [{ "id": "proj_1", "name": "Loaded", "groups": [group] }] })).await
    };
    for (entry, added, assigned) in [
        (json!({ "group": "Group 1" }), 1, 0),
        (json!({ "group": "group_1", "roles": ["owner", "member"] }), 0, 2),
        (json!({ "group": "group_1" }), 0, 0),
    ] {
        let summary = load(entry).await.unwrap();
        assert_eq!((summary.project_groups_added, summary.roles_assigned), (added, assigned));
    }
    assert_eq!(retrieve(&acme, "proj_1", "group_1", None).await.unwrap().group_name, "Group 1");
    for (entry, place) in [
        (json!({ "group": "group_9" }), "projects[0].groups[0].group"),
        (json!({ "group": "group_1", "roles": ["reader"] }), "projects[0].groups[0].roles[0]"),
    ] {
        assert_refused!(load(entry).await, Error::InvalidValue { field, .. } if field == place);
    }
}

async fn groups_of_another_organization_and_of_another_project_are_separate(database: Database) {
    let (acme, ours) = acme(&database).await;
    let second = projects::create(&acme, "Second").await.id.to_string();
    let groups = json!([{ "id": "group_1", "name": "Theirs" }]);
    let other = database.tenant("org-other", 0, groups).await;
    let theirs = projects::create(&other, "Theirs").await.id.to_string();
    add(&acme, &ours, "group_1").await.unwrap();
    add(&other, &theirs, "group_1").await.unwrap();
    for refused in [add(&acme, &theirs, "group_1").await.map(drop), remove(&acme, &theirs, "group_1").await] {
        assert_refused!(refused, Error::NotFound { kind: Kind::Project, .. });
    }
    assert!(list(&acme, &second, json!({})).await.unwrap().data.is_empty());
    remove(&acme, &ours, "group_1").await.unwrap();
    assert_eq!(ids(&list(&other, &theirs, json!({})).await.unwrap()), ["group_1"]);
}
