//! How a store is doing, for whoever watches it: plain numbers, which cost next to nothing to count.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The sizes into which commits are sorted, by how many operations they carry at most; larger ones come last.
pub const COMMIT_SIZES: [u64; 8] = [1, 2, 4, 8, 16, 64, 256, 1024];

/// What an engine counts while it works.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    commits: [AtomicU64; COMMIT_SIZES.len() + 1],
    operations_committed: AtomicU64,
    replica_pages: AtomicU64,
    primary_pages: AtomicU64,
}

/// Where a page of group users came from, on a server that has replicas.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PageSource {
    Replica,
    Primary,
}

impl Counters {
    /// A page was read, or is about to be.
    pub(crate) fn page_read(&self, source: PageSource) {
        let pages = match source {
            PageSource::Replica => &self.replica_pages,
            PageSource::Primary => &self.primary_pages,
        };
        pages.fetch_add(1, Relaxed);
    }

    /// A commit that carried this many operations has succeeded.
    pub(crate) fn committed(&self, operations: usize) {
        let operations = operations as u64;
        let size = COMMIT_SIZES.iter().position(|most| operations <= *most).unwrap_or(COMMIT_SIZES.len());
        self.commits[size].fetch_add(1, Relaxed);
        self.operations_committed.fetch_add(operations, Relaxed);
    }
}

/// How a store is doing now, and what it has done since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// The engine: `sqlite` or `postgres`.
    pub engine: &'static str,
    /// Threads that work for the store, each with a connection of its own.
    pub connections: usize,
    /// Operations that wait for a connection that reads; on PostgreSQL, for any.
    pub reads_waiting: usize,
    /// Operations that wait for the connection that writes; on PostgreSQL they wait among the reads.
    pub writes_waiting: usize,
    /// How many operations may wait; more are turned away.
    pub waiting_max: usize,
    /// Commits by how many operations they carried: as many at most as [`COMMIT_SIZES`] says, and at last all larger ones.
    pub commits: [u64; COMMIT_SIZES.len() + 1],
    /// Operations that these commits carried together.
    pub operations_committed: u64,
    /// Pages of group users that were answered without reading the database.
    pub page_hits: u64,
    /// Pages of group users that were read, where pages are kept.
    pub page_misses: u64,
    /// How many bytes of pages are kept now.
    pub page_bytes: usize,
    /// Pages of group users that a replica has answered.
    pub replica_pages: u64,
    /// Pages of group users that were read from the primary although there are replicas.
    pub primary_pages: u64,
    /// Replicas that are left alone for now: gone, too far behind, or not replicas of the primary.
    pub replicas_resting: usize,
}

impl Figures {
    pub(crate) fn counted(mut self, counters: &Counters) -> Self {
        self.commits = std::array::from_fn(|size| counters.commits[size].load(Relaxed));
        self.operations_committed = counters.operations_committed.load(Relaxed);
        self.replica_pages = counters.replica_pages.load(Relaxed);
        self.primary_pages = counters.primary_pages.load(Relaxed);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_sorted_by_size() {
        let counters = Counters::default();
        for size in [1, 1, 2, 3, 512, 1024, 1025] {
            counters.committed(size);
        }
        let figures = Figures::default().counted(&counters);
        assert_eq!(figures.commits, [2, 1, 1, 0, 0, 0, 0, 2, 1]);
        assert_eq!(figures.operations_committed, 2568);
    }
}
