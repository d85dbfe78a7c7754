//! One declaration for each assumed rule: how it is tried, or why it is not.

use futures_util::future::LocalBoxFuture;
use openai_admin::{
    AuditLogEventType, Endpoint, Error, GroupId, InviteRole, Limit, PersonalText, ProjectId, Response,
    RoleId, SpendAlertChannelType, SpendLimitCurrency, SpendLimitInterval, UserId, Violation,
    models::{
        Certificate, CreateSpendAlertBody, Invite, InviteProjectGroupBody, InviteRequest,
        ProjectCreateRequest, ProjectUserCreateRequest, PublicCreateOrganizationRoleBody, Role,
        SpendAlertNotificationChannel, ToggleCertificatesRequest, UploadCertificateRequest,
    },
    operations::{
        ActivateProjectCertificates, AddGroupUser, AddProjectGroup, CreateGroup, CreateProject,
        CreateProjectSpendAlert, CreateProjectUser, CreateRole, DeleteCertificate, DeleteProjectSpendAlert,
        DeleteProjectUser, InviteUser, ListAuditLogs, ListProjectRoles, ListUsers, RemoveGroupUser,
        RemoveProjectGroup, UploadCertificate, spend_alerts::SpendAlertAmount,
    },
};
use openai_admin_store::Rule;

use super::{
    journal::{Kind, Thing},
    report::{Row, Seen, Verdict},
    things::{Things, removal_requests},
};
use crate::failure::{Doing as _, Failure, Result};

/// A valid certificate, whose private key does not exist.
const CERTIFICATE: &str = include_str!("certificate.pem");
/// A domain that never receives mail (RFC 2606).
const DOMAIN: &str = "example.invalid";
/// The role of members of a project.
const MEMBER: &str = "member";
/// The threshold of a spend alert that no project reaches in a minute, in cents.
const THRESHOLD_CENTS: i64 = 100_000_000;
/// A permission that every service has.
const PERMISSION: &str = "api.groups.read";

/// The most requests before the first trial: a user, the project, the group, the roles of the project.
const SETUP_REQUESTS: usize = 4;
/// The resources that are created for all trials.
const SETUP: [Kind; 2] = [Kind::Project, Kind::Group];

/// An assumed rule, and its trial.
struct Declaration {
    rule: Rule,
    trial: Trial,
}

enum Trial {
    Tried {
        /// The answer of the emulator.
        assumed: Assumed,
        /// The most requests, without those of the removal.
        requests: usize,
        /// The resources that the trial can create.
        creates: &'static [Kind],
        run: for<'a> fn(&'a mut Bench<'_, '_>, Answer) -> LocalBoxFuture<'a, Result<Seen>>,
    },
    /// With the reason.
    NotTried(&'static str),
}

