//! Stale reads: reads that lag behind writes, as from replicas.
//!
//! The replica is a separate in-memory database. After each write a snapshot is queued with the time at which it
//! becomes visible. Before each read, the last snapshot that is due is loaded into the replica.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use axum::Router;
use openai_admin_server::Minter;
use openai_admin_store::{Organization, Snapshot, Store};

use crate::{
    error::Result,
    keys::{Keys, router},
    memory::{Budget, Reserved},
};

/// The maximum number of queued writes. Beyond it, and if there is not enough memory for more snapshots, the oldest
/// become visible early, so that memory stays bounded.
const WAITING_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct StaleReads {
    minter: Minter,
    organization: Organization,
    keys: Keys,
    snapshots: Budget,
    replica: tokio::sync::Mutex<Option<Replica>>,
    waiting: Mutex<VecDeque<Write>>,
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Replica {
    store: Store,
    router: Router,
}

#[derive(Debug)]
struct Write {
    seen_at_ms: u64,
    after: Snapshot,
    _size: Reserved,
}

impl StaleReads {
    /// `snapshots` is the budget of all snapshots.
    pub(crate) fn new(minter: Minter, organization: Organization, keys: Keys, snapshots: Budget) -> Self {
        Self {
            minter,
            organization,
            keys,
            snapshots,
            replica: tokio::sync::Mutex::default(),
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Drops the queue: reads are current until the next write.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// Waits for exclusive access for a write.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// Call this before a write. For the first write after a pause it loads the current state into the replica.
    pub(crate) async fn before_write(&self, store: &Store) -> Result<()> {
        if !self.lock().is_empty() {
            return Ok(());
        }
        let before = store.snapshot().await?;
        self.show(before).await
    }

    /// Call this after a write.
    pub(crate) async fn after_write(&self, store: &Store, now_ms: u64, stale_ms: u32) -> Result<()> {
        let after = store.snapshot().await?;
        let mut waiting = self.lock();
        loop {
            let room = self.snapshots.reserve(after.size_bytes());
            if let Some(size) = room.filter(|_| waiting.len() < WAITING_MAX) {
                waiting.push_back(Write { seen_at_ms: now_ms + u64::from(stale_ms), after, _size: size });
                return Ok(());
            }
            // If the queue is empty, this write becomes visible at once.
            if waiting.pop_front().is_none() {
                return Ok(());
            }
        }
    }

    /// The router for a read: that of the replica while writes are queued, otherwise `None`.
    pub(crate) async fn router(&self, now_ms: u64) -> Result<Option<Router>> {
        let due = self.take_due(now_ms);
        if let Some(due) = due {
            self.show(due.after).await?;
        }
        if self.lock().is_empty() {
            return Ok(None);
        }
        Ok(self.replica.lock().await.as_ref().map(|replica| replica.router.clone()))
    }

    /// The last write that is visible by now.
    fn take_due(&self, now_ms: u64) -> Option<Write> {
        let mut waiting = self.lock();
        let count = waiting.iter().take_while(|write| write.seen_at_ms <= now_ms).count();
        waiting.drain(..count).next_back()
    }

    async fn show(&self, snapshot: Snapshot) -> Result<()> {
        let mut replica = self.replica.lock().await;
        match &*replica {
            Some(replica) => replica.store.reset_to(&snapshot).await?,
            None => {
                let store = Store::open_in_memory(Some(snapshot)).await?;
                let router = router(&store, &self.minter, &self.organization, self.keys);
                *replica = Some(Replica { store, router });
            }
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Write>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
