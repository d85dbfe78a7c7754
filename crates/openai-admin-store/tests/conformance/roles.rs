//! Roles and their assignments.

use openai_admin::{
    ListItem, UserRole,
    models::{
        AssignedRoleDetails, PublicAssignOrganizationGroupRoleBody, PublicCreateOrganizationRoleBody,
        PublicUpdateOrganizationRoleBody, Role,
    },
    operations::{
        AssignGroupRole, AssignUserRole, CreateRole, DeleteRole, ListGroupRoleAssignments, ListRoles,
        ListUserRoleAssignments, RetrieveRole, RetrieveUserRole, UnassignGroupRole, UnassignUserRole,
        UpdateRole, roles::RoleName,
    },
};
use openai_admin_store::{Error, IdempotencyKey, Kind, Result};
use serde_json::{Value as Json, json};

use crate::{
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    predefined_roles_come_first_and_cannot_be_changed,
    a_role_has_a_unique_name_and_known_permissions,
    a_role_is_updated_and_its_change_is_recorded,
    roles_of_groups_and_users_are_listed_with_their_sources,
    the_role_of_a_user_is_an_assignment,
    an_assignment_is_deleted_with_its_role_group_or_user,
    assigning_again_changes_nothing_and_unassigning_again_reports_not_found,
    a_role_is_created_once_under_a_key,
}

const OWNER: &str = "role-api-organization-owner__api-organization__org-acme";
const READER: &str = "role-api-organization-reader__api-organization__org-acme";

fn body(name: &str, permissions: &[&str]) -> PublicCreateOrganizationRoleBody {
    let permissions = permissions.iter().map(|permission| (*permission).to_owned()).collect();
    PublicCreateOrganizationRoleBody::new(RoleName::new(name).unwrap(), permissions)
}

pub(crate) async fn create(acme: &Tenant, name: &str) -> Result<Role> {
    let request = CreateRole::new(body(name, &["api.groups.read"]));
    acme.store().change(acme.org(), acme.database.stamp(), request).await
}

pub(crate) async fn assign_group(acme: &Tenant, group: &str, role: &str) -> Result<()> {
    let request = AssignGroupRole::new(
        group.parse().unwrap(),
        PublicAssignOrganizationGroupRoleBody::new(role.parse().unwrap()),
    );
    acme.store().change(acme.org(), acme.database.stamp(), request).await.map(drop)
}

pub(crate) async fn assign_user(acme: &Tenant, user: &str, role: &str) -> Result<()> {
    let request = AssignUserRole::new(
        user.parse().unwrap(),
        PublicAssignOrganizationGroupRoleBody::new(role.parse().unwrap()),
    );
    acme.store().change(acme.org(), acme.database.stamp(), request).await.map(drop)
}

pub(crate) async fn unassign_group(acme: &Tenant, group: &str, role: &str) -> Result<()> {
    let request = UnassignGroupRole::new(group.parse().unwrap(), role.parse().unwrap());
    acme.store().change(acme.org(), acme.database.stamp(), request).await.map(drop)
}

pub(crate) async fn unassign_user(acme: &Tenant, user: &str, role: &str) -> Result<()> {
    let request = UnassignUserRole::new(user.parse().unwrap(), role.parse().unwrap());
    acme.store().change(acme.org(), acme.database.stamp(), request).await.map(drop)
}

async fn roles_of_user(acme: &Tenant, user: &str) -> Vec<AssignedRoleDetails> {
    let request = ListUserRoleAssignments::new(user.parse().unwrap());
    acme.read(request).await.unwrap().data
}

async fn roles_of_group(acme: &Tenant, group: &str) -> Vec<AssignedRoleDetails> {
    let request = ListGroupRoleAssignments::new(group.parse().unwrap());
    acme.read(request).await.unwrap().data
}

/// Names, with the sources of inherited roles.
fn shown(roles: &[AssignedRoleDetails]) -> Json {
    let sources = |role: &AssignedRoleDetails| {
        let sources = role.assignment_sources.as_ref()?;
        Some(sources.iter().map(|source| source.principal_id.clone()).collect::<Vec<_>>())
    };
    roles.iter().map(|role| json!([role.name, sources(role)])).collect()
}

