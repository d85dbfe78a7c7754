//! Invites to an organization. An invite is accepted when a user with its address is added. `invite_acceptance.rs` adds
//! that user.

use openai_admin::{
    InviteId, InviteProjectRole, InviteRole, InviteStatus, Order, PersonalText, Timestamp, UserRole,
    identity::email_key,
    models::{
        AuditLogPayload, Invite, InviteDeleteResponse, InviteListResponse, InviteProject, InviteRequest,
    },
    operations::{DeleteInvite, InviteUser, ListInvites, RetrieveInvite},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        refusal::Refusal,
        rule::Rule,
        text::check_email,
        value::{Row, Value, values},
    },
    nouns::{project_access, projects},
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing, stored},
    },
};

/// How long an invite is valid, in seconds: 7 days (according to a third party).
const LIFE_SECONDS: i64 = 7 * 24 * 60 * 60;
/// The maximum number of projects of an invite (assumed).
const PROJECTS_MAX: usize = 100;

table! {
    $ invites of Invite;
    columns: email email_key role projects created_at expires_at accepted_at user_seq;
    erased: email = "null" email_key = "null";
    recorded: role = "role";
    numbers: Numbers::Sequence;
    events: "invite.sent", "invite.accepted", "invite.deleted";
}

/// An invite as stored. Its status depends on the time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredInvite {
    pub(crate) id: InviteId,
    pub(crate) email: PersonalText,
    pub(crate) role: InviteRole,
    projects: Vec<InviteProject>,
    created_at: Timestamp,
    expires_at: Timestamp,
    /// When it was accepted, and the number of the user who accepted it.
    accepted: Option<(Timestamp, i64)>,
}

impl StoredInvite {
    pub(crate) fn status(&self, at: Timestamp) -> InviteStatus {
        match self.accepted {
            Some(_) => InviteStatus::Accepted,
            None if self.expires_at <= at => InviteStatus::Expired,
            None => InviteStatus::Pending,
        }
    }

    /// The API's form of the invite at a time.
    fn shown(self, at: Timestamp) -> Invite {
        let status = self.status(at);
        let mut invite = Invite::new(self.id, self.email, self.role, status, self.created_at, self.projects);
        invite.expires_at = Some(self.expires_at);
        invite.accepted_at = self.accepted.map(|(accepted_at, _)| accepted_at);
        invite
    }
}

