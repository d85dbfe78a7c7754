//! The delimiter between cells.

use std::collections::BTreeMap;

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

/// Detects the delimiter: the one that splits the most of the first rows into the same number of columns, at least two.
/// Lines above the header need not have it.
pub(super) fn delimiter(bytes: &[u8]) -> u8 {
    let divided = |delimiter: u8| {
        let mut records = Records::new(bytes, 1, delimiter);
        let (mut record, mut rows_by_width) = (Record::default(), BTreeMap::<usize, usize>::new());
        let mut rows = 0;
        while rows < SNIFFED_ROWS && records.read(&mut record) == Ok(true) {
            if !(record.is_blank() && record.cells.len() == 1) {
                rows += 1;
                *rows_by_width.entry(record.cells.len()).or_default() += 1;
            }
        }
        let divided = rows_by_width.into_iter().filter(|(width, _)| *width > 1);
        divided.map(|(width, rows)| (rows, width)).max()
    };
    let best = DELIMITERS.into_iter().rev().filter_map(|delimiter| Some((divided(delimiter)?, delimiter)));
    best.max_by_key(|(divided, _)| *divided).map_or(b',', |(_, delimiter)| delimiter)
}
