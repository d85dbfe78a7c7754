//! Service accounts of a project. Each is also a user with the same id, because groups and roles refer to users.

use openai_admin::{
    Order, PersonalText, ServiceAccountId, ServiceAccountRole, Timestamp, UserId, UserRole,
    models::{
        AuditLogPayload, CreateProjectServiceAccountApiKeyBody, ProjectServiceAccount,
        ProjectServiceAccountApiKey, ProjectServiceAccountCreateResponse,
        ProjectServiceAccountDeleteResponse, ProjectServiceAccountListResponse, ServiceAccountApiKeyBody,
        User,
    },
    operations::{
        CreateServiceAccount, CreateServiceAccountApiKey, DeleteServiceAccount, ListServiceAccounts,
        RetrieveServiceAccount, UpdateServiceAccount,
    },
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        page::Range,
        secret::Secret,
        text::check_text,
        value::{Row, Value, values},
    },
    nouns::{
        api_keys::{KeyOwner, NewApiKey},
        federation_rules::rule_rows,
        project_api_keys, projects,
        users::{self, StoredUser},
    },
    operation::{Changes, Reads, change::Change, reading::Reading, tx::Tx},
    shapes::{
        table::{Numbers, Table, table},
        thing::{self, Stored, Thing, stored},
    },
};

/// The name of the key that is created with an account (published example).
const KEY_NAME: &str = "Secret Key";

table! {
    $ service_accounts of ServiceAccount;
    columns: project_seq user_seq name role created_at;
    erased: name = "''";
    recorded: role = "role";
    numbers: Numbers::Sequence;
    events: "service_account.created", "service_account.updated", "service_account.deleted";
}

/// A service account, with its project and its user.
#[derive(Clone, Debug, PartialEq)]
struct StoredServiceAccount {
    account: ProjectServiceAccount,
    project_seq: i64,
    user_seq: i64,
}

impl Thing for StoredServiceAccount {
    const TABLE: &'static Table = &TABLE;

    fn id(&self) -> &str {
        self.account.id.as_str()
    }

    fn project_seq(&self) -> Option<i64> {
        Some(self.project_seq)
    }

    fn from_row(row: &Row<'_>) -> Result<Self> {
        let role = ServiceAccountRole::from(row.text(5)?);
        let created_at = Timestamp::from_unix_seconds(row.integer(6)?);
        Ok(Self {
            account: ProjectServiceAccount::new(row.parsed(1)?, row.text(4)?.to_owned(), role, created_at),
            project_seq: row.integer(2)?,
            user_seq: row.integer(3)?,
        })
    }

    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R {
        let account = &self.account;
        write(values![
            account.id.as_str(),
            self.project_seq,
            self.user_seq,
            account.name.as_str(),
            account.role.as_str(),
            account.created_at.unix_seconds()
        ])
    }

    fn payload(&self) -> AuditLogPayload {
        AuditLogPayload::role(Some(UserRole::from(self.account.role.as_str())))
    }
}

impl Reads for ListServiceAccounts {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectServiceAccountListResponse> {
        let project = projects::find_active(tx, &self.project_id)?;
        let after = thing::cursor::<StoredServiceAccount>(tx, self.after.as_ref())?;
        let range = Range::new(Order::Asc, after, self.limit.unwrap_or_default().get());
        let org = tx.org();
        let found = tx.query(
            select!(
                "service_accounts where org = $1 and project_seq = $2 and seq > $3 and removed_at is null
                 order by seq limit $4"
            ),
            values![org, project.seq, range.after, range.rows()],
            |row| Ok(StoredServiceAccount::from_row(row)?.account),
        )?;
        let (accounts, has_more) = range.cut(found);
        Ok(ProjectServiceAccountListResponse::new(accounts, has_more))
    }
}

impl Reads for RetrieveServiceAccount {
    fn read(&self, tx: &mut Reading<'_>) -> Result<ProjectServiceAccount> {
        let project = projects::find_active(tx, &self.project_id)?;
        Ok(find(tx, project.seq, &self.service_account_id)?.thing.account)
    }
}

impl Changes for CreateServiceAccount {
    const SECRET: Option<&'static str> = Some("sk-svcacct-");

    fn change(&self, change: &mut Change<'_>) -> Result<ProjectServiceAccountCreateResponse> {
        let project = projects::find_changeable(change, &self.project_id)?;
        let (name, created_at) = (&*self.body.name, change.stamp().at());
        check_text("name", name)?;
        let has_key = self.body.create_service_account_only != Some(true);
        let role = if has_key { ServiceAccountRole::Member } else { ServiceAccountRole::None };
        let id: ServiceAccountId = change.mint("svc_acct_")?;
        let user_seq = insert_user(change, &id, name)?;
        let account = ProjectServiceAccount::new(id.clone(), name.to_owned(), role.clone(), created_at);
        let account = StoredServiceAccount { account, project_seq: project.seq, user_seq };
        thing::insert(change, &account)?;
        let mut answer = ProjectServiceAccountCreateResponse::new(id, name.to_owned(), role, created_at);
        if has_key {
            let mut key = CreateProjectServiceAccountApiKeyBody::new();
            key.expires_in_seconds = self.body.expires_in_seconds;
            answer.api_key = Some(insert_key(change, &account, &key)?);
        }
        Ok(answer)
    }
}

impl Changes for CreateServiceAccountApiKey {
    const SECRET: Option<&'static str> = Some("sk-svcacct-");

