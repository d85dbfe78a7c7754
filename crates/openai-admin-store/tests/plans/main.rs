//! No statement reads or sorts more rows than its answer needs. Every operation is run, and the plan of each prepared
//! statement is checked: over one group with nearly all users, and over many small groups.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]
#![allow(dead_code, unused_macros, unused_imports, reason = "this file uses only a part of the shared code")]

#[path = "conformance/support.rs"]
mod support;
#[path = "conformance/tenant.rs"]
mod tenant;

use std::{
    collections::BTreeSet,
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use openai_admin::{
    GroupId, ProjectId, RoleId, Timestamp, UserId,
    models::{
        AcceptInviteBody, ProjectRateLimitUpdateRequest, PublicAssignOrganizationGroupRoleBody,
        PublicCreateOrganizationRoleBody, PublicUpdateOrganizationRoleBody, ToggleCertificatesRequest,
    },
    operations::{
        AcceptInvite, ActivateOrganizationCertificates, ActivateProjectCertificates, AddProjectGroup,
        ArchiveProject, AssignGroupRole, AssignProjectGroupRole, AssignProjectUserRole, AssignUserRole,
        CheckAccess, CreateAdminApiKey, CreateGroup, CreateProject, CreateProjectSpendAlert,
        CreateProjectUser, CreateRole, CreateServiceAccount, CreateUsageBatch,
        DeactivateOrganizationCertificates, DeactivateProjectCertificates, DeleteAdminApiKey,
        DeleteCertificate, DeleteInvite, DeleteProjectApiKey, DeleteProjectSpendAlert,
        DeleteProjectSpendLimit, DeleteProjectUser, DeleteRole, DeleteServiceAccount, GetCertificate,
        GetProjectSpendLimit, InviteUser, ListAdminApiKeys, ListGroupRoleAssignments, ListInvites,
        ListOrganizationCertificates, ListPermissionUsers, ListProjectApiKeys, ListProjectCertificates,
        ListProjectGroupRoleAssignments, ListProjectGroups, ListProjectRateLimits, ListProjectSpendAlerts,
        ListProjectUserRoleAssignments, ListProjectUsers, ListProjects, ListRoles, ListServiceAccounts,
        ListUserRoleAssignments, ModifyCertificate, ModifyProject, ModifyProjectUser, RemoveProjectGroup,
        RetrieveAdminApiKey, RetrieveInvite, RetrieveProject, RetrieveProjectApiKey, RetrieveProjectGroup,
        RetrieveProjectGroupRole, RetrieveProjectSpendAlert, RetrieveProjectUser, RetrieveProjectUserRole,
        RetrieveRole, RetrieveServiceAccount, RetrieveUserAccess, UnassignGroupRole,
        UnassignProjectGroupRole, UnassignProjectUserRole, UnassignUserRole, UpdateProjectApiKey,
        UpdateProjectRateLimit, UpdateProjectSpendAlert, UpdateProjectSpendLimit, UpdateRole,
        UpdateServiceAccount, UploadCertificate, UsageCompletions, roles::RoleName,
    },
};
use openai_admin_store::{DatabaseUrl, IdempotencyKey, NewApiKey, Secret, Stamp};
use serde_json::json;
use support::{Database, Engine, run_and_check};
use tenant::{Part, Tenant};
use tracing::{Event, Metadata, field::Field, span};

/// Statements that may read or sort a whole organization, with the reason.
const EXCEPTIONS: [(&str, &str); 13] = [
    (
        "select count(*) from certificates where org",
        "an organization has few certificates, counted when one is added",
    ),
    ("pg_snapshot_xip", "few transactions are under way at the same time"),
    ("from organizations order by org", "there are few organizations"),
    ("from sequences where sequences.org", "there are few kinds of things"),
    ("where k.org = $1", "an organization has few keys, listed for a person"),
    (
        "where org = $1 and removed_at is null order by seq",
        "a dump reads every user, group and role, and an unknown permission is searched in all roles",
    ),
    ("g.org = $1 and g.removed_at is null order by", "a dump reads every group"),
    ("where org = $1 order by group_seq, user_seq", "a dump reads every membership"),
    ("order by project_seq, setting", "a dump reads every setting"),
    ("else 1 end, project_seq, model", "a dump reads every rate limit"),
    ("order by user_seq, group_seq, role_seq", "a dump reads every role assignment"),
    ("order by project_seq, group_seq", "a dump reads every group of a project"),
    ("order by m.project_seq, m.user_seq", "a dump reads every user of a project"),
];

/// One group with all 20,000 users, or 5,000 groups with four of them each.
const SHAPES: [(&str, &str); 2] = [
    ("one dominant group", "select 1, case when i <= 19990 then 1 else i - 19989 end, i from n"),
    ("many small groups", "select 1, 1 + i % 5000, i from n"),
];

fn no_statement_reads_more_than_it_answers(engine: Engine) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Fails if the other test of this process has already set it, to the same subscriber.
    let _ = tracing::subscriber::set_global_default(Statements);
    for (shape, memberships) in SHAPES {
        run_and_check(engine, async |database| {
            let acme = database.acme(0, json!([])).await;
            fill(&database, memberships);
            every_operation(&acme).await;
            let statements = STATEMENTS.lock().unwrap().clone();
            let statements: Vec<String> =
                statements.into_iter().filter(|(of, _)| *of == name(engine)).map(|(_, sql)| sql).collect();
            // Half of the statements that a SQLite connection caches (`STATEMENTS_MAX`).
            assert!((100..=256).contains(&statements.len()), "{} statements were noted", statements.len());
            for sql in statements {
                if EXCEPTIONS.iter().any(|(exception, _)| sql.contains(exception)) {
                    continue;
                }
                let plan = plan(&database, &sql);
                if let Some(line) = plan.iter().find(|line| is_costly(line)) {
                    panic!("{shape}: {line}\nin the plan of: {sql}\n{}", plan.join("\n"));
                }
            }
        });
    }
}

