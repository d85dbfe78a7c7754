//! The last owner of an organization stays: no operation deletes them or takes the role.

use openai_admin::{
    ServiceAccountId, UserRole,
    operations::{DeleteServiceAccount, ModifyUser},
};
use openai_admin_store::{Error, Refusal, Result, Rule, Rules, Stamp};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    projects, roles, service_accounts,
    support::{Database, assert_refused, conformance},
    tenant::Tenant,
};

conformance! {
    the_last_owner_stays_whatever_the_operation,
    an_owner_who_is_not_the_last_can_leave,
    the_last_owner_can_get_other_metadata_and_their_own_role,
    an_owner_of_another_organization_does_not_count,
    a_deleted_owner_does_not_count,
    a_member_of_a_group_with_the_role_does_not_count,
    a_service_account_with_the_role_counts,
    a_load_can_leave_an_organization_without_an_owner,
    of_owners_who_leave_at_once_one_stays,
    without_the_rule_the_last_owner_can_leave,
}

const OWNER: &str = "role-api-organization-owner";
const READER: &str = "role-api-organization-reader";

/// The operations after which a user is not an owner.
#[derive(Clone, Copy, Debug)]
enum Way {
    Delete,
    ModifyRole,
    ModifyRoleId,
    AssignReader,
    UnassignOwner,
}

const WAYS: [Way; 5] =
    [Way::Delete, Way::ModifyRole, Way::ModifyRoleId, Way::AssignReader, Way::UnassignOwner];

async fn leave(acme: &Tenant, user: &str, way: Way) -> Result<()> {
    match way {
        Way::Delete => acme.delete_user(user).await,
        Way::ModifyRole => acme.modify_user(user, json!({ "role": "reader" })).await.map(drop),
        Way::ModifyRoleId => acme.modify_user(user, json!({ "role_id": READER })).await.map(drop),
        Way::AssignReader => roles::assign_user(acme, user, READER).await,
        Way::UnassignOwner => roles::unassign_user(acme, user, OWNER).await,
    }
}

async fn make_owner(acme: &Tenant, user: &str) {
    acme.modify_user(user, json!({ "role": "owner" })).await.unwrap();
}

/// Asserts that a result refuses to lose this user.
macro_rules! assert_last_owner {
    ($result:expr, $user:expr) => {
        assert_refused!($result, Error::Refused { refusal: Refusal::LastOwner, ref value } if value == $user)
    };
}

async fn the_last_owner_stays_whatever_the_operation(database: Database) {
    let acme = database.acme(2, json!([{ "id": "group_1", "name": "One", "members": ["user_1"] }])).await;
    make_owner(&acme, "user_1").await;
    let before = (acme.user("user_1").await.unwrap(), database.events());
    for way in WAYS {
        assert_last_owner!(leave(&acme, "user_1", way).await, "user_1");
    }
    assert_eq!((acme.user("user_1").await.unwrap(), database.events()), before);
    assert_eq!(acme.member_ids("group_1").await, ["user_1"]);
}

async fn an_owner_who_is_not_the_last_can_leave(database: Database) {
    let acme = database.acme(WAYS.len() + 1, json!([])).await;
    make_owner(&acme, "user_6").await;
    for (number, way) in (1..).zip(WAYS) {
        let user = format!("user_{number}");
        make_owner(&acme, &user).await;
        leave(&acme, &user, way).await.unwrap();
        assert!(
            acme.user(&user).await.ok().is_none_or(|user| user.role == Some(UserRole::Reader)),
            "{way:?}"
        );
    }
}

async fn the_last_owner_can_get_other_metadata_and_their_own_role(database: Database) {
    let acme = database.acme(1, json!([])).await;
    make_owner(&acme, "user_1").await;
    make_owner(&acme, "user_1").await;
    roles::assign_user(&acme, "user_1", OWNER).await.unwrap();
    let custom = roles::create(&acme, "Custom").await.unwrap().id;
    acme.modify_user("user_1", json!({ "technical_level": "expert", "role_id": custom })).await.unwrap();
    assert_eq!(acme.user("user_1").await.unwrap().role, Some(UserRole::Owner));
}

