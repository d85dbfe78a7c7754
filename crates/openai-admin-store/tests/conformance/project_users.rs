//! Users of projects, each with a role in it.

use openai_admin::{
    ProjectId,
    models::{ProjectUser, ProjectUserListResponse},
    operations::{
        CreateProjectUser, DeleteProjectUser, InviteUser, ListAuditLogs, ListProjectUsers, ModifyProjectUser,
        RetrieveProjectUser,
    },
};
use openai_admin_store::{Error, IdempotencyKey, Kind, Refusal, Result};
use serde_json::{Value as Json, json};

use crate::{
    projects,
    support::{Database, NOW, assert_refused, conformance},
    tenant::{Tenant, ids},
};

conformance! {
    a_user_is_added_modified_and_removed_with_the_events,
    a_user_is_added_by_id_or_address,
    a_user_of_a_project_is_not_added_again,
    a_user_outside_of_the_project_is_not_found_in_it,
    a_page_of_users_continues_after_a_removed_user,
    the_default_project_takes_users_through_invites_alone,
    accepting_an_invite_gives_its_projects,
    archiving_a_project_ends_its_users,
    users_are_loaded_into_projects,
    a_user_is_added_once_under_a_key,
    users_of_another_organization_and_of_another_project_are_separate,
}

const DEFAULT: &str = "proj_default_org-acme";

fn project_id(project: &str) -> ProjectId {
    project.parse().unwrap()
}

async fn create(acme: &Tenant, project: &str, body: Json) -> Result<ProjectUser> {
    acme.change(CreateProjectUser::new(project_id(project), serde_json::from_value(body).unwrap())).await
}

pub(crate) async fn add(acme: &Tenant, project: &str, user: &str) -> Result<ProjectUser> {
    create(acme, project, json!({ "user_id": user, "role": "member" })).await
}

pub(crate) async fn modify(acme: &Tenant, project: &str, user: &str, body: Json) -> Result<ProjectUser> {
    let body = serde_json::from_value(body).unwrap();
    acme.change(ModifyProjectUser::new(project_id(project), user.parse().unwrap(), body)).await
}

async fn retrieve(acme: &Tenant, project: &str, user: &str) -> Result<ProjectUser> {
    acme.read(RetrieveProjectUser::new(project_id(project), user.parse().unwrap())).await
}

pub(crate) async fn remove(acme: &Tenant, project: &str, user: &str) -> Result<()> {
    acme.change(DeleteProjectUser::new(project_id(project), user.parse().unwrap())).await.map(drop)
}

async fn list(acme: &Tenant, project: &str, query: Json) -> Result<ProjectUserListResponse> {
    let mut request = query;
    request["project_id"] = json!(project);
    acme.read(serde_json::from_value::<ListProjectUsers>(request).unwrap()).await
}

/// A new project that is not the default one.
async fn new_project(acme: &Tenant, name: &str) -> String {
    projects::create(acme, name).await.id.to_string()
}

/// The events of a project about its users, oldest first: the type, the user and the role.
async fn events(acme: &Tenant, project: &str) -> Vec<[String; 3]> {
    let mut request = ListAuditLogs::new();
    request.project_ids = vec![project.to_owned()];
    let logs = acme.store().list_audit_logs(acme.org(), request).await.unwrap();
    let told = logs.data.iter().rev().filter_map(|log| {
        let detail = log.detail.clone().unwrap();
        let id = detail.id.unwrap_or_default();
        match log.r#type.as_str() {
            event @ ("project.user.added" | "project.user.removed") => {
                Some([event.to_owned(), detail.user_id.unwrap().to_string(), String::new()])
            }
            event @ ("role.assignment.created" | "role.assignment.deleted") => {
                assert_eq!(detail.resource_type.as_deref(), Some("api.project"));
                assert_eq!(detail.resource_id.as_deref(), Some(project));
                Some([event.to_owned(), detail.principal_id.unwrap_or_default(), id])
            }
            _ => None,
        }
    });
    told.collect()
}

fn event(event: &str, user: &str, project: &str, role: &str) -> [String; 3] {
    let id = match role {
        "" => String::new(),
        role => format!("role_assignment_role-api-project-{role}__api-project__{project}_{user}"),
    };
    [event.to_owned(), user.to_owned(), id]
}

