//! A page of a group's users: one statement, and so one snapshot and one round trip, instead of a transaction.
//!
//! The statement covers the plain case: the group exists, the cursor is valid, and at least one user follows. If it
//! returns no row, the caller runs the body that both engines share, which reports the reason: an unknown group, an
//! unknown cursor, or no more users.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join;
use openai_admin::{Order, operations::ListGroupUsers};
use tokio::{runtime::Handle, time::Instant};
use tokio_postgres::{Row, Statement, types::ToSql};

use super::{
    limits::{ATTEMPTS_MAX, until},
    replica_proof::{PROGRESS, Position, Primary, Replica},
    session::Session,
    settings::Config,
};
use crate::base::{
    error::{Error, Result},
    org::Org,
    page::Range,
};

/// How many connections read pages. Many callers share each connection without waiting for one another.
pub(super) const CONNECTIONS: usize = 16;

/// The settings of a connection that reads pages. The plan of a page is the same for every group; planning takes longer
/// than running.
const SETTINGS: &str = "set default_transaction_isolation = 'read committed';
                        set default_transaction_read_only = on;
                        set plan_cache_mode = force_generic_plan;";

/// The page's keys first, then the users, as in the shared body. A cursor that is not a user's id compares with null,
/// so no row matches.
macro_rules! page {
    ($after:literal, $order:literal) => {
        concat!(
            "select u.id, u.name, u.email
             from (select user_seq from group_users
                   where org = $1
                     and group_seq = (select seq from groups where org = $1 and id = $2 and removed_at is null)",
            $after,
            " order by user_seq ",
            $order,
            " limit $3) m
             cross join lateral (select * from users where org = $1 and seq = m.user_seq limit 1) u
             order by m.user_seq ",
            $order
        )
    };
}

/// The first page and later ones, ascending and descending.
const STATEMENTS: [&str; 4] = [
    page!("", "asc"),
    page!("", "desc"),
    page!(" and user_seq > (select seq from users where org = $1 and id = $4)", "asc"),
    page!(" and user_seq < (select seq from users where org = $1 and id = $4)", "desc"),
];

/// The connections that read pages.
pub(super) struct Pages {
    config: Config,
    readers: [Arc<Slot>; CONNECTIONS],
}

#[derive(Default)]
struct Slot {
    /// How many pages are currently read on it.
    busy: AtomicUsize,
    reader: Mutex<Option<Arc<Reader>>>,
    /// Held while connecting, so that concurrent callers share one connection.
    connecting: tokio::sync::Mutex<()>,
}

struct Reader {
    session: Session,
    statements: [Statement; STATEMENTS.len()],
    /// `None` on the primary.
    proof: Option<Proof>,
}

/// The identity of a replica, and the statement for its progress.
struct Proof {
    replica: Replica,
    progress: Statement,
}

impl Pages {
    pub(super) fn new(config: &Config) -> Self {
        Self { config: config.clone(), readers: Default::default() }
    }

    /// Reads a page. A replica returns none unless it has replayed the log up to `position`.
    ///
    /// # Errors
    ///
    /// [`Difference`](super::replica_proof::Difference) if it is not a replica of the primary.
    pub(super) async fn read(
        &self,
        runtime: &Handle,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
        position: Option<&Position>,
        deadline: Instant,
    ) -> Result<Option<Vec<Row>>> {
        let (slot, _busy) = self.least_busy();
        let (mut is_second, mut attempt) = (false, 1);
        loop {
            let reader = until(runtime, deadline, slot.reader(runtime, &self.config, position)).await;
            let reader = reader.unwrap_or_else(|| Err(Session::timed_out()))?;
            let page = until(runtime, deadline, reader.read(org, request, range, position)).await;
            match page.unwrap_or_else(|| Err(Session::timed_out())) {
                // A restarted server has closed its connections. A second read is harmless.
                Err(Error::Unavailable(_)) if !is_second => {
                    is_second = true;
                    slot.forget(&reader);
                }
                // It conflicted with a change of the schema.
                Err(Error::Conflict) if attempt < ATTEMPTS_MAX => attempt += 1,
                page => return page,
            }
        }
    }

    /// Whether a replica has replayed the log up to `position`. The errors are those of a page.
    pub(super) async fn has_replayed(
        &self,
        runtime: &Handle,
        position: &Position,
        deadline: Instant,
    ) -> Result<bool> {
        let (slot, _busy) = self.least_busy();
        let check =
            async { slot.reader(runtime, &self.config, Some(position)).await?.has_replayed(position).await };
        until(runtime, deadline, check).await.unwrap_or_else(|| Err(Session::timed_out()))
    }
}

impl Pages {
    /// The connection with the fewest waiting callers, counted as busy until the second value is dropped.
    fn least_busy(&self) -> (&Arc<Slot>, Busy<'_>) {
        let least = self.readers.iter().min_by_key(|slot| slot.busy.load(Ordering::Relaxed));
        let slot = least.unwrap_or(&self.readers[0]);
        slot.busy.fetch_add(1, Ordering::Relaxed);
        (slot, Busy(&slot.busy))
    }
}

struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Slot {
    async fn reader(
        self: &Arc<Self>,
        runtime: &Handle,
        config: &Config,
        position: Option<&Position>,
    ) -> Result<Arc<Reader>> {
        if let Some(reader) = self.open_reader() {
            return Ok(reader);
        }
        let (slot, config, primary) =
            (Arc::clone(self), config.clone(), position.map(|position| position.primary));
        // On the caller's runtime, if it has one: a page then need not change threads twice. As a task, so that a
        // cancelled caller leaves the connection to the next one.
        let runtime = Handle::try_current().unwrap_or_else(|_| runtime.clone());
        runtime
            .spawn(async move { slot.connect(&config, primary).await })
            .await
            .map_err(Error::unavailable)?
    }

    async fn connect(&self, config: &Config, primary: Option<Primary>) -> Result<Arc<Reader>> {
        let _connecting = self.connecting.lock().await;
        if let Some(reader) = self.open_reader() {
            return Ok(reader);
        }
        let reader = Arc::new(Reader::open(config, primary).await?);
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&reader));
        Ok(reader)
    }

    fn open_reader(&self) -> Option<Arc<Reader>> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.as_ref().filter(|reader| !reader.session.client.is_closed()).cloned()
    }

    /// Drops a connection that does not answer.
    fn forget(&self, silent: &Arc<Reader>) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.as_ref().is_some_and(|reader| Arc::ptr_eq(reader, silent)) {
            *reader = None;
        }
    }
}

