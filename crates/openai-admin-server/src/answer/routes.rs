//! The operations that this server answers, one line each.

use std::{future::Future, pin::Pin};

use axum::{
    extract::RawPathParams,
    http::{HeaderMap, Uri},
};
use bytes::Bytes;
use openai_admin::{
    Endpoint, Method,
    models::UsageLine,
    operations::{
        AcceptInvite, ActivateOrganizationCertificates, ActivateProjectCertificates, AddProjectGroup,
        ArchiveProject, AssignGroupRole, AssignProjectGroupRole, AssignProjectUserRole, AssignUserRole,
        CheckAccess, CreateAdminApiKey, CreateExternalKey, CreateExternalStorage, CreateFederationRule,
        CreateGroup, CreateOrganizationSpendAlert, CreateProject, CreateProjectRole, CreateProjectSpendAlert,
        CreateProjectUser, CreateRole, CreateServiceAccount, CreateServiceAccountApiKey, CreateUser,
        CreateWorkloadIdentityProvider, DeactivateOrganizationCertificates, DeactivateProjectCertificates,
        DeleteAdminApiKey, DeleteCertificate, DeleteExternalKey, DeleteExternalStorage, DeleteFederationRule,
        DeleteGroup, DeleteInvite, DeleteOrganizationSpendAlert, DeleteOrganizationSpendLimit,
        DeleteProjectApiKey, DeleteProjectModelPermissions, DeleteProjectRole, DeleteProjectSpendAlert,
        DeleteProjectSpendLimit, DeleteProjectUser, DeleteRole, DeleteServiceAccount, DeleteUser,
        DeleteWorkloadIdentityProvider, GetCertificate, GetOrganizationSpendLimit, GetProjectSpendLimit,
        InviteUser, ListAdminApiKeys, ListExternalKeys, ListExternalStorage, ListFederationRules,
        ListGroupRoleAssignments, ListGroups, ListInvites, ListOrganizationCertificates,
        ListOrganizationSpendAlerts, ListPermissionUsers, ListProjectApiKeys, ListProjectCertificates,
        ListProjectGroupRoleAssignments, ListProjectGroups, ListProjectRateLimits, ListProjectRoles,
        ListProjectSpendAlerts, ListProjectUserRoleAssignments, ListProjectUsers, ListProjects, ListRoles,
        ListServiceAccounts, ListUserGroups, ListUserRoleAssignments, ListUsers,
        ListWorkloadIdentityProviders, ModifyCertificate, ModifyProject, ModifyProjectUser, ModifyUser,
        RemoveProjectGroup, RetrieveAdminApiKey, RetrieveExternalKey, RetrieveExternalStorage,
        RetrieveFederationRule, RetrieveGroup, RetrieveGroupRole, RetrieveGroupUser, RetrieveInvite,
        RetrieveOrganizationDataRetention, RetrieveOrganizationSpendAlert, RetrieveProject,
        RetrieveProjectApiKey, RetrieveProjectDataRetention, RetrieveProjectGroup, RetrieveProjectGroupRole,
        RetrieveProjectHostedToolPermissions, RetrieveProjectModelPermissions, RetrieveProjectRole,
        RetrieveProjectServiceTierSettings, RetrieveProjectSpendAlert, RetrieveProjectUser,
        RetrieveProjectUserRole, RetrieveRole, RetrieveServiceAccount, RetrieveUser, RetrieveUserRole,
        RetrieveWorkloadIdentityProvider, SearchGroupUsers, SearchGroups, SearchUsers, UnassignGroupRole,
        UnassignProjectGroupRole, UnassignProjectUserRole, UnassignUserRole, UpdateFederationRule,
        UpdateGroup, UpdateOrganizationDataRetention, UpdateOrganizationSpendAlert,
        UpdateOrganizationSpendLimit, UpdateProjectApiKey, UpdateProjectDataRetention,
        UpdateProjectHostedToolPermissions, UpdateProjectModelPermissions, UpdateProjectRateLimit,
        UpdateProjectRole, UpdateProjectServiceTierSettings, UpdateProjectSpendAlert,
        UpdateProjectSpendLimit, UpdateRole, UpdateServiceAccount, UpdateWorkloadIdentityProvider,
        UploadCertificate, UsageAudioSpeeches, UsageAudioTranscriptions, UsageCodeInterpreterSessions,
        UsageCompletions, UsageCosts, UsageDecisions, UsageEmbeddings, UsageFileSearchCalls, UsageImages,
        UsageModerations, UsageVectorStores, UsageWebSearchCalls, ValidateExternalKey,
        ValidateExternalStorage,
    },
    wire::{self, Incoming, Strictness},
};
use openai_admin_store::{Changes, Reads, Rule, Rules};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::{
    answer::{
        error::ApiError,
        facts::OperationFacts,
        handlers::{self, Context, SerializedJson},
        idempotency_keys,
    },
    api_keys,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        // Groups
        read::<ListGroups>(),
        change::<CreateGroup>(),
        read::<RetrieveGroup>(),
        change::<UpdateGroup>(),
        change::<DeleteGroup>(),
        // Group users
        with(handlers::list_group_users),
        with(handlers::add_group_user),
        read::<RetrieveGroupUser>(),
        with(handlers::remove_group_user),
        // Users
        read::<ListUsers>(),
        read::<RetrieveUser>(),
        change::<ModifyUser>(),
        change::<DeleteUser>(),
        // Users, extensions
        change::<CreateUser>(),
        read::<ListUserGroups>(),
        // Access, extensions
        with(handlers::retrieve_user_access),
        read::<ListPermissionUsers>(),
        read::<CheckAccess>(),
        // Roles and their assignments
        read::<ListRoles>(),
        change::<CreateRole>(),
        read::<RetrieveRole>(),
        change::<UpdateRole>(),
        change::<DeleteRole>(),
        read::<ListGroupRoleAssignments>(),
        change::<AssignGroupRole>(),
        read::<RetrieveGroupRole>(),
        change::<UnassignGroupRole>(),
        read::<ListUserRoleAssignments>(),
        change::<AssignUserRole>(),
        read::<RetrieveUserRole>(),
        change::<UnassignUserRole>(),
        // Projects
        read::<ListProjects>(),
        change::<CreateProject>(),
        read::<RetrieveProject>(),
        change::<ModifyProject>(),
        change::<ArchiveProject>(),
        // Usage, and the extension that records it
        read::<UsageCompletions>(),
        read::<UsageAudioSpeeches>(),
        read::<UsageAudioTranscriptions>(),
        read::<UsageCodeInterpreterSessions>(),
        read::<UsageCosts>(),
        read::<UsageDecisions>(),
        read::<UsageEmbeddings>(),
        read::<UsageFileSearchCalls>(),
        read::<UsageImages>(),
        read::<UsageModerations>(),
        read::<UsageVectorStores>(),
        read::<UsageWebSearchCalls>(),
        with_lines::<UsageLine, _, _, _, _>(wire::decode_usage_lines, handlers::create_usage_batch),
        // Certificates
        read::<ListOrganizationCertificates>(),
        change::<UploadCertificate>(),
        read::<GetCertificate>(),
        change::<ModifyCertificate>(),
        change::<DeleteCertificate>(),
        change::<ActivateOrganizationCertificates>(),
        change::<DeactivateOrganizationCertificates>(),
        read::<ListProjectCertificates>(),
        change::<ActivateProjectCertificates>(),
        change::<DeactivateProjectCertificates>(),
        // Admin API keys
        read::<ListAdminApiKeys>(),
        change::<CreateAdminApiKey>(),
        read::<RetrieveAdminApiKey>(),
        change::<DeleteAdminApiKey>(),
        // Invites
        read::<ListInvites>(),
        change::<InviteUser>(),
        read::<RetrieveInvite>(),
        change::<DeleteInvite>(),
        change::<AcceptInvite>(),
        // Service accounts, and API keys of projects
        read::<ListServiceAccounts>(),
        change::<CreateServiceAccount>(),
        read::<RetrieveServiceAccount>(),
        change::<UpdateServiceAccount>(),
        change::<DeleteServiceAccount>(),
        read::<ListProjectApiKeys>(),
        read::<RetrieveProjectApiKey>(),
        change::<DeleteProjectApiKey>(),
        change::<CreateServiceAccountApiKey>(),
        change::<UpdateProjectApiKey>(),
        // Spend limits
        read::<GetOrganizationSpendLimit>(),
        change::<UpdateOrganizationSpendLimit>(),
        change::<DeleteOrganizationSpendLimit>(),
        read::<GetProjectSpendLimit>(),
        change::<UpdateProjectSpendLimit>(),
        change::<DeleteProjectSpendLimit>(),
        // Data retention
        read::<RetrieveOrganizationDataRetention>(),
        change::<UpdateOrganizationDataRetention>(),
        read::<RetrieveProjectDataRetention>(),
        change::<UpdateProjectDataRetention>(),
        // Model permissions and hosted tools of projects
        read::<RetrieveProjectModelPermissions>(),
        change::<UpdateProjectModelPermissions>(),
        change::<DeleteProjectModelPermissions>(),
        read::<RetrieveProjectHostedToolPermissions>(),
        change::<UpdateProjectHostedToolPermissions>(),
        read::<RetrieveProjectServiceTierSettings>(),
        change::<UpdateProjectServiceTierSettings>(),
        // Users of projects
        read::<ListProjectUsers>(),
        change::<CreateProjectUser>(),
        read::<RetrieveProjectUser>(),
        change::<ModifyProjectUser>(),
        change::<DeleteProjectUser>(),
        // Groups of projects
        read::<ListProjectGroups>(),
        change::<AddProjectGroup>(),
        read::<RetrieveProjectGroup>(),
        change::<RemoveProjectGroup>(),
        // Roles of projects
        read::<ListProjectRoles>(),
        change::<CreateProjectRole>(),
        read::<RetrieveProjectRole>(),
        change::<UpdateProjectRole>(),
        change::<DeleteProjectRole>(),
        read::<ListProjectGroupRoleAssignments>(),
        change::<AssignProjectGroupRole>(),
        read::<RetrieveProjectGroupRole>(),
        change::<UnassignProjectGroupRole>(),
        read::<ListProjectUserRoleAssignments>(),
        change::<AssignProjectUserRole>(),
        read::<RetrieveProjectUserRole>(),
        change::<UnassignProjectUserRole>(),
        // Rate limits
        read::<ListProjectRateLimits>(),
        change::<UpdateProjectRateLimit>(),
        // Spend alerts
        read::<ListOrganizationSpendAlerts>(),
        change::<CreateOrganizationSpendAlert>(),
        read::<RetrieveOrganizationSpendAlert>(),
        change::<UpdateOrganizationSpendAlert>(),
        change::<DeleteOrganizationSpendAlert>(),
        read::<ListProjectSpendAlerts>(),
        change::<CreateProjectSpendAlert>(),
        read::<RetrieveProjectSpendAlert>(),
        change::<UpdateProjectSpendAlert>(),
        change::<DeleteProjectSpendAlert>(),
        // External keys
        read::<ListExternalKeys>(),
        change::<CreateExternalKey>(),
        read::<RetrieveExternalKey>(),
        change::<DeleteExternalKey>(),
        change::<ValidateExternalKey>(),
        // External storage
        read::<ListExternalStorage>(),
        change::<CreateExternalStorage>(),
        read::<RetrieveExternalStorage>(),
        change::<DeleteExternalStorage>(),
        change::<ValidateExternalStorage>(),
        // Workload identity
        read::<ListWorkloadIdentityProviders>(),
        change::<CreateWorkloadIdentityProvider>(),
        read::<RetrieveWorkloadIdentityProvider>(),
        change::<UpdateWorkloadIdentityProvider>(),
        change::<DeleteWorkloadIdentityProvider>(),
        read::<ListFederationRules>(),
        change::<CreateFederationRule>(),
        read::<RetrieveFederationRule>(),
        change::<UpdateFederationRule>(),
        change::<DeleteFederationRule>(),
        // Audit logs
        with(handlers::list_audit_logs),
        with(handlers::look_up_names),
        // All resources
        with(handlers::retrieve_counts),
        // Search
        read::<SearchUsers>(),
        read::<SearchGroups>(),
        read::<SearchGroupUsers>(),
    ]
}

