//! Encoding and decoding of every operation round trips, and every declaration follows the rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use openai_admin::{
    ApiKeyId, AuditLogEventType, CertificateId, CertificateInclude, Cursor, Endpoint, ExternalKeyId, GroupId,
    GroupType, InviteId, InviteProjectRole, InviteRole, Limit, Method, Order, OwnerProjectAccessFilter,
    ProjectId, ProjectResidency, RateLimitId, RoleId, ServiceAccountId, ServiceAccountRole, SpendAlertId,
    SpendLimitCurrency, SpendLimitInterval, Timestamp, UserId, UserRole, ViolationCode,
    for_each_declared_operation, for_each_operation,
    identity::is_blank,
    models::{
        AcceptInviteBody, CreateAdminApiKeyBody, CreateExternalKeyBody,
        CreateProjectServiceAccountApiKeyBody, CreateSpendAlertBody, CreateUserBody, HostedToolPermission,
        InviteProject, InviteProjectGroupBody, InviteRequest, ModifyCertificateRequest, ProjectCreateRequest,
        ProjectHostedToolPermissionsUpdateRequest, ProjectModelPermissionsUpdateRequest,
        ProjectRateLimitUpdateRequest, ProjectServiceAccountCreateRequest, ProjectUpdateRequest,
        ProjectUserCreateRequest, ProjectUserUpdateRequest, PublicAssignOrganizationGroupRoleBody,
        PublicCreateOrganizationRoleBody, PublicUpdateOrganizationRoleBody, SpendAlertNotificationChannel,
        ToggleCertificatesRequest, UpdateOrganizationDataRetentionBody, UpdateOrganizationSpendLimitBody,
        UpdateProjectApiKeyBody, UpdateProjectDataRetentionBody, UpdateProjectServiceAccountBody,
        UploadCertificateRequest, UserRoleUpdateRequest,
    },
    operations::*,
    wire::{self, FieldPosition, Incoming, Strictness},
};
use proptest::prelude::*;

fn check_declaration<E: Endpoint>() {
    let fields = wire::fields::<E>();
    let in_path: Vec<&str> = wire::placeholders(E::PATH).collect();
    let first: Vec<&str> = fields.iter().copied().take(in_path.len()).collect();
    assert_eq!(first, in_path, "{}: the fields of the path come first, in its order", E::ID);
    let has_body = fields.contains(&"body");
    assert!(!has_body || E::METHOD == Method::Post, "{}: only a POST has a body", E::ID);
    assert!(E::PATH.starts_with('/') && !E::PATH.ends_with('/'), "{}", E::ID);
}

macro_rules! check_declarations {
    ($($operation:ident)*) => { $(check_declaration::<$operation>();)* };
}

#[test]
fn every_declaration_obeys_the_rules_of_endpoint() {
    for_each_operation!(check_declarations);
    for_each_declared_operation!(check_declarations);
}

macro_rules! ids_of {
    ($($operation:ident)*) => { [$($operation::ID),*] };
}

#[test]
fn no_two_operations_share_an_id() {
    let mut ids = for_each_operation!(ids_of).to_vec();
    ids.extend::<Vec<&str>>(for_each_declared_operation!(ids_of).to_vec());
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

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

    #[test]
    fn no_query_or_body_makes_the_decoder_panic(query in any::<String>(), body in any::<Vec<u8>>()) {
        let path = [("group_id", "g"), ("user_id", "u")];
        let incoming = Incoming { path: &path, query: &query, body: &body };
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            let _ = wire::decode::<ListGroupUsers>(&incoming, strictness);
            let _ = wire::decode::<ModifyUser>(&incoming, strictness);
            let _ = wire::decode::<ListAuditLogs>(&incoming, strictness);
        }
    }
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    let incoming = Incoming { path: &[], query: "", body: br#"{"name":["x"]}"# };
    let error = wire::decode::<CreateGroup>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!((error.code(), error.param()), (Some(ViolationCode::InvalidType), Some("name")));
}

#[test]
fn a_repeated_field_is_refused() {
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let incoming = Incoming { path: &[], query: "", body: br#"{"name":"x","name":"y"}"# };
        let error = wire::decode::<CreateGroup>(&incoming, strictness).unwrap_err();
        assert_eq!((error.code(), error.param()), (Some(ViolationCode::DuplicateParameter), Some("name")));
    }
    let path = [("user_id", "u")];
    let body = br#"{"role":17,"x":[{"a":1},{"a":1,"a":2}]}"#;
    let incoming = Incoming { path: &path, query: "", body };
    let error = wire::decode::<ModifyUser>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!((error.code(), error.param()), (Some(ViolationCode::DuplicateParameter), Some("x[1].a")));
}

