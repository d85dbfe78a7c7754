//! A cache of pages of group users.
//!
//! Guarantee: a cached page matches the database at some moment between the request and the answer. So every read that
//! begins after the answer of a write sees that write, and a client that has seen a write never sees an earlier state
//! later.
//!
//! How it works: the writer counts its commits in one number, which is odd during a commit: from before the first row
//! is changed until after the commit. Each group stores the number at which it was last changed. A page stores the
//! number from before its snapshot was opened, and is valid only while its group has not been changed at a later
//! number. So a change of a group evicts no page, and reads during a change go to the database.
//!
//! Triggers report which groups a commit changes, so no operation can forget to. Another process may also write to the
//! file: [`Watch`] detects that, and then all pages are stale.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use openai_admin::{Cursor, GroupId, ListEndpoint as _, Order, operations::ListGroupUsers};
use rusqlite::{Connection, functions::FunctionFlags};

use crate::base::{error::Result, org::Org};

/// The default size limit of the cache in bytes.
/// [`Store::set_page_cache_bytes_max`](crate::Store::set_page_cache_bytes_max) changes it.
pub const PAGE_CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The size of a page beside its JSON: its key, counted twice because a table may be half empty, and the allocator's
/// overhead.
const PAGE_OVERHEAD_BYTES: usize = 512;
/// The number of slots that the groups share. Two groups in the same slot invalidate each other's pages, which costs a
/// read but never returns a stale page.
const GROUP_CHANGES: usize = 4096;
/// The distance between the first slots of two organizations; a prime, so that they spread.
const ORGANIZATION_DISTANCE: i64 = 1009;

/// The key of a page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PageKey {
    org: Org,
    group_id: GroupId,
    limit: u16,
    is_ascending: bool,
    after: Option<Cursor>,
}

impl PageKey {
    pub(crate) fn new(org: Org, request: &ListGroupUsers) -> Self {
        Self {
            org,
            group_id: request.group_id.clone(),
            limit: request.limit(),
            is_ascending: request.order == Some(Order::Asc),
            after: request.after.clone(),
        }
    }
}

struct Page {
    json: Bytes,
    org: i64,
    group_seq: i64,
    /// The number of commits from before the page was read.
    sample: u64,
}

impl Page {
    fn bytes(&self) -> usize {
        self.json.len() + PAGE_OVERHEAD_BYTES
    }
}

