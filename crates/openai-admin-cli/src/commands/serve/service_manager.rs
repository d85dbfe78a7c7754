//! Notifies the service manager, if there is one, that the server is ready or stopping.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::config::Environment;

/// How many times a message is sent while the manager's queue is full, and the pause in between.
const ATTEMPTS_MAX: u32 = 100;
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The service manager.
pub(super) struct ServiceManager {
    /// The socket that systemd passes to a service of `Type=notify`.
    socket: Option<String>,
    is_stopping: AtomicBool,
}

impl ServiceManager {
    pub(super) fn new(environment: &Environment) -> Self {
        Self { socket: environment.notify_socket.clone(), is_stopping: AtomicBool::new(false) }
    }

    /// Reports that clients can connect. Retries while the manager's queue is full, until the server stops.
    pub(super) async fn ready(&self) {
        const STATE: &str = "READY=1";
        let mut sent = self.notify(STATE);
        for _ in 1..ATTEMPTS_MAX {
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(RETRY_PAUSE).await
                }
                sent => return warn_on_error(sent, STATE),
            }
            if self.is_stopping.load(Ordering::Relaxed) {
                return;
            }
            sent = self.notify(STATE);
        }
        warn_on_error(sent, STATE);
    }

    /// Reports that the server is finishing its last requests.
    pub(super) fn stopping(&self) {
        const STATE: &str = "STOPPING=1";
        self.is_stopping.store(true, Ordering::Relaxed);
        warn_on_error(self.notify(STATE), STATE);
    }

    fn notify(&self, state: &str) -> io::Result<()> {
        self.socket.as_ref().map_or(Ok(()), |socket| send(socket, state))
    }
}

fn warn_on_error(sent: io::Result<()>, state: &str) {
    if let Err(error) = sent {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "cannot notify the service manager of {state}");
    }
}

/// Sends without waiting: a full queue is an error.
#[cfg(target_os = "linux")]
fn send(socket: &str, state: &str) -> io::Result<()> {
    use std::os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    };
    // A leading @ stands for the zero byte of an abstract address.
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn send(_: &str, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