/// An operation that reads.
fn read<O>() -> Route
where
    O: Reads<Response: JsonSchema> + JsonSchema,
{
    with(|context: Context, request: O| async move {
        context.store.read(context.org(), context.minter.now(), request).await
    })
}

/// An operation that changes something.
pub(crate) fn change<O>() -> Route
where
    O: Changes<Response: JsonSchema> + JsonSchema,
{
    with(|context: Context, request: O| async move {
        let stamp = match O::SECRET {
            Some(prefix) => context
                .stamp()
                .with_secret(api_keys::secret(&context.minter, prefix))
                .with_scopes(context.caller.scopes.clone()),
            None => context.stamp(),
        };
        context.store.change(context.org(), stamp, request).await
    })
}

/// An operation and its handler. The type of the request declares path, method and scope.
pub(crate) struct Route {
    pub(crate) facts: OperationFacts,
    pub(crate) answer: Box<Handler>,
    pub(crate) describe: fn(&mut SchemaGenerator, &mut SchemaGenerator) -> Description,
    /// The schema of a line, if the body may be JSON lines.
    pub(crate) describe_line: Option<fn(&mut SchemaGenerator) -> Schema>,
}

type Handler = dyn Fn(Context, Received) -> HandlerFuture + Send + Sync;
type HandlerFuture = Pin<Box<dyn Future<Output = Result<Bytes, ApiError>> + Send>>;

