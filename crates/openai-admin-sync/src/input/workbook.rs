//! Reads a sheet of an Excel workbook (`.xlsx`) as a table. Its row numbers become line numbers.
//!
//! A workbook is a ZIP archive, so a small file can be huge when decompressed, and a sheet can claim any size. All sizes
//! are counted and limited while reading.

use std::io::{self, Cursor, Read as _};

use calamine::{Cell, DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use openai_admin::identity::name_key_in_any_case;
use zip::ZipArchive;

use crate::input::visible::excerpt;

/// The first bytes of a ZIP archive.
const SIGNATURE: &[u8] = b"PK\x03\x04";
/// The most bytes of all parts of a workbook together, decompressed: about 500,000 cells.
const DECOMPRESSED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The most parts of a workbook.
const PARTS_MAX: usize = 10_000;
/// The most bytes of the table of a sheet, with the empty cells between.
const TABLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The end of the name of the part with the texts of cells, in lower case.
const SHARED_STRINGS: &str = "sharedstrings.xml";
/// The attribute with the number of these texts.
const STRINGS_COUNT: &[u8] = b"uniqueCount";
/// The most names of sheets that a message lists.
const SHEETS_SHOWN_MAX: usize = 10;
/// The advice for a workbook that is too large.
const SAVE_AS_CSV: &str = "save the sheet as \"CSV UTF-8\"";

/// The table of a sheet: comma-separated text, and a note about the choice of the sheet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) csv: Vec<u8>,
    pub(crate) note: Option<String>,
}

/// A problem of a workbook: a message about it, and what to do.
pub(crate) type Problem = (String, String);

type Workbook<'a> = Xlsx<Cursor<&'a [u8]>>;

/// Whether a file is a workbook, or another ZIP archive.
pub(crate) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// Reads the sheet with this name, or the first visible one.
///
/// # Errors
///
/// If the file is not a workbook, or it or the sheet exceeds a limit.
pub(crate) fn read(bytes: &[u8], sheet: Option<&str>) -> Result<Sheet, Problem> {
    check_size(bytes, DECOMPRESSED_BYTES_MAX)?;
    let mut workbook: Workbook<'_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let (name, note) = choose(&workbook, sheet)?;
    let width = width(&mut workbook, &name)?;
    let csv = table(&mut workbook, &name, width, TABLE_BYTES_MAX)?;
    Ok(Sheet { csv, note })
}

fn unreadable(_: XlsxError) -> Problem {
    // The error may quote the file.
    ("is not an Excel workbook that can be read".to_owned(), SAVE_AS_CSV.to_owned())
}

/// Decompresses everything once, without keeping it: the sizes in the archive may be wrong.
fn check_size(bytes: &[u8], bytes_max: u64) -> Result<(), Problem> {
    let broken = |_| ("is a ZIP archive that cannot be read".to_owned(), SAVE_AS_CSV.to_owned());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err((
            "is a ZIP archive, but not an Excel workbook (.xlsx)".to_owned(),
            SAVE_AS_CSV.to_owned(),
        ));
    }
    if archive.len() > PARTS_MAX {
        return Err((format!("has more than {PARTS_MAX} parts"), SAVE_AS_CSV.to_owned()));
    }
    let mut left = bytes_max;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(broken)?;
        let is_strings = part.name().map_err(broken)?.to_ascii_lowercase().ends_with(SHARED_STRINGS);
        let mut part = part.take(left + 1);
        let read = if is_strings {
            let mut strings = Vec::new();
            part.read_to_end(&mut strings).map_err(|error| broken(error.into()))?;
            check_count(&strings)?;
            strings.len() as u64
        } else {
            io::copy(&mut part, &mut io::sink()).map_err(|error| broken(error.into()))?
        };
        left = left.checked_sub(read).ok_or_else(|| {
            let message = format!("is larger than {} MiB when decompressed", bytes_max / (1024 * 1024));
            (message, SAVE_AS_CSV.to_owned())
        })?;
    }
    Ok(())
}

/// Refuses a count of shared strings that the part cannot hold, because the reader allocates that many.
fn check_count(part: &[u8]) -> Result<(), Problem> {
    // Another encoding would hide the count.
    let is_plain = !part.contains(&0);
    let counts = part.windows(STRINGS_COUNT.len()).enumerate().filter(|(_, word)| *word == STRINGS_COUNT);
    let mut values = counts.map(|(at, _)| {
        let value = part[at + STRINGS_COUNT.len()..].iter().skip_while(|byte| !byte.is_ascii_digit());
        let digits = value.take_while(|byte| byte.is_ascii_digit());
        digits.fold(0_usize, |number, digit| number.saturating_mul(10).saturating_add((digit - b'0').into()))
    });
    if is_plain && values.all(|count| count <= part.len()) {
        return Ok(());
    }
    Err(("is not an Excel workbook that can be read".to_owned(), SAVE_AS_CSV.to_owned()))
}

