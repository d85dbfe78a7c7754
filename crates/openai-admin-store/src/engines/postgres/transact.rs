//! Runs a body in a transaction.

use super::{
    connection::{Connection, uncommitted},
    limits::Access,
};
use crate::{
    base::{
        announcement::announcement,
        error::{Error, Result},
        value::Value,
    },
    engines::transaction::Transaction,
};

/// How a transaction is isolated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Isolation {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Isolation {
    pub(super) fn start(self, writes: bool) -> &'static str {
        match (self, writes) {
            (Self::ReadCommitted, _) => "START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
            (Self::RepeatableRead, _) => "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            (Self::Serializable, true) => "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE",
            (Self::Serializable, false) => "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
        }
    }
}

impl Connection {
    /// Runs a body in its own transaction. Returns [`Error::Conflict`] if the transaction could not be started: nothing
    /// has happened then.
    pub(super) fn transact(
        &mut self,
        isolation: Isolation,
        access: &Access,
        body: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        self.deadline = access.deadline;
        let excludes_additions = access.org.filter(|_| access.excludes_additions);
        if let Some(org) = excludes_additions {
            let lock = "select pg_advisory_lock('group_users'::regclass::oid::int, hashint8($1))";
            let locked = self.query(lock, &[Value::Integer(org)]).map(drop);
            self.begun(locked)?;
        }
        let outcome = self.transact_unlocked(isolation, access, body);
        if let Some(org) = excludes_additions {
            let unlock = "select pg_advisory_unlock('group_users'::regclass::oid::int, hashint8($1))";
            // If the lock cannot be released, the connection is closed, which releases it.
            self.is_lost |= self.query(unlock, &[Value::Integer(org)]).is_err();
        }
        outcome
    }

    fn transact_unlocked(
        &mut self,
        isolation: Isolation,
        access: &Access,
        body: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let writes = access.writes;
        let started = match access.org.filter(|_| writes) {
            Some(org) => self.batch(&format!("{}; {}", isolation.start(writes), announcement(org))),
            None => self.batch(isolation.start(writes)),
        };
        self.begun(started)?;
        if let Err(error) = body(&mut Transaction::Postgres(self)) {
            // The body's error is returned. A connection that cannot roll back is not used again.
            self.is_lost |= self.batch("ROLLBACK").is_err();
            return Err(error);
        }
        match self.wait_for(|client| async move { client.batch_execute("COMMIT").await }) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(uncommitted(error, writes)),
            Err(timeout_error) if writes => Err(Error::outcome_unknown(timeout_error)),
            Err(timeout_error) => Err(timeout_error),
        }
    }

    /// Handles an error before the body starts: usually the server has closed an idle connection.
    fn begun(&mut self, begun: Result<()>) -> Result<()> {
        begun.map_err(|error| {
            if self.is_lost {
                return error;
            }
            tracing::debug!(error = &error as &dyn std::error::Error, "replacing a connection");
            self.is_lost = true;
            Error::Conflict
        })
    }
}
