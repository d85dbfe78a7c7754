//! Encoding and decoding a request gives the same request.

use openai_admin::{
    ApiKeyId, AuditLogEventType, CertificateId, CertificateInclude, Cursor, Endpoint, ExternalKeyId,
    ExternalStorageId, FederationRuleId, GroupId, GroupType, InviteId, InviteProjectRole, InviteRole, Limit,
    Order, OwnerProjectAccessFilter, ProjectId, ProjectResidency, RateLimitId, RoleId, ServiceAccountId,
    ServiceAccountRole, SpendAlertId, SpendLimitCurrency, SpendLimitInterval, Timestamp, UserId, UserRole,
    WorkloadIdentityProviderId,
    identity::is_blank,
    models::{
        AcceptInviteBody, AttributeMatchers, AttributeValue, CreateAdminApiKeyBody, CreateExternalKeyBody,
        CreateExternalStorageBody, CreateFederationRuleBody, CreateProjectServiceAccountApiKeyBody,
        CreateSpendAlertBody, CreateUserBody, CreateWorkloadIdentityProviderBody, EnabledServiceTiers,
        ExternalStorageProviderParams, FederationRulePermissions, HostedToolPermission, InviteProject,
        InviteProjectGroupBody, InviteRequest, ModifyCertificateRequest, ProjectCreateRequest,
        ProjectHostedToolPermissionsUpdateRequest, ProjectModelPermissionsUpdateRequest,
        ProjectRateLimitUpdateRequest, ProjectServiceAccountCreateRequest, ProjectUpdateRequest,
        ProjectUserCreateRequest, ProjectUserUpdateRequest, PublicAssignOrganizationGroupRoleBody,
        PublicCreateOrganizationRoleBody, PublicUpdateOrganizationRoleBody, SpendAlertNotificationChannel,
        ToggleCertificatesRequest, UpdateFederationRuleBody, UpdateOrganizationDataRetentionBody,
        UpdateOrganizationSpendLimitBody, UpdateProjectApiKeyBody, UpdateProjectDataRetentionBody,
        UpdateProjectServiceAccountBody, UpdateProjectServiceTierSettingsBody,
        UpdateWorkloadIdentityProviderBody, UploadCertificateRequest, UserRoleUpdateRequest,
        WorkloadIdentityAttributeTransformation, WorkloadIdentityVerification,
    },
    operations::*,
    wire::{self, Incoming, Strictness},
};
use proptest::prelude::*;

/// Encodes a request and decodes it like a server.
fn round_trip<E: Endpoint + PartialEq + std::fmt::Debug>(request: &E) {
    let mut target = String::new();
    let body = wire::encode(request, &mut target).unwrap();
    assert!(target.is_ascii() && !target.contains([' ', '"', '<', '>', '\\']), "{target}");
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));

    let decode =
        |segment: &str| percent_encoding::percent_decode_str(segment).decode_utf8().unwrap().into_owned();
    let given: Vec<&str> = path.split('/').collect();
    let wanted: Vec<&str> = E::PATH.split('/').collect();
    assert_eq!(given.len(), wanted.len(), "{target} is not on the route {}", E::PATH);
    let segments: Vec<(&str, String)> = wanted
        .iter()
        .zip(&given)
        .filter_map(|(wanted, given)| match wanted.strip_prefix('{') {
            Some(name) => Some((name.strip_suffix('}').unwrap(), decode(given))),
            None => {
                assert_eq!(wanted, given);
                None
            }
        })
        .collect();
    let segments: Vec<(&str, &str)> = segments.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let incoming = Incoming { path: &segments, query, body: body.as_deref().unwrap_or_default() };
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        assert_eq!(&wire::decode::<E>(&incoming, strictness).unwrap(), request);
    }
}

fn id() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("an id", |text| GroupId::new(text).is_ok())
}

fn name() -> impl Strategy<Value = String> {
    "\\PC{1,40}".prop_filter("a name", |name| !is_blank(name))
}