#[test]
fn no_statement_reads_more_than_it_answers_on_sqlite() {
    no_statement_reads_more_than_it_answers(Engine::Sqlite);
}

#[test]
fn no_statement_reads_more_than_it_answers_on_postgres() {
    no_statement_reads_more_than_it_answers(Engine::Postgres);
}

#[test]
fn the_most_frequent_operations_are_planned_once_on_sqlite() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = tracing::subscriber::set_global_default(Statements);
    for (shape, memberships) in SHAPES {
        run_and_check(Engine::Sqlite, async |database| {
            let acme = database.acme(0, json!([])).await;
            fill(&database, memberships);
            REPLANNED.lock().unwrap().clear();
            // More often than there are reader threads, and each time with other values.
            for turn in 1..40 {
                for part in [Part::new().asc(), Part::new().desc()] {
                    let part = part.limit(1 + 2 * turn);
                    acme.members("group_1", part.after(&format!("user_{}", 100 * turn))).await.unwrap();
                }
                acme.add(&format!("group_{}", 20 + turn), "user_7").await.unwrap();
                acme.remove(&format!("group_{}", 20 + turn), "user_7").await.unwrap();
            }
            let replanned = REPLANNED.lock().unwrap().clone();
            assert_eq!(replanned, BTreeSet::new(), "{shape}");
        });
    }
}

