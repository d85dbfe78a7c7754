//! Tables of people: comma-, semicolon-, tab- or bar-separated, as spreadsheets write them.
//!
//! Pure: bytes in, rows or faults out. Every bad row is reported, with its number, before anything is done.

mod delimiter;
mod filter;
mod heading;
mod mapping;
mod records;

use std::collections::{HashMap, HashSet};

use openai_admin::identity::{clean, is_email, name_key};

pub use self::mapping::{Mapping, SaidBy};
use self::{
    delimiter::{after_separator_line, delimiter},
    heading::Columns,
    records::{Malformed, Record, Records},
};
use crate::input::{
    email::EmailKey,
    fault::{Fault, Faults, Place},
    text,
    visible::excerpt,
};

/// The most rows of one table that are kept, each at about 200 bytes: those that count, without duplicates.
pub const ROWS_MAX: usize = 1_000_000;
/// How many bad rows are reported one by one; of the others the number.
pub const BAD_ROWS_TOLD_MAX: usize = 100;
/// What spreadsheets write for a formula that has failed.
const FORMULA_FAILURES: [&str; 7] = ["#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"];
/// What to do with a file that is no table yet.
const SAVE_AS_CSV: &str = "save it as \"CSV UTF-8\" in the spreadsheet";

/// What a table says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The rows that passed the filter, each person and group once, in order.
    pub rows: Vec<Row>,
    /// How many rows the table has, without its heading and blank ones.
    pub rows_read: usize,
    /// How many rows said again what a row before them had said.
    pub duplicates: usize,
    /// What each filter left out, for people: "5 of 6 rows left out by active=yes; other values: no (5)".
    pub left_out: Vec<String>,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who.
    pub email: EmailKey,
    /// Which group, by its place in the table's list of groups; 0 where no column names groups.
    pub group: u32,
    /// The line on which the row begins, from 1.
    pub line: u64,
}

/// Reads a table. `name` is the file's, for messages. The second value holds the groups that rows name.
///
/// # Errors
///
/// What the file is instead of a table, quotes that do not close, a column that is not there or there twice, every row
/// without a good address, a table without a row or with more than [`ROWS_MAX`].
pub fn parse(bytes: &[u8], name: &str, mapping: &Mapping) -> Result<(Table, Vec<String>), Faults> {
    parse_within(ROWS_MAX, bytes, name, mapping)
}

fn parse_within(
    rows_max: usize,
    bytes: &[u8],
    name: &str,
    mapping: &Mapping,
) -> Result<(Table, Vec<String>), Faults> {
    let bytes = text::unmarked(bytes);
    if let Some(what) = text::foreign(bytes).or_else(|| text::markup(bytes)) {
        return Err(Fault::of_file(name, what).hint(SAVE_AS_CSV).into());
    }
    if bytes.trim_ascii().is_empty() {
        let fault = Fault::of_file(name, "is empty");
        return Err(fault.hint("a table needs a heading, and a row for each person").into());
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

fn quotes(name: &str, malformed: &Malformed) -> Fault {
    let (line, message) = match malformed {
        Malformed::Unclosed { opened } => {
            let message = "a quote is opened here and never closed: the rest of the file would be one cell";
            (*opened, message.to_owned())
        }
        Malformed::TextBehindQuote { opened, closed } => {
            let at = if opened == closed { String::new() } else { format!(" at line {closed}") };
            (*opened, format!("the quote that is opened here is closed{at} before the cell ends"))
        }
    };
    let hint = "close the quote, or take it away; inside a quoted cell a quote is written twice";
    Fault::at(Place::line(name, line), message).hint(hint)
}

/// What is wrong with a cell that holds a formula, or the failure of one, in the place of what it comes to.
fn formula_problem(cell: &str) -> Option<String> {
    let shown = excerpt(cell);
    match cell {
        _ if cell.starts_with('=') => Some(format!("'{shown}' is a formula, and not what it comes to")),
        _ if FORMULA_FAILURES.contains(&cell) => {
            Some(format!("'{shown}' is what a formula says that has failed"))
        }
        _ => None,
    }
}

#[derive(Default)]
struct Groups {
    names: Vec<String>,
    by_name: HashMap<String, u32>,
}

impl Groups {
    fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.by_name.get(name) {
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), place);
        place
    }
}

