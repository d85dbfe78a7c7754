//! Tables of users, separated by commas, semicolons, tabs or bars, as spreadsheets write them.
//!
//! Pure: bytes in, rows or errors out. All invalid rows are reported with their line before a plan is made.

mod delimiter;
mod filter;
mod heading;
mod mapping;
mod records;

use std::collections::{HashMap, HashSet};

use openai_admin::identity::{clean, is_email, name_key};

pub use self::mapping::{Mapping, MappingSource};
use self::{
    delimiter::{after_separator_line, delimiter},
    heading::Columns,
    records::{Malformed, Record, Records},
};
use crate::input::{
    email::EmailKey,
    input_error::{InputError, InputErrors, Position},
    text,
    visible::excerpt,
};

/// The most rows of one table, after filtering and without duplicates. Each takes about 200 bytes of memory.
pub const ROWS_MAX: usize = 1_000_000;
/// The most invalid rows that are listed; the others are counted.
pub const BAD_ROWS_SHOWN_MAX: usize = 100;
/// The values that spreadsheets write for failed formulas.
const FORMULA_FAILURES: [&str; 7] = ["#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"];
/// The hint for a file that is not CSV.
const SAVE_AS_CSV: &str = "save it as \"CSV UTF-8\" in the spreadsheet";

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

/// Reads a table. `name` is the name of the file, for messages. The second value is the list of groups in the rows.
///
/// # Errors
///
/// If the file is not a table, has unclosed quotes, lacks a column or has it twice, has rows without a valid address, has
/// no rows, or more than [`ROWS_MAX`].
pub fn parse(bytes: &[u8], name: &str, mapping: &Mapping) -> Result<(Table, Vec<String>), InputErrors> {
    parse_within(ROWS_MAX, bytes, name, mapping)
}

fn parse_within(
    rows_max: usize,
    bytes: &[u8],
    name: &str,
    mapping: &Mapping,
) -> Result<(Table, Vec<String>), InputErrors> {
    let bytes = text::without_byte_order_mark(bytes);
    if let Some(what) = text::other_format(bytes).or_else(|| text::markup(bytes)) {
        return Err(InputError::of_file(name, what).hint(SAVE_AS_CSV).into());
    }
    if bytes.trim_ascii().is_empty() {
        let error = InputError::of_file(name, "is empty");
        return Err(error.hint("a table needs a header and a row for each user").into());
    }
    let (bytes, line, separator) = after_separator_line(bytes);
    let delimiter = mapping.delimiter.or(separator).unwrap_or_else(|| delimiter(bytes));
    let mut records = Records::new(bytes, line, delimiter);
    let mut record = Record::default();
    while records.read(&mut record).map_err(|malformed| quotes(name, &malformed))? && record.is_blank() {}
    let columns = Columns::find(&record, name, mapping)?;
    Reading::new(name, delimiter, record.cells.len(), columns, rows_max).read_all(records)
}

fn columns(number: usize) -> String {
    if number == 1 { "1 column".to_owned() } else { format!("{number} columns") }
}

fn quotes(name: &str, malformed: &Malformed) -> InputError {
    let (line, message) = match malformed {
        Malformed::Unclosed { opened } => {
            let message = "unclosed quote: the rest of the file would be one cell";
            (*opened, message.to_owned())
        }
        Malformed::TextAfterQuote { opened, closed } => {
            let at = if opened == closed { String::new() } else { format!(" at line {closed}") };
            (*opened, format!("the quote that opens here closes{at} before the end of the cell"))
        }
    };
    let hint = "close or remove the quote; inside a quoted cell, write a quote twice";
    InputError::at(Position::line(name, line), message).hint(hint)
}

/// The problem of a cell with a formula, or with the error of a formula, instead of a value.
fn formula_problem(cell: &str) -> Option<String> {
    let shown = excerpt(cell);
    match cell {
        _ if cell.starts_with('=') => Some(format!("'{shown}' is a formula, not a value")),
        _ if FORMULA_FAILURES.contains(&cell) => Some(format!("'{shown}' is the error of a formula")),
        _ => None,
    }
}

