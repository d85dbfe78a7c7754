//! Users of an organization.

use openai_admin::{
    Cursor, PersonalText, Timestamp, UserId, UserRole, UserType,
    identity::{email_key, is_email},
    models::{AuditLogPayload, GroupMemberUser, User, UserDeleteResponse, UserListResponse},
    operations::{CreateUser, DeleteUser, ListUsers, ModifyUser, RetrieveUser},
};

use crate::{
    audit_events::{Audit, Event, Subject},
    error::{Error, Kind, Result},
    idempotency_keys::{self, Created},
    organizations::Org,
    page::Range,
    postgres::Patience,
    stamp::Stamp,
    store::Store,
    text::check_bounded_text,
    transaction::{Row, Transaction, values},
};

/// How many email addresses one request may ask for.
const EMAILS_MAX: usize = 1000;
/// How many of them are looked up beside other short reads; more of them wait with the scans.
const EMAILS_SHORT_MAX: usize = 50;
/// How many characters a name or metadata has at most.
const TEXT_LENGTH_MAX: usize = 255;
/// How many characters an email address has at most.
const EMAIL_LENGTH_MAX: usize = 320;
/// How many characters the URL of a picture has at most.
const PICTURE_LENGTH_MAX: usize = 2048;

impl Store {
    /// Lists the users, or those with one of the given email addresses, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCursor`].
    pub async fn list_users(&self, org: Org, request: ListUsers) -> Result<UserListResponse> {
        let is_short = request.emails.len() <= EMAILS_SHORT_MAX;
        let body = move |transaction: &mut Transaction<'_>| list(transaction, org, &request);
        if is_short { self.read(body).await } else { self.scan(org, body).await }
    }

    /// Creates a user; under the idempotency key of a stamp only once. The id of a user who was deleted may be given
    /// again.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] for the id or the email address, [`Error::InvalidValue`],
    /// [`Error::IdempotencyKeyReused`], [`Error::IdempotentAnswerDeleted`].
    pub async fn create_user(&self, org: Org, stamp: Stamp, request: CreateUser) -> Result<User> {
        self.write(move |transaction| {
            idempotency_keys::once(transaction, org, &stamp, |transaction| {
                create(transaction, org, &stamp, &request)
            })
        })
        .await
    }

    /// Retrieves a user.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn retrieve_user(&self, org: Org, request: RetrieveUser) -> Result<User> {
        self.read(move |transaction| Ok(find(transaction, org, &request.user_id)?.user)).await
    }

    /// Changes a user's role or metadata.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the user or the role, [`Error::InvalidValue`].
    pub async fn modify_user(&self, org: Org, stamp: Stamp, request: ModifyUser) -> Result<User> {
        self.write(move |transaction| modify(transaction, org, &stamp, &request)).await
    }

    /// Deletes a user and every membership they have. What is known of the person is erased.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn delete_user(
        &self,
        org: Org,
        stamp: Stamp,
        request: DeleteUser,
    ) -> Result<UserDeleteResponse> {
        self.write_alone(org, move |transaction| delete(transaction, org, &stamp, &request)).await
    }
}

/// A user and their place inside.
#[derive(Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) seq: i64,
    pub(crate) user: User,
    pub(crate) picture: Option<PersonalText>,
    pub(crate) user_type: UserType,
}

