//! A connection of a thread that runs bodies: it runs one transaction after the other, each with a deadline.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, timeout_at},
};
use tokio_postgres::{
    Row, Statement,
    error::{Severity, SqlState},
};

use super::{session::Session, settings::Config};
use crate::{
    base::{
        error::{Error, Result},
        postgres_values::as_parameters,
        time_limit::{TimeLimit, now},
        value::Value,
    },
    engines::lanes::Caller,
};

/// How often a read checks that its caller still waits.
const CALLER_CHECK_PAUSE: Duration = Duration::from_millis(200);

/// A connection, driven by the thread that uses it.
pub(crate) struct Connection {
    /// `None` only during drop.
    runtime: Option<Runtime>,
    session: Session,
    /// The prepared statements by their SQL text.
    statements: HashMap<&'static str, Statement>,
    /// When the running operation times out.
    pub(super) deadline: Instant,
    /// The caller of the running operation, if it only reads.
    caller: Option<Caller>,
    /// Whether an abandoned statement may still send an answer, so that the connection cannot be reused.
    pub(super) is_lost: bool,
}

impl Connection {
    /// Connects before `deadline`, with these settings.
    pub(super) fn open(config: &Config, settings: &str, deadline: Instant) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::unavailable)?;
        let session = runtime
            .block_on(async { timeout_at(deadline, Session::open(config, settings)).await })
            .unwrap_or_else(|_| Err(Session::timed_out()))?;
        Ok(Self {
            runtime: Some(runtime),
            session,
            statements: HashMap::new(),
            deadline,
            caller: None,
            is_lost: false,
        })
    }

    /// Whether the connection can run another transaction.
    pub(super) fn is_usable(&self) -> bool {
        !self.is_lost && !self.session.client.is_closed()
    }

    /// Sets the caller of the next operations. `None`: run them even if the caller is gone.
    pub(super) fn work_for(&mut self, caller: Option<Caller>) {
        self.caller = caller;
    }

    /// Runs statements that return nothing and take no values.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        Ok(self.wait_for(|client| async move { client.batch_execute(sql).await })??)
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64> {
        let statement = self.prepared(sql)?;
        let parameters = as_parameters(values);
        Ok(self.wait_for(|client| async move { client.execute(&statement, &parameters).await })??)
    }

    /// Runs a query.
    pub(crate) fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql)?;
        let parameters = as_parameters(values);
        Ok(self.wait_for(|client| async move { client.query(&statement, &parameters).await })??)
    }

    /// Runs a query with a result of any size, and passes each row to `each`. The deadline restarts with each row.
    pub(crate) fn stream(&mut self, sql: &str, mut each: impl FnMut(&Row) -> Result<()>) -> Result<()> {
        let rows =
            self.wait_for(|client| async move { client.query_raw(sql, std::iter::empty::<i64>()).await })??;
        let mut rows = std::pin::pin!(rows);
        loop {
            self.deadline = TimeLimit::Everything.deadline();
            match self.wait_for(|_| rows.next())? {
                Some(row) => each(&row?)?,
                None => return Ok(()),
            }
        }
    }

    /// Sends the chunks of a COPY, up to the first empty one. The deadline restarts with each chunk.
    pub(crate) fn copy_in(&mut self, sql: &str, mut chunk: impl FnMut() -> Result<Bytes>) -> Result<()> {
        let sink = self.wait_for(|client| async move { client.copy_in::<_, Bytes>(sql).await })??;
        let mut sink = std::pin::pin!(sink);
        loop {
            self.deadline = TimeLimit::Everything.deadline();
            let chunk = chunk()?;
            if chunk.is_empty() {
                self.wait_for(|_| sink.as_mut().finish())??;
                return Ok(());
            }
            self.wait_for(|_| sink.send(chunk))??;
        }
    }

    fn prepared(&mut self, sql: &'static str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.wait_for(|client| async move { client.prepare(sql).await })??;
        tracing::trace!(sql, "prepared a statement");
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Waits for an answer until the deadline, or until the caller is gone. After that the connection is lost, because
    /// the answer may still arrive.
    pub(super) fn wait_for<'a, F: Future>(
        &'a mut self,
        ask: impl FnOnce(&'a tokio_postgres::Client) -> F,
    ) -> Result<F::Output> {
        let runtime = self.runtime.as_ref().ok_or_else(Session::timed_out)?;
        let (session, deadline, caller) = (&self.session, self.deadline, self.caller.as_ref());
        let answer = runtime.block_on(async {
            let answer = answer_until(deadline, caller, ask(&session.client)).await;
            // After a timeout, the server would not answer the cancellation either.
            if answer.is_none()
                && caller.is_some_and(Caller::is_gone)
                && let Err(error) = session.cancel().await
            {
                tracing::debug!(error = &error as &dyn std::error::Error, "failed to cancel a statement");
            }
            answer
        });
        if answer.is_none() {
            self.is_lost = true;
        }
        answer.ok_or_else(Session::timed_out)
    }
}

/// Waits for an answer until the deadline, or until the caller is gone.
async fn answer_until<F: Future>(deadline: Instant, caller: Option<&Caller>, answer: F) -> Option<F::Output> {
    let Some(caller) = caller else { return timeout_at(deadline, answer).await.ok() };
    let mut answer = std::pin::pin!(answer);
    loop {
        let next_look = deadline.min(now() + CALLER_CHECK_PAUSE);
        match timeout_at(next_look, &mut answer).await {
            Ok(answer) => return Some(answer),
            Err(_) if next_look == deadline || caller.is_gone() => return None,
            Err(_) => {}
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without waiting: otherwise this would wait for a pending DNS lookup.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Classifies an error that COMMIT returned.
pub(super) fn uncommitted(error: tokio_postgres::Error, writes: bool) -> Error {
    // PostgreSQL reports severity ERROR for a transaction that it rolled back. Otherwise the connection has ended, and
    // the transaction may have been committed before.
    let is_rolled_back = error.as_db_error().is_some_and(|error| {
        error.parsed_severity() == Some(Severity::Error)
            && *error.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
            && *error.code() != SqlState::TRANSACTION_RESOLUTION_UNKNOWN
    });
    if writes && !is_rolled_back { Error::outcome_unknown(error) } else { error.into() }
}