async fn a_user_is_added_modified_and_removed_with_the_events(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let project = &*new_project(&acme, "Search").await;
    let added = add(&acme, project, "user_1").await.unwrap();
    let expected = json!({
        "object": "organization.project.user", "id": "user_1", "name": added.name, "email": added.email,
        "role": "member", "added_at": NOW
    });
    assert_eq!(serde_json::to_value(&added).unwrap(), expected);
    assert_eq!(retrieve(&acme, project, "user_1").await.unwrap(), added);
    assert_eq!(list(&acme, project, json!({})).await.unwrap().data, std::slice::from_ref(&added));

    for body in [json!({}), json!({ "role": null }), json!({ "role": "member" })] {
        assert_eq!(modify(&acme, project, "user_1", body).await.unwrap(), added);
    }
    for role in ["viewer", "owner"] {
        assert_eq!(modify(&acme, project, "user_1", json!({ "role": role })).await.unwrap().role, role);
    }
    assert_refused!(
        modify(&acme, project, "user_1", json!({ "role": "reader" })).await,
        Error::InvalidValue { field, .. } if field == "role"
    );
    remove(&acme, project, "user_1").await.unwrap();

    add(&acme, project, "user_1").await.unwrap();
    acme.delete_user("user_1").await.unwrap();
    assert!(list(&acme, project, json!({})).await.unwrap().data.is_empty());
    let (created, deleted) = ("role.assignment.created", "role.assignment.deleted");
    let expected = [
        ("project.user.added", ""),
        (created, "member"),
        (deleted, "member"),
        (created, "viewer"),
        (deleted, "viewer"),
        (created, "owner"),
        (deleted, "owner"),
        ("project.user.removed", ""),
        ("project.user.added", ""),
        (created, "member"),
        (deleted, "member"),
        ("project.user.removed", ""),
    ];
    let expected = expected.map(|(name, role)| event(name, "user_1", project, role));
    assert_eq!(events(&acme, project).await, expected);
}

async fn a_user_is_added_by_id_or_address(database: Database) {
    let acme = database.acme(2, json!([])).await;
    let project = &*new_project(&acme, "Search").await;
    let email = acme.user("user_2").await.unwrap().email.unwrap().to_uppercase();
    assert_refused!(
        create(&acme, project, json!({ "role": "member" })).await,
        Error::InvalidValue { field, .. } if field == "user_id"
    );
    assert_refused!(
        create(&acme, project, json!({ "user_id": "user_1", "email": email, "role": "member" })).await,
        Error::InvalidValue { field, .. } if field == "email"
    );
    for unknown in [json!({ "user_id": "user_9" }), json!({ "email": "nobody@example.com" })] {
        let mut body = unknown;
        body["role"] = json!("member");
        let refused = create(&acme, project, body).await;
        assert_refused!(refused, Error::NotFound { kind: Kind::User, .. });
    }
    let user = create(&acme, project, json!({ "email": email, "role": "viewer" })).await.unwrap();
    assert_eq!((user.id.as_str(), user.role.as_str()), ("user_2", "viewer"));
}

async fn a_user_of_a_project_is_not_added_again(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let project = &*new_project(&acme, "Search").await;
    add(&acme, project, "user_1").await.unwrap();
    assert_refused!(
        create(&acme, project, json!({ "user_id": "user_1", "role": "owner" })).await,
        Error::Refused { refusal: Refusal::AlreadyInProject, value } if value == "user_1"
    );
    assert_eq!(retrieve(&acme, project, "user_1").await.unwrap().role, "member");
}

async fn a_user_outside_of_the_project_is_not_found_in_it(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let project = &*new_project(&acme, "Search").await;
    let refused = [
        retrieve(&acme, project, "user_1").await.map(drop),
        modify(&acme, project, "user_1", json!({})).await.map(drop),
        remove(&acme, project, "user_1").await,
    ];
    for refused in refused {
        let error = refused.unwrap_err();
        assert_eq!(error.to_string(), format!("user user_1 is not a member of {project}"));
        assert!(matches!(error, Error::NotInProject { kind: Kind::User, .. }));
    }
    assert_refused!(retrieve(&acme, project, "user_9").await, Error::NotFound { kind: Kind::User, .. });
    assert_refused!(retrieve(&acme, "proj_9", "user_1").await, Error::NotFound { kind: Kind::Project, .. });
}

async fn a_page_of_users_continues_after_a_removed_user(database: Database) {
    let acme = database.acme(3, json!([])).await;
    let project = &*new_project(&acme, "Search").await;
    for user in ["user_3", "user_1", "user_2"] {
        add(&acme, project, user).await.unwrap();
    }
    let first = list(&acme, project, json!({ "limit": 2 })).await.unwrap();
    assert_eq!((ids(&first), first.has_more), (vec!["user_1", "user_2"], true));
    remove(&acme, project, "user_2").await.unwrap();
    let second = list(&acme, project, json!({ "limit": 2, "after": "user_2" })).await.unwrap();
    assert_eq!((ids(&second), second.has_more), (vec!["user_3"], false));
    assert_refused!(list(&acme, project, json!({ "after": "user_9" })).await, Error::UnknownCursor(_));
}

async fn invite(acme: &Tenant, body: Json) {
    acme.change(InviteUser::new(serde_json::from_value(body).unwrap())).await.unwrap();
}

