//! The content of a table.

use std::collections::HashMap;

use crate::input::email::EmailKey;

/// The most rows of one table, after filtering and without duplicates. Each takes about 200 bytes of memory.
pub const ROWS_MAX: usize = 1_000_000;
/// The most invalid rows that are listed; the others are counted.
pub const BAD_ROWS_SHOWN_MAX: usize = 100;
/// The most invalid rows that are skipped and kept for a report.
pub const BAD_ROWS_SKIPPED_MAX: usize = 10_000;

/// The content of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The rows that match the filter, without duplicates, in order.
    pub rows: Vec<Row>,
    /// The number of rows, without the header and blank rows.
    pub rows_read: usize,
    /// The number of duplicate rows.
    pub duplicates: usize,
    /// A message for each filter with excluded rows: "skipped 5 of 6 rows where active is not yes (no: 5)".
    pub left_out: Vec<String>,
    /// Notes about guessed columns, decoded text, and changed or skipped cells.
    pub notes: Vec<String>,
    /// The invalid rows that were skipped, at most [`BAD_ROWS_SKIPPED_MAX`].
    pub skipped: Vec<SkippedRow>,
    /// The names of users by address, if the table has columns of names.
    pub names: HashMap<EmailKey, Box<str>>,
}

/// An invalid row that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRow {
    /// The line on which the row starts, from 1.
    pub line: u64,
    /// The problem.
    pub problem: String,
    /// The cells of the row.
    pub cells: Vec<String>,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The user.
    pub email: EmailKey,
    /// The index of the group in the table's list of groups; 0 if there is no group column.
    pub group: u32,
    /// The line on which the row starts, from 1.
    pub line: u64,
}