impl Reader {
    /// Connects to the primary, or to a replica of the given primary.
    async fn open(config: &Config, primary: Option<Primary>) -> Result<Self> {
        let session = Session::open(config, SETTINGS).await?;
        let proof = match primary {
            // First, because another database may not even have the tables.
            Some(primary) => Some(Proof::open(&session, &primary).await?),
            None => None,
        };
        let [first, first_descending, next, next_descending] = STATEMENTS;
        let statements = [
            session.prepare(first).await?,
            session.prepare(first_descending).await?,
            session.prepare(next).await?,
            session.prepare(next_descending).await?,
        ];
        Ok(Self { session, statements, proof })
    }

    async fn page(&self, org: Org, request: &ListGroupUsers, range: Range) -> Result<Vec<Row>> {
        let (org, group, rows) = (org.seq(), request.group_id.as_str(), range.rows());
        let cursor = request.after.as_ref().map(|cursor| cursor.as_str());
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&org, &group, &rows];
        parameters.extend(cursor.as_ref().map(|cursor| cursor as &(dyn ToSql + Sync)));
        let [first, first_descending, next, next_descending] = &self.statements;
        let statement = match (range.order, cursor) {
            (Order::Asc, None) => first,
            (Order::Desc, None) => first_descending,
            (Order::Asc, Some(_)) => next,
            (Order::Desc, Some(_)) => next_descending,
        };
        Ok(self.session.client.query(statement, &parameters).await?)
    }

    async fn read(
        &self,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
        position: Option<&Position>,
    ) -> Result<Option<Vec<Row>>> {
        let page = self.page(org, request, range);
        let Some(position) = position else { return Ok(Some(page.await?)) };
        // Sent together and run one after the other, each on its own snapshot.
        let (has_replayed, rows) = join(self.has_replayed(position), page).await;
        Ok(if has_replayed? { Some(rows?) } else { None })
    }

    async fn has_replayed(&self, position: &Position) -> Result<bool> {
        let proof = self.proof.as_ref().ok_or_else(|| Error::internal("not a connection to a replica"))?;
        position.primary.compare(&proof.replica)?;
        let parameters: [&(dyn ToSql + Sync); 1] = [&position.log];
        let progress = self.session.client.query_one(&proof.progress, &parameters).await?;
        position.primary.has_replayed(&progress)
    }
}

impl Proof {
    async fn open(session: &Session, primary: &Primary) -> Result<Self> {
        let replica = Replica::of(session).await?;
        primary.compare(&replica)?;
        Ok(Self { replica, progress: session.prepare(PROGRESS).await? })
    }
}
