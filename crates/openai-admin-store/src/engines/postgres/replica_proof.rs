//! Proof that a replica shows the data of its primary.
//!
//! A position in the log is only valid within one cluster and one timeline. It does not identify the database and the
//! tables that a connection sees. All of these are compared with the primary: once per connection the properties that
//! cannot change while it is open, and in the statement of each page the timeline, which a replica changes without
//! closing connections.
//!
//! Two replicas that are promoted at the same time, independently of each other, can give their timelines the same
//! number. This is not detected.

use std::fmt;

use tokio_postgres::{
    Row,
    types::{FromSql, PgLsn},
};

use super::session::Session;
use crate::base::error::{Error, Result};

/// The properties that cannot change while a connection is open. A physical replica has the same values as its primary.
const ORIGIN: &str = "select (select system_identifier from pg_control_system()),
                             (select oid from pg_database where datname = current_database()),
                             to_regclass('group_users')::oid";
/// The timeline that a primary writes. It is constant while the server is a primary.
const TIMELINE: &str =
    "select ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer";
/// Whether a role can see the timeline that a replica receives.
const SEES_TIMELINE: &str = "select pg_has_role('pg_read_all_stats', 'usage')";
/// How far a replica has replayed the log, and then on which timeline. The order matters, because a timeline only
/// grows.
pub(super) const PROGRESS: &str = "select pg_is_in_recovery(),
                                          coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false),
                                          (select received_tli from pg_stat_wal_receiver)";

/// The tables that a connection sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    cluster: i64,
    database: u32,
    /// `None` until the migration that creates it has been replayed.
    table: Option<u32>,
}

impl Origin {
    pub(super) async fn of(session: &Session) -> Result<Self> {
        let row = session.client.query_one(ORIGIN, &[]).await?;
        Ok(Self { cluster: row.try_get(0)?, database: row.try_get(1)?, table: row.try_get(2)? })
    }
}

/// The minimum state that a replica must reach before a page from it is valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) log: PgLsn,
    pub(super) primary: Primary,
}

/// The identity of a primary while a connection to it is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Primary {
    origin: Origin,
    timeline: i32,
}

impl Primary {
    /// # Errors
    ///
    /// Also if the server is a replica, which writes no timeline.
    pub(super) async fn of(session: &Session) -> Result<Self> {
        Ok(Self { origin: Origin::of(session).await?, timeline: one(session, TIMELINE).await? })
    }

    /// Compares the properties that a replica reported when the connection was opened.
    pub(super) fn compare(&self, replica: &Replica) -> std::result::Result<(), Difference> {
        let (own, other) = (self.origin, replica.origin);
        if own.cluster != other.cluster {
            return Err(Difference::Cluster { primary: own.cluster, replica: other.cluster });
        }
        if own.database != other.database {
            return Err(Difference::Database);
        }
        if own.table != other.table {
            return Err(if other.table.is_none() { Difference::Schema } else { Difference::Table });
        }
        if replica.sees_timeline { Ok(()) } else { Err(Difference::Role) }
    }

    /// Whether a replica has replayed up to the position. The row is that of [`PROGRESS`].
    pub(super) fn has_replayed(&self, row: &Row) -> Result<bool> {
        let (follows, has_replayed, timeline) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Ok(self.compare_progress(follows, has_replayed, timeline)?)
    }

    fn compare_progress(
        &self,
        follows: bool,
        has_replayed: bool,
        timeline: Option<i32>,
    ) -> std::result::Result<bool, Difference> {
        match timeline {
            _ if !follows => Err(Difference::Promoted),
            None => Err(Difference::Silent),
            Some(timeline) if timeline != self.timeline => {
                Err(Difference::Timeline { primary: self.timeline, replica: timeline })
            }
            Some(_) => Ok(has_replayed),
        }
    }
}

/// The identity of a replica, read when the connection is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replica {
    origin: Origin,
    sees_timeline: bool,
}