/// The status and the code of a refusal.
type Answer = (u16, &'static str);

/// The assumed answer to a trial.
enum Assumed {
    Refusal(u16, &'static str),
    Text(&'static str),
}

/// Declares the trials in the order in which they run.
macro_rules! declarations {
    (@trial $run:ident, $requests:literal, [$($kind:ident),*], $assumed:expr) => {
        Trial::Tried {
            assumed: $assumed,
            requests: $requests,
            creates: &[$(Kind::$kind),*],
            run: |bench, assumed| Box::pin($run(bench, assumed)),
        }
    };
    (
        tried { $($rule:ident: $run:ident, $requests:literal requests, creates $kinds:tt, $assumed:expr;)* }
        not_tried { $($other:ident: $reason:literal;)* }
    ) => {
        const DECLARATIONS: &[Declaration] = &[
            $(Declaration {
                rule: Rule::$rule,
                trial: declarations!(@trial $run, $requests, $kinds, $assumed),
            },)*
            $(Declaration { rule: Rule::$other, trial: Trial::NotTried($reason) },)*
        ];
    };
}

use Assumed::{Refusal, Text};

declarations! {
    tried {
        NotAMember: not_a_member, 1 requests, creates [], Refusal(404, "not_a_member");
        NotInProject: not_in_project, 1 requests, creates [], Refusal(404, "not_in_project");
        UnknownRole: unknown_role, 2 requests, creates [], Refusal(404, "role_not_found");
        GroupAlreadyInProject: group_already_in_project, 2 requests, creates [], Refusal(400, "group_already_in_project");
        MissingUser: missing_user, 2 requests, creates [], Refusal(400, "invalid_value");
        MismatchedEmail: mismatched_email, 2 requests, creates [], Refusal(404, "user_not_found");
        AlreadyInProject: already_in_project, 2 requests, creates [], Refusal(400, "already_in_project");
        UnknownPermission: unknown_permission, 2 requests, creates [Role, Role], Refusal(400, "invalid_value");
        InvalidCertificate: invalid_certificate, 1 requests, creates [Certificate], Refusal(400, "invalid_certificate");
        CertificateActive: certificate_active, 3 requests, creates [Certificate], Refusal(400, "certificate_active");
        InvalidEmail: invalid_email, 2 requests, creates [], Refusal(400, "invalid_value");
        AlreadyInvited: already_invited, 2 requests, creates [Invite, Invite], Refusal(400, "already_invited");
        NotATenantEvent: not_a_tenant_event, 1 requests, creates [], Refusal(400, "invalid_value");
        UnpublishedEvent: unpublished_event, 2 requests, creates [], Text("an event of an unpublished type");
    }
    not_tried {
        LimitOfZero: "this client refuses a `limit` of 0 before it sends it";
        AlreadyAMember: "if the service does not keep the rule, it sends an email to a user";
        CertificateLimit: "it needs 50 certificates";
        InviteAccepted: "it needs a person who accepts an invite";
        LastOwner: "if the service does not keep the rule, the organization loses its last owner";
        ManagedGroup: "it needs a group of an identity provider";
        UnknownExternalId: "it needs a key of another cloud, and external keys of the organization are in use";
        ExternalKeyVersion: "it needs a key of another cloud, and external keys of the organization are in use";
        KeyServiceUnreachable: "it is a limit of this server, not of the service";
        DefaultTierDisabled: "it needs service tiers that the organization has";
        StorageUnreachable: "it is a limit of this server, not of the service";
        WorkloadIdentityProviderInUse: "the organization would trust another issuer of tokens";
        ExternalKeyInUse: "it needs a key of another cloud, and external keys of the organization are in use";
    }
}

/// The number of rules that are tried.
pub(super) fn tried_count() -> usize {
    DECLARATIONS.iter().filter(|it| matches!(it.trial, Trial::Tried { .. })).count()
}

/// The most requests of a verification, if nothing is left from an earlier one and no request is retried.
pub(super) fn requests_max() -> usize {
    let of_kinds = |kinds: &[Kind]| kinds.iter().map(|kind| removal_requests(*kind)).sum::<usize>();
    let of_trials = DECLARATIONS.iter().map(|it| match &it.trial {
        Trial::Tried { requests, creates, .. } => requests + of_kinds(creates),
        Trial::NotTried(_) => 0,
    });
    SETUP_REQUESTS + of_kinds(&SETUP) + of_trials.sum::<usize>()
}

/// Tries all rules, and adds a row for each.
pub(super) async fn run(things: &mut Things<'_>, tag: &str, rows: &mut Vec<Row>) -> Result<()> {
    let mut bench = Bench::set_up(things, tag).await?;
    for Declaration { rule, trial } in DECLARATIONS {
        rows.push(match trial {
            Trial::NotTried(reason) => Row::not_tried(*rule, reason),
            Trial::Tried { assumed, run, .. } => {
                let (text, answer) = match assumed {
                    Assumed::Refusal(status, code) => (format!("{status} {code}"), (*status, *code)),
                    // Its trial expects no refusal.
                    Assumed::Text(text) => ((*text).to_owned(), (0, "")),
                };
                Row::tried(*rule, text, run(&mut bench, answer).await?)
            }
        });
    }
    Ok(())
}

/// The resources that the trials share.
struct Bench<'b, 's> {
    things: &'b mut Things<'s>,
    tag: &'b str,
    /// The number of names so far.
    names: usize,
    /// A user of the organization, who is in neither the group nor the project.
    user: UserId,
    project: ProjectId,
    group: GroupId,
    /// A role of the project.
    role: RoleId,
}

impl<'b, 's> Bench<'b, 's> {
    async fn set_up(things: &'b mut Things<'s>, tag: &'b str) -> Result<Self> {
        let mut list = ListUsers::new();
        list.limit = Some(value(Limit::new(1))?);
        let users = things.service.send(&list).await.doing(|| "list the users".to_owned())?;
        let user = users.data.first().ok_or_else(|| Failure::not_found("the organization has no users"))?;
        let request = CreateProject::new(ProjectCreateRequest::new(text(&named(tag, 1))?));
        let project = things
            .create(Kind::Project, &named(tag, 1), &request, |it| Thing::Project(it.id.clone()))
            .await?
            .doing(|| "create a project".to_owned())?;
        let request = CreateGroup::new(text(&named(tag, 2))?);
        let group = things
            .create(Kind::Group, &named(tag, 2), &request, |it| Thing::Group(it.id.clone()))
            .await?
            .doing(|| "create a group".to_owned())?;
        let list = ListProjectRoles::new(project.id.clone());
        let roles = things.service.send(&list).await.doing(|| "list the roles of a project".to_owned())?;
        let role = roles.data.iter().find(|role| role.name == MEMBER).or_else(|| roles.data.first());
        let role = role.ok_or_else(|| Failure::not_found("the project has no roles"))?.id.clone();
        let (user, project, group) = (user.id.clone(), project.id.clone(), group.id.clone());
        Ok(Self { things, tag, names: 2, user, project, group, role })
    }

    /// A new name.
    fn name(&mut self) -> String {
        self.names += 1;
        named(self.tag, self.names)
    }

    async fn send<E: Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        self.things.service.send(request).await
    }

    fn add_group(&self, role: RoleId) -> AddProjectGroup {
        AddProjectGroup::new(self.project.clone(), InviteProjectGroupBody::new(self.group.clone(), role))
    }

    /// Tries to add a user to the project, and removes the user if that succeeds.
    async fn add_user(&self, body: ProjectUserCreateRequest, assumed: Answer) -> Result<Seen> {
        let added = self.send(&CreateProjectUser::new(self.project.clone(), body)).await;
        if let Ok(user) = &added {
            let remove = DeleteProjectUser::new(self.project.clone(), user.id.clone());
            self.send(&remove).await.doing(|| "remove a user from the project".to_owned())?;
        }
        Ok(seen(&added, assumed))
    }

    async fn upload(&mut self, certificate: &str) -> Result<Result<Response<Certificate>, Error>> {
        let name = self.name();
        let mut body = UploadCertificateRequest::new(certificate.to_owned());
        body.name = Some(text(&name)?);
        let thing = |it: &Certificate| Thing::Certificate(it.id.clone());
        self.things.create(Kind::Certificate, &name, &UploadCertificate::new(body), thing).await
    }

    async fn create_role(&mut self, permission: &str) -> Result<Result<Response<Role>, Error>> {
        let name = self.name();
        let body = PublicCreateOrganizationRoleBody::new(text(&name)?, vec![permission.to_owned()]);
        self.things.create(Kind::Role, &name, &CreateRole::new(body), |it| Thing::Role(it.id.clone())).await
    }
}

fn named(tag: &str, number: usize) -> String {
    format!("{tag}-{number}")
}

fn value<T>(checked: Result<T, Violation>) -> Result<T> {
    checked.map_err(|violation| Failure::usage(violation.to_string()))
}

fn text<T: for<'t> TryFrom<&'t str, Error = Violation>>(text: &str) -> Result<T> {
    value(T::try_from(text))
}

/// The observation of a request that the rule refuses.
fn seen<T>(answered: &Result<Response<T>, Error>, assumed: Answer) -> Seen {
    match answered {
        Ok(response) => Seen::accepted(response.status().as_u16(), response.request_id()),
        Err(error) => Seen::refused(error, assumed),
    }
}

async fn not_a_member(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let request = RemoveGroupUser::new(bench.group.clone(), bench.user.clone());
    Ok(seen(&bench.send(&request).await, assumed))
}

async fn not_in_project(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let request = RemoveProjectGroup::new(bench.project.clone(), bench.group.clone());
    Ok(seen(&bench.send(&request).await, assumed))
}

async fn unknown_role(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let added = bench.send(&bench.add_group(text("role-openai-admin-verify")?)).await;
    if added.is_ok() {
        let remove = RemoveProjectGroup::new(bench.project.clone(), bench.group.clone());
        bench.send(&remove).await.doing(|| "remove the group from the project".to_owned())?;
    }
    Ok(seen(&added, assumed))
}

async fn group_already_in_project(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let request = bench.add_group(bench.role.clone());
    if let Err(error) = bench.send(&request).await {
        return Ok(Seen::unclear("adding the group", &error));
    }
    Ok(seen(&bench.send(&request).await, assumed))
}

async fn missing_user(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    bench.add_user(ProjectUserCreateRequest::new(MEMBER.to_owned()), assumed).await
}

async fn mismatched_email(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let mut body = ProjectUserCreateRequest::new(MEMBER.to_owned());
    body.user_id = Some(bench.user.clone());
    body.email = Some(text(&format!("{}@{DOMAIN}", bench.name()))?);
    bench.add_user(body, assumed).await
}

async fn already_in_project(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let mut body = ProjectUserCreateRequest::new(MEMBER.to_owned());
    body.user_id = Some(bench.user.clone());
    let request = CreateProjectUser::new(bench.project.clone(), body);
    if let Err(error) = bench.send(&request).await {
        return Ok(Seen::unclear("adding the user", &error));
    }
    Ok(seen(&bench.send(&request).await, assumed))
}

async fn unknown_permission(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    if let Err(error) = bench.create_role(PERMISSION).await? {
        return Ok(Seen::unclear("creating a role", &error));
    }
    Ok(seen(&bench.create_role("openai-admin.verify").await?, assumed))
}

async fn invalid_certificate(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    Ok(seen(&bench.upload("not a certificate").await?, assumed))
}

async fn certificate_active(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let certificate = match bench.upload(CERTIFICATE).await? {
        Ok(certificate) => certificate.id.clone(),
        Err(error) => return Ok(Seen::unclear("uploading a certificate", &error)),
    };
    let body = ToggleCertificatesRequest::new(vec![certificate.clone()]);
    if let Err(error) = bench.send(&ActivateProjectCertificates::new(bench.project.clone(), body)).await {
        return Ok(Seen::unclear("activating the certificate", &error));
    }
    Ok(seen(&bench.send(&DeleteCertificate::new(certificate)).await, assumed))
}

async fn invalid_email(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let recipients = vec![PersonalText::from("openai-admin")];
    let channel = SpendAlertNotificationChannel::new(SpendAlertChannelType::Email, recipients);
    let (currency, interval) = (SpendLimitCurrency::Usd, SpendLimitInterval::Month);
    let body = CreateSpendAlertBody::new(
        value(SpendAlertAmount::new(THRESHOLD_CENTS))?,
        currency,
        interval,
        channel,
    );
    let created = bench.send(&CreateProjectSpendAlert::new(bench.project.clone(), body)).await;
    if let Ok(alert) = &created {
        let delete = DeleteProjectSpendAlert::new(bench.project.clone(), alert.id.clone());
        bench.send(&delete).await.doing(|| "delete a spend alert of the project".to_owned())?;
    }
    Ok(seen(&created, assumed))
}

async fn already_invited(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let email = format!("{}@{DOMAIN}", bench.name());
    let request = InviteUser::new(InviteRequest::new(text(&email)?, InviteRole::Reader));
    let thing = |it: &Invite| Thing::Invite(it.id.clone());
    if let Err(error) = bench.things.create(Kind::Invite, &email, &request, thing).await? {
        return Ok(Seen::unclear("inviting an address", &error));
    }
    Ok(seen(&bench.things.create(Kind::Invite, &email, &request, thing).await?, assumed))
}

async fn not_a_tenant_event(bench: &mut Bench<'_, '_>, assumed: Answer) -> Result<Seen> {
    let mut list = ListAuditLogs::new();
    list.tenant_only = Some(true);
    list.event_types = vec![AuditLogEventType::UserAdded];
    Ok(seen(&bench.send(&list).await, assumed))
}

/// The log of the service may be late, so a missing event of a published type leaves the result open.
async fn unpublished_event(bench: &mut Bench<'_, '_>, _: Answer) -> Result<Seen> {
    let add = AddGroupUser::new(bench.group.clone(), bench.user.clone());
    if let Err(error) = bench.send(&add).await {
        return Ok(Seen::unclear("adding the user to the group", &error));
    }
    let mut list = ListAuditLogs::new();
    list.resource_ids = vec![bench.group.to_string()];
    let events = match bench.send(&list).await {
        Ok(events) => events,
        Err(error) => return Ok(Seen::unclear("listing the audit log", &error)),
    };
    let is_extension = events.data.iter().any(|event| event.r#type.is_extension());
    let is_current = events.data.iter().any(|event| event.r#type == AuditLogEventType::GroupCreated);
    let (verdict, seen) = match (is_extension, is_current) {
        (true, _) => (Verdict::Same, "an event of an unpublished type"),
        (false, true) => (Verdict::Different, "only events of published types"),
        (false, false) => (Verdict::Unclear, "no event of the group yet"),
    };
    Ok(Seen::new(verdict, seen, events.request_id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_declared_once() {
        for rule in Rule::ALL {
            let declared = DECLARATIONS.iter().filter(|it| it.rule == *rule).count();
            assert_eq!(declared, 1, "{rule}: declare its trial, or why it is not tried");
        }
    }
}
