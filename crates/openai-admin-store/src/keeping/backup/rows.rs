//! Copies between PostgreSQL and a SQLite file, row by row. Tables and columns are read from the schema, so a migration
//! that adds one needs no change here.

use std::{fmt::Write as _, path::Path};

use bytes::Bytes;
use rusqlite::{Connection, OpenFlags, types::ValueRef};
use tokio_postgres::types::Type;

use super::copy::{BackupProgress, Report, not_empty, open_copy};
use crate::{
    base::error::{Error, Result},
    engines::{postgres, transaction::Transaction},
    keeping::{migrations, verify::verify},
};

/// How many rows are copied between two reports.
const ROWS_PER_REPORT: u64 = 10_000;
/// The size of a chunk of rows that is sent to PostgreSQL at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// The table of versions, which creating the schema fills.
const VERSIONS: &str = "schema_migrations";

/// A table and its columns.
struct Table {
    name: String,
    columns: Vec<String>,
}

impl Table {
    fn list(&self) -> String {
        self.columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
    }
}

/// The tables of a schema that this program created.
fn tables(file: &Connection) -> Result<Vec<Table>> {
    let mut names = file.prepare(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> ?1 order by name",
    )?;
    let names: Vec<String> =
        names.query_map([VERSIONS], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let mut columns = file.prepare("select name from pragma_table_info(?1) order by cid")?;
        let columns = columns.query_map([&name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        tables.push(Table { name, columns });
    }
    Ok(tables)
}

/// Counts rows, and reports the progress periodically.
struct Counter<'a> {
    progress: BackupProgress,
    report: Report<'a>,
}

impl Counter<'_> {
    fn count(&mut self) {
        self.progress.done += 1;
        if self.progress.done.is_multiple_of(ROWS_PER_REPORT) {
            (self.report)(self.progress);
        }
    }
}

/// Copies a snapshot of the database at `url` into a new file.
pub(super) fn from_postgres(url: &str, file: &Path, report: Report<'_>) -> Result<()> {
    let file = open_copy(file)?;
    file.execute_batch("begin")?;
    migrations::migrate(&mut Transaction::Sqlite(&file))?;
    let mut total = 0;
    postgres::once(url, false, &mut |snapshot| copy_out(snapshot, &file, &mut total, &mut *report))?;
    report(BackupProgress { done: total, total });
    file.execute_batch("commit")?;
    file.close().map_err(|(_, error)| error.into())
}

fn copy_out(
    snapshot: &mut Transaction<'_>,
    file: &Connection,
    total: &mut u64,
    report: Report<'_>,
) -> Result<()> {
    snapshot.batch("set local statement_timeout = 0")?;
    migrations::require_newest(snapshot)?;
    let Transaction::Postgres(snapshot) = snapshot else { return Ok(()) };
    let tables = tables(file)?;
    for table in &tables {
        snapshot.stream(&format!("select count(*) from {}", table.name), |row| {
            *total += u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0);
            Ok(())
        })?;
    }
    let mut counter = Counter { progress: BackupProgress { done: 0, total: *total }, report };
    for table in &tables {
        let columns = table.list();
        let places = vec!["?"; table.columns.len()].join(", ");
        let mut insert =
            file.prepare(&format!("insert into {} ({columns}) values ({places})", table.name))?;
        snapshot.stream(&format!("select {columns} from {}", table.name), |row| {
            for column in 0..row.len() {
                insert.raw_bind_parameter(column + 1, from_row(row, column)?)?;
            }
            insert.raw_execute()?;
            counter.count();
            Ok(())
        })?;
    }
    Ok(())
}

fn from_row(row: &tokio_postgres::Row, column: usize) -> Result<rusqlite::types::Value> {
    use rusqlite::types::Value;
    let kind = row.columns()[column].type_();
    let value = match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(column)?.map(Value::Integer),
        Type::INT4 => row.try_get::<_, Option<i32>>(column)?.map(|value| Value::Integer(value.into())),
        Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<String>>(column)?.map(Value::Text),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Value::Blob),
        _ => {
            let column = row.columns()[column].name();
            return Err(Error::internal(format!("a backup cannot copy column {column} of type {kind}")));
        }
    };
    Ok(value.unwrap_or(Value::Null))
}

