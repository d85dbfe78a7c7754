//! Users of an organization.

use openai_admin::{
    Order, PersonalText, Timestamp, UserId, UserRole, UserType,
    identity::email_key,
    models::{AuditLogPayload, GroupMemberUser, User, UserDeleteResponse, UserListResponse},
    operations::{CreateUser, DeleteUser, ListUsers, ModifyUser, RetrieveUser},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        refusal::Refusal,
        rule::Rule,
        text::{check_bounded_text, check_email},
        value::{Row, Value, values},
    },
    engines::{lanes::Lane, transaction::Transaction},
    nouns::{
        invites,
        roles::{self, RoleResource},
    },
    operation::{Changes, Reads, audit_events::Places, change::Change, reading::Reading, tx::Tx},
    shapes::{
        assignment::{self, Principal, Resource},
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing, stored},
    },
};

/// The maximum number of email addresses in one request.
const EMAILS_MAX: usize = 1000;
/// How many of them are looked up in the lane for short reads. Requests with more use the lane for scans.
const EMAILS_SHORT_MAX: usize = 50;
/// The maximum length of a name or metadata in characters.
const TEXT_LENGTH_MAX: usize = 255;
/// The maximum length of an email address in characters.
const EMAIL_LENGTH_MAX: usize = 320;
/// The maximum length of a picture's URL in characters.
const PICTURE_LENGTH_MAX: usize = 2048;

table! {
    $ users of User;
    columns: name email role added_at is_service_account technical_level developer_persona picture user_type email_key;
    erased: email = "null" email_key = "null" name = "''" picture = "null" technical_level = "null"
            developer_persona = "null";
    recorded: role = "role";
    numbers: Numbers::Column {
        column: "last_user_seq",
        next: "update organizations set last_user_seq = last_user_seq + 1 where org = $1 returning last_user_seq",
    };
    events: "user.added", "user.updated", "user.deleted";
}

/// A user with the fields that only some answers contain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredUser {
    pub(crate) user: User,
    pub(crate) picture: Option<PersonalText>,
    pub(crate) user_type: UserType,
}

impl StoredUser {
    pub(crate) fn new(user: User) -> Self {
        Self { user, picture: None, user_type: UserType::User }
    }

    /// The user's form as a member of a group.
    pub(crate) fn as_member(&self) -> GroupMemberUser {
        let mut member =
            GroupMemberUser::new(self.user.id.clone(), self.user.name.clone().unwrap_or_default());
        member.email = self.user.email.clone();
        member.picture = self.picture.clone();
        member.is_service_account = Some(self.user.is_service_account.unwrap_or(false));
        member.user_type = self.user_type.clone();
        member
    }
}

impl Thing for StoredUser {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.user.id.as_str()
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let mut user = User::new(row.parsed(1)?, Timestamp::from_unix_seconds(row.integer(5)?));
        user.name = Some(row.text(2)?.into());
        user.email = row.optional_text(3)?.map(Into::into);
        user.role = Some(UserRole::from(row.text(4)?));
        // The published example omits this field for people, so false is stored as absent.
        user.is_service_account = if row.flag(6)? { Some(true) } else { None };
        user.technical_level = row.optional_text(7)?.map(Into::into);
        user.developer_persona = row.optional_text(8)?.map(Into::into);
        let picture = row.optional_text(9)?.map(Into::into);
        Ok(Self { user, picture, user_type: UserType::from(row.text(10)?) })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let user = &self.user;
        let key = user.email.as_deref().map(email_key);
        write(values![
            user.id.as_str(),
            user.name.as_deref().unwrap_or_default(),
            user.email.as_deref(),
            user.role.as_ref().map_or("reader", UserRole::as_str),
            user.added_at.unix_seconds(),
            user.is_service_account.unwrap_or(false),
            user.technical_level.as_deref(),
            user.developer_persona.as_deref(),
            self.picture.as_deref(),
            self.user_type.as_str(),
            key.as_deref()
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        AuditLogPayload::role(self.user.role.clone())
    }
}

impl Reads for ListUsers {
    fn lane(&self) -> Lane {
        if self.emails.len() <= EMAILS_SHORT_MAX { Lane::Short } else { Lane::Scan }
    }

