//! The threads that read a SQLite file. Each read has a deadline, and ends early if its caller is gone.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;
use tokio::time::Instant;

use crate::{
    base::{error::Result, time_limit::now},
    engines::{
        job::{Job, QUEUE_LENGTH_MAX},
        lanes::{Caller, Lane},
        sqlite::threads::{enqueue, execute, spawn},
        transaction::Transaction,
    },
};

/// After how many instructions SQLite checks whether to continue a read: about 10 microseconds.
const INSTRUCTIONS_PER_LOOK: i32 = 1_000;

/// Opens the connection of a reader.
pub(crate) type Connect = fn(&Path) -> Result<Connection>;

/// The readers of one lane.
pub(crate) struct Readers {
    jobs: Sender<Option<Box<dyn Job>>>,
    threads: usize,
}

impl Readers {
    /// Starts `count` threads on a file, and adds them to `threads`.
    pub(crate) fn start(
        file: &Path,
        connect: Connect,
        lane: Lane,
        count: usize,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Self> {
        let (jobs, queue) = bounded(QUEUE_LENGTH_MAX);
        for _ in 0..count {
            let reader = Reader::open(connect(file)?, lane.time_limit().timeout())?;
            let queue = queue.clone();
            threads.push(spawn("sqlite-reader", move || reader.read_all(&queue))?);
        }
        Ok(Self { jobs, threads: count })
    }

    pub(crate) fn read(&self, job: Box<dyn Job>) -> Result<()> {
        enqueue(&self.jobs, Some(job))
    }

    pub(crate) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Stops the threads after the queued reads.
    pub(crate) fn stop(&self) {
        for _ in 0..self.threads {
            // A closed queue means that the threads have ended.
            let _ = self.jobs.send(None);
        }
    }
}

/// The caller and the deadline of the running read.
type Current = Arc<Mutex<Option<(Caller, Instant)>>>;

struct Reader {
    connection: Connection,
    current: Current,
    timeout: Duration,
}

impl Reader {
    fn open(mut connection: Connection, timeout: Duration) -> Result<Self> {
        let current = Current::default();
        let looked_at = Arc::clone(&current);
        connection.progress_handler(INSTRUCTIONS_PER_LOOK, Some(move || is_over(&looked_at)))?;
        Ok(Self { connection, current, timeout })
    }

    fn read_all(self, queue: &Receiver<Option<Box<dyn Job>>>) {
        while let Ok(Some(mut job)) = queue.recv() {
            let Some(caller) = job.caller().filter(|caller| !caller.is_gone()) else { continue };
            let failure = self.read_one(caller, &mut *job).err();
            job.answer(failure);
        }
    }

    fn read_one(&self, caller: Caller, job: &mut dyn Job) -> Result<()> {
        execute(&self.connection, "begin")?;
        self.run_for(Some(caller));
        // The job keeps the body's error; a read has nothing to undo.
        let _ = job.run(&mut Transaction::Sqlite(&self.connection));
        // The end of the transaction must not be interrupted, because the next read needs it.
        self.run_for(None);
        execute(&self.connection, "rollback")
    }

    /// Sets the caller of the running read. It is interrupted at the deadline, or once the caller is gone.
    fn run_for(&self, caller: Option<Caller>) {
        let current = caller.map(|caller| (caller, now() + self.timeout));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

/// Whether to interrupt the running read.
fn is_over(current: &Current) -> bool {
    let current = current.lock().unwrap_or_else(PoisonError::into_inner);
    current.as_ref().is_some_and(|(caller, deadline)| caller.is_gone() || now() >= *deadline)
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        task::Poll,
    };

    use super::*;
    use crate::{
        DatabaseUrl, Store,
        base::{error::Error, value::values},
    };

    /// A query that never ends.
    const ENDLESS: &str =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";

    fn with_store<F: Future<Output = ()>>(case: impl FnOnce(Store) -> F) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let store = Store::open(&url).await.expect("a store");
            case(store.clone()).await;
            store.close().await;
        });
    }

    #[test]
    fn a_read_whose_caller_is_gone_is_skipped() {
        with_store(async |store| {
            let (hold, held) = mpsc::channel::<()>();
            let (begun, begins) = mpsc::channel::<()>();
            let held = Mutex::new(held);
            let holder = store.clone();
            let holding = tokio::spawn(async move {
                let body = move |_: &mut Transaction<'_>| {
                    let _ = begun.send(());
                    let _ = held.lock().map(|held| held.recv());
                    Ok(())
                };
                holder.read_everything(body).await
            });
            begins.recv().expect("the only reader of the lane is busy");
            let runs = Arc::new(AtomicUsize::new(0));
            for _ in 0..60 {
                let runs = Arc::clone(&runs);
                let body = move |_: &mut Transaction<'_>| Ok(runs.fetch_add(1, Ordering::Relaxed));
                let mut abandoned = Box::pin(store.read_everything(body));
                // Polled once, so that it is queued, and dropped.
                let is_pending =
                    poll_fn(|context| Poll::Ready(abandoned.as_mut().poll(context).is_pending()));
                assert!(is_pending.await);
            }
            drop(hold);
            holding.await.expect("no panic").expect("an answer");
            let next = Arc::clone(&runs);
            let ran = store.read_everything(move |_| Ok(next.load(Ordering::Relaxed))).await;
            assert_eq!(ran.expect("an answer"), 0);
        });
    }

    #[test]
    fn a_running_read_whose_caller_is_gone_is_interrupted() {
        with_store(async |store| {
            // Many times, because SQLite counts the instructions of a statement over all of its runs.
            for _ in 0..500 {
                let (begun, begins) = mpsc::channel::<()>();
                let endless = store.clone();
                let reading = tokio::spawn(async move {
                    let body = move |transaction: &mut Transaction<'_>| {
                        let _ = begun.send(());
                        transaction.query_one(ENDLESS, values![], |row| row.integer(0))
                    };
                    endless.read_everything(body).await
                });
                begins.recv().expect("it runs");
                reading.abort();
            }
            // The lane has one reader, which is free again.
            store.read_everything(|_| Ok(())).await.expect("an answer");
        });
    }

    #[test]
    fn a_read_ends_at_its_deadline() {
        let memory = Connection::open_in_memory().expect("a database");
        let reader = Reader::open(memory, Duration::ZERO).expect("a reader");
        let (caller, _present) = Caller::new();
        reader.run_for(Some(caller));
        let transaction = &mut Transaction::Sqlite(&reader.connection);
        let read = transaction.query_one(ENDLESS, values![], |row| row.integer(0));
        assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
    }

    #[test]
    fn a_short_read_does_not_wait_for_a_scan() {
        with_store(async |store| {
            let scanning = |_| {
                let store = store.clone();
                tokio::spawn(async move {
                    store
                        .read_everything(|transaction| transaction.query_one(ENDLESS, values![], |_| Ok(())))
                        .await
                })
            };
            let scans: Vec<_> = (0..60).map(scanning).collect();
            store.ping().await.expect("an answer");
            assert_eq!(store.find_api_key("hash".to_owned()).await.expect("an answer"), None);
            scans.iter().for_each(tokio::task::JoinHandle::abort);
        });
    }
}
