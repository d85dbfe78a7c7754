//! Pages read from replicas, with the guarantees of a read from the primary.
//!
//! A replica lags behind its primary, so a client might not see its own write, made through this server or another. So
//! each read first queries the primary for its position in the log (one query for all reads that wait at that moment),
//! and then reads from a replica that has replayed up to it. A write that was acknowledged before the read began is in
//! the log by then, independent of its author: no token is needed, and several servers may share the database.
//!
//! The order matters: the query starts after the read was requested; the replica's progress is read after the query's
//! result; and a later statement on the same connection reads the page, with a snapshot from after the progress was
//! read. Reading the progress in the page's own statement would be too late, because its snapshot is older.
//!
//! A replica may be slightly *ahead* of the primary: a change is in the log just before the primary shows it. Its
//! author has no answer yet.
//!
//! A replica that is unreachable, frozen or too far behind is skipped for 1 s, and one that is not a replica of the
//! primary for 10 s. Meanwhile, reads go to the primary.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use openai_admin::operations::ListGroupUsers;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{Row, Statement};

use super::{
    group_user_pages::Pages,
    limits::until,
    replica_proof::{Difference, Position, Primary},
    session::Session,
    settings::{Config, config, shown},
};
use crate::{
    base::{
        error::{Error, Result},
        org::Org,
        page::Range,
        time_limit::now,
    },
    engines::figures::{Counters, PageSource},
};

/// How long a read waits for a replica before it goes to the primary. Most replicas lag by a few milliseconds.
const LAG_MAX: Duration = Duration::from_millis(100);
/// How long to wait before the progress of a lagging replica is read again.
const PROGRESS_PAUSE: Duration = Duration::from_millis(1);
/// How long a replica that is unreachable or too far behind is skipped.
const SKIP_TIME: Duration = Duration::from_secs(1);
/// How long a server that is not a replica of the primary is skipped.
const DIFFERENCE_SKIP_TIME: Duration = Duration::from_secs(10);
/// How long the first check of a replica may take before the server starts without it.
const FIRST_CHECK_TIMEOUT: Duration = Duration::from_secs(3);
/// How many reads share one query to the primary at most.
const READS_PER_QUERY_MAX: usize = 4096;
/// The primary's position in the log, including writes that are not on disk yet, which a primary may acknowledge.
const POSITION: &str = "select pg_current_wal_insert_lsn()";

/// The replicas of a database.
pub(super) struct Replicas {
    replicas: Vec<Replica>,
    turn: AtomicUsize,
    position_requests: mpsc::Sender<oneshot::Sender<Position>>,
    counters: Arc<Counters>,
}

struct Replica {
    /// Host, port and database.
    name: String,
    pages: Pages,
    is_skipped: Arc<AtomicBool>,
}

impl Replicas {
    /// Replicas at these URLs. A replica that is unreachable now is retried later.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if a reachable server is not a replica of the primary.
    pub(super) async fn open(
        primary: &Config,
        urls: &[String],
        runtime: &Handle,
        counters: &Arc<Counters>,
    ) -> Result<Self> {
        let replicas: Vec<Replica> = urls.iter().map(|url| Replica::new(url)).collect::<Result<_>>()?;
        let first_query = {
            let primary = primary.clone();
            async move { position(&primary, &mut None).await }
        };
        let position = runtime.spawn(first_query).await.map_err(Error::unavailable)??;
        for replica in &replicas {
            replica.check(runtime, &position).await?;
        }
        let (position_requests, incoming) = mpsc::channel(READS_PER_QUERY_MAX);
        runtime.spawn(answer_position_requests(primary.clone(), incoming));
        Ok(Self { replicas, turn: AtomicUsize::new(0), position_requests, counters: Arc::clone(counters) })
    }

    /// Reads a page as of now or later. `None`: read it from the primary.
    pub(super) async fn read(
        &self,
        runtime: &Handle,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
    ) -> Option<Vec<Row>> {
        let page = self.read_from_one(runtime, org, request, range).await;
        let source = if page.is_some() { PageSource::Replica } else { PageSource::Primary };
        self.counters.page_read(source);
        page
    }