impl Found {
    /// The user as a member of a group is shown.
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

/// The columns of a user, in the order that [`from_row`] reads.
macro_rules! select_users {
    ($rest:literal) => {
        concat!(
            "select seq, id, name, email, role, added_at, is_service_account, technical_level,
                    developer_persona, picture, user_type from users where org = $1 and removed_at is null ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>) -> Result<Found> {
    let mut user = User::new(row.parsed(1)?, Timestamp::from_unix_seconds(row.integer(5)?));
    user.name = Some(row.text(2)?.into());
    user.email = row.optional_text(3)?.map(Into::into);
    user.role = Some(UserRole::from(row.text(4)?));
    // The published example has no such field for people, so it is written only where it says something.
    user.is_service_account = if row.flag(6)? { Some(true) } else { None };
    user.technical_level = row.optional_text(7)?.map(Into::into);
    user.developer_persona = row.optional_text(8)?.map(Into::into);
    let picture = row.optional_text(9)?.map(Into::into);
    Ok(Found { seq: row.integer(0)?, user, picture, user_type: UserType::from(row.text(10)?) })
}

pub(crate) fn find(transaction: &mut Transaction<'_>, org: Org, id: &UserId) -> Result<Found> {
    transaction
        .query_one(select_users!("and id = $2"), values![org.seq(), id.as_str()], from_row)?
        .ok_or_else(|| Error::not_found(Kind::User, id))
}

/// The place of a user, for those who need nothing else of them.
pub(crate) fn find_seq(transaction: &mut Transaction<'_>, org: Org, id: &UserId) -> Result<i64> {
    transaction
        .query_one(
            "select seq from users where org = $1 and id = $2 and removed_at is null",
            values![org.seq(), id.as_str()],
            |row| row.integer(0),
        )?
        .ok_or_else(|| Error::not_found(Kind::User, id))
}

/// Every user of an organization, in order.
pub(crate) fn all(transaction: &mut Transaction<'_>, org: Org) -> Result<Vec<Found>> {
    transaction.query(select_users!("order by seq"), values![org.seq()], from_row)
}

pub(crate) fn find_by_email(
    transaction: &mut Transaction<'_>,
    org: Org,
    email: &str,
) -> Result<Option<Found>> {
    // No user has it, and PostgreSQL would not even take the question.
    if email.contains('\0') {
        return Ok(None);
    }
    transaction.query_one(
        select_users!("and email_key = $2"),
        values![org.seq(), email_key(email).as_str()],
        from_row,
    )
}

/// Writes the keys of addresses for which the rules have changed since they were written. Of two users with one key the
/// second keeps the old one: nobody loses their address, and `verify` names both.
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

/// Lets a twin have the key of an address that its user does not have any more. Only addresses beyond ASCII have twins.
pub(crate) fn hand_on_email_key(
    transaction: &mut Transaction<'_>,
    before: &User,
    now: Option<&str>,
) -> Result<()> {
    match before.email.as_deref() {
        Some(email) if !email.is_ascii() && Some(email) != now => write_email_keys(transaction),
        _ => Ok(()),
    }
}

/// The place of the user whose address has this key.
fn seq_with_key(transaction: &mut Transaction<'_>, org: i64, key: &str) -> Result<Option<i64>> {
    transaction.query_one(
        "select seq from users where org = $1 and email_key = $2",
        values![org, key],
        |row| row.integer(0),
    )
}

/// Two users with one address in two spellings, from before such spellings were compared.
pub(crate) struct Twins {
    pub(crate) org: i64,
    pub(crate) seqs: (i64, i64),
}

/// The users who are not found by their address: twins of others, and how many there are whose key is wrong.
pub(crate) fn wrong_email_keys(transaction: &mut Transaction<'_>) -> Result<(Vec<Twins>, usize)> {
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
    let (mut twins, mut wrong) = (Vec::new(), 0);
    for (org, seq, key) in users.into_iter().flatten() {
        let other = key.map(|key| seq_with_key(transaction, org, &key)).transpose()?.flatten();
        match other {
            Some(other) => twins.push(Twins { org, seqs: (other, seq) }),
            None => wrong += 1,
        }
    }
    Ok((twins, wrong))
}

/// The place of a cursor: any user who ever was, so that a list goes on when its user has left meanwhile.
pub(crate) fn place_of(
    transaction: &mut Transaction<'_>,
    org: Org,
    after: Option<&Cursor>,
) -> Result<Option<i64>> {
    let Some(cursor) = after else { return Ok(None) };
    let seq = transaction.query_one(
        "select seq from users where org = $1 and id = $2",
        values![org.seq(), cursor.as_str()],
        |row| row.integer(0),
    )?;
    seq.map(Some).ok_or_else(|| Error::UnknownCursor(cursor.clone()))
}

fn list(transaction: &mut Transaction<'_>, org: Org, request: &ListUsers) -> Result<UserListResponse> {
    let after = place_of(transaction, org, request.after.as_ref())?;
    let limit = request.limit.unwrap_or_default().get();
    let range = Range::new(openai_admin::Order::Asc, after, limit);
    let rows = if request.emails.is_empty() {
        let sql = select_users!("and seq > $2 order by seq limit $3");
        transaction.query(sql, values![org.seq(), range.after, range.rows()], from_row)?
    } else {
        list_by_email(transaction, org, &request.emails, range.after)?
    };
    let (users, has_more) = range.cut(rows);
    Ok(UserListResponse::new(users.into_iter().map(|found| found.user).collect(), has_more))
}

fn list_by_email(
    transaction: &mut Transaction<'_>,
    org: Org,
    emails: &[PersonalText],
    after: i64,
) -> Result<Vec<Found>> {
    if emails.len() > EMAILS_MAX {
        let expected = format!("at most {EMAILS_MAX} addresses, but got {}", emails.len());
        return Err(Error::invalid_value("emails", expected));
    }
    let mut rows = Vec::with_capacity(emails.len());
    for email in emails {
        rows.extend(find_by_email(transaction, org, email)?.filter(|found| found.seq > after));
    }
    rows.sort_by_key(|found| found.seq);
    rows.dedup_by_key(|found| found.seq);
    Ok(rows)
}

fn create(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    request: &CreateUser,
) -> Result<(User, Created)> {
    let body = &request.body;
    let id = match &body.id {
        Some(id) => id.clone(),
        None => UserId::new(stamp.mint("user-", 0)).map_err(Error::internal)?,
    };
    let mut user = User::new(id, stamp.at());
    user.name = Some((&*body.name).into());
    user.email = body.email.as_deref().map(str::trim).map(Into::into);
    user.role = Some(body.role.clone().unwrap_or(UserRole::Reader));
    user.is_service_account = body.is_service_account.filter(|is_service_account| *is_service_account);
    let new = Found { seq: 0, user, picture: None, user_type: UserType::User };
    check(transaction, org, &new, None)?;
    match find(transaction, org, &new.user.id) {
        Ok(taken) => {
            let value = taken.user.id.to_string();
            Err(Error::AlreadyExists { kind: Kind::User, field: "id", value })
        }
        Err(Error::NotFound { .. }) => {
            let seq = insert(transaction, org, &mut Audit::new(org, stamp), &new)?;
            Ok((new.user, Created::User(seq)))
        }
        Err(error) => Err(error),
    }
}

/// What must hold of a user before they are written, except that the id is free. An address that they have already is
/// kept as it is: it may be from before this was checked.
pub(crate) fn check(
    transaction: &mut Transaction<'_>,
    org: Org,
    new: &Found,
    before: Option<&Found>,
) -> Result<()> {
    check_role(new.user.role.as_ref(), "role")?;
    check_texts(new)?;
    let Some(email) = &new.user.email else { return Ok(()) };
    if before.is_some_and(|before| before.user.email == new.user.email) {
        return Ok(());
    }
    is_email(email).map_err(|reason| {
        Error::invalid_value("email", format!("an email address, such as ada@example.com, but {reason}"))
    })?;
    match find_by_email(transaction, org, email)? {
        Some(other) if other.user.id != new.user.id => {
            Err(Error::AlreadyExists { kind: Kind::User, field: "email", value: email.to_string() })
        }
        _ => Ok(()),
    }
}

fn check_texts(new: &Found) -> Result<()> {
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

/// Gives a user their place and writes them. A tombstone with the same id becomes the user again, in its old place,
/// so that an id has one place for ever.
pub(crate) fn insert(
    transaction: &mut Transaction<'_>,
    org: Org,
    audit: &mut Audit<'_>,
    new: &Found,
) -> Result<i64> {
    let cursor = Cursor::from(&new.user.id);
    let seq = match place_of(transaction, org, Some(&cursor)) {
        Ok(Some(seq)) => seq,
        Ok(None) | Err(Error::UnknownCursor(_)) => reserve(transaction, org, &new.user.id)?,
        Err(error) => return Err(error),
    };
    write(transaction, org, seq, new)?;
    let payload = AuditLogPayload::role(new.user.role.clone());
    audit.record(transaction, Event::UserAdded, with_role(seq, &payload))?;
    Ok(seq)
}

/// A user and the role that they get.
pub(crate) fn with_role(seq: i64, payload: &AuditLogPayload) -> Subject<'_> {
    Subject { user_seq: Some(seq), payload: Some(payload), ..Subject::default() }
}

/// Takes the next place for an id.
fn reserve(transaction: &mut Transaction<'_>, org: Org, id: &UserId) -> Result<i64> {
    let seq = transaction
        .query_one(
            "update organizations set last_user_seq = last_user_seq + 1 where org = $1 returning last_user_seq",
            values![org.seq()],
            |row| row.integer(0),
        )?
        .ok_or_else(|| Error::internal("the organization is gone"))?;
    transaction.execute(
        "insert into users (org, seq, id, name, role, user_type, is_service_account, added_at)
         values ($1, $2, $3, '', '', '', 0, 0)",
        values![org.seq(), seq, id.as_str()],
    )?;
    Ok(seq)
}

/// Writes everything about a user but their place and id.
pub(crate) fn write(transaction: &mut Transaction<'_>, org: Org, seq: i64, new: &Found) -> Result<()> {
    let user = &new.user;
    let key = user.email.as_deref().map(email_key);
    transaction.execute(
        "update users set email = $1, email_key = $2, name = $3, role = $4, picture = $5, user_type = $6,
                is_service_account = $7, technical_level = $8, developer_persona = $9, added_at = $10,
                removed_at = null
         where org = $11 and seq = $12",
        values![
            user.email.as_deref(),
            key.as_deref(),
            user.name.as_deref().unwrap_or_default(),
            user.role.as_ref().map_or("reader", UserRole::as_str),
            new.picture.as_deref(),
            new.user_type.as_str(),
            user.is_service_account.unwrap_or(false),
            user.technical_level.as_deref(),
            user.developer_persona.as_deref(),
            user.added_at.unix_seconds(),
            org.seq(),
            seq
        ],
    )?;
    Ok(())
}

fn modify(transaction: &mut Transaction<'_>, org: Org, stamp: &Stamp, request: &ModifyUser) -> Result<User> {
    let mut found = find(transaction, org, &request.user_id)?;
    let before = found.user.clone();
    let body = &request.body;
    if let Some(role_id) = &body.role_id {
        // Custom roles are not served yet, so there is none with any id.
        return Err(Error::not_found(Kind::Role, role_id));
    }
    check_role(body.role.as_ref(), "role")?;
    if let Some(role) = &body.role {
        found.user.role = Some(role.clone());
    }
    if let Some(technical_level) = &body.technical_level {
        found.user.technical_level = Some(technical_level.to_string());
    }
    if let Some(developer_persona) = &body.developer_persona {
        found.user.developer_persona = Some(developer_persona.to_string());
    }
    if found.user != before {
        check_texts(&found)?;
        write(transaction, org, found.seq, &found)?;
        let payload = AuditLogPayload::role(body.role.clone());
        Audit::new(org, stamp).record(transaction, Event::UserUpdated, with_role(found.seq, &payload))?;
    }
    Ok(found.user)
}

fn delete(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    request: &DeleteUser,
) -> Result<UserDeleteResponse> {
    let Found { seq, user, .. } = find(transaction, org, &request.user_id)?;
    transaction.allow_long_statements(Patience::Deletion)?;
    let mut audit = Audit::new(org, stamp);
    let of = Subject { user_seq: Some(seq), ..Subject::default() };
    audit.record_removals(transaction, of)?;
    transaction
        .execute("delete from group_users where org = $1 and user_seq = $2", values![org.seq(), seq])?;
    transaction.execute(
        "update users set removed_at = $1, email = null, email_key = null, name = '', picture = null,
                technical_level = null, developer_persona = null
         where org = $2 and seq = $3",
        values![stamp.seconds(), org.seq(), seq],
    )?;
    hand_on_email_key(transaction, &user, None)?;
    idempotency_keys::erase_answers(transaction, org, Created::User(seq))?;
    audit.record(transaction, Event::UserDeleted, of)?;
    Ok(UserDeleteResponse::new(user.id))
}
