//! API keys of a project: rows of `api_keys` with a project and an owner. They do not authenticate requests.

use openai_admin::{
    ApiKeyId, Cursor, Order, OwnerProjectAccess, OwnerProjectAccessFilter, ServiceAccountId, Timestamp,
    models::{
        ProjectApiKey, ProjectApiKeyDeleteResponse, ProjectApiKeyListResponse, ProjectApiKeyOwner,
        ProjectApiKeyOwnerServiceAccount, UpdateProjectApiKeyBody,
    },
    operations::{DeleteProjectApiKey, ListProjectApiKeys, RetrieveProjectApiKey, UpdateProjectApiKey},
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        refusal::Refusal,
        rule::Rules,
        value::{Row, values},
    },
    nouns::{
        api_keys::{self, KeyChanges, KeyOwner, NewApiKey},
        projects, roles,
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
};

/// The columns of a key and of its owner, in the order that [`from_row`] reads.
macro_rules! select_keys {
    ($condition:literal) => {
        concat!(
            "select k.id, k.name, k.redacted, k.created_at, k.last_used_at, s.id, s.name, s.created_at, s.role,
                    k.expires_at
             from api_keys k join service_accounts s on s.org = k.org and s.user_seq = k.user_seq where ",
            $condition
        )
    };
}

impl Reads for ListProjectApiKeys {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectApiKeyListResponse> {
        let project = projects::find(tx, &self.project_id)?;
        let (created_at, id) = place_of(tx, project.seq, self.after.as_ref())?;
        let range = Range::new(Order::Asc, None, self.limit.unwrap_or_default().get());
        let (active, inactive) = shown(self.owner_project_access.as_ref())?;
        let org = tx.org();
        let keys = tx.query(
            select_keys!(
                "k.org = $1 and k.project_seq = $2 and (k.created_at, k.id) > ($3, $4) and k.revoked_at is null
                 and case when s.role = 'none' then cast($5 as bigint) else cast($6 as bigint) end = 1
                 order by k.created_at, k.id limit $7"
            ),
            values![org, project.seq, created_at, id.as_str(), inactive, active, range.rows()],
            from_row,
        )?;
        let (keys, has_more) = range.cut(keys);
        Ok(ProjectApiKeyListResponse::new(keys, has_more))
    }
}

impl Reads for RetrieveProjectApiKey {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectApiKey> {
        let project = projects::find(tx, &self.project_id)?;
        find(tx, project.seq, &self.api_key_id)
    }
}

/// An expired key cannot change (assumed).
impl Changes for UpdateProjectApiKey {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectApiKey> {
        let UpdateProjectApiKeyBody { scopes, expires_in_seconds, .. } = &self.body;
        let project = projects::find_active(change, &self.project_id)?;
        let key = find(change, project.seq, &self.api_key_id)?;
        if scopes.is_none() && expires_in_seconds.is_none() {
            return Err(Error::invalid_value("scopes", "'scopes' or 'expires_in_seconds', or both"));
        }
        let now = change.stamp().at();
        if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Error::refused(Refusal::ApiKeyExpired, &key.id));
        }
        let life = expires_in_seconds.map(|seconds| seconds.get());
        let changes = KeyChanges { scopes: scopes.clone(), expires_at: expires_at(now, life), life };
        check_scopes(change.rules(), scopes.as_deref())?;
        api_keys::update(change, key.id.as_str(), project.seq, changes)?;
        find(change, project.seq, &self.api_key_id)
    }
}

/// Keys of service accounts too. The account stays.
impl Changes for DeleteProjectApiKey {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectApiKeyDeleteResponse> {
        let project = projects::find_active(change, &self.project_id)?;
        let key = find(change, project.seq, &self.api_key_id)?;
        api_keys::revoke(change, key.id.as_str(), Some(project.seq))?;
        Ok(ProjectApiKeyDeleteResponse::new(key.id))
    }
}

/// Whether to list keys whose owner has access to the project, and keys whose owner has none.
fn shown(filter: Option<&OwnerProjectAccessFilter>) -> Result<(i64, i64)> {
    match filter {
        None | Some(OwnerProjectAccessFilter::Active) => Ok((1, 0)),
        Some(OwnerProjectAccessFilter::Inactive) => Ok((0, 1)),
        Some(OwnerProjectAccessFilter::Any) => Ok((1, 1)),
        Some(_) => Err(Error::invalid_value("owner_project_access", "'active', 'inactive' or 'any'")),
    }
}

