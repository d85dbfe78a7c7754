//! The rows of a table: their users and groups, and their problems.

use std::collections::{HashMap, HashSet};

use openai_admin::identity::{clean, is_email, is_invisible, name_key};

use super::{
    address::address,
    heading::Columns,
    mapping::{GroupSource, Mapping, MappingSource, Matching},
    notes::Lines,
    records::{Malformed, Record, Records},
    table::{BAD_ROWS_SHOWN_MAX, BAD_ROWS_SKIPPED_MAX, Row, SkippedRow, Table},
    total::{first_word, is_total_word},
};
use crate::input::{
    email::EmailKey,
    input_error::{InputError, InputErrors, Position},
    text,
    visible::excerpt,
};

/// The values that spreadsheets write for failed formulas.
const FORMULA_FAILURES: [&str; 7] = ["#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"];

/// The problem of a row with a blank group.
const NO_GROUP: &str = "the row has no group";
/// The hint for rows with a blank group.
const FILL_DOWN: &str = "if a blank cell means the group above, pass --fill-down";
/// The most rows with a blank group that have their own error; one more error lists the others. In a table with merged
/// cells, most rows have this problem, and would hide the other problems.
const NO_GROUP_SHOWN_MAX: usize = 3;
/// The hint for a cell that contains a word instead of an address.
const ONE_ADDRESS: &str =
    "write the email address of one person; names of people, groups and patterns are not supported";

fn columns(number: usize) -> String {
    if number == 1 { "1 column".to_owned() } else { format!("{number} columns") }
}

fn more_rows(number: usize) -> String {
    if number == 1 { "1 more row".to_owned() } else { format!("{number} more rows") }
}

/// The error of a quote without its counterpart.
pub(super) fn quotes(name: &str, malformed: &Malformed) -> InputError {
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
    fn index_of(&mut self, name: &str, matching: Matching) -> u32 {
        let key = matching.key(name);
        if let Some(index) = self.by_name.get(&key) {
            return *index;
        }
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.by_name.insert(key, index);
        index
    }
}

/// The lines with changed or skipped values.
#[derive(Default)]
struct Changes {
    invisible: Lines,
    unwrapped: Lines,
    filled: Lines,
    filled_several: Lines,
    totals: Lines,
    skipped: Lines,
}

impl Changes {
    fn notes(&self) -> impl Iterator<Item = String> {
        [
            self.invisible.note("removed invisible characters"),
            self.unwrapped.note("took the address out of a name, a link or quotes"),
            self.filled.note("used the group of the row above"),
            self.filled_several.note("used several groups of the row above (check that all of them apply)"),
            self.totals.note("skipped total rows"),
            self.skipped.note("skipped invalid rows"),
        ]
        .into_iter()
        .flatten()
    }
}