pub(crate) struct PageCache {
    pages: Mutex<Generations>,
    bytes_max: AtomicUsize,
    /// Odd during a commit.
    commits: AtomicU64,
    /// The number at which each group was last changed, by [`PageCache::change`].
    changes: Box<[AtomicU64]>,
    /// The number at which any group may have changed.
    all_changed: AtomicU64,
    watch: Watch,
    renewal_requested: AtomicBool,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Detects writes of other processes to the file.
///
/// `pragma data_version` changes on a connection when another connection has committed. So on the watching connection
/// it also changes with our own commits, and on the writer's connection only with those of other processes.
struct Watch {
    connection: Mutex<Connection>,
    /// The version on the watching connection up to which all commits are accounted for.
    known: AtomicI64,
    /// The version on the writer's connection, which only the writer reads.
    writers: AtomicI64,
}

/// Not a version: SQLite's begin at 1.
const UNKNOWN: i64 = -1;

/// `None` if the file cannot be read immediately.
fn data_version(connection: &Connection) -> Option<i64> {
    let version = connection.prepare_cached("pragma data_version");
    version.and_then(|mut version| version.query_row([], |row| row.get(0))).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PageCache {
    /// A cache for the file that `watch` has open. Only the cache may use `watch`.
    pub(crate) fn new(watch: Connection) -> Self {
        Self {
            pages: Mutex::default(),
            bytes_max: AtomicUsize::new(PAGE_CACHE_BYTES_MAX),
            commits: AtomicU64::new(0),
            changes: (0..GROUP_CHANGES).map(|_| AtomicU64::new(0)).collect(),
            all_changed: AtomicU64::new(0),
            watch: Watch {
                connection: Mutex::new(watch),
                known: AtomicI64::new(UNKNOWN),
                writers: AtomicI64::new(UNKNOWN),
            },
            renewal_requested: AtomicBool::new(false),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Drops all pages, and closes the file.
    pub(crate) fn close(&self) {
        self.set_bytes_max(0);
        // A connection without a file replaces the one that holds the file open.
        if let Ok(nothing) = Connection::open_in_memory() {
            *lock(&self.watch.connection) = nothing;
        }
    }

    /// A valid page, if it is cached. Calls `renew` if another process has written. The writer should then call
    /// [`begin_commit`](Self::begin_commit) and [`end_commit`](Self::end_commit), with or without a commit between
    /// them.
    pub(crate) fn get(&self, key: &PageKey, renew: impl FnOnce()) -> Option<Bytes> {
        if self.bytes_max.load(SeqCst) == 0 {
            return None;
        }
        // Checked before the page is read: a page that is valid afterwards includes every earlier commit.
        let is_current = self.is_current();
        let page = if is_current { self.find(key) } else { None };
        let counter = if page.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, SeqCst);
        let is_committing = self.commits.load(SeqCst) & 1 == 1;
        if !is_current && !is_committing && !self.renewal_requested.swap(true, SeqCst) {
            renew();
        }
        page
    }

    fn find(&self, key: &PageKey) -> Option<Bytes> {
        lock(&self.pages).get(key, self.bytes_max.load(SeqCst), |page| self.is_valid(page))
    }

    /// Whether all commits of all processes are accounted for.
    fn is_current(&self) -> bool {
        let version = data_version(&lock(&self.watch.connection));
        version == Some(self.watch.known.load(SeqCst))
    }

    fn is_valid(&self, page: &Page) -> bool {
        page.sample >= self.change(page.org, page.group_seq).load(SeqCst)
            && page.sample >= self.all_changed.load(SeqCst)
    }

    /// The slot with the number of a group's last change.
    fn change(&self, org: i64, group_seq: i64) -> &AtomicU64 {
        // Numbers are consecutive, so groups that were created together use different slots.
        let number = group_seq.wrapping_add(org.wrapping_mul(ORGANIZATION_DISTANCE)).cast_unsigned();
        &self.changes[number as usize % GROUP_CHANGES]
    }

    /// The number to pass to [`fill`](Self::fill) for a page from a snapshot that is opened after this call.
    pub(crate) fn sample(&self) -> u64 {
        self.commits.load(SeqCst) & !1
    }

    /// Caches a page that was read after `sample`.
    pub(crate) fn fill(&self, key: PageKey, group_seq: i64, sample: u64, json: Bytes) {
        let bytes_max = self.bytes_max.load(SeqCst);
        let page = Page { json, org: key.org.seq(), group_seq, sample };
        if page.bytes() <= bytes_max / 2 && self.is_valid(&page) {
            // Evicted pages are freed after the lock is released.
            let evicted = lock(&self.pages).insert(key, page, bytes_max);
            drop(evicted);
        }
    }

    /// Marks the start of a commit. Until its end, no page may be used that misses its changes.
    pub(crate) fn begin_commit(&self) {
        self.commits.fetch_add(1, SeqCst);
    }

    /// Marks the end of the commit, whether it succeeded or not.
    pub(crate) fn end_commit(&self, writer: &Connection) {
        // In this order: the second check finds a foreign commit from before the first check, and a later one changes
        // the version again.
        let known = data_version(&lock(&self.watch.connection));
        let writers = data_version(writer);
        if known.is_none() || writers != Some(self.watch.writers.load(SeqCst)) {
            self.invalidate_all();
        }
        self.watch.writers.store(writers.unwrap_or(UNKNOWN), SeqCst);
        self.watch.known.store(known.unwrap_or(UNKNOWN), SeqCst);
        self.renewal_requested.store(false, SeqCst);
        self.commits.fetch_add(1, SeqCst);
    }

    /// Notes that the running commit changes a group.
    fn invalidate_group(&self, org: i64, group_seq: i64) {
        self.change(org, group_seq).store(self.commits.load(SeqCst), SeqCst);
    }

    /// Notes that the running commit may change any group.
    pub(crate) fn invalidate_all(&self) {
        self.all_changed.store(self.commits.load(SeqCst), SeqCst);
    }

    /// Installs triggers on the writer's connection that report the changed groups.
    pub(crate) fn observe(self: &Arc<Self>, writer: &Connection) -> Result<()> {
        let cache = Arc::clone(self);
        writer.create_scalar_function("page_changed", 2, FunctionFlags::SQLITE_UTF8, move |arguments| {
            cache.invalidate_group(arguments.get(0)?, arguments.get(1)?);
            Ok(None::<i64>)
        })?;
        writer.execute_batch(TRIGGERS)?;
        self.begin_commit();
        self.end_commit(writer);
        Ok(())
    }

    pub(crate) fn set_bytes_max(&self, bytes_max: usize) {
        self.bytes_max.store(bytes_max, SeqCst);
        lock(&self.pages).shrink(bytes_max);
    }

    pub(crate) fn bytes(&self) -> usize {
        lock(&self.pages).bytes()
    }

    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(SeqCst)
    }

    pub(crate) fn misses(&self) -> u64 {
        self.misses.load(SeqCst)
    }
}

/// The triggers cover everything that a page shows: the members, their displayed fields, and the existence of the
/// group.
const TRIGGERS: &str = "
    pragma temp_store = memory;
    create temp trigger pages_member_added after insert on main.group_users
        begin select page_changed(new.org, new.group_seq); end;
    create temp trigger pages_member_removed after delete on main.group_users
        begin select page_changed(old.org, old.group_seq); end;
    create temp trigger pages_member_moved after update on main.group_users
        begin select page_changed(old.org, old.group_seq), page_changed(new.org, new.group_seq); end;
    create temp trigger pages_user_updated after update of org, seq, id, name, email on main.users
        when old.id is not new.id or old.name is not new.name or old.email is not new.email
        begin select page_changed(org, group_seq) from group_users where org = old.org and user_seq = old.seq; end;
    create temp trigger pages_user_deleted after delete on main.users
        begin select page_changed(org, group_seq) from group_users where org = old.org and user_seq = old.seq; end;
    create temp trigger pages_group_updated after update of org, seq, id, removed_at on main.groups
        begin select page_changed(old.org, old.seq); end;
    create temp trigger pages_group_deleted after delete on main.groups
        begin select page_changed(old.org, old.seq); end;
";

/// Recent pages and older ones. When the young generation is full, the old one is evicted, except for pages that were
/// requested in the meantime. This is cheaper than an LRU list, and about as effective.
#[derive(Default)]
struct Generations {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    pages: HashMap<PageKey, Page>,
    bytes: usize,
}

impl Generation {
    fn insert(&mut self, key: PageKey, page: Page) {
        self.bytes += page.bytes();
        if let Some(replaced) = self.pages.insert(key, page) {
            self.bytes -= replaced.bytes();
        }
    }

    fn remove(&mut self, key: &PageKey) -> Option<(PageKey, Page)> {
        let (key, page) = self.pages.remove_entry(key)?;
        self.bytes -= page.bytes();
        Some((key, page))
    }
}

impl Generations {
    fn get(&mut self, key: &PageKey, bytes_max: usize, is_valid: impl Fn(&Page) -> bool) -> Option<Bytes> {
        if let Some(page) = self.young.pages.get(key) {
            return is_valid(page).then(|| page.json.clone());
        }
        let (key, page) = self.old.remove(key).filter(|(_, page)| is_valid(page))?;
        let json = page.json.clone();
        self.insert(key, page, bytes_max);
        Some(json)
    }

    /// Adds a page of at most half the size limit to the young generation, and returns the evicted pages.
    fn insert(&mut self, key: PageKey, page: Page, bytes_max: usize) -> Option<Generation> {
        self.old.remove(&key);
        let is_full = self.young.bytes + page.bytes() > bytes_max / 2;
        let evicted = is_full.then(|| std::mem::replace(&mut self.old, std::mem::take(&mut self.young)));
        self.young.insert(key, page);
        evicted
    }

    fn shrink(&mut self, bytes_max: usize) {
        if self.bytes() > bytes_max {
            *self = Self::default();
        }
    }

    fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }
}