/// Inserts rows directly: only the plans are checked, not the sums. Stored answers have the time of the test's changes:
/// older ones would be deleted, and statements planned for an empty table.
fn fill(database: &Database, memberships: &str) {
    let numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)";
    database.execute(&format!(
        "{numbers} insert into users (org, seq, id, email, email_key, name, role, user_type, is_service_account, added_at)
         select 1, i, 'user_' || i, 'user_' || i, 'user_' || i, 'User', 'reader', 'user', 0, 0 from n;
         {numbers} insert into groups (org, seq, id, name, group_type, is_scim_managed, created_at)
         select 1, i, 'group_' || i, 'Group ' || i, 'group', 0, 0 from n where i <= 5000;
         {numbers} insert into group_users (org, group_seq, user_seq) {memberships};
         {numbers} insert into audit_events (org, place, change, item, recorded_at, actor, event, group_seq, user_seq)
         select 1, 0, 'fill', i, 0, 'test', 'group.user.added', 1, i from n;
         {numbers} insert into api_keys (hash, org, id, name, redacted, scopes, created_at)
         select 'hash_' || i, 1, 'key_' || i, 'Key', '', '', 0 from n;
         {numbers} insert into idempotency_keys (org, key, seq, request, recorded_at, group_seq, user_seq, answer)
         select 1, 'key_' || i, i, '', 1750000000, case i % 2 when 0 then i end, case i % 2 when 1 then i end, '' from n;
         {numbers} insert into role_assignments (org, user_seq, group_seq, project_seq, role_seq)
         select 1, case i % 2 when 0 then i else 0 end, case i % 2 when 1 then 1 + i % 5000 else 0 end, i % 5000, i from n;
         {numbers} insert into roles (org, seq, project_seq, id, name, permissions, created_at, updated_at)
         select 1, i, 0, 'role_' || i, 'Role ' || i, '[]', 0, 0 from n;
         {numbers} insert into usage_dimensions (org, series, seq, dimensions)
         select 1 + i % 20, 1, i, '[\"proj_' || i || '\"]' from n;
         {numbers} insert into usage_sums (org, series, width, begins_at, dimension_seq, sum_0, sum_1, sum_2, sum_3, sum_4,
             sum_5, sum_6, sum_7, sum_8, sum_9, sum_10, sum_11, sum_12, sum_13, sum_14, sum_15)
         select 1, 1, 60, 60 * i, 1, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i from n;
         {numbers} insert into usage_batches (org, id, records, recorded_at) select 1, 'batch_' || i, 1, 0 from n;
         {numbers} insert into service_accounts (org, seq, id, project_seq, user_seq, name, role, created_at)
         select 1, i, 'svc_acct_' || i, 1 + i % 5000, i, 'Account ' || i, 'member', 0 from n where i > 1000;
         {numbers} insert into api_keys (hash, org, id, name, redacted, scopes, created_at, project_seq, user_seq)
         select 'project_hash_' || i, 1, 'project_key_' || i, 'Key', '', '', 0, 1 + i % 5000, i from n where i > 1000;
         {numbers} insert into projects (org, seq, id, name, created_at)
         select 1, i, 'proj_' || i, 'Project ' || i, 0 from n;
         {numbers} insert into project_users (org, project_seq, user_seq, added_at)
         select 1, i % 5000, i, 0 from n where i % 5000 > 0;
         {numbers} insert into project_groups (org, project_seq, group_seq, created_at)
         select 1, 1 + i % 4999, 1 + i % 5000, 0 from n;
         {numbers} insert into certificates (org, seq, id, name, content, valid_at, expires_at, created_at, removed_at)
         select 1, i, 'cert_' || i, 'Certificate ' || i, '', 0, 0, 0, case when i > 40 then 0 end from n;
         {numbers} insert into certificate_activations (org, project_seq, certificate_seq)
         select 1, i % 5000, i from n where i < 5000;
         {numbers} insert into settings (org, project_seq, setting, value)
         select 1, i, 'spend_limit', '{{}}' from n where i > 1;
         {numbers} insert into spend_alerts (org, seq, id, project_seq, threshold_amount, currency, period, recipients, created_at)
         select 1, i, 'alert_' || i, i % 5000, 1, 'USD', 'month', '[]', 0 from n;
         {numbers} insert into rate_limits (org, project_seq, model, value)
         select 1, i, 'gpt-4o', '{{}}' from n where i > 1;
         {numbers} insert into invites (org, seq, id, email, email_key, role, projects, created_at, expires_at, user_seq)
         select 1, i, 'invite-' || i, 'invite_' || i, 'invite_' || i, 'reader', '[]', 0, 2000000000 * (i % 2),
                case i % 3 when 0 then i end from n;
         insert into sequences (org, kind, last) values (1, 'role', 20000), (1, 'project', 20000), (1, 'invite', 20000),
         (1, 'service_account', 20000), (1, 'certificate', 20000), (1, 'alert', 20000);
         update organizations set last_user_seq = 20000, last_group_seq = 5000;"
    ));
    // A PostgreSQL server analyzes its tables itself. SQLite does not, and plans without statistics.
    if let DatabaseUrl::Postgres(_) = database.url {
        database.execute("analyze");
    }
}

