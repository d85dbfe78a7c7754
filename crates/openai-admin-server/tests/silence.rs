//! The log contains no personal data and no keys. A process has one log, so this test is a separate program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use openai_admin::{
    Client, Cursor, GroupId, InviteRole, OrganizationDataRetentionType, ProjectDataRetentionType, ProjectId,
    ServiceAccountId, SpendLimitCurrency, SpendLimitInterval, UserId, WorkloadIdentityProviderId,
    models::{
        CreateGroupBody, CreateGroupUserBody, CreateSpendAlertBody, InviteRequest, LookUpNamesBody,
        ProjectHostedToolPermissionsUpdateRequest, PublicAssignOrganizationGroupRoleBody,
        PublicCreateOrganizationRoleBody, ToggleCertificatesRequest, UpdateOrganizationDataRetentionBody,
        UpdateOrganizationSpendLimitBody, UpdateProjectDataRetentionBody,
    },
    operations::{
        ActivateOrganizationCertificates, ActivateProjectCertificates, ArchiveProject, AssignGroupRole,
        AssignUserRole, CreateProject, CreateRole, CreateServiceAccount, DeactivateOrganizationCertificates,
        DeactivateProjectCertificates, DeleteCertificate, DeleteProjectApiKey, DeleteRole,
        DeleteServiceAccount, GetCertificate, ListGroupRoleAssignments, ListOrganizationCertificates,
        ListProjectApiKeys, ListProjectCertificates, ListProjects, ListRoles, ListServiceAccounts,
        ListUserRoleAssignments, ModifyCertificate, ModifyProject, RetrieveGroupRole, RetrieveProject,
        RetrieveProjectApiKey, RetrieveRole, RetrieveServiceAccount, RetrieveUserRole, UnassignGroupRole,
        UnassignUserRole, UpdateRole, UploadCertificate,
    },
};
use openai_admin_server::{Config, Minter, Server, Tls, api_keys, operations, testing::CERTIFICATE};
use openai_admin_store::Store;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tracing_subscriber::fmt::MakeWriter;

/// A marker in every name, address, id and key of the test, and nowhere else.
const MARK: &str = "quellenmark";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A server on a port, with or without HTTPS.
struct Running {
    client: Client,
    address: std::net::SocketAddr,
    key: String,
    store: Store,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<io::Result<()>>,
    folder: tempfile::TempDir,
}

async fn start(encrypted: bool) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let url = format!("sqlite:{}", path("test.db").display()).parse().unwrap();
    let (store, minter) = (Store::open(&url).await.unwrap(), Minter::system());
    let organization = store.open_organization(minter.stamp("test"), None).await.unwrap();
    let (key, new) = api_keys::mint(&minter, MARK, api_keys::all_scopes(), None);
    store.create_api_key(organization.org, minter.stamp("test"), new).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = Client::builder().key(&key).retries(0).base_url(format!("http://{address}/v1"));
    let mut tls = None;
    if encrypted {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(path("cert.pem"), own.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), own.signing_key.serialize_pem()).unwrap();
        tls = Some(Tls::open(&path("cert.pem"), &path("key.pem"), minter.now()).unwrap());
        let base_url = format!("https://localhost:{}/v1", address.port());
        client = client.base_url(base_url).root_certificates_pem(own.cert.pem()).http2();
    }
    let (stop, stopped) = oneshot::channel();
    let server = Server::new(store.clone(), minter, Config::default());
    let done = tokio::spawn(async move { server.run(listener, tls, async { drop(stopped.await) }).await });
    Running { client: client.build().unwrap(), address, key, store, stop, done, folder }
}

