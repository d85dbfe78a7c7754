//! Tables of users, separated by commas, semicolons, tabs or bars, as spreadsheets write them.
//!
//! Pure: bytes in, rows or errors out. All invalid rows are reported with their line before a plan is made.

mod address;
mod correct;
mod delimiter;
mod filter;
mod guess;
mod heading;
mod mapping;
mod notes;
mod reading;
mod records;
mod table;
mod total;

use std::borrow::Cow;

pub use self::{
    correct::corrected,
    mapping::{GroupSource, Mapping, MappingSource, Matching},
    table::{BAD_ROWS_SHOWN_MAX, BAD_ROWS_SKIPPED_MAX, ROWS_MAX, Row, SkippedRow, Table},
};
use self::{
    delimiter::{after_separator_line, delimiter},
    heading::{Columns, Header, Problem, errors},
    reading::{Reading, quotes},
    records::{Record, Records},
};
use crate::input::{
    decode::decode,
    input_error::{InputError, InputErrors},
    text, workbook,
};

/// The most lines that are searched for the header, without blank ones.
const HEADER_LINES_MAX: usize = 20;
/// The most rows that are examined to suggest a column.
const SAMPLE_ROWS: usize = 20;
/// The hint for a file that is not CSV.
const SAVE_AS_CSV: &str = "save it as \"CSV UTF-8\" in the spreadsheet";

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
    let mut notes = Vec::new();
    let text = table_text(bytes, name, mapping, &mut notes)?;
    if let Some(what) = text::markup(&text) {
        return Err(InputError::of_file(name, what).hint(SAVE_AS_CSV).into());
    }
    if text.trim_ascii().is_empty() {
        let error = InputError::of_file(name, "is empty");
        return Err(error.hint("a table needs a header and a row for each user").into());
    }
    let (text, line, separator) = after_separator_line(&text);
    let delimiter = match mapping.delimiter.or(separator) {
        _ if workbook::is_workbook(bytes) => b',',
        Some(delimiter) => delimiter,
        None => delimiter(text),
    };
    let mut records = Records::new(text, line, delimiter);
    let (columns, width) = find_columns(&mut records, name, mapping, &mut notes)?;
    Reading::new(name, delimiter, width, columns, rows_max, mapping, notes).read_all(records)
}

/// The text of a table: a sheet of a workbook, or a text file in any of the usual encodings.
fn table_text<'a>(
    bytes: &'a [u8],
    name: &str,
    mapping: &Mapping,
    notes: &mut Vec<String>,
) -> Result<Cow<'a, [u8]>, InputError> {
    if workbook::is_workbook(bytes) {
        let sheet = workbook::read(bytes, mapping.sheet.as_deref())
            .map_err(|(message, hint)| InputError::of_file(name, message).hint(hint))?;
        notes.extend(sheet.note);
        return Ok(Cow::Owned(sheet.csv));
    }
    let decoded = decode(bytes).map_err(|what| InputError::of_file(name, what).hint(SAVE_AS_CSV))?;
    notes.extend(decoded.note);
    Ok(match decoded.text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

/// Reads up to the header: the first of the first lines that has the mapped columns. Returns them and their number.
fn find_columns(
    records: &mut Records<'_>,
    name: &str,
    mapping: &Mapping,
    notes: &mut Vec<String>,
) -> Result<(Columns, usize), InputErrors> {
    let (mut ahead, mut rows) = (*records, Vec::new());
    let mut malformed = None;
    while rows.len() < HEADER_LINES_MAX + SAMPLE_ROWS {
        let mut record = Record::default();
        match ahead.read(&mut record) {
            Ok(false) => break,
            Ok(true) if record.is_blank() => {}
            Ok(true) => rows.push((record, ahead)),
            Err(problem) => {
                malformed = Some(problem);
                break;
            }
        }
    }
    let (rows, after): (Vec<Record<'_>>, Vec<Records<'_>>) = rows.into_iter().unzip();
    // The line whose problems are reported: the first, unless a later one is more like a header.
    let mut closest: Option<(usize, Vec<Problem>)> = None;
    for (index, record) in rows.iter().enumerate().take(HEADER_LINES_MAX) {
        match Columns::find(&Header::new(record, &rows[index + 1..]), mapping) {
            Ok(columns) => {
                *records = after[index];
                let skipped = if index == 1 { "line" } else { "lines" };
                notes.extend((index > 0).then(|| {
                    format!("skipped {index} {skipped} above the header, which is line {}", record.line)
                }));
                notes.extend(columns.note.clone());
                return Ok((columns, record.cells.len()));
            }
            Err(problems) => match &closest {
                Some((_, fewest)) if problems.len() >= fewest.len() => {}
                _ => closest = Some((index, problems)),
            },
        }
    }
    match (closest, malformed) {
        (Some((index, problems)), _) => {
            Err(errors(&Header::new(&rows[index], &rows[index + 1..]), &problems, name, mapping))
        }
        (None, Some(malformed)) => Err(quotes(name, &malformed).into()),
        (None, None) => Err(InputError::of_file(name, "is empty").into()),
    }
}

#[cfg(test)]
mod tests;