    async fn read_from_one(
        &self,
        runtime: &Handle,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
    ) -> Option<Vec<Row>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let places = (0..self.replicas.len()).map(|place| (turn + place) % self.replicas.len());
        let mut awake = places.map(|place| &self.replicas[place]);
        let replica = awake.find(|replica| !replica.is_skipped())?;
        let deadline = now() + LAG_MAX;
        let position = until(runtime, deadline, self.position()).await??;
        let page =
            until(runtime, deadline, replica.read(runtime, &position, org, request, range, deadline)).await;
        match page {
            Some(Ok(rows)) => return Some(rows),
            Some(Err(error)) => replica.skip_after(runtime, &error),
            None => {
                tracing::warn!(replica = replica.name, "a replica is more than {LAG_MAX:?} behind");
                replica.skip(runtime, SKIP_TIME);
            }
        }
        None
    }

    /// The primary's position in the log, from a query that starts after this call.
    async fn position(&self) -> Option<Position> {
        let (answer, receiver) = oneshot::channel();
        self.position_requests.send(answer).await.ok()?;
        receiver.await.ok()
    }

    /// How many replicas are currently skipped.
    pub(super) fn skipped(&self) -> usize {
        self.replicas.iter().filter(|replica| replica.is_skipped()).count()
    }
}

impl Replica {
    fn new(url: &str) -> Result<Self> {
        Ok(Self { name: shown(url), pages: Pages::new(&config(url)?), is_skipped: Arc::default() })
    }

    /// Checks the replica for the first time.
    async fn check(&self, runtime: &Handle, position: &Position) -> Result<()> {
        let checked = self.pages.has_replayed(runtime, position, now() + FIRST_CHECK_TIMEOUT).await;
        let Err(error) = checked else { return Ok(()) };
        if let Some(difference) = Difference::of(&error).filter(|difference| !difference.is_temporary()) {
            let expected =
                format!("a streaming replica of the database, but {} is not one: {difference}", self.name);
            return Err(Error::invalid_value("database-read", expected));
        }
        self.skip_after(runtime, &error);
        Ok(())
    }

    async fn read(
        &self,
        runtime: &Handle,
        position: &Position,
        org: Org,
        request: &ListGroupUsers,
        range: Range,
        deadline: Instant,
    ) -> Result<Vec<Row>> {
        loop {
            let page = self.pages.read(runtime, org, request, range, Some(position), deadline).await?;
            if let Some(rows) = page {
                return Ok(rows);
            }
            // With the drivers' timers, because the caller's runtime may have none.
            until(runtime, now() + PROGRESS_PAUSE, std::future::pending::<()>()).await;
        }
    }

    fn is_skipped(&self) -> bool {
        self.is_skipped.load(Ordering::Relaxed)
    }

    /// Logs the reason and skips the replica for some time.
    fn skip_after(&self, runtime: &Handle, error: &Error) {
        match Difference::of(error) {
            Some(difference) => {
                tracing::warn!(
                    replica = self.name,
                    "skipping a replica for {DIFFERENCE_SKIP_TIME:?}: {difference}"
                );
                self.skip(runtime, DIFFERENCE_SKIP_TIME);
            }
            None => {
                let error = error as &dyn std::error::Error;
                tracing::warn!(replica = self.name, error, "a replica does not answer");
                self.skip(runtime, SKIP_TIME);
            }
        }
    }

    fn skip(&self, runtime: &Handle, pause: Duration) {
        if self.is_skipped.swap(true, Ordering::Relaxed) {
            return;
        }
        let is_skipped = Arc::clone(&self.is_skipped);
        runtime.spawn(async move {
            sleep(pause).await;
            is_skipped.store(false, Ordering::Relaxed);
        });
    }
}

/// A connection that queries the primary for its position in the log.
struct PositionReader {
    session: Session,
    statement: Statement,
    primary: Primary,
}

/// Answers all reads that wait at one moment with one query to the primary. Reads that arrive during the query get the
/// result of the next. If a query fails, its reads go to the primary.
async fn answer_position_requests(primary: Config, mut incoming: mpsc::Receiver<oneshot::Sender<Position>>) {
    let (mut reader, mut waiting) = (None, Vec::new());
    while incoming.recv_many(&mut waiting, READS_PER_QUERY_MAX).await > 0 {
        match timeout(LAG_MAX, position(&primary, &mut reader)).await {
            Ok(Ok(position)) => {
                for answer in waiting.drain(..) {
                    // Sending fails if the caller was cancelled.
                    let _ = answer.send(position);
                }
            }
            Ok(Err(_)) | Err(_) => {
                reader = None;
                waiting.clear();
            }
        }
    }
}

async fn position(primary: &Config, open: &mut Option<PositionReader>) -> Result<Position> {
    let reader = match open {
        Some(reader) => reader,
        None => open.insert(PositionReader::open(primary).await?),
    };
    let row = reader.session.client.query_one(&reader.statement, &[]).await?;
    Ok(Position { log: row.try_get(0)?, primary: reader.primary })
}

impl PositionReader {
    async fn open(primary: &Config) -> Result<Self> {
        let session = Session::open(primary, "").await?;
        let statement = session.prepare(POSITION).await?;
        let primary = Primary::of(&session).await?;
        Ok(Self { session, statement, primary })
    }
}