async fn predefined_roles_come_first_and_cannot_be_changed(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let custom = create(&acme, "Custom").await.unwrap().id.to_string();
    let page = acme.read(ListRoles::new()).await.unwrap();
    let ids: Vec<&str> = page.data.iter().map(ListItem::id).collect();
    assert_eq!(ids, [OWNER, READER, &custom]);
    assert!(page.data[0].predefined_role && !page.data[2].predefined_role);
    for alias in [OWNER, "role-api-organization-owner"] {
        let role = acme.read(RetrieveRole::new(alias.parse().unwrap())).await.unwrap();
        assert_eq!(role, page.data[0]);
        let update = PublicUpdateOrganizationRoleBody::default();
        let update = UpdateRole::new(alias.parse().unwrap(), update);
        let refused = acme.store().change(acme.org(), database.stamp(), update).await;
        assert_refused!(refused, Error::InvalidValue { ref field, .. } if field == "role_id");
        let delete = DeleteRole::new(alias.parse().unwrap());
        let refused = acme.store().change(acme.org(), database.stamp(), delete).await;
        assert_refused!(refused, Error::InvalidValue { ref field, .. } if field == "role_id");
    }
    let theirs = "role-api-organization-owner__api-organization__org-other";
    let refused = acme.read(RetrieveRole::new(theirs.parse().unwrap())).await;
    assert_refused!(refused, Error::NotFound { kind: Kind::Role, .. });

    // One at a time, in both directions.
    for (order, expected) in [("asc", [OWNER, READER, &custom]), ("desc", [&*custom, READER, OWNER])] {
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let request = json!({ "limit": 1, "order": order, "after": after });
            let request: ListRoles = serde_json::from_value(request).unwrap();
            let page = acme.read(request).await.unwrap();
            walked.extend(page.data.iter().map(|role| role.id.to_string()));
            after = page.next;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(walked, expected, "{order}");
    }
}

async fn a_role_has_a_unique_name_and_known_permissions(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let role = create(&acme, "Support").await.unwrap();
    for taken in ["Support", "owner", "reader"] {
        let refused = create(&acme, taken).await;
        assert_refused!(refused, Error::AlreadyExists { kind: Kind::Role, field: "role_name", .. });
    }
    let request = CreateRole::new(body("Other", &["api.groups.read", "everything"]));
    let refused = acme.store().change(acme.org(), database.stamp(), request).await;
    assert_refused!(refused, Error::InvalidValue { ref field, .. } if field == "permissions[1]");
    // A name can be reused once its role is deleted.
    acme.store().change(acme.org(), database.stamp(), DeleteRole::new(role.id)).await.unwrap();
    create(&acme, "Support").await.unwrap();
}

async fn a_role_is_updated_and_its_change_is_recorded(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let role = create(&acme, "Support").await.unwrap();
    let mut update = PublicUpdateOrganizationRoleBody::default();
    update.role_name = Some(RoleName::new("Help").unwrap());
    update.permissions = Some(vec!["api.groups.write".to_owned()]);
    let request = UpdateRole::new(role.id.clone(), update.clone());
    let updated = acme.store().change(acme.org(), database.stamp(), request.clone()).await.unwrap();
    assert_eq!((updated.name.as_str(), updated.permissions), ("Help", vec!["api.groups.write".to_owned()]));
    let before = database.events().len();
    acme.store().change(acme.org(), database.stamp(), request).await.unwrap();
    assert_eq!(database.events().len(), before, "the same again changes nothing");

    let logs = acme.logs(json!({ "resource_ids[]": [role.id] })).await.unwrap().data;
    let logs: Vec<Json> = logs.iter().map(|log| serde_json::to_value(log).unwrap()).collect();
    assert_eq!(
        logs[0]["role.updated"],
        json!({ "id": role.id, "changes_requested": {
            "role_name": "Help", "permissions_added": ["api.groups.write"], "permissions_removed": ["api.groups.read"],
        } })
    );
    assert_eq!(
        logs[1]["role.created"],
        json!({ "id": role.id, "role_name": "Support", "permissions": ["api.groups.read"],
                "resource_type": "api.organization", "resource_id": "org-acme" })
    );
}

async fn roles_of_groups_and_users_are_listed_with_their_sources(database: Database) {
    let groups = json!([
        { "id": "group_1", "name": "One", "members": ["user_1"] },
        { "id": "group_2", "name": "Two", "members": ["user_1", "user_2"] },
    ]);
    let acme = database.acme(2, groups).await;
    let first = create(&acme, "First").await.unwrap().id.to_string();
    let second = create(&acme, "Second").await.unwrap().id.to_string();
    assign_group(&acme, "group_2", &second).await.unwrap();
    assign_group(&acme, "group_1", &second).await.unwrap();
    assign_group(&acme, "group_2", &first).await.unwrap();
    assign_user(&acme, "user_1", &first).await.unwrap();
    assert_eq!(shown(&roles_of_group(&acme, "group_2").await), json!([["First", null], ["Second", null]]));
    assert_eq!(
        shown(&roles_of_user(&acme, "user_1").await),
        json!([["reader", null], ["First", ["user_1", "group_2"]], ["Second", ["group_1", "group_2"]]])
    );
    assert_eq!(
        shown(&roles_of_user(&acme, "user_2").await),
        json!([["reader", null], ["First", ["group_2"]], ["Second", ["group_2"]]])
    );
    // An inherited role is shown, but cannot be unassigned from the user.
    let inherited = RetrieveUserRole::new("user_2".parse().unwrap(), first.parse().unwrap());
    assert_eq!(acme.read(inherited).await.unwrap().name, "First");
    assert_refused!(unassign_user(&acme, "user_2", &first).await, Error::NotFound { kind: Kind::Role, .. });
    acme.remove("group_2", "user_2").await.unwrap();
    assert_eq!(shown(&roles_of_user(&acme, "user_2").await), json!([["reader", null]]));
}

