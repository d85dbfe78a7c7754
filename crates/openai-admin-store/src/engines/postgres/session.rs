//! A session with a server: the common part of all connections.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{Client, NoTls, Statement};

use super::{encryption::Encryption, settings::Config};
use crate::base::error::{Error, Result};

/// How long a statement may take, in milliseconds. The server reports the timeout before [`TimeLimit::Usual`] ends, so
/// it is certain that nothing has changed.
///
/// [`TimeLimit::Usual`]: crate::base::time_limit::TimeLimit::Usual
const STATEMENT_MS_MAX: u32 = 8_000;
/// How long connecting may take in total, up to the first answer.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// An open connection. Dropping it closes the connection at once: otherwise a server that does not answer could keep
/// it, and a transaction in it, open forever.
pub(super) struct Session {
    pub(super) client: Client,
    encryption: Option<Encryption>,
    connection: JoinHandle<()>,
}

impl Session {
    /// Connects on the current runtime, and applies `settings` in addition to those of all sessions.
    pub(super) async fn open(config: &Config, settings: &str) -> Result<Self> {
        timeout(OPEN_TIMEOUT, Self::connect(config, settings))
            .await
            .unwrap_or_else(|_| Err(Self::timed_out()))
    }

    async fn connect(config: &Config, settings: &str) -> Result<Self> {
        let session = match &config.encryption {
            None => Self::of(config, config.client.connect(NoTls).await?),
            Some(encryption) => Self::of(config, config.client.connect(encryption.connector()?).await?),
        };
        // Each statement reads or writes a few rows by key: compiling takes longer than running. A time limit from the
        // URL, the role or the database is kept.
        let settings = format!(
            "set jit = off;
             select set_config('statement_timeout', '{STATEMENT_MS_MAX}', false)
             where current_setting('statement_timeout') = '0';
             {settings}"
        );
        session.client.batch_execute(&settings).await?;
        Ok(session)
    }

    /// Spawns a task that drives a connection.
    fn of<S, T>(config: &Config, (client, connection): (Client, tokio_postgres::Connection<S, T>)) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection closed");
            }
        });
        Self { client, encryption: config.encryption.clone(), connection }
    }

    /// Tells the server to cancel the running statement. The server notices a dropped connection only when it sends
    /// something.
    pub(super) async fn cancel(&self) -> Result<()> {
        let token = self.client.cancel_token();
        let cancelled = async {
            match &self.encryption {
                None => token.cancel_query(NoTls).await?,
                Some(encryption) => token.cancel_query(encryption.connector()?).await?,
            }
            Ok(())
        };
        timeout(OPEN_TIMEOUT, cancelled).await.unwrap_or_else(|_| Err(Self::timed_out()))
    }

    /// Prepares a statement.
    pub(super) async fn prepare(&self, sql: &'static str) -> Result<Statement> {
        let statement = self.client.prepare(sql).await?;
        tracing::trace!(sql, "prepared a statement");
        Ok(statement)
    }

    /// The error for an answer that did not arrive in time.
    pub(super) fn timed_out() -> Error {
        Error::unavailable("PostgreSQL did not answer in time")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