    fn read(&self, tx: &mut Reading<'_>) -> Result<UserListResponse> {
        let limit = self.limit.unwrap_or_default().get();
        let (users, has_more) = if self.emails.is_empty() {
            thing::page::<StoredUser>(tx, Order::Asc, self.after.as_ref(), limit)?
        } else {
            let after = thing::cursor::<StoredUser>(tx, self.after.as_ref())?;
            let range = Range::new(Order::Asc, after, limit);
            range.cut(list_by_email(tx, &self.emails, range.after)?)
        };
        Ok(UserListResponse::new(users.into_iter().map(|found| found.user).collect(), has_more))
    }
}

fn list_by_email(tx: &mut Tx<'_>, emails: &[PersonalText], after: i64) -> Result<Vec<StoredUser>> {
    if emails.len() > EMAILS_MAX {
        let expected = format!("at most {EMAILS_MAX} addresses, but got {}", emails.len());
        return Err(Error::invalid_value("emails", expected));
    }
    let mut rows = Vec::with_capacity(emails.len());
    for email in emails {
        rows.extend(find_by_email(tx, email)?.filter(|found| found.seq > after));
    }
    rows.sort_by_key(|found| found.seq);
    rows.dedup_by_key(|found| found.seq);
    Ok(rows.into_iter().map(|found| found.thing).collect())
}

impl Reads for RetrieveUser {
    fn read(&self, tx: &mut Reading<'_>) -> Result<User> {
        Ok(find(tx, &self.user_id)?.thing.user)
    }
}

/// The id of a deleted user may be reused.
impl Changes for CreateUser {
    fn change(&self, change: &mut Change<'_>) -> Result<User> {
        let body = &self.body;
        let id = match &body.id {
            Some(id) => id.clone(),
            None => change.mint("user-")?,
        };
        let mut user = User::new(id, change.stamp().at());
        user.name = Some((&*body.name).into());
        user.email = body.email.as_deref().map(str::trim).map(Into::into);
        user.role = Some(body.role.clone().unwrap_or(UserRole::Reader));
        user.is_service_account = body.is_service_account.filter(|is_service_account| *is_service_account);
        let new = StoredUser::new(user);
        check(change, &new, None)?;
        if let Some(taken) = thing::look_up::<StoredUser>(change, new.id())? {
            let value = taken.thing.user.id.to_string();
            return Err(Error::AlreadyExists { kind: Kind::User, field: "id", value });
        }
        insert(change, &new)?;
        Ok(new.user)
    }
}

impl Changes for ModifyUser {
    fn change(&self, change: &mut Change<'_>) -> Result<User> {
        let Stored { seq, thing: mut new } = find(change, &self.user_id)?;
        let before = new.user.clone();
        let body = &self.body;
        let role = match &body.role {
            Some(UserRole::Other(_)) if !change.rules().has(Rule::UnknownRole) => Some(UserRole::Reader),
            role => role.clone(),
        };
        check_role(role.as_ref(), "role")?;
        let by_id = body
            .role_id
            .as_ref()
            .map(|role_id| roles::find(change, RoleResource::Organization, role_id))
            .transpose()?;
        // A predefined role is the user's role; a custom one is assigned besides (assumed).
        let (predefined, custom): (Vec<_>, Vec<_>) =
            by_id.into_iter().partition(|role| role.thing.role.predefined_role);
        let predefined = predefined.first().map(|role| UserRole::from(role.thing.role.name.as_str()));
        let role = predefined.or(role);
        if let Some(role) = &role {
            refuse_loss_of_owner(change, seq, &before, Some(role))?;
            new.user.role = Some(role.clone());
        }
        if let Some(technical_level) = &body.technical_level {
            new.user.technical_level = Some(technical_level.to_string());
        }
        if let Some(developer_persona) = &body.developer_persona {
            new.user.developer_persona = Some(developer_persona.to_string());
        }
        if new.user != before {
            check_texts(&new)?;
            update(change, seq, &new, &AuditLogPayload::role(role))?;
        }
        for role in custom {
            assignment::assign(
                change,
                Principal::User(seq),
                Resource::Organization,
                role.seq,
                role.thing.id(),
            )?;
        }
        Ok(new.user)
    }
}

/// Also erases the personal data of the user, including the invite that they accepted.
impl Changes for DeleteUser {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<UserDeleteResponse> {
        let user = find(change, &self.user_id)?;
        refuse_service_account(change, &user)?;
        bury(change, &user)?;
        invites::forget(change, user.seq)?;
        reassign_email_key(change, &user.thing.user, None)?;
        Ok(UserDeleteResponse::new(user.thing.user.id))
    }
}

/// A service account must be deleted in its project, with its keys.
fn refuse_service_account(tx: &mut Tx<'_>, user: &Stored<StoredUser>) -> Result<()> {
    let org = tx.org();
    let account = "select 1 from service_accounts where org = $1 and user_seq = $2 and removed_at is null";
    match tx.query_one(account, values![org, user.seq], |_| Ok(()))? {
        Some(()) => Err(Error::refused(Refusal::ServiceAccountUser, &user.thing.user.id)),
        None => Ok(()),
    }
}

/// Deletes a user with their edges, unless they are the last owner.
pub(crate) fn bury(change: &mut Change<'_>, user: &Stored<StoredUser>) -> Result<()> {
    refuse_loss_of_owner(change, user.seq, &user.thing.user, None)?;
    thing::bury(change, user)
}

/// Refuses a change that takes the role `owner` from the last user who has it (assumed). `role` is the user's next role.
/// Every user with the role counts, and so do service accounts. Members of a group with the role do not: the group's
/// changes would need the check too. An organization without an owner stays possible: it is loaded so, or new. Two owners who
/// leave at once conflict: SQLite's writers take turns, and PostgreSQL's transaction is SERIALIZABLE.
fn refuse_loss_of_owner(tx: &mut Tx<'_>, seq: i64, before: &User, role: Option<&UserRole>) -> Result<()> {
    let loses_role = before.role == Some(UserRole::Owner) && role != Some(&UserRole::Owner);
    if !loses_role || !tx.rules().has(Rule::LastOwner) {
        return Ok(());
    }
    let org = tx.org();
    // With a lower bound for the number, the plan is a range of the index of owners.
    let other = "select 1 from users
                 where org = $1 and role = 'owner' and removed_at is null and seq > $2 and seq <> $3 limit 1";
    match tx.query_one(other, values![org, 0, seq], |_| Ok(()))? {
        Some(()) => Ok(()),
        None => Err(Error::refused(Refusal::LastOwner, &before.id)),
    }
}

/// The oldest user of the organization.
pub(crate) fn oldest(tx: &mut Tx<'_>) -> Result<Stored<StoredUser>> {
    let org = tx.org();
    let sql = select!("users where org = $1 and removed_at is null order by seq limit 1");
    tx.query_one(sql, values![org], stored)?
        .ok_or_else(|| Error::invalid_value("user_id", "the id of a user"))
}

/// A user by their number.
pub(crate) fn with_seq(tx: &mut Tx<'_>, seq: i64) -> Result<Stored<StoredUser>> {
    let org = tx.org();
    tx.query_one(
        select!("users where org = $1 and seq = $2 and removed_at is null"),
        values![org, seq],
        stored,
    )?
    .ok_or_else(|| Error::internal("the user is gone"))
}

pub(crate) fn find(tx: &mut Tx<'_>, id: &UserId) -> Result<Stored<StoredUser>> {
    thing::find(tx, id.as_str())
}

/// Writes everything about a user except the id, and records the requested changes.
pub(crate) fn update(
    change: &mut Change<'_>,
    seq: i64,
    user: &StoredUser,
    payload: &AuditLogPayload,
) -> Result<()> {
    thing::update(change, seq, user)?;
    change.record(TABLE.updated, Places::of(Kind::User, seq, user.id()).with(Some(payload)))
}

/// Changes a user's role in the organization, unless they already have it. The last owner stays owner.
pub(crate) fn set_role(change: &mut Change<'_>, user: &mut Stored<StoredUser>, role: UserRole) -> Result<()> {
    if user.thing.user.role.as_ref() == Some(&role) {
        return Ok(());
    }
    refuse_loss_of_owner(change, user.seq, &user.thing.user, Some(&role))?;
    user.thing.user.role = Some(role.clone());
    update(change, user.seq, &user.thing, &AuditLogPayload::role(Some(role)))
}

pub(crate) fn find_by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<Stored<StoredUser>>> {
    // No user has such an address, and PostgreSQL would reject the query.
    if email.contains('\0') {
        return Ok(None);
    }
    let org = tx.org();
    let sql = select!("users where org = $1 and email_key = $2 and removed_at is null");
    tx.query_one(sql, values![org, email_key(email).as_str()], stored)
}

/// Rewrites the lookup keys of addresses if the rules have changed since they were written. Of two users with the same
/// key, the second keeps the old key: both keep their addresses, and `duplicate_addresses` reports them.
pub(crate) fn write_email_keys(transaction: &mut Transaction<'_>) -> Result<()> {
    let beyond_ascii = transaction.choose(
        "select org, seq, email, email_key from users where length(cast(email_key as blob)) <> length(email_key)",
        "select org, seq, email, email_key from users where octet_length(email_key) <> length(email_key)",
    );
    let users = transaction.query(beyond_ascii, values![], |row| {
        let key = row.optional_text(2)?.map(email_key);
        let key = key.filter(|key| row.optional_text(3).is_ok_and(|written| written != Some(key)));
        Ok((row.integer(0)?, row.integer(1)?, key))
    })?;
    for (org, seq, key) in users {
        let Some(key) = key else { continue };
        if seq_with_key(transaction, org, &key)?.is_none() {
            transaction.execute(
                "update users set email_key = $1 where org = $2 and seq = $3",
                values![key.as_str(), org, seq],
            )?;
        }
    }
    Ok(())
}

/// After an address with a duplicate is removed, its lookup key goes to the duplicate. Only addresses beyond ASCII have
/// duplicates.
pub(crate) fn reassign_email_key(tx: &mut Tx<'_>, before: &User, now: Option<&str>) -> Result<()> {
    match before.email.as_deref() {
        Some(email) if !email.is_ascii() && Some(email) != now => write_email_keys(tx.transaction()),
        _ => Ok(()),
    }
}

/// The number of the user whose address has this key.
fn seq_with_key(transaction: &mut Transaction<'_>, org: i64, key: &str) -> Result<Option<i64>> {
    transaction.query_one(
        "select seq from users where org = $1 and email_key = $2",
        values![org, key],
        |row| row.integer(0),
    )
}

/// Two users with the same address in two spellings, from a version that did not compare such spellings.
pub(crate) struct DuplicateAddresses {
    pub(crate) org: i64,
    pub(crate) seqs: (i64, i64),
}

/// The users who are not found by their address: those with a duplicate, and the number of those with a wrong key.
pub(crate) fn wrong_email_keys(
    transaction: &mut Transaction<'_>,
) -> Result<(Vec<DuplicateAddresses>, usize)> {
    let users = transaction.query(
        "select org, seq, email, email_key from users where email is not null or email_key is not null",
        values![],
        |row| {
            let (email, written) = (row.optional_text(2)?, row.optional_text(3)?);
            let key = email.map(email_key);
            let is_right = key.as_deref() == written;
            Ok((!is_right).then_some((row.integer(0)?, row.integer(1)?, key)))
        },
    )?;
    let (mut duplicate_addresses, mut wrong) = (Vec::new(), 0);
    for (org, seq, key) in users.into_iter().flatten() {
        let other = key.map(|key| seq_with_key(transaction, org, &key)).transpose()?.flatten();
        match other {
            Some(other) => duplicate_addresses.push(DuplicateAddresses { org, seqs: (other, seq) }),
            None => wrong += 1,
        }
    }
    Ok((duplicate_addresses, wrong))
}

/// Checks a user before they are written, except that the id is unused. An unchanged address is not checked, because it
/// may be older than the check.
pub(crate) fn check(tx: &mut Tx<'_>, new: &StoredUser, before: Option<&StoredUser>) -> Result<()> {
    check_role(new.user.role.as_ref(), "role")?;
    check_texts(new)?;
    let Some(email) = &new.user.email else { return Ok(()) };
    if before.is_some_and(|before| before.user.email == new.user.email) {
        return Ok(());
    }
    check_email(email)?;
    match find_by_email(tx, email)? {
        Some(other) if other.thing.user.id != new.user.id => {
            Err(Error::AlreadyExists { kind: Kind::User, field: "email", value: email.to_string() })
        }
        _ => Ok(()),
    }
}

fn check_texts(new: &StoredUser) -> Result<()> {
    let user = &new.user;
    for (field, text, length_max) in [
        ("name", user.name.as_deref(), TEXT_LENGTH_MAX),
        ("email", user.email.as_deref(), EMAIL_LENGTH_MAX),
        ("picture", new.picture.as_deref(), PICTURE_LENGTH_MAX),
        ("technical_level", user.technical_level.as_deref(), TEXT_LENGTH_MAX),
        ("developer_persona", user.developer_persona.as_deref(), TEXT_LENGTH_MAX),
    ] {
        check_bounded_text(field, text.unwrap_or_default(), length_max)?;
    }
    Ok(())
}

/// Assumed: the published description names `owner`, `reader` and, in one sentence, `member`.
fn check_role(role: Option<&UserRole>, field: &str) -> Result<()> {
    match role {
        Some(UserRole::Other(_)) => Err(Error::invalid_value(field, "'owner' or 'reader'")),
        _ => Ok(()),
    }
}

/// Writes a new user, and accepts the invite for their address.
pub(crate) fn insert(change: &mut Change<'_>, new: &StoredUser) -> Result<i64> {
    let seq = insert_or_revive(change, new)?;
    if let Some(email) = &new.user.email {
        invites::accept(change, email, seq)?;
    }
    Ok(seq)
}

/// A tombstone with the same id becomes the user again with its old number, so the number of an id never changes.
fn insert_or_revive(change: &mut Change<'_>, new: &StoredUser) -> Result<i64> {
    let Some(seq) = thing::position::<StoredUser>(change, new.id())? else {
        return thing::insert(change, new);
    };
    let org = change.org();
    change.execute("update users set removed_at = null where org = $1 and seq = $2", values![org, seq])?;
    thing::update(change, seq, new)?;
    change.creates(Kind::User, seq);
    let payload = new.payload();
    change.record(TABLE.created, Places::of(Kind::User, seq, new.id()).with(Some(&payload)))?;
    Ok(seq)
}