#[derive(Default)]
struct Groups {
    names: Vec<String>,
    by_name: HashMap<String, u32>,
}

impl Groups {
    fn index_of(&mut self, name: &str) -> u32 {
        if let Some(index) = self.by_name.get(name) {
            return *index;
        }
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), index);
        index
    }
}

struct Reading<'a> {
    name: &'a str,
    delimiter: u8,
    /// The number of columns in the header.
    width: usize,
    columns: Columns,
    rows_max: usize,
    groups: Groups,
    table: Table,
    seen: HashSet<(EmailKey, u32)>,
    errors: InputErrors,
    bad: usize,
    /// The number of invalid rows whose address is invalid.
    bad_addresses: usize,
}

impl<'a> Reading<'a> {
    fn new(name: &'a str, delimiter: u8, width: usize, columns: Columns, rows_max: usize) -> Self {
        Self {
            name,
            delimiter,
            width,
            columns,
            rows_max,
            groups: Groups::default(),
            table: Table::default(),
            seen: HashSet::new(),
            errors: InputErrors::default(),
            bad: 0,
            bad_addresses: 0,
        }
    }

    fn read_all(mut self, mut records: Records<'_>) -> Result<(Table, Vec<String>), InputErrors> {
        let mut record = Record::default();
        loop {
            match records.read(&mut record) {
                Ok(false) => break,
                // Spreadsheets leave blank rows behind.
                Ok(true) if record.is_blank() => {}
                Ok(true) => self.take(&record),
                // After a broken quote, the start of the next row is unknown.
                Err(malformed) => {
                    self.errors.0.push(quotes(self.name, &malformed));
                    break;
                }
            }
            if self.table.rows.len() > self.rows_max {
                self.errors.0.push(self.one_too_many(record.line));
                break;
            }
        }
        self.finish()
    }

    fn take(&mut self, record: &Record<'_>) {
        match self.row(record) {
            Ok(Some(row)) if self.seen.insert((row.email.clone(), row.group)) => self.table.rows.push(row),
            Ok(Some(_)) => self.table.duplicates += 1,
            Ok(None) => {}
            Err(error) => {
                self.bad += 1;
                if self.bad <= BAD_ROWS_SHOWN_MAX {
                    self.errors.0.push(error);
                }
            }
        }
    }

    fn finish(mut self) -> Result<(Table, Vec<String>), InputErrors> {
        if self.bad > BAD_ROWS_SHOWN_MAX {
            let more = self.bad - BAD_ROWS_SHOWN_MAX;
            self.errors.0.push(InputError::of_file(self.name, format!("has {more} more invalid rows")));
        }
        // The column holds something else: its cells are not quoted, because they may be secret.
        if self.table.rows.is_empty() && self.bad > 1 && self.bad_addresses == self.errors.0.len() {
            let message = format!("has no email address in any of {} rows", self.bad);
            let hint = "check the column and the file";
            return Err(InputError::of_file(self.name, message).hint(hint).into());
        }
        let rows = self.table.rows_read;
        self.table.left_out =
            self.columns.filters.iter().filter_map(|filter| filter.left_out_message(rows)).collect();
        if self.errors.0.is_empty() && self.table.rows.is_empty() {
            self.errors.0.push(self.no_rows());
        }
        self.errors.or((self.table, self.groups.names))
    }

    /// Reads a row; `None` if a filter excludes it.
    fn row(&mut self, record: &Record<'_>) -> Result<Option<Row>, InputError> {
        self.table.rows_read += 1;
        // Checked before the filter: a shifted row has its values in other columns, and the filter would silently
        // exclude it.
        if !self.fits(record) {
            let message =
                format!("the row has {}, the header has {}", columns(record.cells.len()), self.width);
            let hint = "quote cells that contain the delimiter, or check which delimiter the table uses";
            return Err(self.error(record.line, message).hint(hint));
        }
        self.check_cells(record)?;
        // Filters come before the other checks: excluded rows may be invalid.
        for index in 0..self.columns.filters.len() {
            let value = self.value(record, self.columns.filters[index].column)?;
            if !self.columns.filters[index].admits(&value) {
                return Ok(None);
            }
        }
        let address = self.value(record, self.columns.email)?;
        if let Err(problem) = is_email(&address) {
            self.bad_addresses += 1;
            let message = if address.is_empty() {
                "the row has no email address".to_owned()
            } else {
                format!("invalid email address '{}': {problem}", excerpt(&address))
            };
            return Err(self.error(record.line, message));
        }
        let group = match self.columns.group {
            None => 0,
            Some(column) => match self.value(record, column)?.as_str() {
                "" => return Err(self.error(record.line, "the row has no group")),
                name => self.groups.index_of(name),
            },
        };
        Ok(Some(Row { email: EmailKey::new(&address), group, line: record.line }))
    }

