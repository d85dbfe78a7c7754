//! What stands between two cells.

use super::records::{Record, Records};

/// The delimiters that spreadsheets write.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many rows are looked at to tell the delimiter.
const SNIFFED_ROWS: usize = 20;

/// Excel's first line `sep=;` says the delimiter, and is no heading. Gives what comes after it, and its line.
pub(super) fn after_separator_line(bytes: &[u8]) -> (&[u8], u64, Option<u8>) {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let (first, rest) = bytes.split_at(end);
    let said = first.strip_prefix(b"\"").and_then(|first| first.strip_suffix(b"\"")).unwrap_or(first);
    match said.get(..4) {
        Some(word) if word.eq_ignore_ascii_case(b"sep=") && said.len() == 5 => {
            let width = if rest.starts_with(b"\r\n") { 2 } else { usize::from(!rest.is_empty()) };
            (&rest[width..], 2, Some(said[4]))
        }
        _ => (bytes, 1, None),
    }
}

/// The delimiter that divides the first rows into the most columns, all of them into equally many.
pub(super) fn delimiter(bytes: &[u8]) -> u8 {
    let divided = |delimiter: u8| {
        let mut records = Records::new(bytes, 1, delimiter);
        let (mut record, mut widths) = (Record::default(), Vec::new());
        while widths.len() < SNIFFED_ROWS && records.read(&mut record) == Ok(true) {
            if !(record.is_blank() && record.cells.len() == 1) {
                widths.push(record.cells.len());
            }
        }
        let first = widths.first().copied().unwrap_or_default();
        // A heading without the delimiter is divided by another one.
        if first < 2 { (0, 0) } else { (widths.iter().filter(|width| **width == first).count(), first) }
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| divided(*delimiter));
    best.filter(|delimiter| divided(*delimiter) != (0, 0)).unwrap_or(b',')
}