/// Replaces the rows of the database at `url` with those of a file, in one transaction.
pub(super) fn into_postgres(file: &Path, url: &str, overwrite: bool, report: Report<'_>) -> Result<()> {
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    file.execute_batch("pragma query_only = on")?;
    postgres::once(url, true, &mut |transaction| replace_all(&file, transaction, overwrite, &mut *report))
}

fn replace_all(
    file: &Connection,
    transaction: &mut Transaction<'_>,
    overwrite: bool,
    report: Report<'_>,
) -> Result<()> {
    migrations::migrate(transaction)?;
    transaction.batch("set local statement_timeout = 0")?;
    let is_empty = migrations::is_empty(transaction)?;
    if !is_empty && !overwrite {
        return Err(not_empty());
    }
    let tables = tables(file)?;
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    transaction.batch(&format!("truncate {}", names.join(", ")))?;
    let mut counter =
        Counter { progress: BackupProgress { done: 0, total: rows_of(file, &tables)? }, report };
    for table in &tables {
        if let Transaction::Postgres(connection) = transaction {
            copy_in(file, table, connection, &mut counter)?;
        }
    }
    (counter.report)(BackupProgress { done: counter.progress.total, ..counter.progress });
    // Verified before the commit, so that invalid data never becomes visible.
    match verify(transaction)?.first() {
        Some(problem) => Err(Error::internal(format!("the restored data is invalid: {problem}"))),
        None => Ok(()),
    }
}

fn rows_of(file: &Connection, tables: &[Table]) -> Result<u64> {
    let mut rows = 0;
    for table in tables {
        let counted: i64 =
            file.query_row(&format!("select count(*) from {}", table.name), [], |row| row.get(0))?;
        rows += u64::try_from(counted).unwrap_or(0);
    }
    Ok(rows)
}

/// Sends a table in PostgreSQL's text format, many rows at a time.
fn copy_in(
    file: &Connection,
    table: &Table,
    connection: &mut postgres::connection::Connection,
    counter: &mut Counter<'_>,
) -> Result<()> {
    let columns = table.list();
    let mut select = file.prepare(&format!("select {columns} from {}", table.name))?;
    let mut rows = select.query([])?;
    connection.copy_in(&format!("copy {} ({columns}) from stdin", table.name), || {
        let mut chunk = String::with_capacity(CHUNK_BYTES * 2);
        while chunk.len() < CHUNK_BYTES
            && let Some(row) = rows.next()?
        {
            for column in 0..table.columns.len() {
                if column > 0 {
                    chunk.push('\t');
                }
                write_value(&mut chunk, row.get_ref(column)?)?;
            }
            chunk.push('\n');
            counter.count();
        }
        Ok(Bytes::from(chunk))
    })
}

fn write_value(chunk: &mut String, value: ValueRef<'_>) -> Result<()> {
    match value {
        ValueRef::Null => chunk.push_str("\\N"),
        // Writing to a String cannot fail.
        ValueRef::Integer(integer) => drop(write!(chunk, "{integer}")),
        ValueRef::Text(_) => {
            for c in value.as_str().map_err(Error::internal)?.chars() {
                match c {
                    '\\' => chunk.push_str("\\\\"),
                    '\t' => chunk.push_str("\\t"),
                    '\n' => chunk.push_str("\\n"),
                    '\r' => chunk.push_str("\\r"),
                    c => chunk.push(c),
                }
            }
        }
        ValueRef::Blob(bytes) => {
            chunk.push_str("\\\\x");
            for byte in bytes {
                let _ = write!(chunk, "{byte:02x}");
            }
        }
        ValueRef::Real(_) => return Err(Error::internal("unexpected fractional number")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_postgres_reads_it() {
        for (value, written) in [
            (ValueRef::Null, "\\N"),
            (ValueRef::Integer(-7), "-7"),
            (ValueRef::Text(b"a\tb\\N\r\n"), "a\\tb\\\\N\\r\\n"),
            (ValueRef::Text(b""), ""),
            (ValueRef::Blob(&[0, 255]), "\\\\x00ff"),
        ] {
            let mut chunk = String::new();
            write_value(&mut chunk, value).expect("a value");
            assert_eq!(chunk, written);
        }
        assert!(write_value(&mut String::new(), ValueRef::Real(0.5)).is_err());
    }
}