struct Reading<'a> {
    name: &'a str,
    delimiter: u8,
    /// How many columns the heading has.
    width: usize,
    columns: Columns,
    rows_max: usize,
    groups: Groups,
    table: Table,
    seen: HashSet<(EmailKey, u32)>,
    faults: Faults,
    bad: usize,
    /// How many of the bad rows have something else where the address should be.
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
            faults: Faults::default(),
            bad: 0,
            bad_addresses: 0,
        }
    }

    fn read_all(mut self, mut records: Records<'_>) -> Result<(Table, Vec<String>), Faults> {
        let mut record = Record::default();
        loop {
            match records.read(&mut record) {
                Ok(false) => break,
                // What spreadsheets leave behind says nothing.
                Ok(true) if record.is_blank() => {}
                Ok(true) => self.take(&record),
                // Where the rows after it begin, nobody can tell.
                Err(malformed) => {
                    self.faults.0.push(quotes(self.name, &malformed));
                    break;
                }
            }
            if self.table.rows.len() > self.rows_max {
                self.faults.0.push(self.one_too_many(record.line));
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
            Err(fault) => {
                self.bad += 1;
                if self.bad <= BAD_ROWS_TOLD_MAX {
                    self.faults.0.push(fault);
                }
            }
        }
    }

    fn finish(mut self) -> Result<(Table, Vec<String>), Faults> {
        if self.bad > BAD_ROWS_TOLD_MAX {
            let more = self.bad - BAD_ROWS_TOLD_MAX;
            self.faults.0.push(Fault::of_file(self.name, format!("has {more} more bad rows")));
        }
        // A column of something else, whose cells are nothing to be quoted.
        if self.table.rows.is_empty() && self.bad > 1 && self.bad_addresses == self.faults.0.len() {
            let message = format!("has no email address in any of {} rows", self.bad);
            let hint = "is it the right column, and the right file?";
            return Err(Fault::of_file(self.name, message).hint(hint).into());
        }
        let rows = self.table.rows_read;
        self.table.left_out = self.columns.filters.iter().filter_map(|filter| filter.told(rows)).collect();
        if self.faults.0.is_empty() && self.table.rows.is_empty() {
            self.faults.0.push(self.nobody());
        }
        self.faults.or((self.table, self.groups.names))
    }

    /// What a row says; nothing when the filter leaves it out.
    fn row(&mut self, record: &Record<'_>) -> Result<Option<Row>, Fault> {
        self.table.rows_read += 1;
        // Before the filter: in a row that has slipped, what is filtered stands in another column, and whoever the row
        // means would be taken for left out.
        if !self.fits(record) {
            let message =
                format!("the row has {}, the heading has {}", columns(record.cells.len()), self.width);
            let hint = "is there a delimiter in a cell without quotes, or another delimiter?";
            return Err(self.fault(record.line, message).hint(hint));
        }
        self.check_cells(record)?;
        // A filter decides before the rest is checked: rows of others may be whatever they are.
        for place in 0..self.columns.filters.len() {
            let value = self.value(record, self.columns.filters[place].column)?;
            if !self.columns.filters[place].admits(&value) {
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
            return Err(self.fault(record.line, message));
        }
        let group = match self.columns.group {
            None => 0,
            Some(column) => match self.value(record, column)?.as_str() {
                "" => return Err(self.fault(record.line, "the row names no group")),
                name => self.groups.place(name),
            },
        };
        Ok(Some(Row { email: EmailKey::new(&address), group, line: record.line }))
    }

    fn one_too_many(&self, line: u64) -> Fault {
        let message = format!("row {} that counts: a table has at most {}", self.rows_max + 1, self.rows_max);
        self.fault(line, message).hint("divide the table, and import each part by itself")
    }

    fn fault(&self, line: u64, message: impl Into<String>) -> Fault {
        Fault::at(Place::line(self.name, line), message)
    }

    /// The cell of a column that counts, as it is compared. Nobody computes formulas here: in a column of the filter, one
    /// would leave its row out unsaid.
    fn value(&self, record: &Record<'_>, column: usize) -> Result<String, Fault> {
        let cell = &record.cells[column];
        let text = str::from_utf8(&cell.bytes)
            .map_err(|_| self.fault(record.line, "the row is not UTF-8").hint(SAVE_AS_CSV))?;
        if text.trim().contains(['\r', '\n']) {
            let message = "a cell that counts goes on in the next line";
            let hint = "is a quote missing, or one too many?";
            return Err(self.fault(cell.line, message).hint(hint));
        }
        let value = name_key(text);
        match formula_problem(&value) {
            None => Ok(value),
            Some(problem) => {
                let hint = "save the table with values in the place of formulas; a group whose name begins with = is \
                    named by its id";
                Err(self.fault(record.line, problem).hint(hint))
            }
        }
    }

    /// Whether a row has the columns of the heading. Empty cells beyond them are what spreadsheets leave behind.
    fn fits(&self, record: &Record<'_>) -> bool {
        let beyond = record.cells.iter().skip(self.width);
        record.cells.len() >= self.width && beyond.into_iter().all(|cell| cell.bytes.trim_ascii().is_empty())
    }

    /// Refuses a cell in which other rows stand: two quotes that do not belong together have swallowed them.
    fn check_cells(&self, record: &Record<'_>) -> Result<(), Fault> {
        for (column, cell) in record.cells.iter().enumerate() {
            if cell.bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
                && self.holds_rows(&String::from_utf8_lossy(&cell.bytes), column)
            {
                let message = "the cell that begins here holds other rows of the table";
                let hint = "a quote is missing, or one too many: the rows from here on belong to themselves";
                return Err(self.fault(cell.line, message).hint(hint));
            }
        }
        Ok(())
    }

    /// Whether lines of a cell read like rows: with an address where the column of addresses would be.
    fn holds_rows(&self, cell: &str, column: usize) -> bool {
        let last = text::lines(cell).count().saturating_sub(1);
        text::lines(cell).enumerate().any(|(line, text)| {
            // The first line begins in the middle of a row, and the last one ends there.
            let skipped = if line == 0 { column } else { 0 };
            let cells: Vec<&str> = text.split(char::from(self.delimiter)).collect();
            let width = cells.len() + skipped;
            let is_whole = width == self.width || (line == last && (2..self.width).contains(&width));
            let address = self.columns.email.checked_sub(skipped).and_then(|place| cells.get(place));
            is_whole && address.is_some_and(|address| is_email(&clean(address.trim_matches('"'))).is_ok())
        })
    }

    /// Nobody is left: an export that broke, or a filter that means another word.
    fn nobody(&self) -> Fault {
        let hint = "an empty table is no wish for an empty group: nothing is planned from it";
        if self.table.rows_read == 0 {
            return Fault::of_file(self.name, "has a heading and no row").hint(hint);
        }
        let left_out = self.table.left_out.join("; ");
        Fault::of_file(self.name, format!("has no row that counts: {left_out}")).hint(hint)
    }
}

#[cfg(test)]
mod tests;