/// Calls every operation once, with personal data in every field.
async fn use_everything(client: &Client) {
    let name = format!("{MARK} Team");
    let user_id: openai_admin::UserId = format!("user_{MARK}").parse().unwrap();
    let create = serde_json::json!({
        "id": user_id.as_str(),
        "name": format!("Ada {MARK}"),
        "email": format!("ada@{MARK}.example"),
        "technical_level": MARK,
    });
    client.users().create_user(serde_json::from_value(create).unwrap()).await.unwrap();
    let group =
        client.groups().create_group(CreateGroupBody::new((&*name).try_into().unwrap())).await.unwrap();
    let id = &group.id;
    let renamed = format!("{MARK} 2");
    client.groups().update_group(id.clone(), renamed).await.unwrap();
    client.groups().retrieve_group(id.clone()).await.unwrap();
    client.groups().list_groups().await.unwrap();
    client.audit_logs().list_audit_logs().await.unwrap();
    let members = client.group_users();
    members.add_group_user(id.clone(), CreateGroupUserBody::new(user_id.clone())).await.unwrap();
    let after: Cursor = format!("user_{MARK}").parse().unwrap();
    members.list_group_users(id.clone()).after(after).await.unwrap();
    members.retrieve_group_user(id.clone(), user_id.clone()).await.unwrap();
    let users = client.users();
    let email = format!("ada@{MARK}.example");
    users.list_users().emails([email]).await.unwrap();
    users.retrieve_user(user_id.clone()).await.unwrap();
    let change = serde_json::from_value(serde_json::json!({ "developer_persona": MARK })).unwrap();
    users.modify_user(user_id.clone(), change).await.unwrap();
    users.list_user_groups(user_id.clone()).await.unwrap();
    use_roles(client, id, &user_id).await;
    use_projects(client, id, &user_id).await;
    use_access(client, &user_id).await;
    use_usage(client).await;
    use_certificates(client).await;
    use_invites(client).await;
    use_settings(client).await;
    members.remove_group_user(id.clone(), user_id.clone()).await.unwrap();
    users.delete_user(user_id.clone()).await.unwrap();
    // Refused requests.
    users.retrieve_user(user_id.clone()).await.unwrap_err();
    members.retrieve_group_user(id.clone(), user_id).await.unwrap_err();
    client.groups().delete_group(id.clone()).await.unwrap();
}

async fn use_usage(client: &Client) {
    let record = serde_json::json!({ "time": 0, "user_id": MARK, "input_tokens": 1, "output_tokens": 1, "num_model_requests": 1 });
    let batch = serde_json::json!({ "batch_id": MARK, "completions": [record] });
    client.usage().create_usage_batch(serde_json::from_value(batch).unwrap()).await.unwrap();
    let (usage, start) = (client.usage(), openai_admin::Timestamp::from_unix_seconds(0));
    usage.usage_audio_speeches(start).await.unwrap();
    usage.usage_audio_transcriptions(start).await.unwrap();
    usage.usage_code_interpreter_sessions(start).await.unwrap();
    usage.usage_completions(start).await.unwrap();
    usage.usage_costs(start).await.unwrap();
    usage.usage_decisions(start).await.unwrap();
    usage.usage_embeddings(start).await.unwrap();
    usage.usage_file_search_calls(start).await.unwrap();
    usage.usage_images(start).await.unwrap();
    usage.usage_moderations(start).await.unwrap();
    usage.usage_vector_stores(start).await.unwrap();
    usage.usage_web_search_calls(start).await.unwrap();
}

async fn use_roles(client: &Client, group_id: &GroupId, user_id: &UserId) {
    let name = format!("{MARK} Role");
    let body = PublicCreateOrganizationRoleBody::new((&*name).try_into().unwrap(), vec![]);
    let role = client.send(&CreateRole::new(body)).await.unwrap().id.clone();
    client.send(&ListRoles::new()).await.unwrap();
    client.send(&RetrieveRole::new(role.clone())).await.unwrap();
    let update = serde_json::from_value(serde_json::json!({ "description": MARK })).unwrap();
    client.send(&UpdateRole::new(role.clone(), update)).await.unwrap();
    client
        .send(&AssignGroupRole::new(
            group_id.clone(),
            PublicAssignOrganizationGroupRoleBody::new(role.clone()),
        ))
        .await
        .unwrap();
    client
        .send(&AssignUserRole::new(user_id.clone(), PublicAssignOrganizationGroupRoleBody::new(role.clone())))
        .await
        .unwrap();
    client.send(&ListGroupRoleAssignments::new(group_id.clone())).await.unwrap();
    client.send(&ListUserRoleAssignments::new(user_id.clone())).await.unwrap();
    client.send(&RetrieveGroupRole::new(group_id.clone(), role.clone())).await.unwrap();
    client.send(&RetrieveUserRole::new(user_id.clone(), role.clone())).await.unwrap();
    client.send(&UnassignGroupRole::new(group_id.clone(), role.clone())).await.unwrap();
    client.send(&UnassignUserRole::new(user_id.clone(), role.clone())).await.unwrap();
    client.send(&DeleteRole::new(role)).await.unwrap();
}

