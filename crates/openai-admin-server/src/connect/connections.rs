//! The server's connections: how many, whose they are, and how all end.

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
    connection::{Connection, Stage, Terms},
    peers::Peers,
};
use crate::{
    connect::{config::Config, tls::Tls},
    minter::Minter,
};

pub(crate) use peers::Peer;

/// How long requests may still take after the server was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last answers may take to be sent after all requests are done; then idle connections are cut.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait when the system has no resources for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often it is logged that connections are not accepted.
const FAILURES_REPORTED_EVERY: Duration = Duration::from_secs(60);

/// Counts the requests that are under way, and the connections that are open.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    under_way: watch::Sender<usize>,
    connections: Gauge,
}

impl Requests {
    /// Counts a request until what is returned is dropped.
    pub(crate) fn begin(&self) -> UnderWay<'_> {
        self.under_way.send_if_modified(|count| {
            *count += 1;
            // Nobody waits for more of them.
            false
        });
        UnderWay(self)
    }

    /// How many are under way.
    pub(crate) fn count(&self) -> usize {
        *self.under_way.borrow()
    }

    /// The number of connections.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Counts a connection until what is returned is dropped.
    fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    async fn all_done(&self) {
        // An error would mean that the sender is gone, and with it every request.
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }
}

pub(crate) struct UnderWay<'a>(&'a Requests);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.send_if_modified(|count| {
            *count -= 1;
            *count == 0
        });
    }
}

struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What a server needs to accept connections.
pub(crate) struct Accepting<'a> {
    pub(crate) config: &'a Config,
    pub(crate) requests: &'a Requests,
    pub(crate) minter: &'a Minter,
    /// Answers plain HTTP where TLS is spoken.
    pub(crate) unencrypted: Router,
}

/// Serves on `listener` until `stop`, and then until all requests are answered.
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
    let places = Arc::new(Semaphore::new(limits.connections));
    let peers = (!config.behind_proxy).then(|| Peers::new(limits.connections_per_peer));
    let terms = Arc::new(Terms { router, unencrypted, tls, limits });
    let stage = watch::Sender::new(Stage::Serving);
    let mut stop = pin!(stop);
    loop {
        let accepting = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, Peer::from(address)),
            Err(error) if is_about_one_connection(&error) => continue,
            Err(error) => {
                if let Some(count) = failures.count_one(minter.steady()) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, count, "connections were not accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let held = match &peers {
            None => None,
            Some(peers) => match peers.enter(peer) {
                Some(held) => Some(held),
                // Nothing is said: a client with so many connections would not read it.
                None => continue,
            },
        };
        let connected = requests.connected();
        let connection = Connection { terms: Arc::clone(&terms), peer, stage: stage.subscribe() };
        tokio::spawn(async move {
            let _held = (place, held, connected);
            // What goes wrong with a connection is its client's to know: it broke off, or it was too slow.
            if let Err(error) = connection.serve(stream).await {
                tracing::debug!(error = &*error as &dyn std::error::Error, "a connection ended badly");
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
            tracing::warn!("stopped with requests under way that took longer than {STOP_TIMEOUT:?}");
        }
    }
    stage.send_replace(Stage::Over);
    Ok(())
}

/// Connections that could not be accepted. There may be many in a second, so they are reported once a minute.
#[derive(Debug, Default)]
struct Failures {
    count: u64,
    reported_at: Option<Duration>,
}

impl Failures {
    /// Counts one more. How many there were since the last report, if it is time for the next.
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