async fn every_operation(acme: &Tenant) {
    let (store, org) = (acme.store(), acme.org());
    for part in [Part::new().asc(), Part::new().desc()].map(|part| part.limit(100)) {
        acme.groups(part.after("group_2500")).await.unwrap();
        acme.members("group_1", part.after("user_10000")).await.unwrap();
        acme.groups_of("user_1", part.after("group_2500")).await.unwrap();
    }
    acme.users_with(100, Some("user_1"), &["user_2"]).await.unwrap();
    acme.users(100, Some("user_1")).await.unwrap();
    acme.group("group_1").await.unwrap();
    acme.user("user_1").await.unwrap();
    acme.member("group_1", "user_5000").await.unwrap();

    let key = IdempotencyKey { key: "key".to_owned(), request: String::new() };
    let (once, create) = (acme.database.stamp().once(Some(key)), CreateGroup::new(tenant::group_name("New")));
    let group = store.change(org, once, create).await.unwrap().id;
    acme.rename_group(group.as_str(), "Newer").await.unwrap();
    acme.create_user(json!({ "id": "user_new", "email": "new@example.com", "name": "" })).await.unwrap();
    acme.modify_user("user_new", json!({ "role": "owner" })).await.unwrap();
    acme.add(group.as_str(), "user_new").await.unwrap();
    acme.remove(group.as_str(), "user_new").await.unwrap();
    acme.delete_group(group.as_str()).await.unwrap();
    acme.delete_user("user_new").await.unwrap();
    acme.load(json!({ "users": [{ "email": "a@b" }], "groups": [{ "name": "G", "members": ["a@b"] }] }))
        .await
        .unwrap();
    let titled = json!({ "organization": { "id": "org-acme", "title": "Acme" } });
    store.load(acme.database.stamp(), serde_json::from_value(titled).unwrap()).await.unwrap();
    acme.dump().await;

    let last = acme.logs(json!({ "limit": 1 })).await.unwrap().first_id;
    let filter = json!({ "resource_ids[]": ["group_1", "user_1"], "event_types[]": ["group.created"] });
    for mut request in [json!({}), filter] {
        acme.logs(request.clone()).await.unwrap();
        request["after"] = json!(last);
        acme.logs(request.clone()).await.unwrap();
        request["before"] = request["after"].take();
        acme.logs(request).await.unwrap();
    }

    let (hash, redacted, name) = ("hash".to_owned(), "…".to_owned(), "Key".to_owned());
    let key = NewApiKey { hash, redacted, name, scopes: vec![], expires_at: None };
    let stamp = || acme.database.stamp();
    let id = store.create_api_key(org, stamp(), key.clone()).await.unwrap().id;
    store.find_api_key(key.hash.clone()).await.unwrap();
    store.touch_api_key(key.hash.clone(), stamp().at()).await.unwrap();
    store.list_api_keys(org).await.unwrap();
    store.delete_expired_answers(Stamp::at(&acme.database.stamp_at(90_000))).await.unwrap();
    store.revoke_api_key(org, stamp(), id).await.unwrap();
    for given in ["given", "given later"] {
        let given = NewApiKey { hash: given.to_owned(), ..key.clone() };
        store.set_bootstrap_api_key(org, stamp(), given).await.unwrap();
    }
    store.open_organization(stamp(), None).await.unwrap();
    every_operation_on_admin_api_keys(acme).await;
    every_operation_on_roles(acme).await;
    every_operation_on_projects(acme).await;
    every_operation_on_usage(acme).await;
    every_operation_on_certificates(acme).await;
    every_operation_on_invites(acme).await;
    every_operation_on_service_accounts(acme).await;
    every_operation_on_settings(acme).await;
    every_operation_on_access(acme).await;
}

async fn every_operation_on_access(acme: &Tenant) {
    let custom = json!({ "role_name": "Custom", "permissions": ["api.custom"] });
    let role = acme.change(CreateRole::new(serde_json::from_value(custom).unwrap())).await.unwrap().id;
    let body = PublicAssignOrganizationGroupRoleBody::new(role.clone());
    acme.change(AssignGroupRole::new("group_1".parse().unwrap(), body)).await.unwrap();
    for project in [json!(null), json!("proj_1")] {
        let request = json!({ "user_id": "user_1", "project_id": project });
        acme.read(serde_json::from_value::<RetrieveUserAccess>(request).unwrap()).await.unwrap();
        let check = json!({ "checks": [{ "user_id": "user_2000", "permission": "api.custom", "project_id": project }] });
        acme.read(CheckAccess::new(serde_json::from_value(check).unwrap())).await.unwrap();
        // Everyone has the first, members of projects the second, owners the third, and a group the fourth.
        for permission in ["api.groups.read", "api.groups.write", "api.management.read", "api.custom"] {
            let request =
                json!({ "permission": permission, "project_id": project, "limit": 100, "after": "user_1" });
            acme.read(serde_json::from_value::<ListPermissionUsers>(request).unwrap()).await.unwrap();
        }
    }
    acme.change(DeleteRole::new(role)).await.unwrap();
}