async fn use_projects(client: &Client, group_id: &GroupId, user_id: &UserId) {
    let body = |json| serde_json::from_value(json).unwrap();
    let create = CreateProject::new(serde_json::from_value(serde_json::json!({ "name": MARK })).unwrap());
    let project = client.send(&create).await.unwrap().id.clone();
    client.send(&ListProjects::new()).await.unwrap();
    client.send(&RetrieveProject::new(project.clone())).await.unwrap();
    let change = body(serde_json::json!({ "external_key_id": MARK }));
    client.send(&ModifyProject::new(project.clone(), change)).await.unwrap();
    use_service_accounts(client, &project).await;
    use_project_users(client, &project, user_id).await;
    use_project_groups(client, &project, group_id).await;
    use_project_roles(client, &project).await;
    client.send(&ArchiveProject::new(project)).await.unwrap();
}

async fn use_project_users(client: &Client, project: &ProjectId, user: &UserId) {
    let users = client.project_users();
    let body = serde_json::json!({ "user_id": user, "role": "member" });
    users.create_project_user(project.clone(), serde_json::from_value(body.clone()).unwrap()).await.unwrap();
    users.create_project_user(project.clone(), serde_json::from_value(body).unwrap()).await.unwrap_err();
    users.list_project_users(project.clone()).await.unwrap();
    users.retrieve_project_user(project.clone(), user.clone()).await.unwrap();
    let (roles, role) = (client.project_user_roles(), "role-api-project-owner");
    let body: PublicAssignOrganizationGroupRoleBody =
        serde_json::from_value(serde_json::json!({ "role_id": role })).unwrap();
    roles.assign_project_user_role(project.clone(), user.clone(), body).await.unwrap();
    roles.list_project_user_role_assignments(project.clone(), user.clone()).await.unwrap();
    roles.retrieve_project_user_role(project.clone(), user.clone(), role).await.unwrap();
    roles.unassign_project_user_role(project.clone(), user.clone(), role).await.unwrap();
    let owner = serde_json::from_value(serde_json::json!({ "role": "owner" })).unwrap();
    users.modify_project_user(project.clone(), user.clone(), owner).await.unwrap();
    users.delete_project_user(project.clone(), user.clone()).await.unwrap();
    users.delete_project_user(project.clone(), user.clone()).await.unwrap_err();
}

async fn use_project_groups(client: &Client, project: &ProjectId, group: &GroupId) {
    let groups = client.project_groups();
    let body = serde_json::json!({ "group_id": group, "role": "role-api-project-member" });
    groups.add_project_group(project.clone(), serde_json::from_value(body.clone()).unwrap()).await.unwrap();
    groups.add_project_group(project.clone(), serde_json::from_value(body).unwrap()).await.unwrap_err();
    groups.list_project_groups(project.clone()).await.unwrap();
    groups.retrieve_project_group(project.clone(), group.clone()).await.unwrap();
    let (roles, role) = (client.project_group_roles(), "role-api-project-owner");
    let body: PublicAssignOrganizationGroupRoleBody =
        serde_json::from_value(serde_json::json!({ "role_id": role })).unwrap();
    roles.assign_project_group_role(project.clone(), group.clone(), body).await.unwrap();
    roles.list_project_group_role_assignments(project.clone(), group.clone()).await.unwrap();
    roles.retrieve_project_group_role(project.clone(), group.clone(), role).await.unwrap();
    roles.unassign_project_group_role(project.clone(), group.clone(), role).await.unwrap();
    groups.remove_project_group(project.clone(), group.clone()).await.unwrap();
    groups.remove_project_group(project.clone(), group.clone()).await.unwrap_err();
}

