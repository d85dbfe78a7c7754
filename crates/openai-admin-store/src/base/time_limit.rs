//! Time limits of operations.

use std::time::Duration;

use tokio::time::Instant;

/// How long a caller waits for an operation, from the moment the operation is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeLimit {
    /// For operations that read or write a few rows, or one page of them.
    Usual,
    /// For the deletion of a group or a user, which may have a million memberships.
    Deletion,
    /// For operations that may read or write the whole database.
    Everything,
}

impl TimeLimit {
    pub(crate) const fn timeout(self) -> Duration {
        match self {
            Self::Usual => Duration::from_secs(10),
            Self::Deletion => Duration::from_secs(60),
            Self::Everything => Duration::from_secs(16 * 60),
        }
    }

    /// The setting that gives the statements of a PostgreSQL transaction more time than usual, but less than the caller
    /// waits.
    pub(crate) const fn statement_timeout(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Deletion => "set local statement_timeout = '55s'",
            Self::Everything => "set local statement_timeout = '15min'",
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn deadline(self) -> Instant {
        now() + self.timeout()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long a caller waits; no stored value depends on it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