async fn the_role_of_a_user_is_an_assignment(database: Database) {
    let acme = database.acme(2, json!([])).await;
    assign_user(&acme, "user_2", OWNER).await.unwrap();
    assign_user(&acme, "user_1", "role-api-organization-owner").await.unwrap();
    assert_eq!(acme.user("user_1").await.unwrap().role, Some(UserRole::Owner));
    assert_eq!(shown(&roles_of_user(&acme, "user_1").await), json!([["owner", null]]));
    assert_refused!(unassign_user(&acme, "user_1", READER).await, Error::NotFound { kind: Kind::Role, .. });
    unassign_user(&acme, "user_1", OWNER).await.unwrap();
    assert_eq!(acme.user("user_1").await.unwrap().role, Some(UserRole::Reader));
    let refused = unassign_user(&acme, "user_1", READER).await;
    assert_refused!(refused, Error::InvalidValue { ref field, .. } if field == "role_id");

    let custom = create(&acme, "Custom").await.unwrap().id;
    acme.modify_user("user_1", json!({ "role_id": custom })).await.unwrap();
    acme.modify_user("user_1", json!({ "role_id": OWNER })).await.unwrap();
    assert_eq!(shown(&roles_of_user(&acme, "user_1").await), json!([["owner", null], ["Custom", null]]));
    let refused = acme.modify_user("user_1", json!({ "role_id": "role_unknown" })).await;
    assert_refused!(refused, Error::NotFound { kind: Kind::Role, .. });
}

async fn an_assignment_is_deleted_with_its_role_group_or_user(database: Database) {
    let groups = json!([{ "id": "group_1", "name": "One" }, { "id": "group_2", "name": "Two" }]);
    let acme = database.acme(2, groups).await;
    let first = create(&acme, "First").await.unwrap().id;
    let second = create(&acme, "Second").await.unwrap().id;
    for role in [&first, &second] {
        for group in ["group_1", "group_2"] {
            assign_group(&acme, group, role.as_str()).await.unwrap();
        }
        for user in ["user_1", "user_2"] {
            assign_user(&acme, user, role.as_str()).await.unwrap();
        }
    }
    acme.delete_group("group_1").await.unwrap();
    acme.delete_user("user_1").await.unwrap();
    acme.store().change(acme.org(), database.stamp(), DeleteRole::new(first)).await.unwrap();
    assert_eq!(shown(&roles_of_group(&acme, "group_2").await), json!([["Second", null]]));
    assert_eq!(shown(&roles_of_user(&acme, "user_2").await), json!([["reader", null], ["Second", null]]));
    let ended = json!({ "event_types[]": ["role.assignment.deleted"] });
    assert_eq!(acme.logs(ended).await.unwrap().data.len(), 6);
    assert_eq!(database.texts("select count(*) || '' from role_assignments"), ["2"]);
}

async fn assigning_again_changes_nothing_and_unassigning_again_reports_not_found(database: Database) {
    let acme = database.acme(1, json!([{ "id": "group_1", "name": "One" }])).await;
    let role = create(&acme, "First").await.unwrap().id.to_string();
    for _ in 0..2 {
        assign_group(&acme, "group_1", &role).await.unwrap();
        assign_user(&acme, "user_1", &role).await.unwrap();
    }
    let log = acme.logs(json!({ "event_types[]": ["role.assignment.created"] })).await.unwrap().data;
    assert_eq!(log.len(), 2);
    let detail = serde_json::to_value(&log[0]).unwrap()["role.assignment.created"].clone();
    assert_eq!(
        detail,
        json!({ "id": format!("role_assignment_{role}_user_1"), "principal_type": "user", "principal_id": "user_1",
                "resource_type": "api.organization", "resource_id": "org-acme" })
    );
    unassign_group(&acme, "group_1", &role).await.unwrap();
    unassign_user(&acme, "user_1", &role).await.unwrap();
    assert_refused!(unassign_group(&acme, "group_1", &role).await, Error::NotFound { kind: Kind::Role, .. });
    assert_refused!(unassign_user(&acme, "user_1", &role).await, Error::NotFound { kind: Kind::Role, .. });
    assert_refused!(
        assign_group(&acme, "group_1", "role_unknown").await,
        Error::NotFound { kind: Kind::Role, .. }
    );
    assert_refused!(assign_group(&acme, "group_9", &role).await, Error::NotFound { kind: Kind::Group, .. });
}

async fn a_role_is_created_once_under_a_key(database: Database) {
    let acme = database.acme(0, json!([])).await;
    let key = IdempotencyKey { key: "key".to_owned(), request: "request".to_owned() };
    let create = || {
        let stamp = database.stamp().once(Some(key.clone()));
        acme.store().change(acme.org(), stamp, CreateRole::new(body("Support", &[])))
    };
    let role = create().await.unwrap();
    assert_eq!(create().await.unwrap(), role);
    acme.store().change(acme.org(), database.stamp(), DeleteRole::new(role.id)).await.unwrap();
    assert_refused!(create().await, Error::IdempotentAnswerDeleted);
}
