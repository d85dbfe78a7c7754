//! Runs every operation once, so that each of its statements is seen.

use openai_admin::{
    GroupId, Order, ProjectId, RoleId, Timestamp, UserId,
    models::{
        AcceptInviteBody, LookUpNamesBody, ProjectRateLimitUpdateRequest,
        PublicAssignOrganizationGroupRoleBody, PublicCreateOrganizationRoleBody,
        PublicUpdateOrganizationRoleBody, ToggleCertificatesRequest, UpdateWorkloadIdentityProviderBody,
    },
    operations::{
        AcceptInvite, ActivateOrganizationCertificates, ActivateProjectCertificates, AddProjectGroup,
        ArchiveProject, AssignGroupRole, AssignProjectGroupRole, AssignProjectUserRole, AssignUserRole,
        CheckAccess, CreateAdminApiKey, CreateExternalKey, CreateExternalStorage, CreateFederationRule,
        CreateGroup, CreateProject, CreateProjectSpendAlert, CreateProjectUser, CreateRole,
        CreateServiceAccount, CreateUsageBatch, CreateWorkloadIdentityProvider,
        DeactivateOrganizationCertificates, DeactivateProjectCertificates, DeleteAdminApiKey,
        DeleteCertificate, DeleteExternalKey, DeleteExternalStorage, DeleteFederationRule, DeleteInvite,
        DeleteProjectApiKey, DeleteProjectSpendAlert, DeleteProjectSpendLimit, DeleteProjectUser, DeleteRole,
        DeleteServiceAccount, DeleteWorkloadIdentityProvider, GetCertificate, GetProjectSpendLimit,
        InviteUser, ListAdminApiKeys, ListExternalKeys, ListExternalStorage, ListFederationRules,
        ListGroupRoleAssignments, ListInvites, ListOrganizationCertificates, ListPermissionUsers,
        ListProjectApiKeys, ListProjectCertificates, ListProjectGroupRoleAssignments, ListProjectGroups,
        ListProjectRateLimits, ListProjectSpendAlerts, ListProjectUserRoleAssignments, ListProjectUsers,
        ListProjects, ListRoles, ListServiceAccounts, ListUserRoleAssignments, ListWorkloadIdentityProviders,
        LookUpNames, ModifyCertificate, ModifyProject, ModifyProjectUser, RemoveProjectGroup,
        RetrieveAdminApiKey, RetrieveCounts, RetrieveExternalKey, RetrieveExternalStorage,
        RetrieveFederationRule, RetrieveInvite, RetrieveProject, RetrieveProjectApiKey, RetrieveProjectGroup,
        RetrieveProjectGroupRole, RetrieveProjectSpendAlert, RetrieveProjectUser, RetrieveProjectUserRole,
        RetrieveRole, RetrieveServiceAccount, RetrieveUserAccess, RetrieveWorkloadIdentityProvider,
        SearchGroupUsers, SearchGroups, SearchUsers, UnassignGroupRole, UnassignProjectGroupRole,
        UnassignProjectUserRole, UnassignUserRole, UpdateFederationRule, UpdateProjectApiKey,
        UpdateProjectRateLimit, UpdateProjectSpendAlert, UpdateProjectSpendLimit, UpdateRole,
        UpdateServiceAccount, UpdateWorkloadIdentityProvider, UploadCertificate, UsageCompletions,
        roles::RoleName, search::SearchText,
    },
};

use openai_admin_store::{IdempotencyKey, NewApiKey, Secret, Stamp};
use serde_json::{Value, json};

use crate::tenant::{self, Part, Tenant};

