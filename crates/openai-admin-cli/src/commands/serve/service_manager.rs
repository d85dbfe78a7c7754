//! What the service manager is told: that the server is ready, and that it stops. Without one nobody is told.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::config::Environment;

/// How often a message is sent again while the manager's queue is full, and after which pause.
const TRIES: u32 = 100;
const TRY_EVERY: Duration = Duration::from_millis(100);

/// To whom it is told.
pub(super) struct ServiceManager {
    /// The socket that systemd has put into the environment of a service of `Type=notify`.
    socket: Option<String>,
    is_stopping: AtomicBool,
}

impl ServiceManager {
    pub(super) fn new(environment: &Environment) -> Self {
        Self { socket: environment.notify_socket.clone(), is_stopping: AtomicBool::new(false) }
    }

    /// Clients can connect. While the manager's queue is full the message is sent again, until the server stops. The
    /// server answers meanwhile.
    pub(super) async fn ready(&self) {
        const STATE: &str = "READY=1";
        let mut told = self.tell(STATE);
        for _ in 1..TRIES {
            match told {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(TRY_EVERY).await
                }
                told => return warn_unless(told, STATE),
            }
            if self.is_stopping.load(Ordering::Relaxed) {
                return;
            }
            told = self.tell(STATE);
        }
        warn_unless(told, STATE);
    }

    /// Requests that have begun are being finished.
    pub(super) fn stopping(&self) {
        const STATE: &str = "STOPPING=1";
        self.is_stopping.store(true, Ordering::Relaxed);
        warn_unless(self.tell(STATE), STATE);
    }

    fn tell(&self, state: &str) -> io::Result<()> {
        self.socket.as_ref().map_or(Ok(()), |socket| send(socket, state))
    }
}

fn warn_unless(told: io::Result<()>, state: &str) {
    if let Err(error) = told {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the service manager was not told {state}");
    }
}

/// Sends without waiting: a full queue is an error.
#[cfg(target_os = "linux")]
fn send(socket: &str, state: &str) -> io::Result<()> {
    use std::os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    };
    // An @ stands for the zero byte that an address without a file begins with.
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