async fn use_project_roles(client: &Client, project: &ProjectId) {
    let roles = client.project_roles();
    let body = serde_json::json!({ "role_name": MARK, "permissions": [] });
    let body = serde_json::from_value(body).unwrap();
    let role = roles.create_project_role(project.clone(), body).await.unwrap().id.clone();
    roles.list_project_roles(project.clone()).await.unwrap();
    roles.retrieve_project_role(project.clone(), role.clone()).await.unwrap();
    let update = serde_json::from_value(serde_json::json!({ "description": MARK })).unwrap();
    roles.update_project_role(project.clone(), role.clone(), update).await.unwrap();
    roles.delete_project_role(project.clone(), role).await.unwrap();
}

async fn use_certificates(client: &Client) {
    let project = client.send(&ListProjects::new()).await.unwrap().data[0].id.clone();
    let body = serde_json::json!({ "name": MARK, "certificate": CERTIFICATE });
    let upload = UploadCertificate::new(serde_json::from_value(body).unwrap());
    let id = client.send(&upload).await.unwrap().id.clone();
    client.send(&ListOrganizationCertificates::new()).await.unwrap();
    client.send(&ListProjectCertificates::new(project.clone())).await.unwrap();
    client.send(&GetCertificate::new(id.clone())).await.unwrap();
    let rename = serde_json::from_value(serde_json::json!({ "name": format!("{MARK} 2") })).unwrap();
    client.send(&ModifyCertificate::new(id.clone(), rename)).await.unwrap();
    let those = || ToggleCertificatesRequest::new(vec![id.clone()]);
    client.send(&ActivateOrganizationCertificates::new(those())).await.unwrap();
    client.send(&DeactivateOrganizationCertificates::new(those())).await.unwrap();
    client.send(&ActivateProjectCertificates::new(project.clone(), those())).await.unwrap();
    client.send(&DeactivateProjectCertificates::new(project, those())).await.unwrap();
    client.send(&DeleteCertificate::new(id)).await.unwrap();
}

async fn use_settings(client: &Client) {
    let project = || client.projects().list_projects();
    let project = project().await.unwrap().data[0].id.clone();
    let body = UpdateOrganizationSpendLimitBody::new(
        5.try_into().unwrap(),
        SpendLimitCurrency::Usd,
        SpendLimitInterval::Month,
    );
    let limits = client.spend_limits();
    limits.update_organization_spend_limit(body.clone()).await.unwrap();
    limits.get_organization_spend_limit().await.unwrap();
    limits.delete_organization_spend_limit().await.unwrap();
    limits.update_project_spend_limit(project.clone(), body).await.unwrap();
    limits.get_project_spend_limit(project.clone()).await.unwrap();
    limits.delete_project_spend_limit(project.clone()).await.unwrap();
    let body = |json| serde_json::from_value(json).unwrap();
    let (retention, models, tools) =
        (client.data_retention(), client.model_permissions(), client.hosted_tools());
    let zero = UpdateOrganizationDataRetentionBody::new(OrganizationDataRetentionType::ZeroDataRetention);
    retention.update_organization_data_retention(zero).await.unwrap();
    retention.retrieve_organization_data_retention().await.unwrap();
    let zero = UpdateProjectDataRetentionBody::new(ProjectDataRetentionType::ZeroDataRetention);
    retention.update_project_data_retention(project.clone(), zero).await.unwrap();
    retention.retrieve_project_data_retention(project.clone()).await.unwrap();
    let marked = serde_json::json!({ "mode": "deny_list", "model_ids": [MARK] });
    models.update_project_model_permissions(project.clone(), body(marked)).await.unwrap();
    models.retrieve_project_model_permissions(project.clone()).await.unwrap();
    models.delete_project_model_permissions(project.clone()).await.unwrap();
    let none = ProjectHostedToolPermissionsUpdateRequest::new();
    tools.update_project_hosted_tool_permissions(project.clone(), none).await.unwrap();
    tools.retrieve_project_hosted_tool_permissions(project.clone()).await.unwrap();
    let limits = client.rate_limits();
    limits.list_project_rate_limits(project.clone()).await.unwrap();
    let blocked = serde_json::from_value(serde_json::json!({ "max_requests_per_1_minute": 0 })).unwrap();
    limits.update_project_rate_limit(project.clone(), "rl-o3", blocked).await.unwrap();
    use_spend_alerts(client, &project).await;
    use_external_keys(client).await;
    use_workload_identity_providers(client).await;
    use_external_storage(client, &project).await;
    let tiers = client.service_tiers();
    let standard = serde_json::from_value(serde_json::json!({ "default": "standard" })).unwrap();
    tiers.update_project_service_tier_settings(project.clone(), standard).await.unwrap();
    tiers.retrieve_project_service_tier_settings(project).await.unwrap();
}

