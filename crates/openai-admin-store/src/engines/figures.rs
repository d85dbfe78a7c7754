//! Metrics of a store: plain numbers that are cheap to count.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The buckets of commits: the maximum number of operations of each. Larger commits are counted after the last.
pub const COMMIT_SIZES: [u64; 8] = [1, 2, 4, 8, 16, 64, 256, 1024];

/// The counters of an engine.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    commits: [AtomicU64; COMMIT_SIZES.len() + 1],
    operations_committed: AtomicU64,
    replica_pages: AtomicU64,
    primary_pages: AtomicU64,
}

/// Where a page of group users was read, on a server with replicas.
#[cfg(feature = "postgres")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum PageSource {
    Replica,
    Primary,
}

impl Counters {
    /// Counts a page that was read, or is about to be.
    #[cfg(feature = "postgres")]
    pub(crate) fn page_read(&self, source: PageSource) {
        let pages = match source {
            PageSource::Replica => &self.replica_pages,
            PageSource::Primary => &self.primary_pages,
        };
        pages.fetch_add(1, Relaxed);
    }

    /// Counts a successful commit of this many operations.
    pub(crate) fn committed(&self, operations: usize) {
        let operations = operations as u64;
        let size = COMMIT_SIZES.iter().position(|most| operations <= *most).unwrap_or(COMMIT_SIZES.len());
        self.commits[size].fetch_add(1, Relaxed);
        self.operations_committed.fetch_add(operations, Relaxed);
    }
}

/// The state of a store, and its counters since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// The engine: `sqlite` or `postgres`.
    pub engine: &'static str,
    /// Connections to the database. On PostgreSQL, the most that the store opens.
    pub connections: usize,
    /// Operations that wait for a read connection; on PostgreSQL, for any connection.
    pub reads_waiting: usize,
    /// Operations that wait for the write connection; on PostgreSQL they are counted among the reads.
    pub writes_waiting: usize,
    /// The capacity of the queue. Further operations are rejected.
    pub waiting_max: usize,
    /// Commits by their number of operations: at most the number in [`COMMIT_SIZES`], with larger commits last.
    pub commits: [u64; COMMIT_SIZES.len() + 1],
    /// The total number of operations in these commits.
    pub operations_committed: u64,
    /// Pages of group users that the cache answered.
    pub page_hits: u64,
    /// Pages of group users that were read from the database although a cache is enabled.
    pub page_misses: u64,
    /// The size of the cached pages in bytes.
    pub page_bytes: usize,
    /// Pages of group users that a replica answered.
    pub replica_pages: u64,
    /// Pages of group users that were read from the primary although there are replicas.
    pub primary_pages: u64,
    /// Replicas that are currently skipped: unreachable, too far behind, or not replicas of the primary.
    pub replicas_skipped: usize,
}

impl Figures {
    pub(crate) fn with_counters(mut self, counters: &Counters) -> Self {
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
        let figures = Figures::default().with_counters(&counters);
        assert_eq!(figures.commits, [2, 1, 1, 0, 0, 0, 0, 2, 1]);
        assert_eq!(figures.operations_committed, 2568);
    }
}
