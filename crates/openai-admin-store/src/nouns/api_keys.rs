//! API keys and their scopes. The store holds hashes, never keys.

use std::fmt;

use openai_admin::{OrganizationId, Timestamp, models::AuditLogPayload};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        org::Org,
        stamp::Stamp,
        text::check_text,
        value::{Row, values},
    },
    engines::transaction::Transaction,
    operation::{audit_events::Places, change::Change, tx::Tx},
    store::Store,
};

/// A key to store.
#[derive(Clone)]
pub struct NewApiKey {
    /// The SHA-256 of the key, in hexadecimal.
    pub hash: String,
    /// The first and last characters of the key, to recognize it by.
    pub redacted: String,
    /// A name that its owner chose.
    pub name: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey").field("redacted", &self.redacted).finish_non_exhaustive()
    }
}

/// A stored key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// Its organization.
    #[serde(skip)]
    pub org: Org,
    /// The id of its organization.
    #[serde(skip)]
    pub organization_id: OrganizationId,
    /// Its id, such as `key_01J1F8ABCDXYZ`.
    pub id: String,
    /// A name that its owner chose.
    pub name: String,
    /// Its first and last characters, to recognize it by.
    pub redacted_value: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A rotated key and its successor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotatedApiKey {
    /// The old key, with the time at which it expires.
    pub old: ApiKey,
    /// The new key.
    pub new: ApiKey,
}

/// The owner of a project's key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyOwner {
    pub(crate) project_seq: i64,
    pub(crate) user_seq: i64,
}

/// The columns of a key, in the order that [`from_row`] reads.
macro_rules! select_keys {
    ($condition:literal) => {
        concat!(
            "select k.org, k.id, k.name, k.redacted, k.scopes, k.created_at, k.expires_at, k.last_used_at, o.id,
                    k.revoked_at
             from api_keys k join organizations o on o.org = k.org where ",
            $condition
        )
    };
}

/// The id of the key that the server was started with. The store generates the ids of all other keys.
const BOOTSTRAP_ID: &str = "key_bootstrap";

impl Store {
    /// Stores a key.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] if it is already stored, even if it was revoked; [`Error::InvalidValue`].
    pub async fn create_api_key(&self, org: Org, stamp: Stamp, new: NewApiKey) -> Result<ApiKey> {
        self.change_api_keys(org, stamp, move |change| {
            let id: String = change.mint("key_")?;
            insert(change, &id, &new)
        })
        .await
    }

    /// Makes `new` the bootstrap key, and revokes the previous one. If the previous one was rotated, it stays valid
    /// until its overlap ends. If `new` is already a key of the organization, it stays unchanged, with its scopes and
    /// expiry. Returns the stored key.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] if it is a key of another organization; [`Error::InvalidValue`] if it was revoked or
    /// has expired at the time of the stamp.
    pub async fn set_bootstrap_api_key(&self, org: Org, stamp: Stamp, new: NewApiKey) -> Result<ApiKey> {
        self.change_api_keys(org, stamp, move |change| set_bootstrap(change, &new)).await
    }

    /// The keys of an organization that are not revoked, oldest first.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn list_api_keys(&self, org: Org) -> Result<Vec<ApiKey>> {
        self.query(move |transaction| {
            let sql = select_keys!(
                "k.org = $1 and k.project_seq is null and k.revoked_at is null order by k.created_at, k.id"
            );
            transaction.query(sql, values![org.seq()], from_row)
        })
        .await
    }

    /// The key with this hash, unless it was revoked. The caller checks the expiry, because the store has no clock.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn find_api_key(&self, hash: String) -> Result<Option<ApiKey>> {
        self.query(move |transaction| find(transaction, &hash)).await
    }

    /// Records when a key was last used. Periodically, it also deletes expired idempotency keys.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn touch_api_key(&self, hash: String, at: Timestamp) -> Result<()> {
        self.transact(move |transaction| {
            let sql = "update api_keys set last_used_at = $1 where hash = $2";
            transaction.execute(sql, values![at.unix_seconds(), hash.as_str()]).map(|_| ())
        })
        .await?;
        self.delete_expired_answers_if_due(at).await;
        Ok(())
    }

    /// Replaces a key with `new`, which gets its name and scopes; those of `new` are ignored. The old key expires at
    /// `old_expires_at`, or at its own expiry if that is earlier.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the organization has no such key; [`Error::InvalidValue`] if it has expired at the time
    /// of the stamp; [`Error::AlreadyExists`] if `new` is already stored.
    pub async fn rotate_api_key(
        &self,
        org: Org,
        stamp: Stamp,
        id: String,
        new: NewApiKey,
        old_expires_at: Timestamp,
    ) -> Result<RotatedApiKey> {
        self.change_api_keys(org, stamp, move |change| rotate(change, &id, &new, old_expires_at)).await
    }

    /// Revokes a key permanently. Lookups in this store and its clones see it as soon as this returns.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the organization has no such key, or the key is already revoked.
    pub async fn revoke_api_key(&self, org: Org, stamp: Stamp, id: String) -> Result<()> {
        self.change_api_keys(org, stamp, move |change| revoke(change, &id, None)).await
    }

    async fn change_api_keys<T, F>(&self, org: Org, stamp: Stamp, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Change<'_>) -> Result<T> + Send + 'static,
    {
        let changed = self
            .transact_in(org, move |transaction| body(&mut Change::new(Tx::new(transaction, org), &stamp)))
            .await;
        // Also after an error: the outcome of the change may be unknown.
        self.api_keys_changed();
        changed
    }
}