/// The time and the id of a cursor, even if its key was revoked. Without a cursor, before all keys.
fn place_of(tx: &mut Tx<'_>, project_seq: i64, after: Option<&Cursor>) -> Result<(i64, String)> {
    let Some(after) = after else { return Ok((i64::MIN, String::new())) };
    let org = tx.org();
    tx.query_one(
        "select created_at, id from api_keys where org = $1 and id = $2 and project_seq = $3",
        values![org, after.as_str(), project_seq],
        |row| Ok((row.integer(0)?, row.text(1)?.to_owned())),
    )?
    .ok_or_else(|| Error::UnknownCursor(after.clone()))
}

fn find(tx: &mut Tx<'_>, project_seq: i64, id: &ApiKeyId) -> Result<ProjectApiKey> {
    let org = tx.org();
    tx.query_one(
        select_keys!("k.org = $1 and k.id = $2 and k.project_seq = $3 and k.revoked_at is null"),
        values![org, id.as_str(), project_seq],
        from_row,
    )?
    .ok_or_else(|| Error::not_found(Kind::ApiKey, id))
}

fn from_row(row: &Row<'_>) -> Result<ProjectApiKey> {
    let time = |column| -> Result<_> { Ok(Timestamp::from_unix_seconds(row.integer(column)?)) };
    let role = row.text(8)?;
    let access = if role == "none" { OwnerProjectAccess::Inactive } else { OwnerProjectAccess::Active };
    let account = ProjectApiKeyOwnerServiceAccount::new(
        row.parsed::<ServiceAccountId>(5)?,
        row.text(6)?.to_owned(),
        time(7)?,
        role.to_owned(),
    );
    let mut owner = ProjectApiKeyOwner::new();
    owner.r#type = Some("service_account".to_owned());
    owner.service_account = Some(account);
    let mut key = ProjectApiKey::new(
        row.text(2)?.to_owned(),
        row.text(1)?.to_owned(),
        time(3)?,
        row.parsed(0)?,
        access,
        owner,
    );
    key.last_used_at = row.optional_integer(4)?.map(Timestamp::from_unix_seconds);
    key.expires_at = row.optional_integer(9)?.map(Timestamp::from_unix_seconds);
    Ok(key)
}

/// Stores a key of a project's user or service account.
pub(crate) fn insert(change: &mut Change<'_>, owner: KeyOwner, new: &NewApiKey) -> Result<ApiKeyId> {
    check_scopes(change.rules(), Some(&new.scopes))?;
    let id: ApiKeyId = change.mint("key_")?;
    api_keys::write(change, id.as_str(), new, Some(owner))?;
    Ok(id)
}

/// The expiry of a key with this life in seconds.
pub(crate) fn expires_at(now: Timestamp, life: Option<i64>) -> Option<Timestamp> {
    life.map(|seconds| Timestamp::from_unix_seconds(now.unix_seconds().saturating_add(seconds)))
}

/// Scopes are permissions. They are stored in one text, separated by spaces.
fn check_scopes(rules: Rules, scopes: Option<&[String]>) -> Result<()> {
    let scopes = scopes.unwrap_or_default();
    roles::check_permissions(rules, "scopes", scopes)?;
    match scopes.iter().position(|scope| scope.contains(char::is_whitespace)) {
        Some(index) => Err(Error::invalid_value(format!("scopes[{index}]"), "a scope without spaces")),
        None => Ok(()),
    }
}

/// Revokes all keys of a deleted service account.
pub(crate) fn revoke_all_of(change: &mut Change<'_>, user_seq: i64) -> Result<()> {
    let org = change.org();
    let keys = change.query(
        "select id, project_seq from api_keys where org = $1 and user_seq = $2 and revoked_at is null order by id",
        values![org, user_seq],
        |row| Ok((row.text(0)?.to_owned(), row.integer(1)?)),
    )?;
    keys.iter().try_for_each(|(id, project_seq)| api_keys::revoke(change, id, Some(*project_seq)))
}