impl Thing for StoredInvite {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let accepted_at = row.optional_integer(8)?.map(Timestamp::from_unix_seconds);
        Ok(Self {
            id: row.parsed(1)?,
            email: row.optional_text(2)?.unwrap_or_default().into(),
            role: InviteRole::from(row.text(4)?),
            projects: serde_json::from_str(row.text(5)?).map_err(Error::internal)?,
            created_at: Timestamp::from_unix_seconds(row.integer(6)?),
            expires_at: Timestamp::from_unix_seconds(row.integer(7)?),
            accepted: accepted_at.zip(row.optional_integer(9)?),
        })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let key = email_key(&self.email);
        let projects = serde_json::to_string(&self.projects).unwrap_or_default();
        write(values![
            self.id.as_str(),
            &*self.email,
            key.as_str(),
            self.role.as_str(),
            projects.as_str(),
            self.created_at.unix_seconds(),
            self.expires_at.unix_seconds(),
            self.accepted.map(|(accepted_at, _)| accepted_at.unix_seconds()),
            self.accepted.map(|(_, user_seq)| user_seq)
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        AuditLogPayload::role(Some(UserRole::from(self.role.as_str())))
    }
}

impl Reads for ListInvites {
    fn read(&self, tx: &mut Reading<'_>) -> Result<InviteListResponse> {
        let (at, limit) = (tx.at(), self.limit.unwrap_or_default().get());
        let (invites, has_more) = thing::page::<StoredInvite>(tx, Order::Asc, self.after.as_ref(), limit)?;
        Ok(InviteListResponse::new(invites.into_iter().map(|invite| invite.shown(at)).collect(), has_more))
    }
}

impl Reads for RetrieveInvite {
    fn read(&self, tx: &mut Reading<'_>) -> Result<Invite> {
        Ok(find(tx, &self.invite_id)?.thing.shown(tx.at()))
    }
}

impl Changes for InviteUser {
    fn change(&self, change: &mut Change<'_>) -> Result<Invite> {
        let InviteRequest { email, role, projects, .. } = &self.body;
        let now = change.stamp().at();
        check(change, email.trim(), role, now)?;
        let invite = StoredInvite {
            id: change.mint("invite-")?,
            email: email.trim().into(),
            role: role.clone(),
            projects: projects_of(change, projects.as_deref())?,
            created_at: now,
            expires_at: Timestamp::from_unix_seconds(now.unix_seconds() + LIFE_SECONDS),
            accepted: None,
        };
        thing::insert(change, &invite)?;
        Ok(invite.shown(now))
    }
}

/// Also erases the address.
impl Changes for DeleteInvite {
    fn change(&self, change: &mut Change<'_>) -> Result<InviteDeleteResponse> {
        let invite = find(change, &self.invite_id)?;
        if invite.thing.accepted.is_some() && change.rules().has(Rule::InviteAccepted) {
            return Err(Error::refused(Refusal::InviteAccepted, &invite.thing.id));
        }
        thing::bury(change, &invite)?;
        Ok(InviteDeleteResponse::new(invite.thing.id))
    }
}

pub(crate) fn find(tx: &mut Tx<'_>, id: &InviteId) -> Result<Stored<StoredInvite>> {
    thing::find(tx, id.as_str())
}

/// The pending invite for an address.
fn find_pending(tx: &mut Tx<'_>, email: &str, at: Timestamp) -> Result<Option<Stored<StoredInvite>>> {
    let org = tx.org();
    tx.query_one(
        select!("invites where org = $1 and email_key = $2 and expires_at > $3 and user_seq is null and removed_at is null"),
        values![org, email_key(email).as_str(), at.unix_seconds()],
        stored,
    )
}

/// Checks an invite before it is sent.
fn check(tx: &mut Tx<'_>, email: &str, role: &InviteRole, now: Timestamp) -> Result<()> {
    if let InviteRole::Other(_) = role {
        return Err(Error::invalid_value("role", "'owner' or 'reader'"));
    }
    if tx.rules().has(Rule::InvalidEmail) {
        check_email(email)?;
    }
    if tx.rules().has(Rule::AlreadyAMember) && is_member(tx, email)? {
        return Err(Error::refused(Refusal::AlreadyAMember, &email));
    }
    match find_pending(tx, email, now)? {
        Some(_) if tx.rules().has(Rule::AlreadyInvited) => {
            Err(Error::refused(Refusal::AlreadyInvited, &email))
        }
        _ => Ok(()),
    }
}

/// Whether a user of the organization has this address.
fn is_member(tx: &mut Tx<'_>, email: &str) -> Result<bool> {
    let org = tx.org();
    let sql = "select seq from users where org = $1 and email_key = $2 and removed_at is null";
    Ok(tx.query_one(sql, values![org, email_key(email).as_str()], |_| Ok(()))?.is_some())
}

/// The projects of a new invite: those of the request, or the default project.
fn projects_of(tx: &mut Tx<'_>, requested: Option<&[InviteProject]>) -> Result<Vec<InviteProject>> {
    let Some(requested) = requested else {
        let project = projects::default_project(tx)?;
        return Ok(vec![InviteProject::new(project.id, InviteProjectRole::Member)]);
    };
    if requested.len() > PROJECTS_MAX {
        let expected = format!("at most {PROJECTS_MAX} projects, but got {}", requested.len());
        return Err(Error::invalid_value("projects", expected));
    }
    for (index, project) in requested.iter().enumerate() {
        check_project(tx, project, index)?;
    }
    Ok(requested.to_vec())
}

/// An archived project is reported as not found (assumed).
fn check_project(tx: &mut Tx<'_>, project: &InviteProject, index: usize) -> Result<()> {
    if let InviteProjectRole::Other(_) = project.role {
        return Err(Error::invalid_value(format!("projects[{index}].role"), "'member' or 'owner'"));
    }
    match projects::find(tx, &project.id)?.thing.archived_at {
        Some(_) => Err(Error::not_found(Kind::Project, &project.id)),
        None => Ok(()),
    }
}

/// Accepts the pending invite for the address of a new user, if there is one.
pub(crate) fn accept(change: &mut Change<'_>, email: &str, user_seq: i64) -> Result<()> {
    let now = change.stamp().at();
    let Some(Stored { seq, thing: mut invite }) = find_pending(change, email, now)? else { return Ok(()) };
    invite.accepted = Some((now, user_seq));
    thing::update(change, seq, &invite)?;
    change.record(TABLE.updated, Places::of(Kind::Invite, seq, invite.id()))?;
    invite.projects.iter().try_for_each(|invited| join(change, invited, user_seq, now))
}

/// Adds a user to a project of an invite, unless the project was archived after the invite was sent.
fn join(change: &mut Change<'_>, invited: &InviteProject, user_seq: i64, now: Timestamp) -> Result<()> {
    let project = projects::find(change, &invited.id)?;
    if project.thing.archived_at.is_some() {
        return Ok(());
    }
    let role = project_access::find_role(change, &project, invited.role.as_str())?;
    project_access::add_user(change, &project, user_seq, &role, now).map(drop)
}

/// Deletes the invite that a deleted user accepted, because it holds the user's address.
pub(crate) fn forget(change: &mut Change<'_>, user_seq: i64) -> Result<()> {
    let org = change.org();
    let sql = select!("invites where org = $1 and user_seq = $2 and removed_at is null");
    match change.query_one(sql, values![org, user_seq], stored::<StoredInvite>)? {
        Some(invite) => thing::bury(change, &invite),
        None => Ok(()),
    }
}
