//! The server's connections: how many, how long each may idle or take for the head of a request, and how all end.

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};

/// How many connections are served at the same time; more wait until one ends.
const CONNECTIONS_MAX: usize = 16_384;
/// How long a connection may take for the head of a request, the idle time before it included. Longer than clients keep
/// an idle connection, so that they close first and no request meets a closing one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// How large the head of a request may be, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long requests may still take after the server was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last answers may take to be sent after all requests are done; then idle connections are cut.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait when the system has no resources for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Counts the requests that are under way, and the connections that are open.
#[derive(Debug)]
pub(crate) struct Requests(watch::Sender<usize>, Gauge);

impl Default for Requests {
    fn default() -> Self {
        Self(watch::Sender::new(0), Gauge::default())
    }
}

impl Requests {
    /// Counts a request until what is returned is dropped.
    pub(crate) fn begin(&self) -> UnderWay<'_> {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self)
    }

    /// How many are under way.
    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// The number of connections.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.1
    }

    /// Counts a connection until what is returned is dropped.
    fn connected(&self) -> Connected {
        self.1.inc();
        Connected(self.1.clone())
    }

    async fn all_done(&self) {
        // An error would mean that the sender is gone, and with it every request.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

pub(crate) struct UnderWay<'a>(&'a Requests);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

pub(crate) async fn run(
    listener: TcpListener,
    router: Router,
    requests: &Requests,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
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
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_about_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = graceful.watch(serve(stream, router.clone()));
        let connected = requests.connected();
        tokio::spawn(async move {
            let _held = (place, connected);
            // What goes wrong with a connection is its client's to know: it broke off, or it was too slow.
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended badly");
            }
        });
    }
    drop(listener);
    let last_answers = async {
        requests.all_done().await;
        tokio::time::sleep(LAST_ANSWERS_TIMEOUT).await;
    };
    tokio::select! {
        () = graceful.shutdown() => {}
        () = last_answers => {}
        () = tokio::time::sleep(STOP_TIMEOUT) => {
            tracing::warn!("stopped with requests under way that took longer than {STOP_TIMEOUT:?}");
        }
    }
    Ok(())
}

type Served = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

fn serve(stream: TcpStream, router: Router) -> Served {
    // Without it, an answer whose head and body are written apart waits for the client's delayed ACK. It fails only
    // where the connection is gone already.
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