async fn the_default_project_takes_users_through_invites_alone(database: Database) {
    let acme = database.acme(1, json!([])).await;
    assert_refused!(
        add(&acme, DEFAULT, "user_1").await,
        Error::Refused { refusal: Refusal::DefaultProject, .. }
    );
    invite(&acme, json!({ "email": "new@example.com", "role": "reader" })).await;
    let user = acme.create_user(json!({ "email": "new@example.com", "name": "New" })).await.unwrap().id;
    let listed = list(&acme, DEFAULT, json!({})).await.unwrap();
    assert_eq!((ids(&listed), listed.data[0].role.as_str()), (vec![user.as_str()], "member"));
    modify(&acme, DEFAULT, user.as_str(), json!({ "role": "owner" })).await.unwrap();
    remove(&acme, DEFAULT, user.as_str()).await.unwrap();
}

async fn accepting_an_invite_gives_its_projects(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let (one, two) = (&*new_project(&acme, "One").await, &*new_project(&acme, "Two").await);
    let invited = json!([{ "id": one, "role": "owner" }, { "id": two, "role": "member" }]);
    invite(&acme, json!({ "email": "new@example.com", "role": "reader", "projects": invited })).await;
    projects::archive(&acme, two).await.unwrap();
    let user = acme.create_user(json!({ "email": "NEW@example.com", "name": "New" })).await.unwrap().id;
    assert_eq!(retrieve(&acme, one, user.as_str()).await.unwrap().role, "owner");
    assert!(list(&acme, DEFAULT, json!({})).await.unwrap().data.is_empty());
    assert_eq!(database.store.census().await.unwrap().of("project user"), Some(1));
}

async fn archiving_a_project_ends_its_users(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let project = &*new_project(&acme, "Search").await;
    add(&acme, project, "user_1").await.unwrap();
    projects::archive(&acme, project).await.unwrap();
    let refused = [
        list(&acme, project, json!({})).await.map(drop),
        retrieve(&acme, project, "user_1").await.map(drop),
        add(&acme, project, "user_1").await.map(drop),
        remove(&acme, project, "user_1").await,
    ];
    for refused in refused {
        assert_refused!(refused, Error::Refused { refusal: Refusal::ProjectArchived, .. });
    }
    let ended = [
        event("role.assignment.deleted", "user_1", project, "member"),
        event("project.user.removed", "user_1", project, ""),
    ];
    assert_eq!(events(&acme, project).await[2..], ended);
}

async fn users_are_loaded_into_projects(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let load = async |user: Json| {
        acme.load(json!({ "projects": [{ "id": "proj_1", "name": "Search", "users": [user] }] })).await
    };
    for (entry, added, assigned, role) in [
        (json!({ "user": "user_1" }), 1, 0, "member"),
        (json!({ "user": "user_1", "role": "owner" }), 0, 1, "owner"),
        (json!({ "user": "user_1" }), 0, 0, "owner"),
    ] {
        let summary = load(entry).await.unwrap();
        assert_eq!((summary.project_users_added, summary.roles_assigned), (added, assigned));
        assert_eq!(retrieve(&acme, "proj_1", "user_1").await.unwrap().role, role);
    }
    for (entry, place) in [
        (json!({ "user": "user_9" }), "projects[0].users[0].user"),
        (json!({ "user": "user_1", "role": "reader" }), "projects[0].users[0].role"),
    ] {
        assert_refused!(load(entry).await, Error::InvalidValue { field, .. } if field == place);
    }
}

async fn a_user_is_added_once_under_a_key(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let project = &*new_project(&acme, "Search").await;
    let body = serde_json::from_value(json!({ "user_id": "user_1", "role": "member" })).unwrap();
    let request = CreateProjectUser::new(project_id(project), body);
    let key = IdempotencyKey { key: "once".to_owned(), request: String::new() };
    let send = || {
        let stamp = acme.database.stamp().once(Some(key.clone()));
        acme.store().change(acme.org(), stamp, request.clone())
    };
    let first = send().await.unwrap();
    assert_eq!(send().await.unwrap(), first);
    acme.delete_user("user_1").await.unwrap();
    assert_refused!(send().await, Error::IdempotentAnswerDeleted);
}

async fn users_of_another_organization_and_of_another_project_are_separate(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let other = database.tenant("org-other", 1, json!([])).await;
    let (ours, second) = (&*new_project(&acme, "Ours").await, &*new_project(&acme, "Second").await);
    let theirs = &*new_project(&other, "Theirs").await;
    add(&acme, ours, "user_1").await.unwrap();
    add(&other, theirs, "user_1").await.unwrap();
    assert_refused!(add(&acme, theirs, "user_1").await, Error::NotFound { kind: Kind::Project, .. });
    assert_refused!(list(&acme, theirs, json!({})).await, Error::NotFound { kind: Kind::Project, .. });
    modify(&acme, ours, "user_1", json!({ "role": "owner" })).await.unwrap();
    assert_eq!(retrieve(&other, theirs, "user_1").await.unwrap().role, "member");
    assert!(list(&acme, second, json!({})).await.unwrap().data.is_empty());
    remove(&acme, ours, "user_1").await.unwrap();
    assert_eq!(ids(&list(&other, theirs, json!({})).await.unwrap()), ["user_1"]);
}
