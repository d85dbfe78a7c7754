//! Counts of a database's contents.

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

/// The number of resources of each kind, over all organizations, without deleted ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    counts: Vec<(&'static str, u64)>,
}

impl Census {
    /// The name in messages (singular) and the count of each kind: organizations, resources, rows that join resources,
    /// settings, rate limits, keys (including revoked ones) and events of the audit log.
    pub fn counts(&self) -> &[(&'static str, u64)] {
        &self.counts
    }

    /// The count for a name, such as `role assignment`. `None` if that name is not counted.
    pub fn of(&self, name: &str) -> Option<u64> {
        self.counts.iter().find(|(counted, _)| *counted == name).map(|(_, number)| *number)
    }
}

impl Store {
    /// Counts the whole database.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn census(&self) -> Result<Census> {
        self.read_everything(census).await
    }

    /// Counts the database at `url` without changing it. Returns `None` if its schema has another version than this
    /// program.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if there is no such database.
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
        ("rate limit", "select count(*) from rate_limits"),
        (Kind::ApiKey.as_str(), "select count(*) from api_keys"),
        ("audit event", "select count(*) from audit_events"),
    ];
    let counts = [organizations].into_iter().chain(things).chain(edges).chain(others).map(|(name, sql)| {
        let counted = transaction.query_one(sql, values![], |row| row.integer(0))?;
        Ok((name, counted.and_then(|counted| u64::try_from(counted).ok()).unwrap_or(0)))
    });
    Ok(Census { counts: counts.collect::<Result<_>>()? })
}
