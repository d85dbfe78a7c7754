//! Limits for clients: connections, sizes of requests, and timeouts.

use std::time::Duration;

/// The maximum number of concurrent connections. More wait until one ends.
pub const CONNECTIONS_MAX: usize = 16_384;
/// The maximum number of connections of one peer. More are closed immediately. Not enforced behind a proxy, whose
/// connections come from many clients.
pub const CONNECTIONS_PER_PEER_MAX: usize = 1_024;
/// The maximum number of connections to the listener for operators. They are reserved, so that a server without free
/// connections still answers health checks.
pub const ADMIN_CONNECTIONS_MAX: usize = 64;
/// How many files a server may have open besides its connections, at least and at most: the files of SQLite or the
/// connections to PostgreSQL and its replicas, the listeners, the log, and those of the runtime.
const OWN_FILES_MIN: usize = 40;
const OWN_FILES_MAX: usize = 128;
/// The minimum number of open files that a server needs.
pub const OPEN_FILES_MIN: usize = OWN_FILES_MIN + 8;
/// How long the TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the head of a request may take, from its first byte.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle, including the head of the next request. Clients drop idle connections sooner, so
/// no request meets a closing connection.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request may take, from its head to the first byte of its answer.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a client may take to receive a response that it does not read as fast as it is sent.
pub const RECEIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum size of a request's head, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of headers in a request.
pub(crate) const HEADERS_MAX: usize = 100;
/// The maximum size of a request's body, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The maximum size of a body of JSON lines, in bytes: 10,000 records of 400 bytes.
pub const LINES_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The maximum number of concurrent requests on an HTTP/2 connection. HTTP/1.1 has one; later ones wait.
pub(crate) const STREAMS_MAX: u32 = 100;
/// The flow control windows of an HTTP/2 connection and of each stream, in bytes.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
pub(crate) const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// How many bytes of a response are buffered for a stream whose client does not read them.
pub(crate) const STREAM_SEND_BYTES_MAX: usize = 64 * 1024;

/// The configurable limits of a server. The defaults are the constants of this module, and suit a public server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Default: [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// Default: [`CONNECTIONS_PER_PEER_MAX`].
    pub connections_per_peer: usize,
    /// Default: [`ADMIN_CONNECTIONS_MAX`].
    pub admin_connections: usize,
    /// Default: [`HANDSHAKE_TIMEOUT`].
    pub handshake_timeout: Duration,
    /// Default: [`HEAD_TIMEOUT`].
    pub head_timeout: Duration,
    /// Default: [`IDLE_TIMEOUT`].
    pub idle_timeout: Duration,
    /// Default: [`BODY_TIMEOUT`].
    pub body_timeout: Duration,
    /// Default: [`REQUEST_TIMEOUT`].
    pub request_timeout: Duration,
    /// Default: [`RECEIVE_TIMEOUT`].
    pub receive_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            connections_per_peer: CONNECTIONS_PER_PEER_MAX,
            admin_connections: ADMIN_CONNECTIONS_MAX,
            handshake_timeout: HANDSHAKE_TIMEOUT,
            head_timeout: HEAD_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            body_timeout: BODY_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            receive_timeout: RECEIVE_TIMEOUT,
        }
    }
}

impl Limits {
    /// Reduces the connections to fit a process that may open `open_files` files (`ulimit -n`). The server reserves
    /// files for itself, at most a quarter of the rest is for operators, and no peer gets more than half of the
    /// remaining connections. `None` if there are fewer than [`OPEN_FILES_MIN`].
    pub fn within(self, open_files: usize) -> Option<Self> {
        if open_files < OPEN_FILES_MIN {
            return None;
        }
        let left = open_files - (open_files / 4).clamp(OWN_FILES_MIN, OWN_FILES_MAX);
        let admin_connections = self.admin_connections.min(left / 4);
        let connections = self.connections.min(left - admin_connections);
        let connections_per_peer = self.connections_per_peer.min(connections.div_ceil(2));
        Some(Self { connections, connections_per_peer, admin_connections, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_database_and_for_operators() {
        let within = |open_files| {
            let limits = Limits::default().within(open_files)?;
            Some((limits.connections, limits.connections_per_peer, limits.admin_connections))
        };
        assert_eq!(within(0), None);
        assert_eq!(within(OPEN_FILES_MIN - 1), None);
        assert_eq!(within(OPEN_FILES_MIN), Some((6, 3, 2)));
        assert_eq!(within(64), Some((18, 9, 6)));
        assert_eq!(within(1024), Some((832, 416, 64)));
        assert_eq!(within(65_536), Some((CONNECTIONS_MAX, CONNECTIONS_PER_PEER_MAX, ADMIN_CONNECTIONS_MAX)));
        assert_eq!(within(usize::MAX), within(65_536));
    }
}
