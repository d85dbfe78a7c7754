//! Pages of groups' users that were read before, for whoever asks for the same page again.
//!
//! What it promises: a page that is taken from here is what the database holds at some moment between question and
//! answer. So a write is seen by every read that begins after its answer, and nobody who has seen what a write did
//! sees an earlier state later.
//!
//! How. The writer counts its commits in one number, which is odd while one is under way: from before the first row
//! is changed until after all is committed. Each group remembers the number at which it was last changed. A page
//! remembers the number from before its snapshot was opened, and counts only while its group has not been changed at
//! a later one. Nothing has to be found and dropped when a group changes, and whoever asks in the middle of a change
//! reads the database.
//!
//! Triggers tell which groups a commit changes, so that no operation can forget to. Another process may write to the
//! file as well: [`Watch`] sees that it did, and then no page counts any more.

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

/// How many bytes of pages are kept, unless [`Store::set_page_cache_bytes_max`](crate::Store::set_page_cache_bytes_max)
/// says otherwise.
pub const PAGE_CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a page takes beside its JSON: its key, twice where a table is half empty, and what the allocator adds.
const PAGE_OVERHEAD_BYTES: usize = 512;
/// How many numbers the groups share: two groups with the same one lose their pages together, which costs a read and
/// never gives a wrong answer.
const GROUP_CHANGES: usize = 4096;
/// How far apart the groups of two organizations begin; a prime, so that they spread.
const ORGANIZATION_DISTANCE: i64 = 1009;

/// Which page.
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
    /// Odd while a commit is under way.
    commits: AtomicU64,
    /// The number at which each group was last changed, by [`PageCache::change`].
    changes: Box<[AtomicU64]>,
    /// The number at which everything may have changed.
    all_changed: AtomicU64,
    watch: Watch,
    renewal_is_asked: AtomicBool,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What tells that somebody else has written to the file.
///
/// `pragma data_version` changes on a connection when any other has committed, so on the one that watches it changes
/// with our own commits too, and on the writer's it changes with others' alone.
struct Watch {
    connection: Mutex<Connection>,
    /// The version on the connection that watches, up to which every commit is accounted for.
    known: AtomicI64,
    /// The version on the writer's connection, which the writer alone looks at.
    writers: AtomicI64,
}

/// No version: SQLite's begin at 1.
const UNKNOWN: i64 = -1;