async fn use_spend_alerts(client: &Client, project: &ProjectId) {
    let alerts = client.spend_alerts();
    let body: CreateSpendAlertBody = serde_json::from_value(serde_json::json!({
        "threshold_amount": 1, "currency": "USD", "interval": "month",
        "notification_channel": {
            "type": "email", "recipients": [format!("ada@{MARK}.example")], "subject_prefix": MARK,
        },
    }))
    .unwrap();
    let id = alerts.create_organization_spend_alert(body.clone()).await.unwrap().id.clone();
    alerts.list_organization_spend_alerts().await.unwrap();
    alerts.retrieve_organization_spend_alert(&id).await.unwrap();
    alerts.update_organization_spend_alert(&id, body.clone()).await.unwrap();
    alerts.delete_organization_spend_alert(&id).await.unwrap();
    let id = alerts.create_project_spend_alert(project, body.clone()).await.unwrap().id.clone();
    alerts.list_project_spend_alerts(project).await.unwrap();
    alerts.retrieve_project_spend_alert(project, &id).await.unwrap();
    alerts.update_project_spend_alert(project, &id, body).await.unwrap();
    alerts.delete_project_spend_alert(project, &id).await.unwrap();
}

async fn use_external_keys(client: &Client) {
    let keys = client.external_keys();
    let body = serde_json::from_value(serde_json::json!({
        "type": "azure", "name": MARK, "tenant_id": MARK, "vault_uri": MARK, "key_name": MARK,
    }));
    let id = keys.create_external_key(body.unwrap()).await.unwrap().id.clone();
    keys.list_external_keys().await.unwrap();
    keys.retrieve_external_key(&id).await.unwrap();
    keys.validate_external_key(&id).await.unwrap_err();
    keys.delete_external_key(&id).await.unwrap();
}

async fn create_provider(client: &Client) -> WorkloadIdentityProviderId {
    let body = serde_json::from_value(serde_json::json!({
        "type": "oidc", "name": MARK, "issuer": MARK, "audience": MARK, "description": MARK,
        "attribute_transformations": [{ "attribute": MARK, "expression": MARK }],
        "verification": { "type": "uploaded_jwks", "jwks": { "keys": [MARK] } },
    }));
    let providers = client.workload_identity_providers();
    providers.create_workload_identity_provider(body.unwrap()).await.unwrap().id.clone()
}

async fn use_workload_identity_providers(client: &Client) {
    let (providers, id) = (client.workload_identity_providers(), create_provider(client).await);
    providers.list_workload_identity_providers().await.unwrap();
    providers.retrieve_workload_identity_provider(&id).await.unwrap();
    let body = serde_json::from_value(serde_json::json!({ "audience": MARK, "description": null }));
    providers.update_workload_identity_provider(&id, body.unwrap()).await.unwrap();
    providers.delete_workload_identity_provider(&id).await.unwrap();
}