async fn every_operation_on_settings(acme: &Tenant) {
    let project: ProjectId = "proj_1".parse().unwrap();
    let body = json!({ "threshold_amount": 1, "currency": "USD", "interval": "month" });
    let update = UpdateProjectSpendLimit::new(project.clone(), serde_json::from_value(body).unwrap());
    acme.change(update).await.unwrap();
    acme.read(GetProjectSpendLimit::new(project.clone())).await.unwrap();
    acme.change(DeleteProjectSpendLimit::new(project.clone())).await.unwrap();
    let mut body = ProjectRateLimitUpdateRequest::new();
    body.max_requests_per_1_minute = Some(1.try_into().unwrap());
    acme.change(UpdateProjectRateLimit::new(project.clone(), "rl-o3".parse().unwrap(), body)).await.unwrap();
    acme.read(ListProjectRateLimits::new(project.clone())).await.unwrap();
    let body = json!({
        "threshold_amount": 1, "currency": "USD", "interval": "month",
        "notification_channel": { "type": "email", "recipients": ["a@b"] },
    });
    let mut request = json!({ "project_id": project, "body": body });
    let alert =
        acme.change(serde_json::from_value::<CreateProjectSpendAlert>(request.clone()).unwrap()).await;
    (request["alert_id"], request["body"]["threshold_amount"]) = (json!(alert.unwrap().id), json!(2));
    acme.read(serde_json::from_value::<RetrieveProjectSpendAlert>(request.clone()).unwrap()).await.unwrap();
    acme.change(serde_json::from_value::<UpdateProjectSpendAlert>(request.clone()).unwrap()).await.unwrap();
    acme.change(serde_json::from_value::<DeleteProjectSpendAlert>(request).unwrap()).await.unwrap();
    for order in ["asc", "desc"] {
        let list = json!({ "project_id": project, "order": order, "after": "alert_3", "before": "alert_9" });
        acme.read(serde_json::from_value::<ListProjectSpendAlerts>(list).unwrap()).await.unwrap();
    }
}

async fn every_operation_on_roles(acme: &Tenant) {
    let (store, org, stamp) = (acme.store(), acme.org(), || acme.database.stamp());
    let (user, group, role): (UserId, GroupId, RoleId) =
        ("user_1".parse().unwrap(), "group_2".parse().unwrap(), "role_2".parse().unwrap());
    for order in ["asc", "desc"] {
        let list: ListRoles =
            serde_json::from_value(json!({ "limit": 100, "order": order, "after": "role_100" })).unwrap();
        acme.read(list).await.unwrap();
    }
    let body = PublicCreateOrganizationRoleBody::new(RoleName::new("New").unwrap(), vec![]);
    let key = IdempotencyKey { key: "role".to_owned(), request: String::new() };
    let new = store.change(org, stamp().once(Some(key)), CreateRole::new(body)).await.unwrap().id;
    let mut update = PublicUpdateOrganizationRoleBody::default();
    update.role_name = Some(RoleName::new("Newer").unwrap());
    store.change(org, stamp(), UpdateRole::new(new.clone(), update)).await.unwrap();
    store
        .change(
            org,
            stamp(),
            AssignUserRole::new(user.clone(), PublicAssignOrganizationGroupRoleBody::new(new.clone())),
        )
        .await
        .unwrap();
    store
        .change(
            org,
            stamp(),
            AssignGroupRole::new(group.clone(), PublicAssignOrganizationGroupRoleBody::new(new.clone())),
        )
        .await
        .unwrap();
    acme.read(ListUserRoleAssignments::new(user.clone())).await.unwrap();
    acme.read(ListGroupRoleAssignments::new(group.clone())).await.unwrap();
    acme.read(RetrieveRole::new(role)).await.unwrap();
    store.change(org, stamp(), UnassignUserRole::new(user, new.clone())).await.unwrap();
    store.change(org, stamp(), UnassignGroupRole::new(group, new.clone())).await.unwrap();
    store.change(org, stamp(), DeleteRole::new(new)).await.unwrap();
}

async fn every_operation_on_projects(acme: &Tenant) {
    let new =
        acme.change(CreateProject::new(serde_json::from_value(json!({ "name": "New" })).unwrap())).await;
    let id = new.unwrap().id;
    for include_archived in [false, true] {
        let list = json!({ "limit": 100, "after": id, "include_archived": include_archived });
        acme.read(serde_json::from_value::<ListProjects>(list).unwrap()).await.unwrap();
    }
    acme.read(ListProjects::new()).await.unwrap();
    acme.read(RetrieveProject::new(id.clone())).await.unwrap();
    let body = serde_json::from_value(json!({ "name": "Newer" })).unwrap();
    acme.change(ModifyProject::new(id.clone(), body)).await.unwrap();
    every_operation_on_project_users(acme, &id).await;
    every_operation_on_project_groups(acme, &id).await;
    acme.change(ArchiveProject::new(id)).await.unwrap();
}

