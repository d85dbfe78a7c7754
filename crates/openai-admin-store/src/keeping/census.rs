//! How much a database holds.

use crate::{
    base::{error::Result, kind::Kind, time_limit::TimeLimit, value::values},
    engines::{
        database_url::DatabaseUrl, job::on_a_thread, postgres, sqlite::files::open_to_read,
        transaction::Transaction,
    },
    keeping::{migrations, tables::TABLES},
    shapes::edges::EDGES,
    store::Store,
};

/// How many there are of each thing, over all organizations, without those that were removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    counts: Vec<(&'static str, u64)>,
}

impl Census {
    /// What is counted, by its name for people in the singular, and how many there are of it: organizations, things,
    /// rows that join things, settings, keys (those that were revoked included) and events of the audit log.
    pub fn counts(&self) -> &[(&'static str, u64)] {
        &self.counts
    }

    /// How many there are of what has this name, such as `role assignment`; none when that is not counted.
    pub fn of(&self, name: &str) -> Option<u64> {
        self.counts.iter().find(|(counted, _)| *counted == name).map(|(_, number)| *number)
    }
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
    let organizations = (Kind::Organization.as_str(), "select count(*) from organizations");
    let things = TABLES.iter().map(|table| (table.kind.as_str(), table.sql.count));
    let edges = EDGES.iter().map(|edge| (edge.kind.as_str(), edge.count));
    let others = [
        ("setting", "select count(*) from settings"),
        (Kind::ApiKey.as_str(), "select count(*) from api_keys"),
        ("audit event", "select count(*) from audit_events"),
    ];
    let counts = [organizations].into_iter().chain(things).chain(edges).chain(others).map(|(name, sql)| {
        let counted = transaction.query_one(sql, values![], |row| row.integer(0))?;
        Ok((name, counted.and_then(|counted| u64::try_from(counted).ok()).unwrap_or(0)))
    });
    Ok(Census { counts: counts.collect::<Result<_>>()? })
}
