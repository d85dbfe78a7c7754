//! Shared by the threads of SQLite: starting a thread, queues, and statements without a result.

use std::thread::JoinHandle;

use crossbeam_channel::{Sender, TrySendError};
use rusqlite::Connection;

use crate::base::error::{Error, Result};

pub(crate) fn enqueue<T>(queue: &Sender<T>, message: T) -> Result<()> {
    queue.try_send(message).map_err(refused)
}

pub(crate) fn refused<T>(error: TrySendError<T>) -> Error {
    match error {
        TrySendError::Full(_) => Error::Overloaded,
        TrySendError::Disconnected(_) => Error::unavailable("the database is closed"),
    }
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Error::unavailable)
}

pub(crate) fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
