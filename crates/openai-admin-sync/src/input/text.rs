//! Text files: detects files that are not text, and splits text into lines with any line endings.

use crate::input::input_error::InputError;

/// The byte-order mark of UTF-8, which spreadsheets and some editors put before the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The first bytes of files that are often passed by mistake.
const SIGNATURES: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "is a workbook (.xlsx, .ods) or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook (.xls)"),
    (b"%PDF", "is a PDF"),
    (b"\x1f\x8b", "is compressed with gzip"),
    (b"\xff\xfe", "is UTF-16"),
    (b"\xfe\xff", "is UTF-16"),
    (b"SQLite format 3", "is a database"),
];
/// The first bytes of markup files, in lower case.
const MARKUP: [&[u8]; 5] = [b"<!doctype", b"<html", b"<table", b"<?xml", b"<meta"];
/// The hint for a file that is not text.
const SAVE_AS_UTF8: &str = "save it as text in UTF-8 (PowerShell: `Out-File -Encoding utf8`)";

/// The text of a file without its byte-order mark. `name` is the name of the file, for messages.
///
/// # Errors
///
/// If the file is not UTF-8 text. The message does not quote the file.
pub fn read<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, InputError> {
    if let Some(what) = other_format(bytes) {
        return Err(InputError::of_file(name, what).hint(SAVE_AS_UTF8));
    }
    str::from_utf8(without_byte_order_mark(bytes))
        .map_err(|_| InputError::of_file(name, "is not UTF-8").hint(SAVE_AS_UTF8))
}

/// The bytes after a byte-order mark.
pub(crate) fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// The kind of a file that is not plain text: "is a workbook".
pub(crate) fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let signature = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature));
    if let Some((_, what)) = signature {
        return Some(what);
    }
    if bytes.contains(&0) {
        return Some(if is_wide(bytes) { "is UTF-16" } else { "is binary: it contains a zero byte" });
    }
    None
}

/// Whether bytes look like UTF-16 without a byte-order mark: Latin letters have a zero in every second byte.
pub(crate) fn is_wide(bytes: &[u8]) -> bool {
    let mut pairs = bytes.chunks_exact(2).take(16);
    pairs.len() > 1 && pairs.all(|pair| (pair[0] == 0) != (pair[1] == 0))
}

/// The kind of a text file that is not a table: "is JSON".
pub(crate) fn markup(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.trim_ascii_start();
    let begins = |start: &&[u8]| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    if MARKUP.iter().any(begins) {
        return Some("is HTML or XML");
    }
    matches!(text.first(), Some(b'{' | b'[')).then_some("is JSON")
}

/// The lines of a text. A line ends with `\n`, `\r\n`, or a lone `\r` as in old spreadsheets.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = (!text.is_empty()).then_some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let width = if text[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[end + width..]).filter(|text| !text.is_empty());
        Some(&text[..end])
    })
}

/// The number of line endings.
pub(crate) fn line_ends(bytes: &[u8]) -> u64 {
    let mut before = 0;
    let ends = bytes.iter().filter(|byte| {
        let is_end = **byte == b'\r' || (**byte == b'\n' && before != b'\r');
        before = **byte;
        is_end
    });
    ends.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_not_text_are_recognized() {
        let wide = |mark: &str| format!("{mark}email\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let table: [(Vec<u8>, &str); 7] = [
            (b"PK\x03\x04\x14\0".to_vec(), "x is a workbook (.xlsx, .ods) or another ZIP archive"),
            (b"\xd0\xcf\x11\xe0\xa1".to_vec(), "x is an old Excel workbook (.xls)"),
            (wide("\u{feff}"), "x is UTF-16"),
            (wide(""), "x is UTF-16"),
            (b"A=1\0B=2\0".to_vec(), "x is binary: it contains a zero byte"),
            (b"caf\xe9".to_vec(), "x is not UTF-8"),
            (b"\x1f\x8b\x08".to_vec(), "x is compressed with gzip"),
        ];
        for (bytes, message) in table {
            let error = read(&bytes, "x").expect_err(message);
            assert_eq!(error.to_string(), message);
            assert!(error.hint.is_some_and(|hint| hint.contains("UTF-8")));
        }
        assert_eq!(read(b"\xef\xbb\xbfada", "x"), Ok("ada"));
    }

    #[test]
    fn lines_end_like_on_any_system() {
        let read = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(read("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(read("a\r\rb\n"), ["a", "", "b"]);
        assert_eq!(read(""), [""; 0]);
        assert_eq!(line_ends(b"a\nb\r\nc\rd"), 3);
        assert_eq!(line_ends(b"\n\n\r\r\n"), 4);
    }
}