async fn an_owner_of_another_organization_does_not_count(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let other = database.tenant("org-other", 2, json!([])).await;
    make_owner(&acme, "user_1").await;
    make_owner(&other, "user_2").await;
    assert_last_owner!(leave(&acme, "user_1", Way::Delete).await, "user_1");
}

async fn a_deleted_owner_does_not_count(database: Database) {
    let acme = database.acme(2, json!([])).await;
    make_owner(&acme, "user_1").await;
    make_owner(&acme, "user_2").await;
    leave(&acme, "user_2", Way::Delete).await.unwrap();
    assert_last_owner!(leave(&acme, "user_1", Way::ModifyRole).await, "user_1");
}

async fn a_member_of_a_group_with_the_role_does_not_count(database: Database) {
    let acme = database.acme(2, json!([{ "id": "group_1", "name": "One", "members": ["user_2"] }])).await;
    roles::assign_group(&acme, "group_1", OWNER).await.unwrap();
    make_owner(&acme, "user_1").await;
    assert_last_owner!(leave(&acme, "user_1", Way::UnassignOwner).await, "user_1");
}

async fn a_service_account_with_the_role_counts(database: Database) {
    let acme = database.acme(1, json!([])).await;
    let project = projects::create(&acme, "Search").await.id;
    let account = service_accounts::create(&acme, &project, "Nightly").await.unwrap().id.to_string();
    make_owner(&acme, "user_1").await;
    make_owner(&acme, &account).await;
    leave(&acme, "user_1", Way::Delete).await.unwrap();

    let delete = DeleteServiceAccount::new(project.clone(), ServiceAccountId::new(&account).unwrap());
    assert_last_owner!(acme.change(delete).await, &account);
    assert_last_owner!(projects::archive(&acme, project.as_str()).await, &account);
    assert_eq!(acme.user(&account).await.unwrap().role, Some(UserRole::Owner));
}

async fn a_load_can_leave_an_organization_without_an_owner(database: Database) {
    let acme = database.acme(1, json!([])).await;
    make_owner(&acme, "user_1").await;
    acme.load(json!({ "users": [{ "id": "user_1", "role": "reader" }] })).await.unwrap();
    assert_eq!(acme.user("user_1").await.unwrap().role, Some(UserRole::Reader));
    acme.delete_user("user_1").await.unwrap();
}

async fn of_owners_who_leave_at_once_one_stays(database: Database) {
    let acme = database.acme(WAYS.len(), json!([])).await;
    for user in crate::support::user_ids(WAYS.len()) {
        make_owner(&acme, &user).await;
    }
    let mut tasks = JoinSet::new();
    for (number, way) in (1..).zip(WAYS) {
        let acme = acme.clone();
        tasks.spawn(async move { leave(&acme, &format!("user_{number}"), way).await });
    }
    let results = tasks.join_all().await;
    let refused =
        |result: &Result<()>| matches!(result, Err(Error::Refused { refusal: Refusal::LastOwner, .. }));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), WAYS.len() - 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| refused(result)).count(), 1, "{results:?}");
    let users = acme.users(100, None).await.unwrap().data;
    assert_eq!(users.iter().filter(|user| user.role == Some(UserRole::Owner)).count(), 1);
}

async fn without_the_rule_the_last_owner_can_leave(database: Database) {
    let acme = database.acme(1, json!([])).await;
    make_owner(&acme, "user_1").await;
    let stamp = Stamp { rules: Rules::default().with(Rule::LastOwner, false), ..database.stamp() };
    let body = serde_json::from_value(json!({ "role": "reader" })).unwrap();
    let request = ModifyUser::new("user_1".parse().unwrap(), body);
    let modified = acme.store().change(acme.org(), stamp, request).await.unwrap();
    assert_eq!(modified.role, Some(UserRole::Reader));
}
