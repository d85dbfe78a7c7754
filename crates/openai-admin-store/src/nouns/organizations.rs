//! Organizations: isolated tenants that share a database.

use openai_admin::{OrganizationId, models::AuditLogPayload};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        org::Org,
        stamp::Stamp,
        text::check_text,
        value::values,
    },
    engines::transaction::Transaction,
    operation::{audit_events::Places, change::Change, tx::Tx},
    store::Store,
};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organization {
    /// Its handle in operations.
    pub org: Org,
    /// Its id, such as `org-abc123`.
    pub id: OrganizationId,
    /// Its display name.
    pub title: String,
}

impl Store {
    /// All organizations of this database, oldest first.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn organizations(&self) -> Result<Vec<Organization>> {
        self.query(list).await
    }

    /// The organization with `id`, or the only one, or a new one in an empty database. Also deletes idempotency keys
    /// that have expired at the time of the stamp.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if no organization has this `id`, and [`Error::InvalidValue`] if there are several and `id`
    /// is `None`.
    pub async fn open_organization(&self, stamp: Stamp, id: Option<OrganizationId>) -> Result<Organization> {
        // Usually it exists, and nothing needs to be written.
        let wanted = id.clone();
        self.delete_expired_answers_if_due(stamp.at()).await;
        match self.query(move |transaction| choose(list(transaction)?, wanted.as_ref())).await? {
            Some(organization) => Ok(organization),
            None => self.transact(move |transaction| open(transaction, &stamp, id.as_ref())).await,
        }
    }
}

/// The title of an organization that was created without one.
const DEFAULT_TITLE: &str = "My organization";

/// [`Store::open_organization`] within a transaction that writes.
pub(crate) fn open(
    transaction: &mut Transaction<'_>,
    stamp: &Stamp,
    id: Option<&OrganizationId>,
) -> Result<Organization> {
    match choose(list(transaction)?, id)? {
        Some(organization) => Ok(organization),
        None => {
            let id = OrganizationId::new(stamp.mint("org-", 0)).map_err(Error::internal)?;
            create(transaction, stamp, &id, DEFAULT_TITLE)
        }
    }
}

fn choose(organizations: Vec<Organization>, id: Option<&OrganizationId>) -> Result<Option<Organization>> {
    let ids: Vec<String> = organizations.iter().map(|organization| organization.id.to_string()).collect();
    let mut organizations = organizations.into_iter();
    match id {
        Some(id) => organizations
            .find(|organization| organization.id == *id)
            .map(Some)
            .ok_or_else(|| Error::not_found(Kind::Organization, id)),
        None if ids.len() > 1 => Err(Error::invalid_value(
            "organization",
            format!("one of {}, because the database has several", ids.join(", ")),
        )),
        None => Ok(organizations.next()),
    }
}

pub(crate) fn list(transaction: &mut Transaction<'_>) -> Result<Vec<Organization>> {
    transaction.query("select org, id, title from organizations order by org", values![], |row| {
        Ok(Organization { org: Org::from_row(row, 0)?, id: row.parsed(1)?, title: row.text(2)?.to_owned() })
    })
}

pub(crate) fn create(
    transaction: &mut Transaction<'_>,
    stamp: &Stamp,
    id: &OrganizationId,
    title: &str,
) -> Result<Organization> {
    check_text("organization.title", title)?;
    let last = transaction
        .query_one("select max(org) from organizations", values![], |row| row.optional_integer(0))?;
    let org = Org::of_seq(last.flatten().unwrap_or(0) + 1);
    transaction.execute(
        "insert into organizations (org, id, title, created_at) values ($1, $2, $3, $4)",
        values![org.seq(), id.as_str(), title, stamp.seconds()],
    )?;
    let payload = AuditLogPayload::title(title);
    Change::new(Tx::new(transaction, org), stamp).record("organization.created", titled(id, &payload))?;
    Ok(Organization { org, id: id.clone(), title: title.to_owned() })
}

/// Renames the only organization if it was created automatically and is still empty. The first start of a server
/// creates it, and a later load must not create a second one. Its keys stay valid.
pub(crate) fn adopt(
    transaction: &mut Transaction<'_>,
    stamp: &Stamp,
    id: &OrganizationId,
    title: &str,
) -> Result<Option<Organization>> {
    check_text("organization.title", title)?;
    let adopted = transaction.query_one(
        "update organizations set id = $1, title = $2
         where title = $3 and last_user_seq = 0 and last_group_seq = 0 and (select count(*) from organizations) = 1
               and not exists (select 1 from sequences where sequences.org = organizations.org)
         returning org",
        values![id.as_str(), title, DEFAULT_TITLE],
        |row| Org::from_row(row, 0),
    )?;
    let Some(org) = adopted else { return Ok(None) };
    let payload = AuditLogPayload::title(title);
    Change::new(Tx::new(transaction, org), stamp).record("organization.updated", titled(id, &payload))?;
    Ok(Some(Organization { org, id: id.clone(), title: title.to_owned() }))
}

/// Changes the title of an organization.
pub(crate) fn rename(change: &mut Change<'_>, organization: &mut Organization, title: &str) -> Result<()> {
    check_text("organization.title", title)?;
    let org = change.org();
    change.execute("update organizations set title = $1 where org = $2", values![title, org])?;
    let payload = AuditLogPayload::title(title);
    change.record("organization.updated", titled(&organization.id, &payload))?;
    organization.title = title.to_owned();
    Ok(())
}

/// The event places of an organization with its new title.
fn titled<'a>(id: &'a OrganizationId, payload: &'a AuditLogPayload) -> Places<'a> {
    Places { detail: Some(id.as_str()), payload: Some(payload), ..Places::default() }
}