    fn change(&self, change: &mut Change<'_>) -> Result<ServiceAccountApiKeyBody> {
        let project = projects::find_active(change, &self.project_id)?;
        let account = find(change, project.seq, &self.service_account_id)?.thing;
        // A key has no number. Only answers without a secret are found by it.
        change.creates(Kind::ApiKey, 0);
        insert_key(change, &account, &self.body)
    }
}

/// The user of the account gets the new name too.
impl Changes for UpdateServiceAccount {
    fn change(&self, change: &mut Change<'_>) -> Result<ProjectServiceAccount> {
        let project = projects::find_active(change, &self.project_id)?;
        let Stored { seq, thing: before } = find(change, project.seq, &self.service_account_id)?;
        let mut new = before.clone();
        if let Some(name) = &self.body.name {
            check_text("name", name)?;
            new.account.name = name.to_string();
        }
        if let Some(role) = &self.body.role {
            check_role(role)?;
            new.account.role = role.clone();
        }
        if new == before {
            return Ok(new.account);
        }
        thing::update(change, seq, &new)?;
        rename_user(change, &new)?;
        let payload = new.payload();
        change.record(TABLE.updated, thing::places(seq, &new).with(Some(&payload)))?;
        Ok(new.account)
    }
}

/// Also revokes its keys, removes its group memberships and roles, and deletes its federation rules (assumed).
impl Changes for DeleteServiceAccount {
    const ENDS: bool = true;

    fn change(&self, change: &mut Change<'_>) -> Result<ProjectServiceAccountDeleteResponse> {
        let project = projects::find_active(change, &self.project_id)?;
        let account = find(change, project.seq, &self.service_account_id)?;
        bury(change, &account)?;
        Ok(ProjectServiceAccountDeleteResponse::new(account.thing.account.id))
    }
}

/// Deletes all service accounts of an archived project.
pub(crate) fn bury_all(change: &mut Change<'_>, project_seq: i64) -> Result<()> {
    let org = change.org();
    // With a lower bound for the number, SQLite uses the index of the project.
    let accounts: Vec<Stored<StoredServiceAccount>> = change.query(
        select!(
            "service_accounts where org = $1 and project_seq = $2 and seq > $3 and removed_at is null
             order by seq"
        ),
        values![org, project_seq, 0],
        stored,
    )?;
    accounts.iter().try_for_each(|account| bury(change, account))
}

fn bury(change: &mut Change<'_>, account: &Stored<StoredServiceAccount>) -> Result<()> {
    project_api_keys::revoke_all_of(change, account.thing.user_seq)?;
    rule_rows::bury_all_of_account(change, account.seq)?;
    let user = thing::find::<StoredUser>(change, account.thing.id())?;
    users::bury(change, &user)?;
    thing::bury(change, account)
}

/// The number of a service account of the project.
pub(crate) fn find_seq(tx: &mut Tx<'_>, project_seq: i64, id: &ServiceAccountId) -> Result<i64> {
    Ok(find(tx, project_seq, id)?.seq)
}

/// The number of a service account, including deleted ones, if it exists.
pub(crate) fn look_up_seq(tx: &mut Tx<'_>, id: &ServiceAccountId) -> Result<Option<i64>> {
    thing::position::<StoredServiceAccount>(tx, id.as_str())
}

fn find(tx: &mut Tx<'_>, project_seq: i64, id: &ServiceAccountId) -> Result<Stored<StoredServiceAccount>> {
    let org = tx.org();
    tx.query_one(
        select!("service_accounts where org = $1 and id = $2 and project_seq = $3 and removed_at is null"),
        values![org, id.as_str(), project_seq],
        stored,
    )?
    .ok_or_else(|| Error::not_found(Kind::ServiceAccount, id))
}

/// Writes the user for an account.
fn insert_user(change: &mut Change<'_>, id: &ServiceAccountId, name: &str) -> Result<i64> {
    let mut user = User::new(UserId::new(id).map_err(Error::internal)?, change.stamp().at());
    user.name = Some(PersonalText::from(name));
    user.role = Some(UserRole::Reader);
    user.is_service_account = Some(true);
    users::insert(change, &StoredUser::new(user))
}

fn rename_user(change: &mut Change<'_>, account: &StoredServiceAccount) -> Result<()> {
    let mut user = thing::find::<StoredUser>(change, account.id())?;
    user.thing.user.name = Some(PersonalText::from(account.account.name.as_str()));
    thing::update(change, user.seq, &user.thing)
}

/// No update takes the role from an account (published values).
fn check_role(role: &ServiceAccountRole) -> Result<()> {
    match role {
        ServiceAccountRole::Owner | ServiceAccountRole::Member => Ok(()),
        _ => Err(Error::invalid_value("role", "'member' or 'owner'")),
    }
}

fn insert_key(
    change: &mut Change<'_>,
    account: &StoredServiceAccount,
    body: &CreateProjectServiceAccountApiKeyBody,
) -> Result<ProjectServiceAccountApiKey> {
    let Secret { value, hash, redacted } = change.show_secret()?.clone();
    let name = body.name.as_ref().map_or(KEY_NAME.to_owned(), ToString::to_string);
    let scopes = body.scopes.clone().unwrap_or_default();
    let created_at = change.stamp().at();
    let life = body.expires_in_seconds.map(|seconds| seconds.get());
    let expires_at = project_api_keys::expires_at(created_at, life);
    let owner = KeyOwner { project_seq: account.project_seq, user_seq: account.user_seq };
    let new = NewApiKey { hash, redacted, name, scopes, expires_at };
    let id = project_api_keys::insert(change, owner, &new)?;
    let mut created = ProjectServiceAccountApiKey::new(value, new.name, created_at, id);
    created.expires_at = expires_at;
    Ok(created)
}