#[test]
fn a_byte_order_mark_before_the_body_is_reported() {
    let incoming = Incoming { path: &[], query: "", body: b"\xef\xbb\xbf{\"name\":\"x\"}" };
    let error = wire::decode::<CreateGroup>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!(error.code(), None);
    assert!(error.to_string().contains("byte-order mark"), "{error}");
}

#[test]
fn an_optional_body_may_be_omitted() {
    let path = [("invite_id", "invite-1")];
    let incoming = Incoming { path: &path, query: "", body: b"" };
    for strictness in [Strictness::Lenient, Strictness::Strict] {
        let decoded = wire::decode::<AcceptInvite>(&incoming, strictness).unwrap();
        assert_eq!(decoded, AcceptInvite::new("invite-1".parse().unwrap(), AcceptInviteBody::new()));
        assert!(wire::decode::<InviteUser>(&incoming, strictness).is_err());
    }
}

#[test]
fn null_is_refused_where_a_field_may_only_be_absent() {
    let path = [("project_id", "proj_1"), ("api_key_id", "key_1")];
    let incoming = Incoming { path: &path, query: "", body: br#"{"scopes":null,"expires_in_seconds":1}"# };
    let refused = wire::decode::<UpdateProjectApiKey>(&incoming, Strictness::Lenient).unwrap_err();
    assert_eq!((refused.code(), refused.param()), (Some(ViolationCode::InvalidType), Some("scopes")));
}

#[test]
fn a_path_parameter_in_the_body_is_unknown() {
    let path = [("group_id", "g")];
    let incoming = Incoming { path: &path, query: "", body: br#"{"name":"x","group_id":"other"}"# };
    let error = wire::decode::<UpdateGroup>(&incoming, Strictness::Strict).unwrap_err();
    assert_eq!((error.code(), error.param()), (Some(ViolationCode::UnknownParameter), Some("group_id")));
    let request = wire::decode::<UpdateGroup>(&incoming, Strictness::Lenient).unwrap();
    assert_eq!(request.group_id, "g");
    assert_eq!(wire::field_position(UpdateGroup::PATH, "group_id"), FieldPosition::Path);
}

fn audit_logs(query: &str) -> Result<ListAuditLogs, (Option<ViolationCode>, Option<String>)> {
    let incoming = Incoming { path: &[], query, body: b"" };
    wire::decode(&incoming, Strictness::Lenient)
        .map_err(|error| (error.code(), error.param().map(str::to_owned)))
}

#[test]
fn lists_and_structs_use_brackets() {
    let mut request = ListAuditLogs::new();
    request.effective_at.gte = Some(Timestamp::from_unix_seconds(5));
    request.effective_at.lt = Some(Timestamp::from_unix_seconds(9));
    request.event_types = vec![AuditLogEventType::GroupCreated, AuditLogEventType::UserAdded];
    let mut target = String::new();
    wire::encode(&request, &mut target).unwrap();
    let expected = "/organization/audit_logs?effective_at%5Bgte%5D=5&effective_at%5Blt%5D=9\
                    &event_types%5B%5D=group.created&event_types%5B%5D=user.added";
    assert_eq!(target, expected);
    for query in [
        "effective_at[gte]=5&effective_at[lt]=9&event_types[]=group.created&event_types[]=user.added",
        "effective_at%5Bgte%5D=5&effective_at%5Blt%5D=9&event_types=group.created&event_types=user.added",
        "effective_at[lt]=9&effective_at[eq]=7&event_types[]=group.created&effective_at[gte]=5&event_types=user.added",
    ] {
        assert_eq!(audit_logs(query), Ok(request.clone()), "{query}");
    }
}

#[test]
fn an_invalid_value_in_brackets_is_named() {
    let named = |param: &str| Some(param.to_owned());
    for (query, code, param) in [
        ("effective_at[gte]=x", ViolationCode::InvalidType, "effective_at[gte]"),
        ("effective_at[gte]=1&effective_at[gte]=2", ViolationCode::DuplicateParameter, "effective_at[gte]"),
        ("effective_at=5", ViolationCode::InvalidType, "effective_at"),
        ("event_types[x]=a", ViolationCode::InvalidType, "event_types[]"),
        ("limit[x]=1", ViolationCode::InvalidType, "limit"),
        ("after[]=a&after=b", ViolationCode::DuplicateParameter, "after"),
        ("limit=101", ViolationCode::IntegerAboveMaxValue, "limit"),
    ] {
        assert_eq!(audit_logs(query), Err((Some(code), named(param))), "{query}");
    }
    // A name with the same prefix is another parameter.
    assert_eq!(
        audit_logs("effective_at_all=1&limits=0&effective_at[gte=1&[gte]=2"),
        Ok(ListAuditLogs::new())
    );
}

mod answers {
    //! Answers of older and newer services are accepted.

    use openai_admin::{
        GroupType, UserType,
        models::{AuditLog, GroupMemberUser, GroupResponse, GroupUser, UserListResource},
    };

    #[test]
    fn unknown_values_of_an_enum_are_kept_and_written_back() {
        assert!(matches!(GroupType::from("galaxy"), GroupType::Other(value) if &*value == "galaxy"));
        let text = r#"{"id":"g","name":"n","created_at":1,"is_scim_managed":false,"group_type":"galaxy"}"#;
        let group: GroupResponse = serde_json::from_str(text).unwrap();
        assert_eq!(group.group_type, GroupType::from("galaxy"));
        assert_eq!(serde_json::to_string(&group).unwrap(), text);
    }

    #[test]
    fn a_published_example_without_group_type_is_read() {
        let text = r#"{"object":"group","id":"g","name":"n","created_at":1711471533,"is_scim_managed":true}"#;
        let group: GroupResponse = serde_json::from_str(text).unwrap();
        assert_eq!((group.group_type, group.is_scim_managed), (GroupType::Group, true));
    }

    #[test]
    fn an_older_list_item_that_is_a_whole_user_is_read() {
        let text =
            r#"{"object":"organization.user","id":"u","name":null,"email":null,"role":"owner","added_at":1}"#;
        let user: GroupUser = serde_json::from_str(text).unwrap();
        assert_eq!((&*user.name, user.email), ("", None));
    }

    #[test]
    fn a_list_with_another_object_and_missing_nullables_is_read() {
        let page: UserListResource = serde_json::from_str(r#"{"object":7,"data":[]}"#).unwrap();
        assert_eq!((page.has_more, page.next), (false, None));
        let member = r#"{"id":"u","name":"n","user_type":"tenant_user"}"#;
        let member: GroupMemberUser = serde_json::from_str(member).unwrap();
        assert_eq!(member.user_type, UserType::TenantUser);
    }

    #[test]
    fn nulls_of_an_answer_are_written() {
        let member = GroupMemberUser::new("u".parse().unwrap(), "n".into());
        let text = r#"{"id":"u","name":"n","email":null,"picture":null,"is_service_account":null,"user_type":"user"}"#;
        assert_eq!(serde_json::to_string(&member).unwrap(), text);
    }

    #[test]
    fn an_unknown_event_is_preserved() {
        let text = r#"{"id":"audit_log-1","type":"invite.sent","effective_at":1,"actor":{"type":"session","session":{"user":{"id":"user-1","email":"ada@example.com"},"ip_address":"127.0.0.1"}},"invite.sent":{"data":{"email":"bob@example.com","role":"owner"},"id":"inv-1"},"x":[1]}"#;
        let log: AuditLog = serde_json::from_str(text).unwrap();
        assert_eq!(log.actor.as_ref().unwrap().id(), Some("user-1"));
        assert_eq!(log.detail.as_ref().unwrap().id.as_deref(), Some("inv-1"));
        let written: serde_json::Value = serde_json::to_value(&log).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());
        let shown = format!("{log:?}");
        assert!(!shown.contains("example.com") && !shown.contains("127.0.0.1"), "{shown}");

        let odd =
            r#"{"id":"a","type":"group.exploded","effective_at":1.5,"actor":null,"group.exploded":"boom"}"#;
        let log: AuditLog = serde_json::from_str(odd).unwrap();
        assert_eq!((log.detail.is_none(), &log.other.0["group.exploded"]), (true, &"boom".into()));
    }

    #[test]
    fn debug_of_a_model_shows_no_name_and_no_address() {
        let user = GroupUser::new("u".parse().unwrap(), "Ada".into(), Some("ada@example.com".into()));
        assert_eq!(format!("{user:?}"), r#"GroupUser { id: "u", name: <3 bytes>, email: Some(<15 bytes>) }"#);
    }
}
