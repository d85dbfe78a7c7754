//! Snapshots: copies of a database in memory that can be restored within a millisecond.

use std::{fmt, ops::Range, sync::Arc};

use rusqlite::{Connection, MAIN_DB, backup::Backup};

use crate::base::error::Result;

/// Copies all pages in one step.
const ALL_PAGES: i32 = -1;
/// The position of the read and write versions in the header: 1 without a write-ahead log, 2 with one. A database in
/// memory has none.
const FORMAT_VERSIONS: Range<usize> = 18..20;
const WITHOUT_LOG: u8 = 1;

/// A copy of a whole database in memory. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot(Arc<[u8]>);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The size in memory in bytes.
    pub fn size_bytes(&self) -> usize {
        self.0.len()
    }

    /// The pages of the database. Equal bytes mean equal databases.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn of(database: &mut Connection) -> Result<Self> {
        let mut pages = database.serialize(MAIN_DB)?.to_vec();
        if let Some(versions) = pages.get_mut(FORMAT_VERSIONS) {
            versions.fill(WITHOUT_LOG);
        }
        Ok(Self(pages.into()))
    }

    /// Restores a database in memory with one copy of all bytes.
    pub(crate) fn put_into(&self, memory: &mut Connection) -> Result<()> {
        // Cached statements of the replaced database would hold it open.
        memory.flush_prepared_statement_cache();
        Ok(memory.deserialize_read_exact(MAIN_DB, &*self.0, self.0.len(), false)?)
    }

    /// Restores the database of a file in one transaction.
    pub(crate) fn copy_to(&self, database: &mut Connection) -> Result<()> {
        let mut memory = Connection::open_in_memory()?;
        self.put_into(&mut memory)?;
        Backup::new(&memory, database)?.step(ALL_PAGES)?;
        Ok(())
    }
}
