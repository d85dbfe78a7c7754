//! Splits a table into rows and cells, with line numbers. An unclosed quote is an error; it never swallows the rest of
//! the file.

use std::borrow::Cow;

use openai_admin::identity::is_blank;

use crate::input::text::line_ends;

/// Reads a table row by row. A copy reads ahead.
#[derive(Clone, Copy)]
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The line of the position `at`.
    line: u64,
    delimiter: u8,
}

/// A row.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The line on which it starts, from 1.
    pub(super) line: u64,
    pub(super) cells: Vec<Cell<'a>>,
}

/// A cell, without the quotes around it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    /// The line on which it starts.
    pub(super) line: u64,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// A quoting error, after which rows cannot be recognized.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// A quote that never closes.
    Unclosed {
        /// The line of the quote.
        opened: u64,
    },
    /// Text after a closing quote.
    TextAfterQuote {
        /// The line of the opening quote.
        opened: u64,
        /// The line of the closing quote.
        closed: u64,
    },
}

impl<'a> Records<'a> {
    /// Reads `bytes`, whose first line has the number `line`.
    pub(super) fn new(bytes: &'a [u8], line: u64, delimiter: u8) -> Self {
        Self { bytes, at: 0, line, delimiter }
    }

    /// Reads the next row; false at the end of the table.
    pub(super) fn read(&mut self, record: &mut Record<'a>) -> Result<bool, Malformed> {
        record.cells.clear();
        record.line = self.line;
        if self.at >= self.bytes.len() {
            return Ok(false);
        }
        loop {
            let cell = self.cell()?;
            record.cells.push(cell);
            if self.bytes.get(self.at) != Some(&self.delimiter) {
                self.end_line();
                return Ok(true);
            }
            self.at += 1;
        }
    }

    fn cell(&mut self) -> Result<Cell<'a>, Malformed> {
        let from = self.at;
        self.skip_spaces();
        if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            return self.quoted();
        }
        let rest = &self.bytes[self.at..];
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\r' | b'\n');
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
        Ok(Cell { line: self.line, bytes: Cow::Borrowed(&self.bytes[from..self.at]) })
    }

    /// Reads a quoted cell, after its opening quote. A doubled quote is one quote.
    fn quoted(&mut self) -> Result<Cell<'a>, Malformed> {
        let opened = self.line;
        let mut text: Cow<'a, [u8]> = Cow::Borrowed(&[]);
        loop {
            let rest = &self.bytes[self.at..];
            let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
                return Err(Malformed::Unclosed { opened });
            };
            let is_escaped = rest.get(end + 1) == Some(&b'"');
            let part = &rest[..end + usize::from(is_escaped)];
            self.line += line_ends(part);
            self.at += end + 1 + usize::from(is_escaped);
            match &mut text {
                Cow::Borrowed([]) => text = Cow::Borrowed(part),
                text => text.to_mut().extend_from_slice(part),
            }
            if !is_escaped {
                break;
            }
        }
        self.skip_spaces();
        match self.bytes.get(self.at) {
            None | Some(b'\r' | b'\n') => {}
            Some(byte) if *byte == self.delimiter => {}
            Some(_) => return Err(Malformed::TextAfterQuote { opened, closed: self.line }),
        }
        Ok(Cell { line: opened, bytes: text })
    }

    fn skip_spaces(&mut self) {
        let is_space = |byte: &&u8| **byte == b' ' && self.delimiter != b' ';
        self.at += self.bytes[self.at..].iter().take_while(is_space).count();
    }

    fn end_line(&mut self) {
        let rest = &self.bytes[self.at..];
        let width = if rest.starts_with(b"\r\n") { 2 } else { usize::from(!rest.is_empty()) };
        self.at += width;
        self.line += u64::from(width > 0);
    }
}

impl Record<'_> {
    /// Whether all cells are empty.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| is_blank(&String::from_utf8_lossy(&cell.bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, Vec<String>)>, Malformed> {
        let mut records = Records::new(text.as_bytes(), 1, b',');
        let (mut rows, mut record) = (Vec::new(), Record::default());
        while records.read(&mut record)? {
            let cells = record.cells.iter().map(|cell| String::from_utf8_lossy(&cell.bytes).into_owned());
            rows.push((record.line, cells.collect()));
        }
        Ok(rows)
    }

    #[test]
    fn cells_and_lines_are_read_as_spreadsheets_write_them() {
        let row = |line, cells: &[&str]| (line, cells.iter().map(|cell| (*cell).to_owned()).collect());
        for (text, rows) in [
            ("", vec![]),
            ("a,b\nc", vec![row(1, &["a", "b"]), row(2, &["c"])]),
            ("a,\r\n,b\r", vec![row(1, &["a", ""]), row(2, &["", "b"])]),
            ("\"a,\nb\",c\rd", vec![row(1, &["a,\nb", "c"]), row(3, &["d"])]),
            ("\"say \"\"hi\"\"\", \"x\" ,y", vec![row(1, &["say \"hi\"", "x", "y"])]),
            ("\"\"\"\",\"\"\n", vec![row(1, &["\"", ""])]),
            ("5\" pipe,x\"y\"\n", vec![row(1, &["5\" pipe", "x\"y\""])]),
            ("a\n\nb\n", vec![row(1, &["a"]), row(2, &[""]), row(3, &["b"])]),
        ] {
            assert_eq!(read(text), Ok(rows), "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_does_not_close_its_cell_is_an_error_at_its_line() {
        assert_eq!(read("a\nb,\"c\nd\ne"), Err(Malformed::Unclosed { opened: 2 }));
        assert_eq!(read("a,\"b\rc\r\"d\"\n"), Err(Malformed::TextAfterQuote { opened: 1, closed: 3 }));
    }
}