/// The name of the sheet to read, and a note about it if there are others.
fn choose(workbook: &Workbook<'_>, wanted: Option<&str>) -> Result<(String, Option<String>), Problem> {
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let (visible, hidden): (Vec<_>, Vec<_>) =
        sheets.partition(|sheet| sheet.visible == SheetVisible::Visible);
    let names: Vec<&str> = visible.iter().chain(&hidden).map(|sheet| sheet.name.as_str()).collect();
    let shown: Vec<String> = names.iter().take(SHEETS_SHOWN_MAX).map(|name| excerpt(name)).collect();
    let shown = shown.join(", ");
    match wanted {
        Some(wanted) => {
            let key = name_key_in_any_case(wanted);
            let found = names.iter().find(|name| name_key_in_any_case(name) == key);
            let missing =
                || (format!("has no sheet '{}'", excerpt(wanted)), format!("the sheets are: {shown}"));
            found.map(|name| ((*name).to_owned(), None)).ok_or_else(missing)
        }
        None => {
            let none = || ("has no sheet".to_owned(), SAVE_AS_CSV.to_owned());
            let name = *names.first().ok_or_else(none)?;
            let note = (names.len() > 1).then(|| {
                format!(
                    "reading the sheet '{}'; for another one, pass --sheet NAME (sheets: {shown})",
                    excerpt(name)
                )
            });
            Ok((name.to_owned(), note))
        }
    }
}

/// The number of columns up to the last cell with a value.
fn width(workbook: &mut Workbook<'_>, name: &str) -> Result<usize, Problem> {
    let mut width = 0;
    for_each_cell(workbook, name, |cell| {
        width = width.max(cell.get_position().1 as usize + 1);
        Ok(())
    })?;
    Ok(width)
}

/// The sheet as comma-separated text, one line for each row, all rows with `width` cells.
fn table(
    workbook: &mut Workbook<'_>,
    name: &str,
    width: usize,
    bytes_max: usize,
) -> Result<Vec<u8>, Problem> {
    let mut table = Table { csv: Vec::new(), row: 0, column: 0, width, bytes_max };
    for_each_cell(workbook, name, |cell| {
        let (row, column) = cell.get_position();
        table.write(row as usize, column as usize, &text(cell.get_value()))
    })?;
    table.end_row()?;
    Ok(table.csv)
}

fn for_each_cell(
    workbook: &mut Workbook<'_>,
    name: &str,
    mut take: impl FnMut(&Cell<DataRef<'_>>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut cells = workbook.worksheet_cells_reader(name).map_err(unreadable)?;
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        if *cell.get_value() != DataRef::Empty {
            take(&cell)?;
        }
    }
    Ok(())
}

struct Table {
    csv: Vec<u8>,
    /// The row that is written, from 0.
    row: usize,
    /// The number of its cells before the current one.
    column: usize,
    width: usize,
    bytes_max: usize,
}

impl Table {
    fn write(&mut self, row: usize, column: usize, text: &str) -> Result<(), Problem> {
        if row < self.row || (row == self.row && column < self.column) {
            return Err(("has a sheet whose cells are not in order".to_owned(), SAVE_AS_CSV.to_owned()));
        }
        while self.row < row {
            self.end_row()?;
        }
        self.delimit(column)?;
        self.push(b"\"")?;
        for part in text.split_inclusive('"') {
            self.push(part.as_bytes())?;
            if part.ends_with('"') {
                self.push(b"\"")?;
            }
        }
        self.push(b"\"")
    }