async fn use_external_storage(client: &Client, project: &ProjectId) {
    let storages = client.external_storage();
    let body = serde_json::from_value(serde_json::json!({
        "project_id": project, "provider": { "type": "aws", "bucket": MARK, "role_arn": MARK },
    }));
    let id = storages.create_external_storage(body.unwrap()).await.unwrap().id.clone();
    storages.list_external_storage().await.unwrap();
    storages.retrieve_external_storage(&id).await.unwrap();
    storages.validate_external_storage(&id).await.unwrap_err();
    storages.delete_external_storage(&id).await.unwrap();
}

async fn use_federation_rules(client: &Client, project: &ProjectId, account: &ServiceAccountId) {
    let (rules, provider) = (client.federation_rules(), create_provider(client).await);
    let body = serde_json::from_value(serde_json::json!({
        "project_id": project, "service_account_id": account, "attribute_matchers": { MARK: MARK },
        "name": MARK, "description": MARK, "permissions": { "type": "restricted", "scopes": [MARK] },
    }));
    let id = rules.create_federation_rule(&provider, body.unwrap()).await.unwrap().id.clone();
    rules.list_federation_rules(&provider).await.unwrap();
    rules.retrieve_federation_rule(&provider, &id).await.unwrap();
    let body =
        serde_json::from_value(serde_json::json!({ "attribute_matchers": { MARK: true }, "name": null }));
    rules.update_federation_rule(&provider, &id, body.unwrap()).await.unwrap();
    rules.delete_federation_rule(&provider, &id).await.unwrap();
}

async fn use_access(client: &Client, user_id: &UserId) {
    client.counts().retrieve_counts().await.unwrap();
    let search = client.search();
    search.search_users(MARK).await.unwrap();
    search.search_groups(MARK).await.unwrap();
    search.search_group_users("group_unknown", MARK).await.unwrap_err();
    client.names().look_up_names(LookUpNamesBody::new(vec![user_id.to_string()])).await.unwrap();
    let access = client.access();
    access.retrieve_user_access(user_id).await.unwrap();
    access.list_permission_users("api.groups.read").await.unwrap();
    let checks = |permission: &str| {
        let checks = serde_json::json!({ "checks": [{ "user_id": user_id, "permission": permission }] });
        serde_json::from_value(checks).unwrap()
    };
    access.check_access(checks("api.groups.read")).await.unwrap();
    access.check_access(checks(MARK)).await.unwrap_err();
}

async fn use_admin_api_keys(client: &Client) {
    let keys = client.admin_api_keys();
    let created = keys.create_admin_api_key(MARK).await.unwrap();
    keys.list_admin_api_keys().await.unwrap();
    keys.retrieve_admin_api_key(&created.id).await.unwrap();
    keys.delete_admin_api_key(&created.id).await.unwrap();
    keys.delete_admin_api_key(&created.id).await.unwrap_err();
}

async fn use_invites(client: &Client) {
    use_admin_api_keys(client).await;
    let (invites, email) = (client.invites(), format!("invited@{MARK}.example"));
    let body = || InviteRequest::new((&*email).try_into().unwrap(), InviteRole::Reader);
    let invite = invites.invite_user(body()).await.unwrap();
    invites.list_invites().await.unwrap();
    invites.retrieve_invite(&invite.id).await.unwrap();
    invites.invite_user(body()).await.unwrap_err();
    invites.delete_invite(&invite.id).await.unwrap();
    let invite = invites.invite_user(body()).await.unwrap();
    let name = || serde_json::from_value(serde_json::json!({ "name": MARK })).unwrap();
    invites.accept_invite(&invite.id, name()).await.unwrap();
    invites.accept_invite(&invite.id, name()).await.unwrap_err();
}

