//! Sessions of the web console. A session belongs to an admin key, or to the operator of this machine.

use openai_admin::{OrganizationId, Timestamp, models::AuditLogPayload};

use crate::{
    base::{
        error::Result,
        org::Org,
        stamp::Stamp,
        value::{Row, values},
    },
    engines::transaction::Transaction,
    operation::{audit_events::Places, change::Change, tx::Tx},
    store::Store,
};

/// A stored session. The caller checks its times, because the store has no clock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsoleSession {
    /// Its organization.
    pub org: Org,
    /// The id of its organization.
    pub organization_id: OrganizationId,
    /// Its key; `None` for the operator of this machine.
    pub key: Option<ConsoleSessionKey>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// Until when it may change something.
    pub unlocked_until: Option<Timestamp>,
}

/// The key of a session, which is not revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsoleSessionKey {
    /// Its id.
    pub id: String,
    /// Its stored hash.
    pub hash: String,
    /// Its name.
    pub name: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
}

/// The maximum number of sessions of a key, or of the operator of this machine. A new one ends the oldest.
pub const CONSOLE_SESSIONS_OF_KEY_MAX: i64 = 20;
/// More rows than there can be: SQLite has no offset without a limit.
const ALL: i64 = i64::MAX;

impl Store {
    /// Stores a session under the SHA-256 of its secret, and records the sign-in. Deletes all sessions that were created
    /// before `expired`, and the oldest ones of the key beyond [`CONSOLE_SESSIONS_OF_KEY_MAX`].
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn create_console_session(
        &self,
        org: Org,
        hash: String,
        key_id: Option<String>,
        stamp: Stamp,
        expired: Timestamp,
    ) -> Result<()> {
        self.transact_in(org, move |transaction| {
            let expired = expired.unix_seconds();
            transaction.execute("delete from console_sessions where created_at < $1", values![expired])?;
            delete_oldest(transaction, org, key_id.as_deref())?;
            let sql = "insert into console_sessions (hash, org, key_id, created_at, seen_at)
                       values ($1, $2, $3, $4, $4)";
            transaction.execute(sql, values![hash.as_str(), org, key_id.as_deref(), stamp.seconds()])?;
            record(transaction, org, &stamp, "login.succeeded", Places::default())
        })
        .await
    }

    /// Records that a sign-in failed, or that a session was not unlocked.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn record_failed_login(
        &self,
        org: Org,
        stamp: Stamp,
        code: String,
        message: String,
    ) -> Result<()> {
        self.transact_in(org, move |transaction| {
            let payload = AuditLogPayload::error(&code, &message);
            record(transaction, org, &stamp, "login.failed", Places::default().with(Some(&payload)))
        })
        .await
    }

    /// The session with this hash, unless its key was revoked.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn find_console_session(&self, hash: String) -> Result<Option<ConsoleSession>> {
        self.query(move |transaction| find(transaction, &hash)).await
    }

    /// Records the last use of a session.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn touch_console_session(&self, hash: String, at: Timestamp) -> Result<()> {
        let sql = "update console_sessions set seen_at = $1 where hash = $2";
        self.transact(move |transaction| {
            transaction.execute(sql, values![at.unix_seconds(), hash.as_str()]).map(|_| ())
        })
        .await
    }

    /// Sets until when a session may change something. `None` makes it read-only.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn unlock_console_session(&self, hash: String, until: Option<Timestamp>) -> Result<()> {
        let sql = "update console_sessions set unlocked_until = $1 where hash = $2";
        self.transact(move |transaction| {
            let until = until.map(Timestamp::unix_seconds);
            transaction.execute(sql, values![until, hash.as_str()]).map(|_| ())
        })
        .await
    }

    /// Ends a session, and records the sign-out.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn delete_console_session(&self, org: Org, stamp: Stamp, hash: String) -> Result<()> {
        let sql = "delete from console_sessions where hash = $1";
        self.transact_in(org, move |transaction| match transaction.execute(sql, values![hash.as_str()])? {
            0 => Ok(()),
            _ => record(transaction, org, &stamp, "logout.succeeded", Places::default()),
        })
        .await
    }
}

/// Deletes the oldest sessions of a key, so that one more has room.
fn delete_oldest(transaction: &mut Transaction<'_>, org: Org, key_id: Option<&str>) -> Result<()> {
    let sql = "delete from console_sessions where hash in (
                   select hash from console_sessions where org = $1 and coalesce(key_id, '') = $2
                   order by created_at desc, hash limit $3 offset $4)";
    let kept = CONSOLE_SESSIONS_OF_KEY_MAX - 1;
    transaction.execute(sql, values![org, key_id.unwrap_or_default(), ALL, kept]).map(|_| ())
}

fn record(
    transaction: &mut Transaction<'_>,
    org: Org,
    stamp: &Stamp,
    event: &str,
    places: Places<'_>,
) -> Result<()> {
    Change::new(Tx::new(transaction, org), stamp).record(event, places)
}

fn find(transaction: &mut Transaction<'_>, hash: &str) -> Result<Option<ConsoleSession>> {
    let sql =
        "select s.org, o.id, s.created_at, s.seen_at, s.unlocked_until, k.id, k.name, k.scopes, k.expires_at,
                k.hash
               from console_sessions s join organizations o on o.org = s.org
               left join api_keys k
                   on k.org = s.org and k.id = s.key_id and k.project_seq is null and k.revoked_at is null
               where s.hash = $1 and (s.key_id is null or k.id is not null)";
    transaction.query_one(sql, values![hash], from_row)
}

fn from_row(row: &Row<'_>) -> Result<ConsoleSession> {
    let time = |column| row.optional_integer(column).map(|at| at.map(Timestamp::from_unix_seconds));
    let key = row.optional_text(5)?.map(|id| -> Result<ConsoleSessionKey> {
        Ok(ConsoleSessionKey {
            id: id.to_owned(),
            name: row.text(6)?.to_owned(),
            scopes: row.text(7)?.split_whitespace().map(str::to_owned).collect(),
            expires_at: time(8)?,
            hash: row.text(9)?.to_owned(),
        })
    });
    Ok(ConsoleSession {
        org: Org::from_row(row, 0)?,
        organization_id: row.parsed(1)?,
        key: key.transpose()?,
        created_at: Timestamp::from_unix_seconds(row.integer(2)?),
        seen_at: Timestamp::from_unix_seconds(row.integer(3)?),
        unlocked_until: time(4)?,
    })
}