async fn every_operation_on_project_users(acme: &Tenant, project: &ProjectId) {
    let user = UserId::new("user_2").unwrap();
    let body = json!({ "user_id": user, "email": "user_2", "role": "member" });
    let body = serde_json::from_value(body).unwrap();
    acme.change(CreateProjectUser::new(project.clone(), body)).await.unwrap();
    for after in [json!(null), json!(user)] {
        let list = json!({ "project_id": project, "limit": 100, "after": after });
        acme.read(serde_json::from_value::<ListProjectUsers>(list).unwrap()).await.unwrap();
    }
    acme.read(RetrieveProjectUser::new(project.clone(), user.clone())).await.unwrap();
    let role = RoleId::new("role-api-project-owner").unwrap();
    let body = PublicAssignOrganizationGroupRoleBody::new(role.clone());
    acme.change(AssignProjectUserRole::new(project.clone(), user.clone(), body)).await.unwrap();
    acme.read(ListProjectUserRoleAssignments::new(project.clone(), user.clone())).await.unwrap();
    acme.read(RetrieveProjectUserRole::new(project.clone(), user.clone(), role.clone())).await.unwrap();
    acme.change(UnassignProjectUserRole::new(project.clone(), user.clone(), role)).await.unwrap();
    let owner = serde_json::from_value(json!({ "role": "owner" })).unwrap();
    acme.change(ModifyProjectUser::new(project.clone(), user.clone(), owner)).await.unwrap();
    acme.change(DeleteProjectUser::new(project.clone(), user)).await.unwrap();
}

async fn every_operation_on_project_groups(acme: &Tenant, project: &ProjectId) {
    let group = GroupId::new("group_2").unwrap();
    let body =
        serde_json::from_value(json!({ "group_id": group, "role": "role-api-project-member" })).unwrap();
    acme.change(AddProjectGroup::new(project.clone(), body)).await.unwrap();
    for (after, order) in [(json!(null), "asc"), (json!(group), "asc"), (json!(group), "desc")] {
        let list = json!({ "project_id": project, "limit": 100, "after": after, "order": order });
        acme.read(serde_json::from_value::<ListProjectGroups>(list).unwrap()).await.unwrap();
    }
    acme.read(RetrieveProjectGroup::new(project.clone(), group.clone())).await.unwrap();
    let role = RoleId::new("role-api-project-owner").unwrap();
    let body = PublicAssignOrganizationGroupRoleBody::new(role.clone());
    acme.change(AssignProjectGroupRole::new(project.clone(), group.clone(), body)).await.unwrap();
    acme.read(ListProjectGroupRoleAssignments::new(project.clone(), group.clone())).await.unwrap();
    acme.read(RetrieveProjectGroupRole::new(project.clone(), group.clone(), role.clone())).await.unwrap();
    acme.change(UnassignProjectGroupRole::new(project.clone(), group.clone(), role)).await.unwrap();
    acme.change(RemoveProjectGroup::new(project.clone(), group)).await.unwrap();
}

async fn every_operation_on_usage(acme: &Tenant) {
    let record = json!({ "time": 7, "input_tokens": 1, "output_tokens": 1, "num_model_requests": 1 });
    let batch = json!({ "batch_id": "1", "completions": [record] });
    acme.change(CreateUsageBatch::new(serde_json::from_value(batch).unwrap())).await.unwrap();
    let request = serde_json::from_value(json!({ "start_time": 7, "group_by": ["model"] }));
    let request: UsageCompletions = request.unwrap();
    acme.store().read(acme.org(), Timestamp::from_unix_seconds(90_000), request).await.unwrap();
}

async fn every_operation_on_certificates(acme: &Tenant) {
    let body = json!({ "name": "New", "certificate": certificate() });
    let id = acme.change(UploadCertificate::new(serde_json::from_value(body).unwrap())).await.unwrap().id;
    acme.read(GetCertificate::new(id.clone())).await.unwrap();
    let body = serde_json::from_value(json!({ "name": "Newer" })).unwrap();
    acme.change(ModifyCertificate::new(id.clone(), body)).await.unwrap();
    for order in ["asc", "desc"] {
        let list = json!({ "limit": 100, "after": id, "order": order, "project_id": "proj_1" });
        acme.read(serde_json::from_value::<ListOrganizationCertificates>(list.clone()).unwrap())
            .await
            .unwrap();
        acme.read(serde_json::from_value::<ListProjectCertificates>(list).unwrap()).await.unwrap();
    }
    let those = || ToggleCertificatesRequest::new(vec![id.clone()]);
    let project = || "proj_1".parse().unwrap();
    acme.change(ActivateProjectCertificates::new(project(), those())).await.unwrap();
    acme.change(ActivateOrganizationCertificates::new(those())).await.unwrap();
    acme.change(DeactivateProjectCertificates::new(project(), those())).await.unwrap();
    acme.change(DeactivateOrganizationCertificates::new(those())).await.unwrap();
    acme.change(DeleteCertificate::new(id.clone())).await.unwrap();
}

