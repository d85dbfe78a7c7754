//! A connection of a thread that runs bodies: one transaction after the other, each with a deadline.

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
        time_limit::{TimeLimit, now},
        value::{Value, as_parameters},
    },
    engines::lanes::Asker,
};

/// How often a read looks whether its caller still waits.
const ASKER_LOOK_PAUSE: Duration = Duration::from_millis(200);

/// A connection, driven by the thread that uses it.
pub(crate) struct Connection {
    /// Only `None` while it is dropped.
    runtime: Option<Runtime>,
    session: Session,
    /// The statements that it has prepared, by their text.
    statements: HashMap<&'static str, Statement>,
    /// When the operation that runs on it is given up.
    pub(super) deadline: Instant,
    /// Who waits for it, when it only reads.
    asker: Option<Asker>,
    /// Whether an answer is outstanding that nobody waits for, so that nothing else can be asked.
    pub(super) is_lost: bool,
}

impl Connection {
    /// Connects before `deadline`, with these settings.
    pub(super) fn open(config: &Config, settings: &str, deadline: Instant) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::unavailable)?;
        let session = runtime
            .block_on(async { timeout_at(deadline, Session::open(config, settings)).await })
            .unwrap_or_else(|_| Err(Session::silence()))?;
        Ok(Self {
            runtime: Some(runtime),
            session,
            statements: HashMap::new(),
            deadline,
            asker: None,
            is_lost: false,
        })
    }

    /// Whether another transaction can be run on it.
    pub(super) fn is_usable(&self) -> bool {
        !self.is_lost && !self.session.client.is_closed()
    }

    /// From now on it works for this caller, or for one who wants it done in any case.
    pub(super) fn work_for(&mut self, asker: Option<Asker>) {
        self.asker = asker;
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

    /// Runs a query whose result may be all there is, and hands out each row. Each of them may take its time.
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

    /// Sends chunks in answer to a COPY, up to the first that is empty. Each of them may take its time.
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
        tracing::trace!(sql, "a statement is prepared");
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Waits for an answer until the deadline, or until the caller has left. After that the connection is lost, since the
    /// answer may still come.
    pub(super) fn wait_for<'a, F: Future>(
        &'a mut self,
        ask: impl FnOnce(&'a tokio_postgres::Client) -> F,
    ) -> Result<F::Output> {
        let runtime = self.runtime.as_ref().ok_or_else(Session::silence)?;
        let (session, deadline, asker) = (&self.session, self.deadline, self.asker.as_ref());
        let answer = runtime.block_on(async {
            let answer = answer_until(deadline, asker, ask(&session.client)).await;
            // A server that did not answer in time would not answer this either.
            if answer.is_none()
                && asker.is_some_and(Asker::is_gone)
                && let Err(error) = session.cancel().await
            {
                tracing::debug!(error = &error as &dyn std::error::Error, "a statement is not cancelled");
            }
            answer
        });
        if answer.is_none() {
            self.is_lost = true;
        }
        answer.ok_or_else(Session::silence)
    }
}

/// Waits for an answer as long as somebody wants it.
async fn answer_until<F: Future>(deadline: Instant, asker: Option<&Asker>, answer: F) -> Option<F::Output> {
    let Some(asker) = asker else { return timeout_at(deadline, answer).await.ok() };
    let mut answer = std::pin::pin!(answer);
    loop {
        let next_look = deadline.min(now() + ASKER_LOOK_PAUSE);
        match timeout_at(next_look, &mut answer).await {
            Ok(answer) => return Some(answer),
            Err(_) if next_look == deadline || asker.is_gone() => return None,
            Err(_) => {}
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // At once: a name that is still being looked up would be waited for otherwise.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What an error means that came instead of the answer to COMMIT.
pub(super) fn uncommitted(error: tokio_postgres::Error, writes: bool) -> Error {
    // PostgreSQL says ERROR of a transaction that it has rolled back. Otherwise the connection has ended, and by the
    // time it did the transaction may have been committed.
    let is_rolled_back = error.as_db_error().is_some_and(|error| {
        error.parsed_severity() == Some(Severity::Error)
            && *error.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
            && *error.code() != SqlState::TRANSACTION_RESOLUTION_UNKNOWN
    });
    if writes && !is_rolled_back { Error::outcome_unknown(error) } else { error.into() }
}
