//! What the operating system tells a server that runs.

use std::{pin::Pin, sync::Arc};

use tokio::sync::oneshot;

use super::service_manager::ServiceManager;
use crate::failure::Result;

type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// When a server stops.
pub(super) struct Stop {
    /// Ends with the first SIGTERM or Ctrl-C.
    pub(super) asked: Signal,
    /// Ends with the second.
    pub(super) insisted: Signal,
    /// Who is told of the first.
    pub(super) manager: Arc<ServiceManager>,
}

impl Stop {
    /// Watches from now on. `manager` is told of the first signal.
    pub(super) fn watch(manager: ServiceManager) -> Result<Self> {
        let mut signals = Signals::new()?;
        let manager = Arc::new(manager);
        let told = Arc::clone(&manager);
        let (asked, was_asked) = oneshot::channel();
        let (insisted, was_insisted) = oneshot::channel();
        tokio::spawn(async move {
            signals.next().await;
            told.stopping();
            tracing::info!("stopping: requests that have begun are finished");
            // Nobody waits any more when the server has ended by itself.
            let _ = asked.send(());
            signals.next().await;
            let _ = insisted.send(());
        });
        Ok(Self { asked: Box::pin(received(was_asked)), insisted: Box::pin(received(was_insisted)), manager })
    }
}

async fn received(signal: oneshot::Receiver<()>) {
    if signal.await.is_err() {
        // Nothing can be told any more.
        std::future::pending::<()>().await;
    }
}

/// SIGHUP asks a server to read its files again. `systemctl reload` sends it, log rotation, and a terminal that closes.
/// Without a handler the process ends at once, in the middle of its requests.
pub(super) struct Hangups(#[cfg(unix)] tokio::signal::unix::Signal);

impl Hangups {
    /// Watches from now on.
    #[cfg(unix)]
    pub(super) fn watch() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Other systems do not have this signal.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same as where there are signals")]
    pub(super) fn watch() -> Result<Self> {
        Ok(Self())
    }

    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        if self.0.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        // An error means that there is no such signal; then nothing stops the server but its end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