/// A certificate in PEM format that is valid for decades.
fn certificate() -> String {
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

async fn every_operation_on_invites(acme: &Tenant) {
    let new = json!({ "email": "new@example.com", "role": "reader" });
    let new = acme.change(InviteUser::new(serde_json::from_value(new).unwrap())).await.unwrap().id;
    let list = json!({ "limit": 100, "after": "invite-7" });
    acme.read(serde_json::from_value::<ListInvites>(list).unwrap()).await.unwrap();
    acme.read(ListInvites::new()).await.unwrap();
    acme.read(RetrieveInvite::new(new.clone())).await.unwrap();
    acme.change(DeleteInvite::new(new)).await.unwrap();
    let new = json!({ "email": "new@example.com", "role": "reader" });
    let new = acme.change(InviteUser::new(serde_json::from_value(new).unwrap())).await.unwrap().id;
    acme.change(AcceptInvite::new(new, AcceptInviteBody::new())).await.unwrap();
}

async fn every_operation_on_admin_api_keys(acme: &Tenant) {
    let body = serde_json::from_value(json!({ "name": "New" })).unwrap();
    let secret = Secret { value: "new".into(), hash: "new".to_owned(), redacted: "…".to_owned() };
    let stamp = acme.database.stamp().with_secret(secret);
    let key = acme.store().change(acme.org(), stamp, CreateAdminApiKey::new(body)).await.unwrap().id;
    for (after, order) in [(json!(null), "asc"), (json!(key), "asc"), (json!(key), "desc")] {
        let list = json!({ "limit": 100, "after": after, "order": order });
        acme.read(serde_json::from_value::<ListAdminApiKeys>(list).unwrap()).await.unwrap();
    }
    acme.read(RetrieveAdminApiKey::new(key.clone())).await.unwrap();
    acme.change(DeleteAdminApiKey::new(key)).await.unwrap();
}

async fn every_operation_on_service_accounts(acme: &Tenant) {
    let new =
        acme.change(CreateProject::new(serde_json::from_value(json!({ "name": "New" })).unwrap())).await;
    let project = new.unwrap().id;
    let create = |name: &str| {
        let body = serde_json::from_value(json!({ "name": name })).unwrap();
        let secret = Secret { value: name.into(), hash: name.to_owned(), redacted: "…".to_owned() };
        let stamp = acme.database.stamp().with_secret(secret);
        acme.store().change(acme.org(), stamp, CreateServiceAccount::new(project.clone(), body))
    };
    let account = create("One").await.unwrap();
    let (id, key) = (account.id, account.api_key.unwrap().id);
    for after in [json!(null), json!(id)] {
        let list = json!({ "project_id": project, "limit": 100, "after": after });
        acme.read(serde_json::from_value::<ListServiceAccounts>(list).unwrap()).await.unwrap();
    }
    acme.read(RetrieveServiceAccount::new(project.clone(), id.clone())).await.unwrap();
    for after in [json!(null), json!(key)] {
        let list = json!({ "project_id": project, "limit": 100, "after": after });
        acme.read(serde_json::from_value::<ListProjectApiKeys>(list).unwrap()).await.unwrap();
    }
    acme.read(RetrieveProjectApiKey::new(project.clone(), key.clone())).await.unwrap();
    let body = serde_json::from_value(json!({ "scopes": [], "expires_in_seconds": 60 })).unwrap();
    acme.change(UpdateProjectApiKey::new(project.clone(), key.clone(), body)).await.unwrap();
    acme.change(DeleteProjectApiKey::new(project.clone(), key)).await.unwrap();
    let body = serde_json::from_value(json!({ "name": "Hourly" })).unwrap();
    acme.change(UpdateServiceAccount::new(project.clone(), id.clone(), body)).await.unwrap();
    acme.change(DeleteServiceAccount::new(project.clone(), id)).await.unwrap();
    create("Two").await.unwrap();
    acme.change(ArchiveProject::new(project)).await.unwrap();
}

fn plan(database: &Database, sql: &str) -> Vec<String> {
    match database.url.clone() {
        DatabaseUrl::Sqlite(file) => {
            let connection = rusqlite::Connection::open(file).unwrap();
            let mut plan = connection.prepare(&format!("explain query plan {sql}")).unwrap();
            let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
            let lines = plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get("detail")).unwrap();
            lines.collect::<Result<_, _>>().unwrap()
        }
        DatabaseUrl::Postgres(_) => {
            // PostgreSQL plans the first uses of a statement for their values, and later ones for any.
            let (values, nulls) = (representative_values(sql), vec!["null"; parameters(sql)].join(", "));
            let nulls = if nulls.is_empty() { nulls } else { format!("({nulls})") };
            let mut literal = sql.to_owned();
            for (number, value) in values.iter().enumerate().rev() {
                literal = literal.replace(&format!("${}", number + 1), value);
            }
            let mut lines = database.texts(&format!("explain (costs off) {literal}"));
            lines.extend(database.last_texts(&[
                "set plan_cache_mode = force_generic_plan",
                &format!("prepare any_values as {sql}"),
                &format!("explain (costs off) execute any_values{nulls}"),
            ]));
            lines
        }
    }
}