/// The rows read so far.
pub(super) struct Reading<'a> {
    name: &'a str,
    delimiter: u8,
    /// The number of columns in the header.
    width: usize,
    columns: Columns,
    rows_max: usize,
    mapping: &'a Mapping,
    groups: Groups,
    table: Table,
    seen: HashSet<(EmailKey, u32)>,
    errors: InputErrors,
    /// The number of invalid rows.
    bad: usize,
    /// The number of invalid rows whose address is invalid.
    bad_addresses: usize,
    /// The number of invalid rows with a blank group.
    groupless: usize,
    /// The lines of those without their own error.
    more_groupless: Lines,
    /// The last group that was not blank.
    group_above: String,
    changes: Changes,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        name: &'a str,
        delimiter: u8,
        width: usize,
        columns: Columns,
        rows_max: usize,
        mapping: &'a Mapping,
        notes: Vec<String>,
    ) -> Self {
        Self {
            name,
            delimiter,
            width,
            columns,
            rows_max,
            mapping,
            groups: Groups::default(),
            table: Table { notes, ..Table::default() },
            seen: HashSet::new(),
            errors: InputErrors::default(),
            bad: 0,
            bad_addresses: 0,
            groupless: 0,
            more_groupless: Lines::default(),
            group_above: String::new(),
            changes: Changes::default(),
        }
    }

    /// Reads every row. The second value is the list of groups in the rows.
    pub(super) fn read_all(mut self, mut records: Records<'_>) -> Result<(Table, Vec<String>), InputErrors> {
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
        if self.is_total(record) {
            self.changes.totals.add(record.line);
            return;
        }
        // Not skipped like other invalid rows: it contains several.
        if let Err(error) = self.check_cells(record) {
            return self.refuse(error);
        }
        match self.row(record) {
            Ok(Some((email, groups))) => self.add(&email, &groups, record.line),
            Ok(None) => {}
            Err(error) if self.mapping.skip_bad_rows => self.skip(record, error),
            Err(error) => self.refuse(error),
        }
    }

    /// Whether a row is a total below the table: its first word says so, it has no address, and neither an email cell nor
    /// a group that could belong to a user.
    fn is_total(&self, record: &Record<'_>) -> bool {
        let mut texts = record.cells.iter().map(|cell| String::from_utf8_lossy(&cell.bytes));
        if texts.clone().any(|text| text.contains('@')) {
            return false;
        }
        let of_no_user = |column: usize| {
            let Some(cell) = record.cells.get(column) else { return true };
            let text = String::from_utf8_lossy(&cell.bytes);
            !text.contains(char::is_alphabetic) || is_total_word(&text)
        };
        texts.find(|text| first_word(text).is_some()).is_some_and(|text| is_total_word(&text))
            && of_no_user(self.columns.email)
            && self.columns.group.is_none_or(of_no_user)
    }

    fn add(&mut self, email: &EmailKey, groups: &[u32], line: u64) {
        for group in groups {
            if self.table.rows.len() > self.rows_max {
                break;
            }
            if self.seen.insert((email.clone(), *group)) {
                self.table.rows.push(Row { email: email.clone(), group: *group, line });
            } else {
                self.table.duplicates += 1;
            }
        }
    }

    fn refuse(&mut self, error: InputError) {
        self.bad += 1;
        if error.message == NO_GROUP {
            self.groupless += 1;
            if self.groupless > NO_GROUP_SHOWN_MAX {
                self.more_groupless.add(error.position.map_or(0, |position| position.line));
                return;
            }
        }
        if self.errors.0.len() < BAD_ROWS_SHOWN_MAX {
            self.errors.0.push(error);
        }
    }

    fn skip(&mut self, record: &Record<'_>, error: InputError) {
        if self.table.skipped.len() == BAD_ROWS_SKIPPED_MAX {
            let message = format!("has more than {BAD_ROWS_SKIPPED_MAX} invalid rows");
            let error = InputError::of_file(self.name, message);
            return self.refuse(error.hint("check the columns and the delimiter"));
        }
        self.changes.skipped.add(record.line);
        let cells = record.cells.iter().map(|cell| String::from_utf8_lossy(&cell.bytes).into_owned());
        let skipped = SkippedRow { line: record.line, problem: error.message, cells: cells.collect() };
        self.table.skipped.push(skipped);
    }

    fn finish(mut self) -> Result<(Table, Vec<String>), InputErrors> {
        let has_only_bad_addresses =
            self.bad_addresses == self.bad && self.errors.0.len() == self.bad.min(BAD_ROWS_SHOWN_MAX);
        // The column holds something else: its cells are not quoted, because they may be secret.
        if self.table.rows.is_empty() && self.bad > 1 && has_only_bad_addresses {
            let message = format!("has no email address in any of {} rows", self.bad);
            let hint = "check the column and the file";
            return Err(InputError::of_file(self.name, message).hint(hint).into());
        }
        self.add_more_errors();
        let rows = self.table.rows_read;
        self.table.left_out =
            self.columns.filters.iter().filter_map(|filter| filter.left_out_message(rows)).collect();
        self.table.notes.extend(self.changes.notes());
        if self.errors.0.is_empty() && self.table.rows.is_empty() {
            self.errors.0.push(self.no_rows());
        }
        self.errors.or((self.table, self.groups.names))
    }

    /// Adds the errors about the rows without a separate error.
    fn add_more_errors(&mut self) {
        let groupless = self.groupless.saturating_sub(NO_GROUP_SHOWN_MAX);
        if let Some(lines) = self.more_groupless.note(&format!("has no group in {}", more_rows(groupless))) {
            let error = InputError::of_file(self.name, lines);
            self.errors.0.push(self.with_hint_to_fill(error));
        }
        let more = (self.bad - groupless).saturating_sub(BAD_ROWS_SHOWN_MAX);
        if more > 0 {
            self.errors.0.push(InputError::of_file(self.name, format!("has {more} more invalid rows")));
        }
    }

    /// Reads the user and the groups of a row; `None` if a filter excludes it.
    fn row(&mut self, record: &Record<'_>) -> Result<Option<(EmailKey, Vec<u32>)>, InputError> {
        self.table.rows_read += 1;
        // Checked before the filter: a shifted row has its values in other columns, and the filter would silently
        // exclude it.
        if !self.fits(record) {
            let message =
                format!("the row has {}, the header has {}", columns(record.cells.len()), self.width);
            let hint = "quote cells that contain the delimiter, or check which delimiter the table uses";
            return Err(self.error(record.line, message).hint(hint));
        }
        self.remember_group(record);
        // Filters come before the other checks: excluded rows may be invalid.
        for index in 0..self.columns.filters.len() {
            let value = self.value(record, self.columns.filters[index].column)?;
            if !self.columns.filters[index].admits(&value) {
                return Ok(None);
            }
        }
        let email = self.email(record)?;
        let groups = self.groups(record)?;
        self.remember_name(record, &email);
        Ok(Some((email, groups)))
    }

    fn email(&mut self, record: &Record<'_>) -> Result<EmailKey, InputError> {
        let value = self.value(record, self.columns.email)?;
        let read = address(&value).map_err(|problem| {
            self.bad_addresses += 1;
            let message = if value.is_empty() {
                "the row has no email address".to_owned()
            } else {
                format!("invalid email address '{}': {problem}", excerpt(&value))
            };
            let error = self.error(record.line, message);
            // Without either, it is not a mistyped address.
            if value.is_empty() || value.contains(['@', '.']) { error } else { error.hint(ONE_ADDRESS) }
        })?;
        let cell = &record.cells[self.columns.email].bytes;
        if read.had_invisible || String::from_utf8_lossy(cell).contains(is_invisible) {
            self.changes.invisible.add(record.line);
        }
        if read.was_wrapped {
            self.changes.unwrapped.add(record.line);
        }
        Ok(EmailKey::new(&read.text))
    }

    fn remember_name(&mut self, record: &Record<'_>, email: &EmailKey) {
        if self.columns.names.is_empty() || self.table.names.len() >= self.rows_max {
            return;
        }
        let parts =
            self.columns.names.iter().map(|column| String::from_utf8_lossy(&record.cells[*column].bytes));
        let name = name_key(&parts.collect::<Vec<_>>().join(" "));
        if !name.is_empty() {
            self.table.names.entry(email.clone()).or_insert(name.into());
        }
    }

    /// The group of the row above, for rows with a blank one, also if a filter excludes the row above.
    fn remember_group(&mut self, record: &Record<'_>) {
        if let Some(column) = self.columns.group.filter(|_| self.mapping.fill_down) {
            let text = String::from_utf8_lossy(&record.cells[column].bytes);
            let name = clean(&text);
            if !name.is_empty() && self.group_above != name {
                self.group_above = name.into_owned();
            }
        }
    }

    fn groups(&mut self, record: &Record<'_>) -> Result<Vec<u32>, InputError> {
        let Some(column) = self.columns.group else {
            return Ok(match &self.mapping.group {
                GroupSource::Named(name) => vec![self.groups.index_of(name, self.mapping.matching)],
                _ => vec![0],
            });
        };
        let mut value = self.value(record, column)?;
        let is_filled = value.is_empty() && !self.group_above.is_empty();
        if is_filled {
            self.changes.filled.add(record.line);
            value.clone_from(&self.group_above);
        }
        let names: Vec<&str> = match self.mapping.split.as_deref() {
            Some(separator) => {
                value.split(separator).map(str::trim).filter(|name| !name.is_empty()).collect()
            }
            None => vec![value.as_str()],
        };
        if names.is_empty() || value.is_empty() {
            let error = self.error(record.line, NO_GROUP);
            return Err(self.with_hint_to_fill(error));
        }
        if is_filled && names.len() > 1 {
            self.changes.filled_several.add(record.line);
        }
        Ok(names.into_iter().map(|name| self.groups.index_of(name, self.mapping.matching)).collect())
    }

    fn with_hint_to_fill(&self, error: InputError) -> InputError {
        match self.mapping.source {
            MappingSource::Options if !self.mapping.fill_down => error.hint(FILL_DOWN),
            _ => error,
        }
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
        let text = String::from_utf8_lossy(&cell.bytes);
        if text.trim().contains(['\r', '\n']) {
            let message = "the cell contains a line break";
            let hint = "check for a missing or extra quote";
            return Err(self.error(cell.line, message).hint(hint));
        }
        let value = name_key(&text);
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