impl Replica {
    pub(super) async fn of(session: &Session) -> Result<Self> {
        Ok(Self { origin: Origin::of(session).await?, sees_timeline: one(session, SEES_TIMELINE).await? })
    }
}

/// Why a server is not, or not currently, a replica of the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    Cluster { primary: i64, replica: i64 },
    Database,
    Table,
    Schema,
    Role,
    Promoted,
    Silent,
    Timeline { primary: i32, replica: i32 },
}

impl Difference {
    /// The difference in an error, if there is one.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Unavailable(cause) => cause.downcast_ref().copied(),
            _ => None,
        }
    }

    /// Whether it can resolve without an operator.
    pub(super) fn is_temporary(self) -> bool {
        matches!(self, Self::Schema | Self::Silent)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster { primary, replica } => write!(
                f,
                "it belongs to another cluster (system identifier {replica}, the primary has {primary})"
            ),
            Self::Database => f.write_str("it is another database of the cluster"),
            Self::Table => f.write_str("its search_path leads to other tables"),
            Self::Schema => f.write_str("it does not have the tables yet"),
            Self::Role => {
                f.write_str("its role cannot see pg_stat_wal_receiver: grant pg_read_all_stats to the role")
            }
            Self::Promoted => f.write_str("it is not a replica, or no longer one"),
            Self::Silent => f.write_str("it is not connected to a primary"),
            Self::Timeline { primary, replica } => {
                write!(f, "it follows timeline {replica}, the primary writes timeline {primary}")
            }
        }
    }
}

impl std::error::Error for Difference {}

/// The page can be read from the primary, so the replica is only unavailable.
impl From<Difference> for Error {
    fn from(difference: Difference) -> Self {
        Self::unavailable(difference)
    }
}

async fn one<T: for<'a> FromSql<'a>>(session: &Session, sql: &str) -> Result<T> {
    session.client.query_one(sql, &[]).await?.try_get(0).map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { cluster: 7, database: 5, table: Some(16_000) };
    const PRIMARY: Primary = Primary { origin: ORIGIN, timeline: 2 };

    fn compared(origin: Origin) -> Option<Difference> {
        PRIMARY.compare(&Replica { origin, sees_timeline: true }).err()
    }

    #[test]
    fn a_replica_has_the_cluster_the_database_and_the_tables_of_its_primary() {
        assert_eq!(compared(ORIGIN), None);
        let cluster = Difference::Cluster { primary: 7, replica: 8 };
        assert_eq!(compared(Origin { cluster: 8, ..ORIGIN }), Some(cluster));
        assert_eq!(compared(Origin { database: 6, ..ORIGIN }), Some(Difference::Database));
        assert_eq!(compared(Origin { table: Some(16_001), ..ORIGIN }), Some(Difference::Table));
        assert_eq!(compared(Origin { table: None, ..ORIGIN }), Some(Difference::Schema));
    }

    #[test]
    fn a_role_that_cannot_see_the_timeline_is_rejected() {
        let unseen = Replica { origin: ORIGIN, sees_timeline: false };
        assert_eq!(PRIMARY.compare(&unseen), Err(Difference::Role));
    }

    #[test]
    fn a_replica_counts_only_while_it_follows_the_timeline_of_its_primary() {
        assert_eq!(PRIMARY.compare_progress(true, true, Some(2)), Ok(true));
        assert_eq!(PRIMARY.compare_progress(true, false, Some(2)), Ok(false));
        for timeline in [1, 3] {
            let differs = Difference::Timeline { primary: 2, replica: timeline };
            assert_eq!(PRIMARY.compare_progress(true, true, Some(timeline)), Err(differs));
        }
        assert_eq!(PRIMARY.compare_progress(true, true, None), Err(Difference::Silent));
        assert_eq!(PRIMARY.compare_progress(false, true, None), Err(Difference::Promoted));
    }
}
