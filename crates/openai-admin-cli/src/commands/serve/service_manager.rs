//! What the service manager is told: that the server is ready, and that it stops. Without one nobody is told.

use crate::config::Environment;

/// To whom it is told.
pub(super) struct ServiceManager {
    /// The socket that systemd has put into the environment of a service of `Type=notify`.
    socket: Option<String>,
}

impl ServiceManager {
    pub(super) fn new(environment: &Environment) -> Self {
        Self { socket: environment.notify_socket.clone() }
    }

    /// Clients can connect.
    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    /// Requests that have begun are being finished.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = send(socket, state) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the service manager was not told {state}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
fn send(socket: &str, state: &str) -> std::io::Result<()> {
    use std::os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    };
    // An @ stands for the zero byte that an address without a file begins with.
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn send(_: &str, _: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