pub(crate) async fn every_operation(acme: &Tenant) {
    let (store, org) = (acme.store(), acme.org());
    for part in [Part::new().asc(), Part::new().desc()].map(|part| part.limit(100)) {
        acme.groups(part.after("group_2500")).await.unwrap();
        acme.members("group_1", part.after("user_9000")).await.unwrap();
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
    for user in ["user_1", "user_new"] {
        acme.modify_user(user, json!({ "role": "owner" })).await.unwrap();
    }
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
    every_operation_on_external_keys(acme).await;
    every_operation_on_workload_identity(acme).await;
    every_operation_on_external_storage(acme).await;
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
    let ids = vec!["user_1".to_owned(), "group_1".to_owned(), role.to_string()];
    acme.read(LookUpNames::new(LookUpNamesBody::new(ids))).await.unwrap();
    acme.read(RetrieveCounts::new()).await.unwrap();
    let text = || SearchText::new("user_1").unwrap();
    acme.read(SearchUsers::new(text())).await.unwrap();
    acme.read(SearchUsers::new(SearchText::new("user_1@example.com").unwrap())).await.unwrap();
    for order in [Order::Asc, Order::Desc] {
        let mut groups = SearchGroups::new(text());
        groups.order = Some(order);
        acme.read(groups).await.unwrap();
        let mut members = SearchGroupUsers::new("group_1".parse().unwrap(), text());
        members.order = Some(order);
        acme.read(members).await.unwrap();
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
        let list =
            json!({ "project_id": project, "order": order, "after": "alert_1", "before": "alert_5001" });
        acme.read(serde_json::from_value::<ListProjectSpendAlerts>(list).unwrap()).await.unwrap();
    }
}

async fn every_operation_on_external_keys(acme: &Tenant) {
    let body = json!({ "type": "aws", "name": "Key", "role_arn": "role", "kms_arn": "key", "external_id": "org-acme" });
    let request: CreateExternalKey = serde_json::from_value(json!({ "body": body })).unwrap();
    let id = acme.change(request).await.unwrap().id;
    acme.read(RetrieveExternalKey::new(id.clone())).await.unwrap();
    for order in ["asc", "desc"] {
        for purpose in [json!(null), json!("ekm")] {
            let list = json!({ "order": order, "after": "extkey_300", "purpose": purpose });
            acme.read(serde_json::from_value::<ListExternalKeys>(list).unwrap()).await.unwrap();
        }
    }
    acme.change(DeleteExternalKey::new(id)).await.unwrap();
}

async fn every_operation_on_workload_identity(acme: &Tenant) {
    let body =
        json!({ "type": "oidc", "name": "CI", "issuer": "https://ci.example.com", "audience": "openai" });
    let request: CreateWorkloadIdentityProvider = serde_json::from_value(json!({ "body": body })).unwrap();
    let id = acme.change(request).await.unwrap().id;
    acme.read(RetrieveWorkloadIdentityProvider::new(id.clone())).await.unwrap();
    let mut body = UpdateWorkloadIdentityProviderBody::new();
    body.enabled = Some(false);
    acme.change(UpdateWorkloadIdentityProvider::new(id.clone(), body)).await.unwrap();
    for order in ["asc", "desc"] {
        let list = json!({ "order": order, "after": "wip_300" });
        acme.read(serde_json::from_value::<ListWorkloadIdentityProviders>(list).unwrap()).await.unwrap();
    }
    every_operation_on_federation_rules(acme, json!(id)).await;
    acme.change(DeleteWorkloadIdentityProvider::new(id)).await.unwrap();
}

async fn every_operation_on_external_storage(acme: &Tenant) {
    let provider = json!({ "type": "aws", "bucket": "acme", "role_arn": "role" });
    let body = json!({ "project_id": "proj_default_org-acme", "provider": provider });
    let request: CreateExternalStorage = serde_json::from_value(json!({ "body": body })).unwrap();
    let id = acme.change(request).await.unwrap().id;
    acme.read(RetrieveExternalStorage::new(id.clone())).await.unwrap();
    for order in ["asc", "desc"] {
        for project_id in [json!(null), json!("proj_300")] {
            let list = json!({ "order": order, "after": "extstorage_300", "project_id": project_id });
            acme.read(serde_json::from_value::<ListExternalStorage>(list).unwrap()).await.unwrap();
        }
    }
    acme.change(DeleteExternalStorage::new(id)).await.unwrap();
}

async fn every_operation_on_federation_rules(acme: &Tenant, provider: Value) {
    let body = json!({
        "project_id": "proj_1002", "service_account_id": "svc_acct_1001", "attribute_matchers": { "sub": "main" },
    });
    let mut request = json!({ "workload_identity_provider_id": provider, "body": body });
    let rule = acme.change(serde_json::from_value::<CreateFederationRule>(request.clone()).unwrap()).await;
    request["workload_identity_federation_rule_id"] = json!(rule.unwrap().id);
    acme.read(serde_json::from_value::<RetrieveFederationRule>(request.clone()).unwrap()).await.unwrap();
    request["body"] = json!({ "enabled": false });
    acme.change(serde_json::from_value::<UpdateFederationRule>(request.clone()).unwrap()).await.unwrap();
    for order in ["asc", "desc"] {
        for account in [json!(null), json!("svc_acct_1001")] {
            let list = json!({
                "workload_identity_provider_id": "wip_1002", "order": order, "after": "wifr_1001",
                "service_account_id": account,
            });
            acme.read(serde_json::from_value::<ListFederationRules>(list).unwrap()).await.unwrap();
        }
    }
    acme.change(serde_json::from_value::<DeleteFederationRule>(request).unwrap()).await.unwrap();
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
    let record = json!({ "time": 7, "usage_bytes": 1 });
    let batch = json!({ "batch_id": "2", "completions": [], "vector_stores": [record] });
    acme.change(CreateUsageBatch::new(serde_json::from_value(batch).unwrap())).await.unwrap();
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