fn of_key(id: &str) -> Places<'_> {
    Places { detail: Some(id), ..Places::default() }
}

/// Revokes a key of a project, or an admin key if `project_seq` is `None`.
pub(crate) fn revoke(change: &mut Change<'_>, id: &str, project_seq: Option<i64>) -> Result<()> {
    let (org, revoked_at) = (change.org(), change.stamp().seconds());
    let revoked = change.execute(
        "update api_keys set revoked_at = $1
         where org = $2 and id = $3 and coalesce(project_seq, 0) = $4 and revoked_at is null",
        values![revoked_at, org, id, project_seq.unwrap_or(0)],
    )?;
    if revoked == 0 {
        return Err(Error::not_found(Kind::ApiKey, &id));
    }
    change.record("api_key.deleted", Places { project_seq, ..of_key(id) })
}

/// The changes of a key of a project. `life` is what the request says about `expires_at`, in seconds.
pub(crate) struct KeyChanges {
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) life: Option<i64>,
}

/// Changes a key of a project.
pub(crate) fn update(change: &mut Change<'_>, id: &str, project_seq: i64, changes: KeyChanges) -> Result<()> {
    let org = change.org();
    let scopes = changes.scopes.as_ref().map(|scopes| scopes.join(" "));
    change.execute(
        "update api_keys set scopes = coalesce(cast($1 as text), scopes),
                             expires_at = coalesce(cast($2 as bigint), expires_at)
         where org = $3 and id = $4 and project_seq = $5 and revoked_at is null",
        values![scopes.as_deref(), changes.expires_at.map(Timestamp::unix_seconds), org, id, project_seq],
    )?;
    let payload = AuditLogPayload::api_key_updated(changes.scopes, changes.life);
    change.record(
        "api_key.updated",
        Places { project_seq: Some(project_seq), ..of_key(id) }.with(Some(&payload)),
    )
}

fn rotate(
    change: &mut Change<'_>,
    id: &str,
    new: &NewApiKey,
    old_expires_at: Timestamp,
) -> Result<RotatedApiKey> {
    let org = change.org();
    let sql = select_keys!("k.org = $1 and k.id = $2 and k.project_seq is null and k.revoked_at is null");
    let old = change.query_one(sql, values![org, id], from_row)?;
    let old = old.ok_or_else(|| Error::not_found(Kind::ApiKey, &id))?;
    check_works(&old, false, change.stamp())?;
    let old_expires_at = old.expires_at.map_or(old_expires_at, |at| at.min(old_expires_at));
    let new = NewApiKey { name: old.name.clone(), scopes: old.scopes.clone(), ..new.clone() };
    let new_id: String = change.mint("key_")?;
    let new = insert(change, &new_id, &new)?;
    change.execute(
        "update api_keys set expires_at = $1 where org = $2 and id = $3",
        values![old_expires_at.unix_seconds(), org, id],
    )?;
    change.record("api_key.updated", of_key(id))?;
    Ok(RotatedApiKey { old: ApiKey { expires_at: Some(old_expires_at), ..old }, new })
}

fn set_bootstrap(change: &mut Change<'_>, new: &NewApiKey) -> Result<ApiKey> {
    let org = change.org();
    let known = change.query_one(
        select_keys!("k.hash = $1 and k.org = $2 and k.project_seq is null"),
        values![new.hash.as_str(), org],
        |row| Ok((from_row(row)?, row.optional_integer(9)?.is_some())),
    )?;
    if let Some((key, is_revoked)) = &known {
        check_works(key, *is_revoked, change.stamp())?;
        if key.id == BOOTSTRAP_ID {
            return bring_up_to_date(change, key, new);
        }
    }
    replace_bootstrap(change)?;
    match known {
        Some((key, _)) => Ok(key),
        None => insert(change, BOOTSTRAP_ID, new),
    }
}

