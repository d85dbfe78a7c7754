//! Role assignments in projects, to their users and groups.

use openai_admin::{
    ListItem as _,
    models::{AssignedRoleDetails, GroupRoleAssignment, RoleListResource, UserRoleAssignment},
    operations::{
        AssignProjectGroupRole, AssignProjectUserRole, ListAuditLogs, ListProjectGroupRoleAssignments,
        ListProjectUserRoleAssignments, RetrieveProjectGroupRole, RetrieveProjectUser,
        RetrieveProjectUserRole, UnassignProjectGroupRole, UnassignProjectUserRole,
    },
};
use openai_admin_store::{Error, Kind, Refusal, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::{
    project_groups, project_roles, project_users, projects, roles,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    a_role_is_assigned_to_a_group_and_unassigned_with_its_events,
    a_role_is_assigned_to_a_user_besides_the_predefined_one,
    a_predefined_role_replaces_the_role_of_a_user,
    every_user_of_a_project_keeps_a_predefined_role,
    roles_of_a_user_include_those_of_its_groups,
    roles_are_paged_in_both_orders_and_after_an_unassigned_role,
    a_user_or_group_outside_of_the_project_has_no_roles_there,
    a_user_in_the_project_through_a_group_only_has_the_roles_of_the_group,
    roles_of_another_resource_are_not_assigned,
    roles_end_with_the_membership_and_an_archived_project_is_read_only,
    custom_roles_of_users_are_loaded_into_projects,
    roles_in_another_project_and_in_another_organization_are_separate,
}

const OWNER: &str = "role-api-project-owner";
const MEMBER: &str = "role-api-project-member";
const VIEWER: &str = "role-api-project-viewer";

fn request<T: DeserializeOwned>(project: &str, principal: (&str, &str), rest: Json) -> T {
    let mut request = rest;
    request["project_id"] = json!(project);
    request[principal.0] = json!(principal.1);
    serde_json::from_value(request).unwrap()
}

pub(crate) async fn assign_user(
    acme: &Tenant,
    project: &str,
    user: &str,
    role: &str,
) -> Result<UserRoleAssignment> {
    let rest = json!({ "body": { "role_id": role } });
    acme.change(request::<AssignProjectUserRole>(project, ("user_id", user), rest)).await
}

pub(crate) async fn assign_group(
    acme: &Tenant,
    project: &str,
    group: &str,
    role: &str,
) -> Result<GroupRoleAssignment> {
    let rest = json!({ "body": { "role_id": role } });
    acme.change(request::<AssignProjectGroupRole>(project, ("group_id", group), rest)).await
}

pub(crate) async fn unassign_user(acme: &Tenant, project: &str, user: &str, role: &str) -> Result<()> {
    let rest = json!({ "role_id": role });
    acme.change(request::<UnassignProjectUserRole>(project, ("user_id", user), rest)).await.map(drop)
}

pub(crate) async fn unassign_group(acme: &Tenant, project: &str, group: &str, role: &str) -> Result<()> {
    let rest = json!({ "role_id": role });
    acme.change(request::<UnassignProjectGroupRole>(project, ("group_id", group), rest)).await.map(drop)
}

async fn of_user(acme: &Tenant, project: &str, user: &str, query: Json) -> Result<RoleListResource> {
    acme.read(request::<ListProjectUserRoleAssignments>(project, ("user_id", user), query)).await
}

async fn of_group(acme: &Tenant, project: &str, group: &str, query: Json) -> Result<RoleListResource> {
    acme.read(request::<ListProjectGroupRoleAssignments>(project, ("group_id", group), query)).await
}

async fn retrieve_of_user(
    acme: &Tenant,
    project: &str,
    user: &str,
    role: &str,
) -> Result<AssignedRoleDetails> {
    let rest = json!({ "role_id": role });
    acme.read(request::<RetrieveProjectUserRole>(project, ("user_id", user), rest)).await
}

async fn retrieve_of_group(
    acme: &Tenant,
    project: &str,
    group: &str,
    role: &str,
) -> Result<AssignedRoleDetails> {
    let rest = json!({ "role_id": role });
    acme.read(request::<RetrieveProjectGroupRole>(project, ("group_id", group), rest)).await
}

fn names(page: &RoleListResource) -> Vec<&str> {
    page.data.iter().map(|role| &*role.name).collect()
}

/// An organization with a group, whose member is `user_1`, and a project with both and a custom role.
async fn acme(database: &Database) -> (Tenant, String, String) {
    let group = json!([{ "id": "group_1", "name": "Group", "members": ["user_1"] }]);
    let acme = database.acme(2, group).await;
    let project = projects::create(&acme, "Search").await.id.to_string();
    project_users::add(&acme, &project, "user_1").await.unwrap();
    project_groups::add(&acme, &project, "group_1").await.unwrap();
    let role = project_roles::create(&acme, &project, "Annotators").await.unwrap().id.to_string();
    (acme, project, role)
}

/// The events of a project about assignments after the first two, oldest first: the type and the id.
async fn events(acme: &Tenant, project: &str) -> Vec<(String, String)> {
    let mut request = ListAuditLogs::new();
    request.project_ids = vec![project.to_owned()];
    let logs = acme.store().list_audit_logs(acme.org(), request).await.unwrap().data;
    let assignments = logs.iter().rev().filter(|log| log.r#type.as_str().starts_with("role.assignment."));
    assignments
        .skip(2)
        .map(|log| {
            let detail = log.detail.clone().unwrap();
            assert_eq!(detail.resource_type.as_deref(), Some("api.project"));
            assert_eq!(detail.resource_id.as_deref(), Some(project));
            (log.r#type.to_string(), detail.id.unwrap())
        })
        .collect()
}

fn event(event: &str, role: &str, project: &str, principal: &str) -> (String, String) {
    let resource = match role.starts_with("role-api-") {
        true => format!("__api-project__{project}"),
        false => String::new(),
    };
    let id = format!("role_assignment_{role}{resource}_{principal}");
    (format!("role.assignment.{event}"), id)
}

async fn a_role_is_assigned_to_a_group_and_unassigned_with_its_events(database: Database) {
    let (acme, project, role) = acme(&database).await;
    let assigned = assign_group(&acme, &project, "group_1", &role).await.unwrap();
    assert_eq!((assigned.group.id.as_str(), assigned.role.id.as_str()), ("group_1", &*role));
    assert_eq!(assign_group(&acme, &project, "group_1", &role).await.unwrap(), assigned);
    let listed = of_group(&acme, &project, "group_1", json!({})).await.unwrap();
    assert_eq!(names(&listed), ["member", "Annotators"]);
    assert_eq!(retrieve_of_group(&acme, &project, "group_1", &role).await.unwrap(), listed.data[1]);
    for unassigned in [&*role, MEMBER] {
        unassign_group(&acme, &project, "group_1", unassigned).await.unwrap();
        assert_refused!(
            unassign_group(&acme, &project, "group_1", unassigned).await,
            Error::NotFound { kind: Kind::Role, .. }
        );
        assert_refused!(
            retrieve_of_group(&acme, &project, "group_1", unassigned).await,
            Error::NotFound { kind: Kind::Role, .. }
        );
    }
    // The group remains in the project.
    assert!(of_group(&acme, &project, "group_1", json!({})).await.unwrap().data.is_empty());
    let expected = [
        event("created", &role, &project, "group_1"),
        event("deleted", &role, &project, "group_1"),
        event("deleted", MEMBER, &project, "group_1"),
    ];
    assert_eq!(events(&acme, &project).await, expected);
}

async fn a_role_is_assigned_to_a_user_besides_the_predefined_one(database: Database) {
    let (acme, project, role) = acme(&database).await;
    let assigned = assign_user(&acme, &project, "user_1", &role).await.unwrap();
    assert_eq!((assigned.user.id.as_str(), assigned.role.id.as_str()), ("user_1", &*role));
    assert_eq!(assign_user(&acme, &project, "user_1", &role).await.unwrap(), assigned);
    let listed = of_user(&acme, &project, "user_1", json!({})).await.unwrap();
    assert_eq!(names(&listed), ["member", "Annotators"]);
    assert_eq!(retrieve_of_user(&acme, &project, "user_1", &role).await.unwrap(), listed.data[1]);
    unassign_user(&acme, &project, "user_1", &role).await.unwrap();
    assert_refused!(
        unassign_user(&acme, &project, "user_1", &role).await,
        Error::NotFound { kind: Kind::Role, .. }
    );
    let expected = ["created", "deleted"].map(|change| event(change, &role, &project, "user_1"));
    assert_eq!(events(&acme, &project).await, expected);
}

async fn role_of(acme: &Tenant, project: &str) -> String {
    let request = RetrieveProjectUser::new(project.parse().unwrap(), "user_1".parse().unwrap());
    acme.read(request).await.unwrap().role
}

async fn a_predefined_role_replaces_the_role_of_a_user(database: Database) {
    let (acme, project, role) = acme(&database).await;
    assign_user(&acme, &project, "user_1", &role).await.unwrap();
    assign_user(&acme, &project, "user_1", OWNER).await.unwrap();
    assert_eq!(role_of(&acme, &project).await, "owner");
    assign_user(&acme, &project, "user_1", VIEWER).await.unwrap();
    assert_eq!(role_of(&acme, &project).await, "viewer");
    project_users::modify(&acme, &project, "user_1", json!({ "role": "owner" })).await.unwrap();
    let expected = [
        event("created", &role, &project, "user_1"),
        event("deleted", MEMBER, &project, "user_1"),
        event("created", OWNER, &project, "user_1"),
        event("deleted", OWNER, &project, "user_1"),
        event("created", VIEWER, &project, "user_1"),
        event("deleted", VIEWER, &project, "user_1"),
        event("created", OWNER, &project, "user_1"),
    ];
    assert_eq!(events(&acme, &project).await, expected);
}

async fn every_user_of_a_project_keeps_a_predefined_role(database: Database) {
    let (acme, project, _) = acme(&database).await;
    for kept in [MEMBER, VIEWER] {
        assign_user(&acme, &project, "user_1", kept).await.unwrap();
        assert_refused!(
            unassign_user(&acme, &project, "user_1", kept).await,
            Error::InvalidValue { field, .. } if field == "role_id"
        );
    }
    assert_refused!(
        unassign_user(&acme, &project, "user_1", OWNER).await,
        Error::NotFound { kind: Kind::Role, .. }
    );
    assign_user(&acme, &project, "user_1", OWNER).await.unwrap();
    unassign_user(&acme, &project, "user_1", OWNER).await.unwrap();
    assert_eq!(role_of(&acme, &project).await, "member");
}

async fn roles_of_a_user_include_those_of_its_groups(database: Database) {
    let (acme, project, role) = acme(&database).await;
    assign_group(&acme, &project, "group_1", &role).await.unwrap();
    let listed = of_user(&acme, &project, "user_1", json!({})).await.unwrap();
    let sources = listed.data.iter().map(|role| {
        let sources = role.assignment_sources.clone().unwrap();
        (&*role.name, sources.into_iter().map(|source| source.principal_id).collect::<Vec<_>>())
    });
    let expected = [
        ("member", vec!["user_1".to_owned(), "group_1".to_owned()]),
        ("Annotators", vec!["group_1".to_owned()]),
    ];
    assert_eq!(sources.collect::<Vec<_>>(), expected);
    assert_eq!(retrieve_of_user(&acme, &project, "user_1", &role).await.unwrap().name, "Annotators");
    // Only the group can lose the role.
    assert_refused!(
        unassign_user(&acme, &project, "user_1", &role).await,
        Error::NotFound { kind: Kind::Role, .. }
    );
}

async fn roles_are_paged_in_both_orders_and_after_an_unassigned_role(database: Database) {
    let (acme, project, role) = acme(&database).await;
    let other = project_roles::create(&acme, &project, "Reviewers").await.unwrap().id.to_string();
    for role in [&*other, &*role] {
        assign_user(&acme, &project, "user_1", role).await.unwrap();
    }
    let first = of_user(&acme, &project, "user_1", json!({ "limit": 2 })).await.unwrap();
    assert_eq!((names(&first), first.has_more), (vec!["member", "Annotators"], true));
    assert_eq!(first.data[1].id(), role);
    unassign_user(&acme, &project, "user_1", &role).await.unwrap();
    let rest = of_user(&acme, &project, "user_1", json!({ "limit": 2, "after": role })).await.unwrap();
    assert_eq!((names(&rest), rest.has_more), (vec!["Reviewers"], false));
    let reversed = of_user(&acme, &project, "user_1", json!({ "order": "desc" })).await.unwrap();
    assert_eq!(names(&reversed), ["Reviewers", "member"]);
    assert!(of_user(&acme, &project, "user_1", json!({ "limit": 0 })).await.unwrap().data.is_empty());
    assert_refused!(
        of_group(&acme, &project, "group_1", json!({ "after": "role_9" })).await,
        Error::UnknownCursor(_)
    );
}

async fn a_user_or_group_outside_of_the_project_has_no_roles_there(database: Database) {
    let (acme, project, role) = acme(&database).await;
    let refused = [
        of_user(&acme, &project, "user_2", json!({})).await.map(drop),
        retrieve_of_user(&acme, &project, "user_2", &role).await.map(drop),
        assign_user(&acme, &project, "user_2", &role).await.map(drop),
        assign_user(&acme, &project, "user_2", MEMBER).await.map(drop),
        unassign_user(&acme, &project, "user_2", &role).await,
    ];
    for refused in refused {
        assert_refused!(refused, Error::NotInProject { kind: Kind::User, .. });
    }
    project_groups::remove(&acme, &project, "group_1").await.unwrap();
    let refused = [
        of_group(&acme, &project, "group_1", json!({})).await.map(drop),
        retrieve_of_group(&acme, &project, "group_1", &role).await.map(drop),
        assign_group(&acme, &project, "group_1", &role).await.map(drop),
        unassign_group(&acme, &project, "group_1", &role).await,
    ];
    for refused in refused {
        assert_refused!(refused, Error::NotInProject { kind: Kind::Group, .. });
    }
    assert_refused!(
        of_user(&acme, &project, "user_9", json!({})).await,
        Error::NotFound { kind: Kind::User, .. }
    );
    assert_refused!(
        of_group(&acme, "proj_9", "group_1", json!({})).await,
        Error::NotFound { kind: Kind::Project, .. }
    );
}

async fn a_user_in_the_project_through_a_group_only_has_the_roles_of_the_group(database: Database) {
    let (acme, project, role) = acme(&database).await;
    project_users::remove(&acme, &project, "user_1").await.unwrap();
    let listed = of_user(&acme, &project, "user_1", json!({})).await.unwrap();
    assert_eq!(names(&listed), ["member"]);
    assert_eq!(retrieve_of_user(&acme, &project, "user_1", MEMBER).await.unwrap(), listed.data[0]);
    for refused in [
        assign_user(&acme, &project, "user_1", &role).await.map(drop),
        unassign_user(&acme, &project, "user_1", MEMBER).await,
    ] {
        assert_refused!(refused, Error::NotInProject { kind: Kind::User, .. });
    }
    unassign_group(&acme, &project, "group_1", MEMBER).await.unwrap();
    assert_refused!(
        of_user(&acme, &project, "user_1", json!({})).await,
        Error::NotInProject { kind: Kind::User, .. }
    );
}

async fn roles_of_another_resource_are_not_assigned(database: Database) {
    let (acme, project, _) = acme(&database).await;
    let second = projects::create(&acme, "Second").await.id.to_string();
    let of_second = project_roles::create(&acme, &second, "Reviewers").await.unwrap().id.to_string();
    let of_organization = roles::create(&acme, "Support").await.unwrap().id.to_string();
    for role in [&*of_second, &*of_organization, "role-api-organization-owner"] {
        let refused = [
            assign_user(&acme, &project, "user_1", role).await.map(drop),
            assign_group(&acme, &project, "group_1", role).await.map(drop),
            unassign_user(&acme, &project, "user_1", role).await,
        ];
        for refused in refused {
            assert_refused!(refused, Error::NotFound { kind: Kind::Role, .. });
        }
    }
}

async fn roles_end_with_the_membership_and_an_archived_project_is_read_only(database: Database) {
    let (acme, project, role) = acme(&database).await;
    assign_user(&acme, &project, "user_1", &role).await.unwrap();
    project_users::remove(&acme, &project, "user_1").await.unwrap();
    project_users::add(&acme, &project, "user_1").await.unwrap();
    // The group gives `member` too.
    assert_eq!(names(&of_user(&acme, &project, "user_1", json!({})).await.unwrap()), ["member"]);
    projects::archive(&acme, &project).await.unwrap();
    let refused = [
        assign_user(&acme, &project, "user_1", &role).await.map(drop),
        unassign_user(&acme, &project, "user_1", MEMBER).await,
        assign_group(&acme, &project, "group_1", &role).await.map(drop),
        unassign_group(&acme, &project, "group_1", MEMBER).await,
    ];
    for refused in refused {
        assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    }
    assert_refused!(
        of_group(&acme, &project, "group_1", json!({})).await,
        Error::NotInProject { kind: Kind::Group, .. }
    );
}

async fn custom_roles_of_users_are_loaded_into_projects(database: Database) {
    let (acme, project, _) = acme(&database).await;
    let load = async |roles: Json| {
        let user = json!({ "user": "user_1", "roles": roles });
        acme.load(json!({ "projects": [{ "id": project, "name": "Search", "users": [user] }] })).await
    };
    for assigned in [1, 0] {
        assert_eq!(load(json!(["Annotators"])).await.unwrap().roles_assigned, assigned);
    }
    load(json!([])).await.unwrap();
    let listed = of_user(&acme, &project, "user_1", json!({})).await.unwrap();
    assert_eq!(names(&listed), ["member", "Annotators"]);
    for wrong in ["Nothing", "owner"] {
        assert_refused!(
            load(json!([wrong])).await,
            Error::InvalidValue { field, .. } if field == "projects[0].users[0].roles[0]"
        );
    }
}

async fn roles_in_another_project_and_in_another_organization_are_separate(database: Database) {
    let (acme, project, role) = acme(&database).await;
    let second = projects::create(&acme, "Second").await.id.to_string();
    project_users::add(&acme, &second, "user_1").await.unwrap();
    let other = database.tenant("org-other", 1, json!([])).await;
    let theirs = projects::create(&other, "Theirs").await.id.to_string();
    project_users::add(&other, &theirs, "user_1").await.unwrap();
    assign_user(&acme, &project, "user_1", &role).await.unwrap();
    assign_user(&acme, &second, "user_1", OWNER).await.unwrap();
    assert_refused!(
        assign_user(&acme, &theirs, "user_1", OWNER).await,
        Error::NotFound { kind: Kind::Project, .. }
    );
    assert_refused!(
        assign_user(&other, &theirs, "user_1", &role).await,
        Error::NotFound { kind: Kind::Role, .. }
    );
    assert_eq!(names(&of_user(&acme, &second, "user_1", json!({})).await.unwrap()), ["owner"]);
    assert_eq!(names(&of_user(&other, &theirs, "user_1", json!({})).await.unwrap()), ["member"]);
}
