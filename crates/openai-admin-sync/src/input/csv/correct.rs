//! Writes a table again with some addresses replaced.

use std::collections::HashMap;

use super::{
    Mapping, Record, Records,
    address::address,
    reading::quotes,
    {after_separator_line, delimiter, table_text},
};
use crate::input::{
    email::EmailKey,
    input_error::{InputError, InputErrors},
    workbook,
};

/// The table as CSV in UTF-8, with these addresses replaced in every cell that holds one of them. Other cells, and the
/// lines of the rows, stay. A workbook becomes the CSV of its sheet.
///
/// # Errors
///
/// If the file is not a table or has unclosed quotes.
pub fn corrected(
    bytes: &[u8],
    name: &str,
    mapping: &Mapping,
    corrections: &HashMap<EmailKey, String>,
) -> Result<Vec<u8>, InputErrors> {
    let text = table_text(bytes, name, mapping, &mut Vec::new())?;
    let (rows, line, separator) = after_separator_line(&text);
    let delimiter = match mapping.delimiter.or(separator) {
        _ if workbook::is_workbook(bytes) => b',',
        Some(delimiter) => delimiter,
        None => delimiter(rows),
    };
    let mut written = text[..text.len() - rows.len()].to_vec();
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(&mut written);
    let mut records = Records::new(rows, line, delimiter);
    let mut record = Record::default();
    while records.read(&mut record).map_err(|malformed| quotes(name, &malformed))? {
        let cells = record.cells.iter().map(|cell| match correction(&cell.bytes, corrections) {
            Some(address) => address.as_bytes(),
            None => &cell.bytes,
        });
        writer.write_record(cells).map_err(|error| InputError::of_file(name, error.to_string()))?;
    }
    writer.flush().map_err(|error| InputError::of_file(name, error.to_string()))?;
    drop(writer);
    Ok(written)
}

fn correction<'a>(cell: &[u8], corrections: &'a HashMap<EmailKey, String>) -> Option<&'a String> {
    let text = str::from_utf8(cell).ok()?;
    corrections.get(&EmailKey::new(&address(text).ok()?.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrected_text(text: &str) -> String {
        let corrections = HashMap::from([(EmailKey::new("dnaa@example.com"), "dana@example.com".to_owned())]);
        let written = corrected(text.as_bytes(), "t.csv", &Mapping::default(), &corrections);
        String::from_utf8(written.expect("a table")).expect("UTF-8")
    }

    #[test]
    fn only_the_mistyped_address_changes() {
        assert_eq!(
            corrected_text("Team list;\nemail;team\nDana <DNAA@example.com>;\"A;B\"\nada@example.com;C\n"),
            "Team list;\nemail;team\ndana@example.com;\"A;B\"\nada@example.com;C\n"
        );
        assert_eq!(
            corrected_text("sep=;\r\nemail;team\r\ndnaa@example.com;A\r\n"),
            "sep=;\r\nemail;team\ndana@example.com;A\n"
        );
        let workbook_like = "email\n\nada@example.com\n";
        assert_eq!(corrected_text(workbook_like), "email\n\"\"\nada@example.com\n");
    }

    #[test]
    fn a_table_with_an_open_quote_is_refused() {
        let corrections = HashMap::new();
        assert!(
            corrected(b"email\n\"ada@example.com\n", "t.csv", &Mapping::default(), &corrections).is_err()
        );
    }
}