/// The operations that this server answers.
pub fn operations() -> Vec<OperationFacts> {
    routes().into_iter().map(|route| route.facts).collect()
}

/// The parts of a request that an operation reads.
pub(crate) struct Received {
    pub(crate) path: RawPathParams,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body is JSON lines.
    pub(crate) is_lines: bool,
    pub(crate) strictness: Strictness,
}

/// The schemas of an operation: its request and its answer.
pub(crate) struct Description {
    pub(crate) request: schemars::Schema,
    pub(crate) response: schemars::Schema,
}

/// A handler result that serializes as a `T`.
pub(crate) trait IntoJson<T> {
    fn into_json(self) -> serde_json::Result<Bytes>;
}

impl<T: Serialize> IntoJson<T> for T {
    fn into_json(self) -> serde_json::Result<Bytes> {
        serde_json::to_vec(&self).map(Bytes::from)
    }
}

impl<T> IntoJson<T> for SerializedJson<T> {
    fn into_json(self) -> serde_json::Result<Bytes> {
        Ok(self.json)
    }
}

/// Decodes a request from JSON lines.
type DecodeLines<E> = fn(&[u8], Strictness) -> Result<E, wire::DecodeError>;

/// An operation with a custom handler.
pub(crate) fn with<E, H, F, A>(handler: H) -> Route
where
    E: Endpoint<Response: JsonSchema> + JsonSchema,
    H: Fn(Context, E) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = openai_admin_store::Result<A>> + Send + 'static,
    A: IntoJson<E::Response> + Send + 'static,
{
    route(None, handler)
}

