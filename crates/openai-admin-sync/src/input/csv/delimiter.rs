//! The delimiter between cells.

use super::records::{Record, Records};

/// The delimiters that spreadsheets write.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The number of rows that are examined to detect the delimiter.
const SNIFFED_ROWS: usize = 20;

/// Skips Excel's first line `sep=;`, which gives the delimiter. Returns the rest, its line number and the delimiter.
pub(super) fn after_separator_line(bytes: &[u8]) -> (&[u8], u64, Option<u8>) {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let (first, rest) = bytes.split_at(end);
    let line = first.strip_prefix(b"\"").and_then(|first| first.strip_suffix(b"\"")).unwrap_or(first);
    match line.get(..4) {
        Some(word) if word.eq_ignore_ascii_case(b"sep=") && line.len() == 5 => {
            let width = if rest.starts_with(b"\r\n") { 2 } else { usize::from(!rest.is_empty()) };
            (&rest[width..], 2, Some(line[4]))
        }
        _ => (bytes, 1, None),
    }
}

/// Detects the delimiter: the one that splits the most of the first rows into the same number of columns.
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
        // A header without the delimiter rules it out.
        if first < 2 { (0, 0) } else { (widths.iter().filter(|width| **width == first).count(), first) }
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| divided(*delimiter));
    best.filter(|delimiter| divided(*delimiter) != (0, 0)).unwrap_or(b',')
}