    fn one_too_many(&self, line: u64) -> InputError {
        let message =
            format!("row {} after filtering: a table has at most {}", self.rows_max + 1, self.rows_max);
        self.error(line, message).hint("split the table, and import each part separately")
    }

    fn error(&self, line: u64, message: impl Into<String>) -> InputError {
        InputError::at(Position::line(self.name, line), message)
    }

    /// The normalized value of a mapped column. Formulas are refused: in a filter column, one would silently exclude
    /// its row.
    fn value(&self, record: &Record<'_>, column: usize) -> Result<String, InputError> {
        let cell = &record.cells[column];
        let text = str::from_utf8(&cell.bytes)
            .map_err(|_| self.error(record.line, "the row is not UTF-8").hint(SAVE_AS_CSV))?;
        if text.trim().contains(['\r', '\n']) {
            let message = "the cell contains a line break";
            let hint = "check for a missing or extra quote";
            return Err(self.error(cell.line, message).hint(hint));
        }
        let value = name_key(text);
        match formula_problem(&value) {
            None => Ok(value),
            Some(problem) => {
                let hint = "save the table with values instead of formulas; for a group whose name starts with =, \
                    use its id";
                Err(self.error(record.line, problem).hint(hint))
            }
        }
    }

    /// Whether a row has as many cells as the header. Spreadsheets may add empty cells at the end.
    fn fits(&self, record: &Record<'_>) -> bool {
        let beyond = record.cells.iter().skip(self.width);
        record.cells.len() >= self.width && beyond.into_iter().all(|cell| cell.bytes.trim_ascii().is_empty())
    }

    /// Refuses a cell that contains other rows, because of two quotes that do not belong together.
    fn check_cells(&self, record: &Record<'_>) -> Result<(), InputError> {
        for (column, cell) in record.cells.iter().enumerate() {
            if cell.bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
                && self.holds_rows(&String::from_utf8_lossy(&cell.bytes), column)
            {
                let message = "the cell that starts here contains other rows";
                let hint = "check for a missing or extra quote from this line on";
                return Err(self.error(cell.line, message).hint(hint));
            }
        }
        Ok(())
    }

    /// Whether lines of a cell look like rows, with an address in the email column.
    fn holds_rows(&self, cell: &str, column: usize) -> bool {
        let last = text::lines(cell).count().saturating_sub(1);
        text::lines(cell).enumerate().any(|(line, text)| {
            // The first line starts in the middle of a row, and the last one ends there.
            let skipped = if line == 0 { column } else { 0 };
            let cells: Vec<&str> = text.split(char::from(self.delimiter)).collect();
            let width = cells.len() + skipped;
            let is_whole = width == self.width || (line == last && (2..self.width).contains(&width));
            let address = self.columns.email.checked_sub(skipped).and_then(|index| cells.get(index));
            is_whole && address.is_some_and(|address| is_email(&clean(address.trim_matches('"'))).is_ok())
        })
    }

    /// The error of a table without rows: a broken export, or a filter with a wrong value.
    fn no_rows(&self) -> InputError {
        let hint = "an empty table is refused, because it would empty its groups";
        if self.table.rows_read == 0 {
            return InputError::of_file(self.name, "has a header and no rows").hint(hint);
        }
        let left_out = self.table.left_out.join("; ");
        InputError::of_file(self.name, format!("has no matching row: {left_out}")).hint(hint)
    }
}

#[cfg(test)]
mod tests;