/// An operation whose body may also be JSON lines, each an `L`.
fn with_lines<L, E, H, F, A>(decode_lines: DecodeLines<E>, handler: H) -> Route
where
    L: JsonSchema,
    E: Endpoint<Response: JsonSchema> + JsonSchema,
    H: Fn(Context, E) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = openai_admin_store::Result<A>> + Send + 'static,
    A: IntoJson<E::Response> + Send + 'static,
{
    let mut route = route(Some(decode_lines), handler);
    route.facts.takes_lines = true;
    route.describe_line = Some(|requests| requests.subschema_for::<L>());
    route
}

fn route<E, H, F, A>(decode_lines: Option<DecodeLines<E>>, handler: H) -> Route
where
    E: Endpoint<Response: JsonSchema> + JsonSchema,
    H: Fn(Context, E) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = openai_admin_store::Result<A>> + Send + 'static,
    A: IntoJson<E::Response> + Send + 'static,
{
    Route {
        facts: OperationFacts::of::<E>(),
        answer: Box::new(move |context, received| Box::pin(answer(decode_lines, handler, context, received))),
        describe: |requests, responses| Description {
            request: requests.root_schema_for::<E>(),
            response: responses.subschema_for::<E::Response>(),
        },
        describe_line: None,
    }
}

async fn answer<E, H, F, A>(
    decode_lines: Option<DecodeLines<E>>,
    handler: H,
    mut context: Context,
    received: Received,
) -> Result<Bytes, ApiError>
where
    E: Endpoint,
    H: Fn(Context, E) -> F,
    F: Future<Output = openai_admin_store::Result<A>>,
    A: IntoJson<E::Response>,
{
    let decoded: Result<E, _> = match decode_lines {
        Some(decode_lines) if received.is_lines => decode_lines(&received.body, received.strictness),
        _ => decode(&received, context.minter.rules()),
    };
    let request = decoded.map_err(|error| undecodable(error, E::METHOD, &received.uri))?;
    context.idempotency_key = idempotency_keys::read(&received.headers, &request)?;
    let answered = handler(context, request).await.map_err(|error| {
        let error = ApiError::from(error).in_path(E::PATH);
        match received.is_lines {
            true => error.in_lines(|list, index| wire::line_of_record(&received.body, list, index)),
            false => error,
        }
    })?;
    answered.into_json().map_err(|error| unserializable(&error, E::ID))
}

