//! Counts the connections of each peer.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

/// The source of a connection, as far as one attacker controls it: an IPv4 address, or the network part (64 bits) of an
/// IPv6 address. It comes from the connection; headers such as `X-Forwarded-For` are never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self(match address.ip().to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            address => address,
        })
    }
}

/// The number of connections of each peer. Clones share their counts.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    held: Arc<Mutex<HashMap<Peer, usize>>>,
    max: usize,
}

impl Peers {
    pub(super) fn new(max: usize) -> Self {
        Self { held: Arc::default(), max }
    }

    /// Counts a connection until the guard is dropped. `None` if the peer is at its limit.
    pub(super) fn enter(&self, peer: Peer) -> Option<Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(peer).or_default();
        // A new entry is 0, below any limit.
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Held { peers: self.clone(), peer })
    }
}

pub(super) struct Held {
    peers: Peers,
    peer: Peer,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.peers.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::from(SocketAddr::new(address.parse().expect("an address"), 1))
    }

    #[test]
    fn a_peer_is_an_ipv4_address_or_an_ipv6_network() {
        assert_eq!(peer("192.0.2.1"), peer("::ffff:192.0.2.1"));
        assert_ne!(peer("192.0.2.1"), peer("192.0.2.2"));
        assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
        assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
    }

    #[test]
    fn a_peer_at_its_limit_can_connect_again_after_one_ends() {
        let peers = Peers::new(2);
        let (first, second) = (peers.enter(peer("192.0.2.1")), peers.enter(peer("192.0.2.1")));
        assert!(first.is_some() && second.is_some());
        assert!(peers.enter(peer("192.0.2.1")).is_none());
        let other = peers.enter(peer("192.0.2.2"));
        assert!(other.is_some());
        drop(first);
        assert!(peers.enter(peer("192.0.2.1")).is_some());
        drop((second, other));
        assert!(peers.held.lock().expect("not poisoned").is_empty());
    }
}
