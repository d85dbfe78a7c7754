//! A session with a server: what every connection has in common.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{Client, NoTls, Statement};

use super::{encryption::Encryption, settings::Config};
use crate::base::error::{Error, Result};

/// How long a statement may take, in milliseconds. The server says so before [`TimeLimit::Usual`] ends, and then it is
/// certain that nothing has happened.
///
/// [`TimeLimit::Usual`]: crate::base::time_limit::TimeLimit::Usual
const STATEMENT_MS_MAX: u32 = 8_000;
/// How long connecting may take as a whole, up to the first answer.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// An open connection. It ends with this value, whatever is under way: a server that does not answer could otherwise
/// hold it, and with it a transaction, for ever.
pub(super) struct Session {
    pub(super) client: Client,
    encryption: Option<Encryption>,
    connection: JoinHandle<()>,
}

impl Session {
    /// Connects, on the runtime that this is polled on, and applies `settings` on top of what all sessions have.
    pub(super) async fn open(config: &Config, settings: &str) -> Result<Self> {
        timeout(OPEN_TIMEOUT, Self::connect(config, settings)).await.unwrap_or_else(|_| Err(Self::silence()))
    }

    async fn connect(config: &Config, settings: &str) -> Result<Self> {
        let session = match &config.encryption {
            None => Self::of(config, config.client.connect(NoTls).await?),
            Some(encryption) => Self::of(config, config.client.connect(encryption.connector()?).await?),
        };
        // Every statement reads or writes a page of rows by key: compiling it takes longer than running it. A limit that
        // the URL, the role or the database sets is kept.
        let settings = format!(
            "set jit = off;
             select set_config('statement_timeout', '{STATEMENT_MS_MAX}', false)
             where current_setting('statement_timeout') = '0';
             {settings}"
        );
        session.client.batch_execute(&settings).await?;
        Ok(session)
    }

    /// Lets the runtime drive a connection.
    fn of<S, T>(config: &Config, (client, connection): (Client, tokio_postgres::Connection<S, T>)) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection has ended");
            }
        });
        Self { client, encryption: config.encryption.clone(), connection }
    }

    /// Asks the server to end what it does for this connection. A connection that is only dropped is noticed when there is
    /// something to send.
    pub(super) async fn cancel(&self) -> Result<()> {
        let token = self.client.cancel_token();
        let cancelled = async {
            match &self.encryption {
                None => token.cancel_query(NoTls).await?,
                Some(encryption) => token.cancel_query(encryption.connector()?).await?,
            }
            Ok(())
        };
        timeout(OPEN_TIMEOUT, cancelled).await.unwrap_or_else(|_| Err(Self::silence()))
    }

    /// Prepares a statement.
    pub(super) async fn prepare(&self, sql: &'static str) -> Result<Statement> {
        let statement = self.client.prepare(sql).await?;
        tracing::trace!(sql, "a statement is prepared");
        Ok(statement)
    }

    /// What an answer that did not come in time is called.
    pub(super) fn silence() -> Error {
        Error::unavailable("PostgreSQL did not answer in time")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
