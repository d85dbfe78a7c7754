//! The signals of the operating system to a server.

use std::{pin::Pin, sync::Arc};

use tokio::sync::oneshot;

use super::service_manager::ServiceManager;
use crate::failure::Result;

type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The signals that stop a server.
pub(super) struct Stop {
    /// Ends with the first SIGTERM or Ctrl-C.
    pub(super) first: Signal,
    /// Ends with the second.
    pub(super) second: Signal,
    /// Receives a notification of the first signal.
    pub(super) manager: Arc<ServiceManager>,
}

impl Stop {
    /// Watches for signals from now on. `manager` is notified of the first.
    pub(super) fn watch(manager: ServiceManager) -> Result<Self> {
        let mut signals = Signals::new()?;
        let manager = Arc::new(manager);
        let notified = Arc::clone(&manager);
        let (send_first, first) = oneshot::channel();
        let (send_second, second) = oneshot::channel();
        tokio::spawn(async move {
            signals.next().await;
            notified.stopping();
            tracing::info!("stopping: finishing requests in flight");
            // The receiver is gone if the server has ended by itself.
            let _ = send_first.send(());
            signals.next().await;
            let _ = send_second.send(());
        });
        Ok(Self { first: Box::pin(received(first)), second: Box::pin(received(second)), manager })
    }
}

async fn received(signal: oneshot::Receiver<()>) {
    if signal.await.is_err() {
        // The sender is gone, so there will be no signal.
        std::future::pending::<()>().await;
    }
}

/// SIGHUP makes a server reload its files. `systemctl reload`, log rotation and a closing terminal send it. Without a
/// handler it ends the process at once, during requests.
pub(super) struct Hangups(#[cfg(unix)] tokio::signal::unix::Signal);

impl Hangups {
    /// Watches for the signal from now on.
    #[cfg(unix)]
    pub(super) fn watch() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Other systems do not have this signal.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
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
        // An error means that Ctrl-C cannot be handled; then only the end of the process stops the server.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
