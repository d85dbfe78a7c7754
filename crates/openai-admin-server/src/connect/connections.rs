//! The server's connections: accepting, limits for each peer, and shutdown.

mod connection;
mod peers;
mod timed;

use std::{future::Future, io, mem, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

use self::{
    connection::{Connection, ConnectionSettings, Stage},
    peers::Peers,
};
use crate::{
    connect::{config::Config, tls::Tls},
    minter::Minter,
};

pub(crate) use peers::Peer;

/// How long requests may take after the server stopped.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last responses may take to be sent after all requests are done. Then idle connections are closed.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait if the system has no resources for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often failed accepts are logged.
const FAILURES_REPORTED_EVERY: Duration = Duration::from_secs(60);

/// Counts the requests in flight and the open connections.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    in_flight: watch::Sender<usize>,
    connections: Gauge,
}

impl Requests {
    /// Counts a request until the guard is dropped.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.send_if_modified(|count| {
            *count += 1;
            // Waiters need only decreases.
            false
        });
        InFlight(self)
    }

    /// The number of requests in flight.
    pub(crate) fn count(&self) -> usize {
        *self.in_flight.borrow()
    }

    /// The number of connections.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Counts a connection until the guard is dropped.
    fn connected(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    async fn all_done(&self) {
        // It fails only if the sender is dropped, and with it every request.
        let _ = self.in_flight.subscribe().wait_for(|count| *count == 0).await;
    }
}

pub(crate) struct InFlight<'a>(&'a Requests);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.send_if_modified(|count| {
            *count -= 1;
            *count == 0
        });
    }
}

struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The parameters of [`run`].
pub(crate) struct Accepting<'a> {
    pub(crate) config: &'a Config,
    pub(crate) requests: &'a Requests,
    pub(crate) minter: &'a Minter,
    /// Answers plain HTTP requests to a TLS port.
    pub(crate) unencrypted: Router,
}

/// Serves on `listener` until `stop`, then finishes all requests.
pub(crate) async fn run(
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    accepting: Accepting<'_>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let Accepting { config, requests, minter, unencrypted } = accepting;
    let mut failures = Failures::default();
    let limits = config.limits.clone();
    let permits = Arc::new(Semaphore::new(limits.connections));
    let peers = (!config.behind_proxy).then(|| Peers::new(limits.connections_per_peer));
    let settings = Arc::new(ConnectionSettings { router, unencrypted, tls, limits });
    let stage = watch::Sender::new(Stage::Serving);
    let mut stop = pin!(stop);
    loop {
        let accepting = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, Peer::from(address)),
            Err(error) if is_about_one_connection(&error) => continue,
            Err(error) => {
                if let Some(count) = failures.count_one(minter.steady()) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, count, "cannot accept connections");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let held = match &peers {
            None => None,
            Some(peers) => match peers.enter(peer) {
                Some(held) => Some(held),
                // No response: a client with that many connections would not read it.
                None => continue,
            },
        };
        let connected = requests.connected();
        let connection = Connection { settings: Arc::clone(&settings), peer, stage: stage.subscribe() };
        tokio::spawn(async move {
            let _held = (permit, held, connected);
            // The client disconnected or was too slow. Not a problem for the operator.
            if let Err(error) = connection.serve(stream).await {
                tracing::debug!(error = &*error as &dyn std::error::Error, "a connection failed");
            }
        });
    }
    drop(listener);
    stage.send_replace(Stage::Finishing);
    let last_answers = async {
        requests.all_done().await;
        tokio::time::sleep(LAST_ANSWERS_TIMEOUT).await;
    };
    tokio::select! {
        // Every connection holds a receiver.
        () = stage.closed() => {}
        () = last_answers => {}
        () = tokio::time::sleep(STOP_TIMEOUT) => {
            tracing::warn!("stopped before all requests finished: they took longer than {STOP_TIMEOUT:?}");
        }
    }
    stage.send_replace(Stage::Over);
    Ok(())
}

/// Failed accepts. There may be many in a second, so they are logged once a minute.
#[derive(Debug, Default)]
struct Failures {
    count: u64,
    reported_at: Option<Duration>,
}

impl Failures {
    /// Counts a failure. Returns the number since the last report if the next is due.
    fn count_one(&mut self, now: Duration) -> Option<u64> {
        self.count += 1;
        if self.reported_at.is_some_and(|at| now.saturating_sub(at) < FAILURES_REPORTED_EVERY) {
            return None;
        }
        self.reported_at = Some(now);
        Some(mem::take(&mut self.count))
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_to_accept_are_reported_once_a_minute_with_their_number() {
        let mut failures = Failures::default();
        let mut report = |seconds| failures.count_one(Duration::from_secs(seconds));
        assert_eq!([report(5), report(5), report(64)], [Some(1), None, None]);
        assert_eq!([report(65), report(66), report(125)], [Some(3), None, Some(2)]);
    }
}