fn decode<E: Endpoint>(received: &Received, rules: Rules) -> Result<E, wire::DecodeError> {
    let path: Vec<(&str, &str)> = received.path.iter().collect();
    let query = received.uri.query().unwrap_or_default();
    let decode = |query: &str| {
        wire::decode(&Incoming { path: &path, query, body: &received.body }, received.strictness)
    };
    match decode(query) {
        Err(_) if !rules.has(Rule::LimitOfZero) && has_limit_of_zero(query) => decode(&first_page(query)),
        decoded => decoded,
    }
}

fn has_limit_of_zero(query: &str) -> bool {
    query.split('&').any(|parameter| parameter == "limit=0")
}

/// The query without limit and cursors.
fn first_page(query: &str) -> String {
    let is_kept = |parameter: &&str| {
        !["limit=", "after=", "before="].iter().any(|removed| parameter.starts_with(removed))
    };
    query.split('&').filter(is_kept).collect::<Vec<_>>().join("&")
}

fn undecodable(error: wire::DecodeError, method: Method, uri: &Uri) -> ApiError {
    // No resource has a malformed id, so the URL is unknown.
    if error.is_in_path() { ApiError::unknown_url(method.as_str(), uri.path()) } else { error.into() }
}

fn unserializable(error: &serde_json::Error, operation: &'static str) -> ApiError {
    tracing::error!(error = error as &dyn std::error::Error, operation, "cannot serialize a response");
    ApiError::internal()
}