/// Updates the scopes and the redacted form of the bootstrap key to those of this version: an earlier version knew
/// fewer scopes, and may have shown more characters.
fn bring_up_to_date(change: &mut Change<'_>, key: &ApiKey, new: &NewApiKey) -> Result<ApiKey> {
    if key.redacted_value != new.redacted || key.scopes != new.scopes {
        change.execute(
            "update api_keys set redacted = $1, scopes = $2 where hash = $3",
            values![new.redacted.as_str(), new.scopes.join(" ").as_str(), new.hash.as_str()],
        )?;
    }
    if key.scopes != new.scopes {
        let payload = AuditLogPayload::scopes(new.scopes.clone());
        change.record("api_key.updated", of_key(&key.id).with(Some(&payload)))?;
    }
    let redacted_value = new.redacted.clone();
    Ok(ApiKey { redacted_value, scopes: new.scopes.clone(), ..key.clone() })
}

/// Starting a server with a revoked or expired key does not make it valid again.
fn check_works(key: &ApiKey, is_revoked: bool, stamp: &Stamp) -> Result<()> {
    let problem = match key.expires_at {
        _ if is_revoked => "was revoked",
        Some(expires_at) if expires_at <= stamp.at() => "has expired",
        _ => return Ok(()),
    };
    let expected = format!("a valid key, but '{}' ({}) {problem}", key.name, key.id);
    Err(Error::invalid_value("key", expected))
}

/// Removes or renames the previous bootstrap key.
fn replace_bootstrap(change: &mut Change<'_>) -> Result<()> {
    let (org, now) = (change.org(), change.stamp().seconds());
    let other_id: String = change.mint("key_")?;
    // Under another id, a revoked key stays known as revoked, and a rotated key stays valid until its overlap ends.
    change.execute(
        "update api_keys set id = $1 where org = $2 and id = $3 and (revoked_at is not null or expires_at > $4)",
        values![other_id.as_str(), org, BOOTSTRAP_ID, now],
    )?;
    let replaced =
        change.execute("delete from api_keys where org = $1 and id = $2", values![org, BOOTSTRAP_ID])?;
    if replaced == 0 {
        return Ok(());
    }
    change.record("api_key.deleted", of_key(BOOTSTRAP_ID))
}

fn find(transaction: &mut Transaction<'_>, hash: &str) -> Result<Option<ApiKey>> {
    let sql = select_keys!("k.hash = $1 and k.project_seq is null and k.revoked_at is null");
    transaction.query_one(sql, values![hash], from_row)
}

fn from_row(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        org: Org::from_row(row, 0)?,
        organization_id: row.parsed(8)?,
        id: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        redacted_value: row.text(3)?.to_owned(),
        scopes: row.text(4)?.split_whitespace().map(str::to_owned).collect(),
        created_at: Timestamp::from_unix_seconds(row.integer(5)?),
        expires_at: row.optional_integer(6)?.map(Timestamp::from_unix_seconds),
        last_used_at: row.optional_integer(7)?.map(Timestamp::from_unix_seconds),
    })
}

fn insert(change: &mut Change<'_>, id: &str, new: &NewApiKey) -> Result<ApiKey> {
    write(change, id, new, None)?;
    find(change.transaction(), &new.hash)?
        .ok_or_else(|| Error::internal("the key that was just stored is missing"))
}

/// Writes a key of a project's user or service account, or an admin key if `owner` is `None`.
pub(crate) fn write(
    change: &mut Change<'_>,
    id: &str,
    new: &NewApiKey,
    owner: Option<KeyOwner>,
) -> Result<()> {
    let scopes = new.scopes.join(" ");
    for (field, text) in [("name", &new.name), ("scopes", &scopes)] {
        check_text(field, text)?;
    }
    let taken = "select 1 from api_keys where hash = $1";
    if change.query_one(taken, values![new.hash.as_str()], |_| Ok(()))?.is_some() {
        let value = new.redacted.clone();
        return Err(Error::AlreadyExists { kind: Kind::ApiKey, field: "value", value });
    }
    let (org, created_at) = (change.org(), change.stamp().seconds());
    let project_seq = owner.map(|owner| owner.project_seq);
    change.execute(
        "insert into api_keys (hash, org, id, name, redacted, scopes, created_at, expires_at, project_seq, user_seq)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            new.hash.as_str(),
            org,
            id,
            new.name.as_str(),
            new.redacted.as_str(),
            scopes.as_str(),
            created_at,
            new.expires_at.map(Timestamp::unix_seconds),
            project_seq,
            owner.map(|owner| owner.user_seq)
        ],
    )?;
    let payload = AuditLogPayload::scopes(new.scopes.clone());
    change.record("api_key.created", Places { project_seq, ..of_key(id) }.with(Some(&payload)))
}
