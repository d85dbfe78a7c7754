//! How much a database holds.

use crate::{
    base::{error::Result, time_limit::TimeLimit, value::values},
    engines::{
        database_url::DatabaseUrl, job::on_a_thread, postgres, sqlite::files::open_to_read,
        transaction::Transaction,
    },
    keeping::migrations,
    store::Store,
};

/// How many there are of each thing, over all organizations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Organizations.
    pub organizations: u64,
    /// Users, without those who were removed.
    pub users: u64,
    /// Groups, without those that were deleted.
    pub groups: u64,
    /// Memberships.
    pub memberships: u64,
    /// Keys, those that were revoked included.
    pub api_keys: u64,
    /// Events of the audit log.
    pub audit_events: u64,
}

impl Store {
    /// Counts everything in the database.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn census(&self) -> Result<Census> {
        self.read_everything(census).await
    }

    /// Counts everything in the database at `url`, which stays as it is. None when it has not the schema of this program,
    /// and so cannot be counted.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) when there is no such database.
    pub async fn census_of(url: &DatabaseUrl) -> Result<Option<Census>> {
        let url = url.clone();
        on_a_thread(move || {
            let mut counted = None;
            let mut count = |transaction: &mut Transaction<'_>| {
                if migrations::require_newest(transaction).is_ok() {
                    counted = Some(census(transaction)?);
                }
                Ok(())
            };
            match url {
                DatabaseUrl::Sqlite(file) => count(&mut Transaction::Sqlite(&open_to_read(&file)?))?,
                DatabaseUrl::Postgres(url) => postgres::once(&url, false, &mut count)?,
            }
            Ok(counted)
        })
        .await
    }
}

pub(crate) fn census(transaction: &mut Transaction<'_>) -> Result<Census> {
    transaction.allow_long_statements(TimeLimit::Everything)?;
    let mut count = |sql: &'static str| -> Result<u64> {
        let counted = transaction.query_one(sql, values![], |row| row.integer(0))?;
        Ok(counted.and_then(|counted| u64::try_from(counted).ok()).unwrap_or(0))
    };
    Ok(Census {
        organizations: count("select count(*) from organizations")?,
        users: count("select count(*) from users where removed_at is null")?,
        groups: count("select count(*) from groups where removed_at is null")?,
        memberships: count("select count(*) from group_users")?,
        api_keys: count("select count(*) from api_keys")?,
        audit_events: count("select count(*) from audit_events")?,
    })
}