fn parameters(sql: &str) -> usize {
    (1..).take_while(|number| sql.contains(&format!("${number}"))).count()
}

/// A page of 100 from the start of the first group, the large one; otherwise the second group, because deleting the
/// large group reads the whole table.
fn representative_values(sql: &str) -> Vec<&'static str> {
    let is_array = |number: usize| {
        ["bigint", "text", "boolean"].iter().any(|of| sql.contains(&format!("${number}::{of}[]")))
    };
    let value = |number: usize| {
        // Must not replace `<>` as `>`, nor the tenth parameter as the first.
        let after = |before: &str| {
            let wanted = format!(" {before} ${number}");
            sql.match_indices(&wanted)
                .any(|(at, found)| !sql[at + found.len()..].starts_with(|next: char| next.is_ascii_digit()))
        };
        if is_array(number) {
            "'{1}'"
        } else if after("limit") {
            "101"
        } else if after(">") {
            "0"
        } else if after("<") {
            "9223372036854775807"
        } else if after("org =") || sql.contains("limit") {
            // Untyped, so that it fits a number or a text.
            "'1'"
        } else {
            "'2'"
        }
    };
    (1..=parameters(sql)).map(value).collect()
}

/// Steps that read little: an organization (there are few), the keys of a page (`m`), and steps without a table.
const CHEAP: [&str; 8] = [
    // The values of a filter.
    "SCAN json_each",
    "Seq Scan on organizations",
    "SCAN organizations",
    "SEARCH organizations",
    "SEARCH o ",
    "SCAN m",
    "SCAN (subquery",
    "SCAN CONSTANT ROW",
];

fn is_costly(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("->").trim_start();
    if CHEAP.iter().any(|cheap| line.starts_with(cheap)) {
        return false;
    }
    // SQLite.
    let reads_all = line.starts_with("SCAN ") || line.ends_with("(org=?)");
    let builds = line.contains("USE TEMP B-TREE") || line.contains("AUTOMATIC");
    // PostgreSQL.
    let node = ["Seq Scan", "Sort", "Merge Join", "Hash"].iter().any(|node| line.starts_with(node));
    let reads_an_organization = line == "Index Cond: (org = $1)" || line == "Index Cond: (org = '1'::bigint)";
    reads_all || builds || node || reads_an_organization
}

fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite | Engine::Memory => "sqlite",
        Engine::Postgres | Engine::PostgresOwnDatabase => "postgres",
    }
}

/// The statements that the store has prepared, with the name of the engine's thread.
static STATEMENTS: Mutex<BTreeSet<(&'static str, String)>> = Mutex::new(BTreeSet::new());
/// Held by the test that checks the recorded statements, if several run in one process.
static TURN: Mutex<()> = Mutex::new(());
/// The statements that SQLite has planned again since their first use.
static REPLANNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Statements;

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.fields().field("sql").is_some()
    }
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Noting::default());
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Noting {
    sql: String,
}

impl tracing::field::Visit for Noting {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
    fn record_str(&mut self, field: &Field, text: &str) {
        let thread = std::thread::current();
        let engines = [Engine::Sqlite, Engine::Postgres].map(name);
        // Migrations run on a thread with another name.
        let engine =
            engines.into_iter().find(|engine| thread.name().is_some_and(|name| name.starts_with(engine)));
        if let (Some(engine), "sql") = (engine, field.name()) {
            STATEMENTS.lock().unwrap().insert((engine, text.to_owned()));
            self.sql = text.to_owned();
        }
    }
    fn record_i64(&mut self, field: &Field, times: i64) {
        if field.name() == "replanned" && times > 0 {
            REPLANNED.lock().unwrap().insert(std::mem::take(&mut self.sql));
        }
    }
}
