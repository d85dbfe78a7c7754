//! Reads that lag behind writes, as they do where a service reads from replicas.
//!
//! The replica is a database in memory of its own. After each write a snapshot is queued with the time at which it is
//! to be seen; before each read the last one that is due is put in.

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

/// How many writes may wait to be seen; beyond it, and where there is no room for more snapshots, the oldest are seen
/// early, so that memory stays bounded.
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
    /// `snapshots` counts the bytes of all snapshots.
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

    /// Shows the database itself again, until the next write.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    /// The turn of one write.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// To be called before a write, with the database as it is: the first one after a quiet time is what the replica
    /// shows.
    pub(crate) async fn before_write(&self, store: &Store) -> Result<()> {
        if !self.lock().is_empty() {
            return Ok(());
        }
        let before = store.snapshot().await?;
        self.show(before).await
    }

    /// To be called after a write.
    pub(crate) async fn after_write(&self, store: &Store, now_ms: u64, stale_ms: u32) -> Result<()> {
        let after = store.snapshot().await?;
        let mut waiting = self.lock();
        loop {
            let room = self.snapshots.reserve(after.size_bytes());
            if let Some(size) = room.filter(|_| waiting.len() < WAITING_MAX) {
                waiting.push_back(Write { seen_at_ms: now_ms + u64::from(stale_ms), after, _size: size });
                return Ok(());
            }
            // Without any that waits, this one is seen at once.
            if waiting.pop_front().is_none() {
                return Ok(());
            }
        }
    }

    /// Where a read goes: to the replica while a write waits to be seen, else to the database itself.
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

    /// The last write that is to be seen by now.
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
