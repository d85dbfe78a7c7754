//! Admin API keys: rows of `api_keys` without a project. They authenticate requests, as do those of the command line.

use openai_admin::{
    ApiKeyId, Cursor, Order, Timestamp, UserRole,
    models::{
        AdminApiKey, AdminApiKeyCreateResponse, AdminApiKeyDeleteResponse, AdminApiKeyListResponse,
        AdminApiKeyOwner,
    },
    operations::{CreateAdminApiKey, DeleteAdminApiKey, ListAdminApiKeys, RetrieveAdminApiKey},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        refusal::Refusal,
        secret::Secret,
        value::{Row, values},
    },
    nouns::api_keys::{self, NewApiKey},
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
};

/// The oldest owner of the organization. The database does not record who created a key on the command line (assumed).
/// With a lower bound for the number, which is a parameter, the plan is a range of the index of owners.
macro_rules! select_owner {
    () => {
        "select id as owner_id, name as owner_name, added_at as owner_added_at from users
         where org = $1 and role = 'owner' and removed_at is null and seq > $2 order by seq limit 1"
    };
}

/// The columns of the owner, then those of a key, in the order that [`from_row`] reads.
macro_rules! select_keys {
    ($condition:literal) => {
        concat!(
            "select owner_id, owner_name, owner_added_at, id, name, redacted, created_at, expires_at, last_used_at
             from api_keys left join (",
            select_owner!(),
            ") owner on true
             where org = $1 and project_seq is null and revoked_at is null and ",
            $condition
        )
    };
}

impl Reads for ListAdminApiKeys {
    fn read(&self, tx: &mut Reading<'_>) -> Result<AdminApiKeyListResponse> {
        let range = Range::new(self.order.unwrap_or(Order::Asc), None, self.limit.unwrap_or_default().get());
        let (created_at, id) = place_of(tx, range.order, self.after.as_ref())?;
        let org = tx.org();
        let sql = range.choose(
            select_keys!("(created_at, id) > ($3, $4) order by created_at, id limit $5"),
            select_keys!("(created_at, id) < ($3, $4) order by created_at desc, id desc limit $5"),
        );
        let keys = tx.query(sql, values![org, 0, created_at, id.as_str(), range.rows()], from_row)?;
        let (keys, has_more) = range.cut(keys);
        Ok(AdminApiKeyListResponse::new(keys, has_more))
    }
}

impl Reads for RetrieveAdminApiKey {
    fn read(&self, tx: &mut Reading<'_>) -> Result<AdminApiKey> {
        let org = tx.org();
        tx.query_one(select_keys!("id = $3"), values![org, 0, self.key_id.as_str()], from_row)?
            .ok_or_else(|| Error::not_found(Kind::ApiKey, &self.key_id))
    }
}

/// The key has the scopes of the key that creates it, never more (assumed).
impl Changes for CreateAdminApiKey {
    const SECRET: Option<&'static str> = Some("sk-admin-");

    fn change(&self, change: &mut Change<'_>) -> Result<AdminApiKeyCreateResponse> {
        check_creator(change)?;
        let Secret { value, hash, redacted } = change.show_secret()?.clone();
        let (stamp, name) = (change.stamp(), self.body.name.to_string());
        let expires_at = self.body.expires_in_seconds.map(|seconds| after(stamp.at(), seconds.get()));
        let id: ApiKeyId = change.mint("key_")?;
        let new =
            NewApiKey { hash, redacted: redacted.clone(), name, scopes: stamp.scopes.clone(), expires_at };
        api_keys::write(change, id.as_str(), &new, None)?;
        // A key has no number. Only answers without a secret are found by it.
        change.creates(Kind::ApiKey, 0);
        let owner = owner(change)?;
        let mut created = AdminApiKeyCreateResponse::new(id, redacted, stamp.at(), owner, value);
        (created.name, created.expires_at) = (Some(new.name), expires_at);
        Ok(created)
    }
}

/// A key may delete itself (assumed).
impl Changes for DeleteAdminApiKey {
    const CHANGES_KEYS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<AdminApiKeyDeleteResponse> {
        api_keys::revoke(change, self.key_id.as_str(), None)?;
        Ok(AdminApiKeyDeleteResponse::new(self.key_id.clone()))
    }
}

/// Refuses a key that was revoked or has expired: another process may have it in its cache, and a new key would outlive
/// the revocation.
fn check_creator(change: &mut Change<'_>) -> Result<()> {
    let (org, stamp) = (change.org(), change.stamp());
    let is_invalid = change.query_one(
        "select 1 from api_keys
         where org = $1 and id = $2 and project_seq is null and (revoked_at is not null or expires_at <= $3)",
        values![org, stamp.actor.as_str(), stamp.seconds()],
        |_| Ok(()),
    )?;
    match is_invalid {
        Some(()) => Err(Error::refused(Refusal::RevokedApiKey, &stamp.actor)),
        None => Ok(()),
    }
}

fn after(start: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(start.unix_seconds().saturating_add(seconds))
}

/// The time and the id of a cursor, even if its key was revoked. Without a cursor, before all keys of this order.
fn place_of(tx: &mut Tx<'_>, order: Order, after: Option<&Cursor>) -> Result<(i64, String)> {
    let Some(after) = after else {
        let created_at = if order == Order::Asc { i64::MIN } else { i64::MAX };
        return Ok((created_at, String::new()));
    };
    let org = tx.org();
    tx.query_one(
        "select created_at, id from api_keys where org = $1 and id = $2 and project_seq is null",
        values![org, after.as_str()],
        |row| Ok((row.integer(0)?, row.text(1)?.to_owned())),
    )?
    .ok_or_else(|| Error::UnknownCursor(after.clone()))
}

fn owner(tx: &mut Tx<'_>) -> Result<AdminApiKeyOwner> {
    let org = tx.org();
    Ok(tx.query_one(select_owner!(), values![org, 0], owner_from_row)?.unwrap_or_default())
}

/// The owner; empty in an organization without one.
fn owner_from_row(row: &Row<'_>) -> Result<AdminApiKeyOwner> {
    let mut owner = AdminApiKeyOwner::new();
    if row.optional_text(0)?.is_none() {
        return Ok(owner);
    }
    owner.r#type = Some("user".to_owned());
    owner.object = Some("organization.user".to_owned());
    owner.id = Some(row.parsed(0)?);
    owner.name = Some(row.text(1)?.into());
    owner.created_at = Some(Timestamp::from_unix_seconds(row.integer(2)?));
    owner.role = Some(UserRole::Owner);
    Ok(owner)
}

fn from_row(row: &Row<'_>) -> Result<AdminApiKey> {
    let time = |column| -> Result<_> { Ok(row.optional_integer(column)?.map(Timestamp::from_unix_seconds)) };
    let created_at = Timestamp::from_unix_seconds(row.integer(6)?);
    let owner = owner_from_row(row)?;
    let mut key = AdminApiKey::new(row.parsed(3)?, row.text(5)?.to_owned(), created_at, owner);
    key.name = Some(row.text(4)?.to_owned());
    (key.expires_at, key.last_used_at) = (time(7)?, time(8)?);
    Ok(key)
}