proptest! {
    #[test]
    fn every_list_round_trips(
        id in id(), limit in proptest::option::of(0..=1000u16), after in proptest::option::of(id()),
        order in proptest::option::of(prop_oneof![Just(Order::Asc), Just(Order::Desc)]),
        emails in proptest::collection::vec(any::<String>(), 0..4),
    ) {
        let after = after.map(|after| Cursor::new(after).unwrap());
        let limit = limit.map(|limit| Limit::new(limit).unwrap());
        let mut request = ListGroupUsers::new(GroupId::new(&id).unwrap());
        (request.limit, request.after, request.order) = (limit, after.clone(), order);
        round_trip(&request);
        let mut request = ListGroups::new();
        (request.limit, request.after, request.order) = (limit, after.clone(), order);
        round_trip(&request);
        let mut request = ListUserGroups::new(UserId::new(&id).unwrap());
        (request.limit, request.after, request.order) = (limit, after.clone(), order);
        round_trip(&request);
        let mut request = ListUsers::new();
        (request.after, request.emails) = (after, emails.into_iter().map(Into::into).collect());
        round_trip(&request);
    }

    #[test]
    fn every_filter_of_the_audit_log_round_trips(
        texts in proptest::collection::vec(any::<String>(), 0..4), limit in proptest::option::of(1..=100u16),
        bounds in proptest::array::uniform4(proptest::option::of(any::<i64>())),
        tenant_only in any::<Option<bool>>(), place in proptest::option::of(id()),
    ) {
        let mut request = ListAuditLogs::new();
        let [gt, gte, lt, lte] = bounds.map(|bound| bound.map(Timestamp::from_unix_seconds));
        let range = &mut request.effective_at;
        (range.gt, range.gte, range.lt, range.lte) = (gt, gte, lt, lte);
        request.project_ids = texts.clone();
        request.event_types = texts.iter().map(|text| AuditLogEventType::from(text.as_str())).collect();
        request.actor_ids = texts.clone();
        request.actor_emails = texts.iter().map(|text| text.as_str().into()).collect();
        request.resource_ids = texts;
        request.limit = limit.map(|limit| Limit::new(limit).unwrap());
        request.tenant_only = tenant_only;
        request.before = place.map(|place| Cursor::new(place).unwrap());
        request.after = request.before.clone();
        round_trip(&request);
    }

    #[test]
    fn every_other_request_round_trips(group in id(), user in id(), name in name(), role in "[a-z]{1,8}") {
        let (group_id, user_id) = (GroupId::new(&group).unwrap(), UserId::new(&user).unwrap());
        round_trip(&CreateGroup::new(name.as_str().try_into().unwrap()));
        round_trip(&RetrieveGroup::new(group_id.clone()));
        round_trip(&UpdateGroup::new(group_id.clone(), name.as_str().try_into().unwrap()));
        round_trip(&DeleteGroup::new(group_id.clone()));
        round_trip(&AddGroupUser::new(group_id.clone(), user_id.clone()));
        round_trip(&RetrieveGroupUser::new(group_id.clone(), user_id.clone()));
        round_trip(&RemoveGroupUser::new(group_id, user_id.clone()));
        round_trip(&RetrieveUser::new(user_id.clone()));
        round_trip(&ModifyUser::new(user_id.clone(), UserRoleUpdateRequest::role(UserRole::from(role.as_str()))));
        round_trip(&DeleteUser::new(user_id.clone()));
        let mut body = CreateUserBody::new("ada@example.com".try_into().unwrap(), name.as_str().try_into().unwrap());
        body.id = Some(user_id);
        round_trip(&CreateUser::new(body));
    }

    #[test]
    fn every_request_about_roles_round_trips(
        group in id(), user in id(), role in id(), name in name(), permissions in proptest::collection::vec(any::<String>(), 0..4),
        description in proptest::option::of(any::<String>()), limit in proptest::option::of(0..=1000u16),
    ) {
        let (group_id, user_id) = (GroupId::new(&group).unwrap(), UserId::new(&user).unwrap());
        let role_id = RoleId::new(&role).unwrap();
        let mut list = ListRoles::new();
        list.limit = limit.map(|limit| Limit::new(limit).unwrap());
        (list.after, list.order) = (Some(Cursor::from(&role_id)), Some(Order::Desc));
        round_trip(&list);
        let mut body = PublicCreateOrganizationRoleBody::new(name.as_str().try_into().unwrap(), permissions.clone());
        body.description = description.clone();
        round_trip(&CreateRole::new(body));
        round_trip(&RetrieveRole::new(role_id.clone()));
        round_trip(&UpdateRole::new(role_id.clone(), PublicUpdateOrganizationRoleBody::new()));
        let mut body = PublicUpdateOrganizationRoleBody::new();
        (body.permissions, body.description) = (Some(permissions), Some(description));
        body.role_name = Some(name.as_str().try_into().unwrap());
        round_trip(&UpdateRole::new(role_id.clone(), body));
        round_trip(&DeleteRole::new(role_id.clone()));

        let body = PublicAssignOrganizationGroupRoleBody::new(role_id.clone());
        let mut list = ListGroupRoleAssignments::new(group_id.clone());
        (list.after, list.order) = (Some(Cursor::from(&role_id)), Some(Order::Asc));
        round_trip(&list);
        round_trip(&AssignGroupRole::new(group_id.clone(), body.clone()));
        round_trip(&RetrieveGroupRole::new(group_id.clone(), role_id.clone()));
        round_trip(&UnassignGroupRole::new(group_id, role_id.clone()));
        let mut list = ListUserRoleAssignments::new(user_id.clone());
        list.limit = limit.map(|limit| Limit::new(limit).unwrap());
        round_trip(&list);
        round_trip(&AssignUserRole::new(user_id.clone(), body));
        round_trip(&RetrieveUserRole::new(user_id.clone(), role_id.clone()));
        round_trip(&UnassignUserRole::new(user_id, role_id));
    }

    #[test]
    fn every_request_about_external_keys_round_trips(key in id(), name in name(), text in any::<String>()) {
        let key = ExternalKeyId::new(&key).unwrap();
        let mut list = ListExternalKeys::new();
        (list.after, list.purpose) = (Some(Cursor::from(&key)), Some(text.as_str().into()));
        round_trip(&list);
        let name = external_keys::ExternalKeyName::new(&name).unwrap();
        let mut body = CreateExternalKeyBody::new(text.as_str().into(), name);
        body.purpose = Some(text.as_str().into());
        body.role_arn = external_keys::CloudText::new(&text).ok();
        round_trip(&CreateExternalKey::new(body));
        round_trip(&RetrieveExternalKey::new(key.clone()));
        round_trip(&DeleteExternalKey::new(key.clone()));
        round_trip(&ValidateExternalKey::new(key));
    }

    #[test]
    fn every_request_about_workload_identity_round_trips(
        provider in id(), name in name(), text in any::<String>(), cleared in any::<bool>(), enabled in any::<bool>(),
    ) {
        let provider = WorkloadIdentityProviderId::new(&provider).unwrap();
        let mut list = ListWorkloadIdentityProviders::new();
        (list.after, list.order) = (Some(Cursor::from(&provider)), Some(Order::Desc));
        round_trip(&list);
        let of_text = |fallback: &str| workload_identity_providers::WorkloadIdentityText::new(&text)
            .unwrap_or_else(|_| fallback.try_into().unwrap());
        let mut verification = WorkloadIdentityVerification::new(text.as_str().into());
        verification.discovery_url = Some((!cleared).then(|| of_text("url")));
        verification.jwks = enabled.then(|| serde_json::Map::from_iter([(text.clone(), cleared.into())]));
        let attribute = WorkloadIdentityAttributeTransformation::new("a".try_into().unwrap(), "b".try_into().unwrap());
        let name = workload_identity_providers::WorkloadIdentityName::new(&name).unwrap();
        let mut body = CreateWorkloadIdentityProviderBody::new(text.as_str().into(), name.clone(), of_text("i"), of_text("a"));
        (body.enabled, body.verification) = (Some(enabled), Some(verification.clone()));
        body.attribute_transformations = Some(vec![attribute.clone()]);
        round_trip(&CreateWorkloadIdentityProvider::new(body));
        round_trip(&RetrieveWorkloadIdentityProvider::new(provider.clone()));
        round_trip(&UpdateWorkloadIdentityProvider::new(provider.clone(), UpdateWorkloadIdentityProviderBody::new()));
        let mut body = UpdateWorkloadIdentityProviderBody::new();
        (body.name, body.issuer, body.audience) = (Some(name), Some(of_text("i")), Some(of_text("a")));
        body.description = Some(if cleared { None } else { "d".try_into().ok() });
        (body.enabled, body.verification) = (Some(enabled), Some(verification));
        body.attribute_transformations = Some(vec![attribute]);
        round_trip(&UpdateWorkloadIdentityProvider::new(provider.clone(), body));
        round_trip(&DeleteWorkloadIdentityProvider::new(provider));
    }

    #[test]
    fn every_request_about_external_storage_round_trips(storage in id(), project in id(), text in any::<String>()) {
        let (storage, project) = (ExternalStorageId::new(&storage).unwrap(), ProjectId::new(&project).unwrap());
        let mut list = ListExternalStorage::new();
        (list.after, list.project_id) = (Some(Cursor::from(&storage)), Some(project.clone()));
        round_trip(&list);
        let mut provider = ExternalStorageProviderParams::new(text.as_str().into());
        provider.bucket = external_keys::CloudText::new(&text).ok();
        round_trip(&CreateExternalStorage::new(CreateExternalStorageBody::new(project, provider)));
        round_trip(&RetrieveExternalStorage::new(storage.clone()));
        round_trip(&DeleteExternalStorage::new(storage.clone()));
        round_trip(&ValidateExternalStorage::new(storage));
    }

    #[test]
    fn every_request_about_federation_rules_round_trips(
        ids in (id(), id(), id(), id()), name in name(), text in any::<String>(), cleared in any::<bool>(), number in any::<i64>(),
    ) {
        let provider = WorkloadIdentityProviderId::new(&ids.0).unwrap();
        let rule = FederationRuleId::new(&ids.1).unwrap();
        let (project, account) = (ProjectId::new(&ids.2).unwrap(), ServiceAccountId::new(&ids.3).unwrap());
        let mut list = ListFederationRules::new(provider.clone());
        (list.after, list.service_account_id) = (Some(Cursor::from(&rule)), Some(account.clone()));
        round_trip(&list);
        let matchers = AttributeMatchers::from_iter([
            (text.clone(), AttributeValue::Text(text.clone())),
            ("flag".to_owned(), AttributeValue::Flag(cleared)),
            ("number".to_owned(), AttributeValue::Number(number.into())),
        ]);
        let mut permissions = FederationRulePermissions::new(text.as_str().into());
        permissions.scopes = (!cleared).then(|| vec![text.clone()]);
        let name = workload_identity_providers::WorkloadIdentityName::new(&name).unwrap();
        let mut body = CreateFederationRuleBody::new(project, account, matchers.clone());
        (body.name, body.enabled, body.permissions) = (Some(name.clone()), Some(cleared), Some(permissions.clone()));
        round_trip(&CreateFederationRule::new(provider.clone(), body));
        round_trip(&RetrieveFederationRule::new(provider.clone(), rule.clone()));
        round_trip(&UpdateFederationRule::new(provider.clone(), rule.clone(), UpdateFederationRuleBody::new()));
        let mut body = UpdateFederationRuleBody::new();
        (body.name, body.attribute_matchers) = (Some((!cleared).then_some(name)), Some(matchers));
        body.description = Some(if cleared { None } else { "d".try_into().ok() });
        (body.enabled, body.permissions) = (Some(cleared), Some(permissions));
        round_trip(&UpdateFederationRule::new(provider.clone(), rule.clone(), body));
        round_trip(&DeleteFederationRule::new(provider, rule));
    }

    #[test]
    fn every_request_about_projects_and_their_roles_round_trips(
        project in id(), principal in id(), role in id(), name in name(), text in any::<String>(),
        cleared in any::<bool>(), include_archived in any::<Option<bool>>(),
    ) {
        let (project_id, role_id) = (ProjectId::new(&project).unwrap(), RoleId::new(&role).unwrap());
        let (group_id, user_id) = (GroupId::new(&principal).unwrap(), UserId::new(&principal).unwrap());
        let mut list = ListProjects::new();
        (list.after, list.include_archived) = (Some(Cursor::from(&project_id)), include_archived);
        round_trip(&list);
        let mut body = ProjectCreateRequest::new(name.as_str().try_into().unwrap());
        body.residency = Some(ProjectResidency::from(text.as_str()));
        round_trip(&CreateProject::new(body));
        round_trip(&RetrieveProject::new(project_id.clone()));
        let mut body = ProjectUpdateRequest::new();
        body.external_key_id = Some((!cleared).then(|| text.clone()));
        round_trip(&ModifyProject::new(project_id.clone(), body));
        round_trip(&ModifyProject::new(project_id.clone(), ProjectUpdateRequest::new()));
        round_trip(&ArchiveProject::new(project_id.clone()));

        let limit = UpdateOrganizationSpendLimitBody::new(
            7.try_into().unwrap(),
            SpendLimitCurrency::from(text.as_str()),
            SpendLimitInterval::Month,
        );
        round_trip(&GetOrganizationSpendLimit::new());
        round_trip(&UpdateOrganizationSpendLimit::new(limit.clone()));
        round_trip(&DeleteOrganizationSpendLimit::new());
        round_trip(&GetProjectSpendLimit::new(project_id.clone()));
        round_trip(&UpdateProjectSpendLimit::new(project_id.clone(), limit));
        round_trip(&DeleteProjectSpendLimit::new(project_id.clone()));

        round_trip(&RetrieveOrganizationDataRetention::new());
        let retention = UpdateOrganizationDataRetentionBody::new(text.as_str().into());
        round_trip(&UpdateOrganizationDataRetention::new(retention));
        round_trip(&RetrieveProjectDataRetention::new(project_id.clone()));
        let retention = UpdateProjectDataRetentionBody::new(text.as_str().into());
        round_trip(&UpdateProjectDataRetention::new(project_id.clone(), retention));
        round_trip(&RetrieveProjectModelPermissions::new(project_id.clone()));
        let models = ProjectModelPermissionsUpdateRequest::new(text.as_str().into(), vec![text.clone()]);
        round_trip(&UpdateProjectModelPermissions::new(project_id.clone(), models));
        round_trip(&DeleteProjectModelPermissions::new(project_id.clone()));
        round_trip(&RetrieveProjectHostedToolPermissions::new(project_id.clone()));
        round_trip(&RetrieveProjectServiceTierSettings::new(project_id.clone()));
        let mut tiers = UpdateProjectServiceTierSettingsBody::new();
        tiers.default = Some(text.as_str().into());
        for enabled in [EnabledServiceTiers::All, EnabledServiceTiers::Only(vec![text.as_str().into()])] {
            tiers.enabled_tiers = Some(enabled);
            round_trip(&UpdateProjectServiceTierSettings::new(project_id.clone(), tiers.clone()));
        }
        let mut tools = ProjectHostedToolPermissionsUpdateRequest::new();
        round_trip(&UpdateProjectHostedToolPermissions::new(project_id.clone(), tools.clone()));
        tools.mcp = Some(HostedToolPermission::new(false));
        round_trip(&UpdateProjectHostedToolPermissions::new(project_id.clone(), tools));

        let alert_id = SpendAlertId::new(&role).unwrap();
        let channel = SpendAlertNotificationChannel::new(text.as_str().into(), vec![text.as_str().into()]);
        let currency = SpendLimitCurrency::from(text.as_str());
        let alert = CreateSpendAlertBody::new(0.try_into().unwrap(), currency, SpendLimitInterval::Month, channel);
        let mut list = ListOrganizationSpendAlerts::new();
        (list.before, list.order) = (Some(Cursor::from(&alert_id)), Some(Order::Desc));
        round_trip(&list);
        round_trip(&CreateOrganizationSpendAlert::new(alert.clone()));
        round_trip(&RetrieveOrganizationSpendAlert::new(alert_id.clone()));
        round_trip(&UpdateOrganizationSpendAlert::new(alert_id.clone(), alert.clone()));
        round_trip(&DeleteOrganizationSpendAlert::new(alert_id.clone()));
        let mut list = ListProjectSpendAlerts::new(project_id.clone());
        list.after = Some(Cursor::from(&alert_id));
        round_trip(&list);
        round_trip(&CreateProjectSpendAlert::new(project_id.clone(), alert.clone()));
        round_trip(&RetrieveProjectSpendAlert::new(project_id.clone(), alert_id.clone()));
        round_trip(&UpdateProjectSpendAlert::new(project_id.clone(), alert_id.clone(), alert));
        round_trip(&DeleteProjectSpendAlert::new(project_id.clone(), alert_id));

        let rate_limit_id = RateLimitId::new(&role).unwrap();
        let mut list = ListProjectRateLimits::new(project_id.clone());
        list.before = Some(Cursor::from(&rate_limit_id));
        round_trip(&list);
        let mut body = ProjectRateLimitUpdateRequest::new();
        round_trip(&UpdateProjectRateLimit::new(project_id.clone(), rate_limit_id.clone(), body.clone()));
        body.batch_1_day_max_input_tokens = Some(0.try_into().unwrap());
        round_trip(&UpdateProjectRateLimit::new(project_id.clone(), rate_limit_id, body));

        let certificate_id = CertificateId::new(&role).unwrap();
        let mut list = ListOrganizationCertificates::new();
        (list.after, list.order) = (Some(Cursor::from(&certificate_id)), Some(Order::Asc));
        round_trip(&list);
        let mut list = ListProjectCertificates::new(project_id.clone());
        list.after = Some(Cursor::from(&certificate_id));
        round_trip(&list);
        let mut body = UploadCertificateRequest::new(text.clone());
        body.name = Some(name.as_str().try_into().unwrap());
        round_trip(&UploadCertificate::new(body));
        let mut get = GetCertificate::new(certificate_id.clone());
        round_trip(&get);
        get.include.push(CertificateInclude::from(text.as_str()));
        round_trip(&get);
        let mut body = ModifyCertificateRequest::new();
        round_trip(&ModifyCertificate::new(certificate_id.clone(), body.clone()));
        body.name = Some(name.as_str().try_into().unwrap());
        round_trip(&ModifyCertificate::new(certificate_id.clone(), body));
        round_trip(&DeleteCertificate::new(certificate_id.clone()));
        let body = ToggleCertificatesRequest::new(vec![certificate_id.clone(), certificate_id]);
        round_trip(&ActivateOrganizationCertificates::new(body.clone()));
        round_trip(&DeactivateOrganizationCertificates::new(body.clone()));
        round_trip(&ActivateProjectCertificates::new(project_id.clone(), body.clone()));
        round_trip(&DeactivateProjectCertificates::new(project_id.clone(), body));
        let key_id = ApiKeyId::new(&principal).unwrap();
        let mut list = ListAdminApiKeys::new();
        list.after = Some(Cursor::from(&key_id));
        round_trip(&list);
        let mut body = CreateAdminApiKeyBody::new(name.as_str().try_into().unwrap());
        round_trip(&CreateAdminApiKey::new(body.clone()));
        body.expires_in_seconds = Some(60.try_into().unwrap());
        round_trip(&CreateAdminApiKey::new(body));
        round_trip(&RetrieveAdminApiKey::new(key_id.clone()));
        round_trip(&DeleteAdminApiKey::new(key_id));
        let account_id = ServiceAccountId::new(&principal).unwrap();
        let mut list = ListServiceAccounts::new(project_id.clone());
        list.after = Some(Cursor::from(&account_id));
        round_trip(&list);
        let mut body = ProjectServiceAccountCreateRequest::new(name.as_str().try_into().unwrap());
        body.create_service_account_only = include_archived;
        round_trip(&CreateServiceAccount::new(project_id.clone(), body));
        round_trip(&RetrieveServiceAccount::new(project_id.clone(), account_id.clone()));
        let mut body = UpdateProjectServiceAccountBody::new();
        body.role = Some(ServiceAccountRole::Owner);
        round_trip(&UpdateServiceAccount::new(project_id.clone(), account_id.clone(), body));
        let mut body = CreateProjectServiceAccountApiKeyBody::new();
        body.scopes = include_archived.map(|_| vec![text.clone()]);
        round_trip(&CreateServiceAccountApiKey::new(project_id.clone(), account_id.clone(), body));
        round_trip(&DeleteServiceAccount::new(project_id.clone(), account_id));
        let api_key_id = ApiKeyId::new(&principal).unwrap();
        let mut list = ListProjectApiKeys::new(project_id.clone());
        list.after = Some(Cursor::from(&api_key_id));
        list.owner_project_access = Some(OwnerProjectAccessFilter::from(text.as_str()));
        round_trip(&list);
        round_trip(&RetrieveProjectApiKey::new(project_id.clone(), api_key_id.clone()));
        let mut body = UpdateProjectApiKeyBody::new();
        body.expires_in_seconds = Some(60.try_into().unwrap());
        round_trip(&UpdateProjectApiKey::new(project_id.clone(), api_key_id.clone(), body));
        round_trip(&DeleteProjectApiKey::new(project_id.clone(), api_key_id));

        let mut list = ListProjectUsers::new(project_id.clone());
        list.after = Some(Cursor::from(&user_id));
        round_trip(&list);
        let mut body = ProjectUserCreateRequest::new(text.clone());
        body.user_id = Some(user_id.clone());
        round_trip(&CreateProjectUser::new(project_id.clone(), body));
        round_trip(&RetrieveProjectUser::new(project_id.clone(), user_id.clone()));
        let mut body = ProjectUserUpdateRequest::new();
        body.role = Some(text.clone());
        round_trip(&ModifyProjectUser::new(project_id.clone(), user_id.clone(), body));
        round_trip(&DeleteProjectUser::new(project_id.clone(), user_id.clone()));

        let mut list = ListProjectGroups::new(project_id.clone());
        list.after = Some(Cursor::from(&group_id));
        round_trip(&list);
        let body = InviteProjectGroupBody::new(group_id.clone(), role_id.clone());
        round_trip(&AddProjectGroup::new(project_id.clone(), body));
        let mut request = RetrieveProjectGroup::new(project_id.clone(), group_id.clone());
        request.group_type = Some(GroupType::TenantGroup);
        round_trip(&request);
        round_trip(&RemoveProjectGroup::new(project_id.clone(), group_id.clone()));

        let mut list = ListProjectRoles::new(project_id.clone());
        list.order = Some(Order::Desc);
        round_trip(&list);
        let body = PublicCreateOrganizationRoleBody::new(name.as_str().try_into().unwrap(), vec![text]);
        round_trip(&CreateProjectRole::new(project_id.clone(), body));
        round_trip(&RetrieveProjectRole::new(project_id.clone(), role_id.clone()));
        let body = PublicUpdateOrganizationRoleBody::new();
        round_trip(&UpdateProjectRole::new(project_id.clone(), role_id.clone(), body));
        round_trip(&DeleteProjectRole::new(project_id.clone(), role_id.clone()));

        let body = PublicAssignOrganizationGroupRoleBody::new(role_id.clone());
        round_trip(&ListProjectGroupRoleAssignments::new(project_id.clone(), group_id.clone()));
        round_trip(&AssignProjectGroupRole::new(project_id.clone(), group_id.clone(), body.clone()));
        round_trip(&RetrieveProjectGroupRole::new(project_id.clone(), group_id.clone(), role_id.clone()));
        round_trip(&UnassignProjectGroupRole::new(project_id.clone(), group_id, role_id.clone()));
        round_trip(&ListProjectUserRoleAssignments::new(project_id.clone(), user_id.clone()));
        round_trip(&AssignProjectUserRole::new(project_id.clone(), user_id.clone(), body));
        round_trip(&RetrieveProjectUserRole::new(project_id.clone(), user_id.clone(), role_id.clone()));
        round_trip(&UnassignProjectUserRole::new(project_id, user_id, role_id));
    }

    #[test]
    fn every_request_about_invites_round_trips(
        invite in id(), project in id(), role in any::<String>(), after in any::<bool>(), to_projects in any::<bool>(),
    ) {
        let invite_id = InviteId::new(&invite).unwrap();
        let mut list = ListInvites::new();
        list.after = after.then(|| Cursor::from(&invite_id));
        round_trip(&list);
        let mut body = InviteRequest::new("ada@example.com".try_into().unwrap(), InviteRole::from(role.as_str()));
        let role = InviteProjectRole::from(role.as_str());
        body.projects = to_projects.then(|| vec![InviteProject::new(ProjectId::new(&project).unwrap(), role)]);
        round_trip(&InviteUser::new(body));
        round_trip(&RetrieveInvite::new(invite_id.clone()));
        round_trip(&DeleteInvite::new(invite_id.clone()));
        let mut body = AcceptInviteBody::new();
        round_trip(&AcceptInvite::new(invite_id.clone(), body.clone()));
        body.name = Some("Ada".try_into().unwrap());
        round_trip(&AcceptInvite::new(invite_id, body));
    }
}