async fn use_service_accounts(client: &Client, project: &ProjectId) {
    let body = serde_json::from_value(serde_json::json!({ "name": MARK })).unwrap();
    let account = client.send(&CreateServiceAccount::new(project.clone(), body)).await.unwrap();
    let (id, key) = (&account.id, &account.api_key.as_ref().unwrap().id);
    use_federation_rules(client, project, id).await;
    client.send(&ListServiceAccounts::new(project.clone())).await.unwrap();
    client.send(&RetrieveServiceAccount::new(project.clone(), id.clone())).await.unwrap();
    client.send(&ListProjectApiKeys::new(project.clone())).await.unwrap();
    client.send(&RetrieveProjectApiKey::new(project.clone(), key.clone())).await.unwrap();
    let body = serde_json::from_value(serde_json::json!({ "name": MARK })).unwrap();
    client.service_accounts().create_service_account_api_key(project.clone(), id, body).await.unwrap();
    let body = serde_json::from_value(serde_json::json!({ "scopes": ["api.model.read"] })).unwrap();
    client.project_api_keys().update_project_api_key(project.clone(), key, body).await.unwrap();
    client.send(&DeleteProjectApiKey::new(project.clone(), key.clone())).await.unwrap();
    client.send(&DeleteProjectApiKey::new(project.clone(), key.clone())).await.unwrap_err();
    let body = serde_json::from_value(serde_json::json!({ "name": MARK })).unwrap();
    client.service_accounts().update_service_account(project.clone(), id.clone(), body).await.unwrap();
    client.send(&DeleteServiceAccount::new(project.clone(), id.clone())).await.unwrap();
}

/// Sends malformed requests.
async fn send_nonsense(running: &Running) {
    let key = &running.key;
    let body = format!("{{\"name\": [\"{MARK}\"], \"{MARK}\": 1}}");
    let length = body.len();
    for request in [
        format!("GET /v1/{MARK}?{MARK}=1 HTTP/1.1\r\nhost: {MARK}\r\nauthorization: Bearer {key}\r\n\r\n"),
        format!(
            "GET /v1/organization/users/{MARK}%ff HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n"
        ),
        format!("GET /v1/organization/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-{MARK}\r\n\r\n"),
        format!("GET /v1/organization/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}x\r\n\r\n"),
        format!(
            "POST /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
        format!("{MARK} /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n"),
        format!("{MARK} /{MARK} HTTP/1.1\r\nhost: {MARK}\r\nhost: x\r\n\r\n"),
        format!("GET /{MARK} HTTP/9.9\r\n{MARK}\r\n\r\n"),
        format!("{MARK}\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
    }
}

/// Damages the database of the server. The log reports it without personal data.
async fn break_database(running: &Running) {
    for name in ["test.db", "test.db-wal"] {
        std::fs::write(running.folder.path().join(name), format!("{MARK} ").repeat(10_000)).unwrap();
    }
    let listed = running.client.users().list_users().await;
    assert!(listed.unwrap_err().status().unwrap().is_server_error());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_at_any_level_names_people_or_shows_keys() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let mut keys = Vec::new();
    for encrypted in [false, true] {
        let running = start(encrypted).await;
        use_everything(&running.client).await;
        if !encrypted {
            send_nonsense(&running).await;
        }
        break_database(&running).await;
        running.stop.send(()).unwrap();
        running.done.await.unwrap().unwrap();
        running.store.close().await;
        keys.push(running.key);
    }
    let text = log.text();
    for operation in operations() {
        assert!(text.contains(operation.id), "{} was not used", operation.id);
    }
    assert!(text.contains("method=\"other\""), "an unknown method is logged as other");
    assert!(text.contains("the store failed"), "the broken database is logged");
    let shown = |secret: &str| {
        let found = text.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert!(found.is_none(), "{}", found.unwrap_or_default());
    };
    shown(MARK);
    for key in keys {
        shown(&key);
        // The secret part, and its stored form.
        shown(&key[api_keys::PREFIX.len()..]);
        shown(&api_keys::given(&key, "", Vec::new()).hash);
    }
}
