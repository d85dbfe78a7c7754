//! Copies SQLite to SQLite, page by page.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};

use super::copy::{BackupProgress, Report, open_copy};
use crate::{
    base::error::{Error, Result},
    engines::sqlite::files::open_to_read,
};

/// How many pages are copied between two reports: 16 MiB.
const PAGES_PER_STEP: i32 = 4096;

/// Copies a snapshot of the database in `source`, unaffected by concurrent writes.
pub(super) fn copy(source: &Path, copy: &Path, report: Report<'_>) -> Result<()> {
    let source = open_to_read(source)?;
    source.execute_batch("pragma query_only = on; begin")?;
    // The first read opens the snapshot. While it is open, commits of other processes are invisible, and so do not
    // restart the copy.
    source.query_row("select count(*) from sqlite_master", [], |_| Ok(()))?;
    let mut copy = open_copy(copy)?;
    {
        let backup = Backup::new(&source, &mut copy)?;
        loop {
            let step = backup.step(PAGES_PER_STEP)?;
            let progress = backup.progress();
            let total = u64::try_from(progress.pagecount).unwrap_or(0);
            let left = u64::try_from(progress.remaining).unwrap_or(0);
            report(BackupProgress { done: total.saturating_sub(left), total });
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(Error::unavailable("the database is locked by another process")),
            }
        }
    }
    source.execute_batch("rollback")?;
    // The copy is one file without a log. This distinguishes a backup from a database in use.
    copy.execute_batch("pragma journal_mode = delete")?;
    copy.close().map_err(|(_, error)| error.into())
}
