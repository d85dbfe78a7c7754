//! What a client may take at most: how many connections, how much of a request, how long for each part of it.

use std::time::Duration;

/// How many connections are served at the same time; more wait until one ends.
pub const CONNECTIONS_MAX: usize = 16_384;
/// How many of them one peer may hold; more are closed at once. Not counted behind a proxy, whose connections are
/// everybody's.
pub const CONNECTIONS_PER_PEER_MAX: usize = 1_024;
/// How many connections the listener for operators serves at the same time. They are reserved, so that a
/// server whose connections are all taken still answers its health checks.
pub const ADMIN_CONNECTIONS_MAX: usize = 64;
/// How many files a server keeps open besides its connections, at least and at most: the files of SQLite or the connections
/// to PostgreSQL and its replicas, listeners, log, and what the runtime needs.
const OWN_FILES_MIN: usize = 40;
const OWN_FILES_MAX: usize = 128;
/// How many open files a server needs at least.
pub const OPEN_FILES_MIN: usize = OWN_FILES_MIN + 8;
/// How long a connection may take to agree on TLS.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the head of a request may take, from its first byte.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be without a request, the head of the next one included. Longer than clients keep an idle connection, so that they close
/// first and no request meets a closing one.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request may take, from its head to the first byte of its answer.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a client may take to receive an answer, once it does not receive it as fast as it is sent.
pub const RECEIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// How large the head of a request may be, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many headers a request may have.
pub(crate) const HEADERS_MAX: usize = 100;
/// The largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How many requests an HTTP/2 connection may have under way; over HTTP/1.1 it is one, and what follows it waits.
pub(crate) const STREAMS_MAX: u32 = 100;
/// How many bytes a client may send ahead on an HTTP/2 connection, and on each of its streams.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
pub(crate) const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// How many bytes of an answer are kept for a stream whose client does not take them.
pub(crate) const STREAM_SEND_BYTES_MAX: usize = 64 * 1024;

/// The bounds of a server that can be set. The default is what the constants say, and fits a server in the open.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// [`CONNECTIONS_MAX`], unless set.
    pub connections: usize,
    /// [`CONNECTIONS_PER_PEER_MAX`], unless set.
    pub connections_per_peer: usize,
    /// [`ADMIN_CONNECTIONS_MAX`], unless set.
    pub admin_connections: usize,
    /// [`HANDSHAKE_TIMEOUT`], unless set.
    pub handshake_timeout: Duration,
    /// [`HEAD_TIMEOUT`], unless set.
    pub head_timeout: Duration,
    /// [`IDLE_TIMEOUT`], unless set.
    pub idle_timeout: Duration,
    /// [`BODY_TIMEOUT`], unless set.
    pub body_timeout: Duration,
    /// [`REQUEST_TIMEOUT`], unless set.
    pub request_timeout: Duration,
    /// [`RECEIVE_TIMEOUT`], unless set.
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
    /// The same with so few connections that a process that may have `open_files` open (`ulimit -n`) never runs out of
    /// them. Of what the server itself does not need, a quarter at most is for operators, and no peer gets more than half
    /// of the rest. None when there are fewer than [`OPEN_FILES_MIN`].
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