    /// Writes the delimiters before a column.
    fn delimit(&mut self, column: usize) -> Result<(), Problem> {
        while self.column < column {
            self.push(b",")?;
            self.column += 1;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Problem> {
        self.delimit(self.width.saturating_sub(1))?;
        self.push(b"\n")?;
        self.row += 1;
        self.column = 0;
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.csv.len() + bytes.len() > self.bytes_max {
            let message = format!("has a sheet of more than {} MiB", self.bytes_max / (1024 * 1024));
            return Err((message, SAVE_AS_CSV.to_owned()));
        }
        self.csv.extend_from_slice(bytes);
        Ok(())
    }
}

/// The text of a cell as the spreadsheet would export it, on one line.
fn text(value: &DataRef<'_>) -> String {
    let text = match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(time) => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    };
    // A line break within a cell would shift the line numbers.
    if text.contains(['\r', '\n']) { text.replace("\r\n", " ").replace(['\r', '\n'], " ") } else { text }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    const PACKAGE: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const WORKBOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>"#;

    fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).expect("a part");
            writer.write_all(bytes).expect("its bytes");
        }
        writer.finish().expect("an archive").into_inner()
    }

    fn workbook(rows: &str) -> Vec<u8> {
        workbook_with(rows, "<sst></sst>")
    }

    fn workbook_with(rows: &str, strings: &str) -> Vec<u8> {
        let sheet = format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        );
        archive(&[
            ("_rels/.rels", PACKAGE.as_bytes()),
            ("xl/sharedStrings.xml", strings.as_bytes()),
            ("xl/workbook.xml", WORKBOOK.as_bytes()),
            ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ])
    }

    fn cell(place: &str, text: &str) -> String {
        format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    }

    #[test]
    fn rows_become_lines_and_cells_keep_their_column() {
        let rows = format!(
            r#"<row r="2">{}{}</row><row r="4">{}<c r="C4"><v>7</v></c><c r="D4" t="b"><v>1</v></c></row>"#,
            cell("A2", "say &quot;hi&quot;"),
            cell("B2", "two\nlines"),
            cell("A4", "a,b"),
        );
        let sheet = read(&workbook(&rows), None).expect("a sheet");
        let expected = ",,,\n\"say \"\"hi\"\"\",\"two lines\",,\n,,,\n\"a,b\",,\"7\",\"TRUE\"\n";
        assert_eq!(String::from_utf8(sheet.csv).expect("text"), expected);
        assert_eq!(sheet.note, None);
    }

    #[test]
    fn a_missing_sheet_or_another_archive_is_refused() {
        let book = workbook("");
        assert!(read(&book, Some("people")).is_ok());
        let (message, hint) = read(&book, Some("Staff")).expect_err("no sheet");
        assert_eq!((message.as_str(), hint.as_str()), ("has no sheet 'Staff'", "the sheets are: People"));
        let (message, _) = read(&archive(&[("a.txt", b"x")]), None).expect_err("another archive");
        assert_eq!(message, "is a ZIP archive, but not an Excel workbook (.xlsx)");
        let (message, _) = read(b"PK\x03\x04\x14\0\x06SECRET", None).expect_err("not an archive");
        assert_eq!(message, "is a ZIP archive that cannot be read");
    }

    #[test]
    fn sizes_are_counted_and_limited() {
        let bomb = archive(&[("xl/workbook.xml", b"x"), ("xl/media/a.png", &vec![0; 3 * 1024 * 1024])]);
        assert!(bomb.len() < 10_000);
        let (message, _) = check_size(&bomb, 2 * 1024 * 1024).expect_err("too large");
        assert_eq!(message, "is larger than 2 MiB when decompressed");
        assert!(check_size(&bomb, 3 * 1024 * 1024 + 1).is_ok());
        // One cell far away stands for many empty ones.
        let far = workbook(&format!(r#"<row r="1048576">{}</row>"#, cell("XFD1048576", "x")));
        let (message, _) = read(&far, None).expect_err("too large");
        assert_eq!(message, "has a sheet of more than 64 MiB");
        let rows = format!(r#"<row r="2">{}</row><row r="1">{}</row>"#, cell("A2", "x"), cell("A1", "y"));
        let (message, _) = read(&workbook(&rows), None).expect_err("out of order");
        assert_eq!(message, "has a sheet whose cells are not in order");
    }

    #[test]
    fn a_false_count_of_texts_is_refused() {
        let strings = |count: &str| format!("<sst uniqueCount = '{count}'><si><t>x</t></si></sst>");
        let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;
        let sheet = read(&workbook_with(rows, &strings("1")), None).expect("a sheet");
        assert_eq!(sheet.csv, b"\"x\"\n");
        for count in ["99999999999", "18446744073709551615", "00099999999999999999999999"] {
            let (message, _) = read(&workbook_with(rows, &strings(count)), None).expect_err(count);
            assert_eq!(message, "is not an Excel workbook that can be read");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_workbook_is_read_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            rows in "[<>/a-zA-Z0-9=\" ]{0,60}",
        ) {
            let mut book = workbook(&format!(r#"<row r="1">{}</row>{rows}"#, cell("A1", "x")));
            let _ = read(&book, None);
            for (index, byte) in changes {
                let index = index.index(book.len());
                book[index] = byte;
            }
            let _ = read(&book, None);
        }
    }
}