/// None when the file cannot be read at once: then nothing is known.
fn data_version(connection: &Connection) -> Option<i64> {
    let version = connection.prepare_cached("pragma data_version");
    version.and_then(|mut version| version.query_row([], |row| row.get(0))).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PageCache {
    /// A cache over the file that `watch` has open and nobody else uses.
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
            renewal_is_asked: AtomicBool::new(false),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Keeps nothing any more, and lets go of the file.
    pub(crate) fn close(&self) {
        self.set_bytes_max(0);
        // One that watches nothing takes the place of the one that holds the file open.
        if let Ok(nothing) = Connection::open_in_memory() {
            *lock(&self.watch.connection) = nothing;
        }
    }

    /// A page that counts, if it is here. Calls `renew` when somebody else has written: then the writer should
    /// [`begin_commit`](Self::begin_commit) and [`end_commit`](Self::end_commit), with or without a commit between.
    pub(crate) fn get(&self, key: &PageKey, renew: impl FnOnce()) -> Option<Bytes> {
        if self.bytes_max.load(SeqCst) == 0 {
            return None;
        }
        // Looked at before the page: one that counts after this has every commit of before.
        let is_current = self.is_current();
        let page = if is_current { self.find(key) } else { None };
        let counter = if page.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, SeqCst);
        let is_committing = self.commits.load(SeqCst) & 1 == 1;
        if !is_current && !is_committing && !self.renewal_is_asked.swap(true, SeqCst) {
            renew();
        }
        page
    }

    fn find(&self, key: &PageKey) -> Option<Bytes> {
        lock(&self.pages).get(key, self.bytes_max.load(SeqCst), |page| self.counts(page))
    }

    /// Whether every commit that anybody has made is accounted for.
    fn is_current(&self) -> bool {
        let version = data_version(&lock(&self.watch.connection));
        version == Some(self.watch.known.load(SeqCst))
    }

    fn counts(&self, page: &Page) -> bool {
        page.sample >= self.change(page.org, page.group_seq).load(SeqCst)
            && page.sample >= self.all_changed.load(SeqCst)
    }

    /// Where the last change of a group stands.
    fn change(&self, org: i64, group_seq: i64) -> &AtomicU64 {
        // Numbers are handed out one after the other, so groups of one age do not meet.
        let number = group_seq.wrapping_add(org.wrapping_mul(ORGANIZATION_DISTANCE)).cast_unsigned();
        &self.changes[number as usize % GROUP_CHANGES]
    }

    /// The number to [`fill`](Self::fill) with what is read from a snapshot that is opened after this.
    pub(crate) fn sample(&self) -> u64 {
        self.commits.load(SeqCst) & !1
    }

    /// Keeps a page that was read after `sample`.
    pub(crate) fn fill(&self, key: PageKey, group_seq: i64, sample: u64, json: Bytes) {
        let bytes_max = self.bytes_max.load(SeqCst);
        let page = Page { json, org: key.org.seq(), group_seq, sample };
        if page.bytes() <= bytes_max / 2 && self.counts(&page) {
            // Pages that go are freed when nobody waits for the lock any more.
            let gone = lock(&self.pages).insert(key, page, bytes_max);
            drop(gone);
        }
    }

    /// Says that a commit is under way, whose changes nobody may see in a page or miss in one.
    pub(crate) fn begin_commit(&self) {
        self.commits.fetch_add(1, SeqCst);
    }

    /// Says that the commit is over, however it ended.
    pub(crate) fn end_commit(&self, writer: &Connection) {
        // In this order: a commit of somebody else before the first look is found by the second, and one after the
        // first look changes the version again.
        let known = data_version(&lock(&self.watch.connection));
        let writers = data_version(writer);
        if known.is_none() || writers != Some(self.watch.writers.load(SeqCst)) {
            self.all_changes();
        }
        self.watch.writers.store(writers.unwrap_or(UNKNOWN), SeqCst);
        self.watch.known.store(known.unwrap_or(UNKNOWN), SeqCst);
        self.renewal_is_asked.store(false, SeqCst);
        self.commits.fetch_add(1, SeqCst);
    }

    /// Notes that the commit that is under way changes a group.
    fn group_changes(&self, org: i64, group_seq: i64) {
        self.change(org, group_seq).store(self.commits.load(SeqCst), SeqCst);
    }

    /// Notes that the commit that is under way may change everything.
    pub(crate) fn all_changes(&self) {
        self.all_changed.store(self.commits.load(SeqCst), SeqCst);
    }

    /// Makes the writer's connection tell which groups it changes.
    pub(crate) fn observe(self: &Arc<Self>, writer: &Connection) -> Result<()> {
        let cache = Arc::clone(self);
        writer.create_scalar_function("page_changed", 2, FunctionFlags::SQLITE_UTF8, move |arguments| {
            cache.group_changes(arguments.get(0)?, arguments.get(1)?);
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

/// Everything that a page shows: who is in the group, what is shown of them, and that the group is there at all.
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

/// The pages of late, and those before them: when the younger half is full, the older half goes, except for what was
/// asked for meanwhile. Cheaper than a list of all pages by their last use, and about as good.
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
    fn get(&mut self, key: &PageKey, bytes_max: usize, counts: impl Fn(&Page) -> bool) -> Option<Bytes> {
        if let Some(page) = self.young.pages.get(key) {
            return counts(page).then(|| page.json.clone());
        }
        let (key, page) = self.old.remove(key).filter(|(_, page)| counts(page))?;
        let json = page.json.clone();
        self.insert(key, page, bytes_max);
        Some(json)
    }

    /// Puts a page of at most half the bytes among the younger ones, and returns those that had to go for it.
    fn insert(&mut self, key: PageKey, page: Page, bytes_max: usize) -> Option<Generation> {
        self.old.remove(&key);
        let is_full = self.young.bytes + page.bytes() > bytes_max / 2;
        let gone = is_full.then(|| std::mem::replace(&mut self.old, std::mem::take(&mut self.young)));
        self.young.insert(key, page);
        gone
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
