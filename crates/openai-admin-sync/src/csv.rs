//! Tables of people: comma-, semicolon-, tab- or bar-separated, as spreadsheets write them.
//!
//! Pure: bytes in, rows or faults out. Every bad row is reported, with its number, before anything is done.

use std::collections::{BTreeMap, HashMap};

use crate::{
    email::{self, EmailKey},
    fault::{Fault, Faults, Place},
    suggestion::most_like,
};

/// The delimiters that spreadsheets write.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many lines are looked at to tell the delimiter.
const SNIFFED_LINES: usize = 20;
/// How many bad rows are reported one by one; of the others the number.
pub const BAD_ROWS_TOLD_MAX: usize = 100;
/// How many values of a column a message shows.
const VALUES_SHOWN_MAX: usize = 5;
/// What spreadsheets write for a formula that has failed.
const FORMULA_FAILURES: [&str; 7] = ["#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"];
/// The byte-order mark of UTF-8, which spreadsheets put before the heading.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Which columns are meant, and which rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The column with email addresses.
    pub email: String,
    /// The column with the names of groups; none where all rows mean one group.
    pub group: Option<String>,
    /// Only rows with these values in these columns.
    pub filter: BTreeMap<String, String>,
    /// What stands between two cells; the text tells when there is none.
    pub delimiter: Option<u8>,
    /// How it was said, which messages repeat.
    pub said_by: SaidBy,
}

/// How somebody says which columns are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaidBy {
    /// By options of the command line.
    #[default]
    Options,
    /// By fields of a file.
    Fields,
}

/// What a column is wanted for.
#[derive(Clone, Copy)]
enum Use {
    Email,
    Group,
    Filter,
}

impl Mapping {
    /// The mapping that a file says.
    pub fn of_file() -> Self {
        Self { said_by: SaidBy::Fields, ..Self::default() }
    }

    /// How to say that the column `name` is the one.
    fn saying(&self, wanted_for: Use, name: &str) -> String {
        let word = if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name.to_owned() };
        match (self.said_by, wanted_for) {
            (SaidBy::Options, Use::Email) => format!("--email-column {word}"),
            (SaidBy::Options, Use::Group) => format!("--group-column {word}"),
            (SaidBy::Options, Use::Filter) => format!("--where {word}=VALUE"),
            (SaidBy::Fields, Use::Email | Use::Group) => format!("`column: {name}`"),
            (SaidBy::Fields, Use::Filter) => format!("`where: {{ {name}: VALUE }}`"),
        }
    }
}

/// What a table says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The rows that passed the filter, each person and group once, in order.
    pub rows: Vec<Row>,
    /// How many rows the table has, without its heading.
    pub rows_read: usize,
    /// How many rows the filter left out.
    pub filtered: usize,
    /// How many rows said again what a row before them had said.
    pub duplicates: usize,
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
/// A column that is not there, every row without a good address, a table without a row.
pub fn parse(bytes: &[u8], name: &str, mapping: &Mapping) -> Result<(Table, Vec<String>), Faults> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let fault = Fault::of_file(name, "is UTF-16");
        return Err(fault.hint("save it as \"CSV UTF-8\" in the spreadsheet").into());
    }
    if bytes.trim_ascii().is_empty() {
        let fault = Fault::of_file(name, "is empty");
        return Err(fault.hint("a table needs a heading, and a row for each person").into());
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(mapping.delimiter.unwrap_or_else(|| delimiter(bytes)))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let headings = reader.byte_headers().map_err(|error| unreadable(name, &error))?.clone();
    let columns = Columns::find(&headings, name, mapping)?;
    let width = headings.len();
    let mut reading =
        Reading { name, bytes, width, columns, groups: Groups::default(), table: Table::default(), bad: 0 };
    let mut faults = Faults::default();
    let mut seen = std::collections::HashSet::new();
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                faults.0.push(unreadable(name, &error));
                break;
            }
        }
        match reading.row(&record) {
            Ok(Some(row)) if seen.insert((row.email.clone(), row.group)) => reading.table.rows.push(row),
            Ok(Some(_)) => reading.table.duplicates += 1,
            Ok(None) => {}
            Err(fault) => {
                reading.bad += 1;
                if reading.bad <= BAD_ROWS_TOLD_MAX {
                    faults.0.push(fault);
                }
            }
        }
    }
    if reading.bad > BAD_ROWS_TOLD_MAX {
        let more = reading.bad - BAD_ROWS_TOLD_MAX;
        faults.0.push(Fault::of_file(name, format!("has {more} more bad rows")));
    }
    if faults.0.is_empty() && reading.table.rows.is_empty() {
        faults.0.push(reading.nobody(bytes, mapping));
    }
    faults.or((reading.table, reading.groups.names))
}

/// The delimiter that divides the first lines into the most columns, all of them into equally many.
fn delimiter(bytes: &[u8]) -> u8 {
    let lines: Vec<&[u8]> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .take(SNIFFED_LINES)
        .collect();
    let columns = |delimiter: u8| {
        let count = |line: &&[u8]| count_outside_quotes(line, delimiter);
        let first = lines.first().map_or(0, count);
        let agree = lines.iter().filter(|line| count(line) == first).count();
        // A heading without the delimiter is divided by another one.
        if first == 0 { (0, 0) } else { (agree, first) }
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| columns(*delimiter));
    best.filter(|delimiter| columns(*delimiter) != (0, 0)).unwrap_or(b',')
}

fn columns(number: usize) -> String {
    if number == 1 { "1 column".to_owned() } else { format!("{number} columns") }
}

/// Whether a cell is what a filter asks for: `Yes` is `yes`, as the names of columns are compared.
fn is_alike(cell: &str, wanted: &str) -> bool {
    cell == wanted.trim() || cell.to_lowercase() == wanted.trim().to_lowercase()
}

fn count_outside_quotes(line: &[u8], delimiter: u8) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for byte in line {
        match byte {
            b'"' => quoted = !quoted,
            byte if *byte == delimiter && !quoted => count += 1,
            _ => {}
        }
    }
    count
}

fn unreadable(name: &str, error: &csv::Error) -> Fault {
    let line = error.position().map(csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => format!("cannot be read as a table: {error}"),
    };
    match line {
        Some(line) => Fault::at(Place::line(name, line), format!("the table {message}")),
        None => Fault::of_file(name, message),
    }
}

/// Where the columns stand.
struct Columns {
    email: usize,
    group: Option<usize>,
    filter: Vec<(usize, String)>,
}

impl Columns {
    fn find(headings: &csv::ByteRecord, name: &str, mapping: &Mapping) -> Result<Self, Faults> {
        let headings: Vec<String> =
            headings.iter().map(|heading| String::from_utf8_lossy(heading).trim().to_owned()).collect();
        let mut faults = Faults::default();
        let mut find = |wanted_for: Use, wanted: &str| {
            let exact = headings.iter().position(|heading| heading == wanted);
            let found =
                exact.or_else(|| headings.iter().position(|heading| heading.eq_ignore_ascii_case(wanted)));
            if found.is_none() {
                let message =
                    format!("there is no column '{wanted}'; the columns are: {}", headings.join(", "));
                let like = most_like(wanted, headings.iter().map(String::as_str));
                let hint = match (undivided(&headings), like) {
                    (Some(other), _) => {
                        format!("the heading is one cell that holds {other}: is that the delimiter?")
                    }
                    (None, Some(like)) => format!("did you mean {}?", mapping.saying(wanted_for, like)),
                    (None, None) => format!("say which one it is: {}", mapping.saying(wanted_for, "NAME")),
                };
                faults.0.push(Fault::at(Place::line(name, 1), message).hint(hint));
            }
            found.unwrap_or_default()
        };
        let email = find(Use::Email, &mapping.email);
        let group = mapping.group.as_deref().map(|column| find(Use::Group, column));
        let filter = mapping.filter.iter();
        let filter = filter.map(|(column, value)| (find(Use::Filter, column), value.clone())).collect();
        faults.or(Self { email, group, filter })
    }
}

/// Of a heading that is a single cell: the delimiter in it, with which it would be several.
fn undivided(headings: &[String]) -> Option<&'static str> {
    let [heading] = headings else { return None };
    let found = DELIMITERS.into_iter().find(|delimiter| heading.as_bytes().contains(delimiter))?;
    Some(match found {
        b',' => "a comma",
        b';' => "a semicolon",
        b'\t' => "a tab",
        _ => "a bar",
    })
}

/// What is wrong with a cell that holds a formula, or the failure of one, in the place of what it comes to.
fn formula_problem(cell: &str) -> Option<String> {
    match cell {
        _ if cell.starts_with('=') => Some(format!("'{cell}' is a formula, and not what it comes to")),
        _ if FORMULA_FAILURES.contains(&cell) => {
            Some(format!("'{cell}' is what a formula says that has failed"))
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
    bytes: &'a [u8],
    /// How many columns the heading has.
    width: usize,
    columns: Columns,
    groups: Groups,
    table: Table,
    bad: usize,
}

impl Reading<'_> {
    /// What a row says; nothing when the filter leaves it out.
    fn row(&mut self, record: &csv::ByteRecord) -> Result<Option<Row>, Fault> {
        let line = self.line(record);
        self.table.rows_read += 1;
        let cell = |column: usize| {
            let cell = std::str::from_utf8(record.get(column).unwrap_or_default());
            let hint = "save the table as \"CSV UTF-8\" in the spreadsheet";
            cell.map_err(|_| Fault::at(Place::line(self.name, line), "the row is not UTF-8").hint(hint))
        };
        // Before the filter: in a row that has slipped, what is filtered stands in another column, and whoever the row
        // means would be taken for left out.
        if !self.fits(record) {
            let message = format!("the row has {}, the heading has {}", columns(record.len()), self.width);
            let hint = "is there a delimiter in a cell without quotes, or another delimiter?";
            return Err(Fault::at(Place::line(self.name, line), message).hint(hint));
        }
        // Nobody computes formulas here. In a column of the filter, one would leave its row out unsaid.
        let value_of = |column: usize| match formula_problem(cell(column)?) {
            None => cell(column),
            Some(problem) => {
                let hint = "save the table with values in the place of formulas; a group whose name begins with = is \
                    named by its id";
                Err(Fault::at(Place::line(self.name, line), problem).hint(hint))
            }
        };
        // A filter decides before the rest is checked: rows of others may be whatever they are.
        for (column, value) in &self.columns.filter {
            if !is_alike(value_of(*column)?, value) {
                self.table.filtered += 1;
                return Ok(None);
            }
        }
        let address = value_of(self.columns.email)?;
        if let Some(problem) = email::problem(address) {
            let message = if address.is_empty() {
                "the row has no email address".to_owned()
            } else {
                format!("'{address}' is no email address: {problem}")
            };
            return Err(Fault::at(Place::line(self.name, line), message));
        }
        let group = match self.columns.group {
            None => 0,
            Some(column) => match value_of(column)? {
                "" => return Err(Fault::at(Place::line(self.name, line), "the row names no group")),
                name => self.groups.place(name),
            },
        };
        Ok(Some(Row { email: EmailKey::new(address), group, line }))
    }

    /// Whether a row has the columns of the heading. Empty cells beyond them are what spreadsheets leave behind.
    fn fits(&self, record: &csv::ByteRecord) -> bool {
        record.len() >= self.width && record.iter().skip(self.width).all(<[u8]>::is_empty)
    }

    /// The line on which a row begins. The parser counts from the end of the row before, and blank lines with it.
    fn line(&self, record: &csv::ByteRecord) -> u64 {
        let Some(position) = record.position() else { return 0 };
        let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        position.line() + ends.filter(|byte| **byte == b'\n').count() as u64
    }

    /// Nobody is left: an export that broke, or a filter that means another word.
    fn nobody(&self, bytes: &[u8], mapping: &Mapping) -> Fault {
        let hint = "an empty table is no wish for an empty group: nothing is planned from it";
        if self.table.rows_read == 0 {
            return Fault::of_file(self.name, "has a heading and no row").hint(hint);
        }
        let mut values: Vec<String> = Vec::new();
        let (column, wanted) =
            mapping.filter.iter().next().map_or(("", ""), |(column, value)| (column, value));
        if let Some((place, _)) = self.columns.filter.first() {
            let delimiter = mapping.delimiter.unwrap_or_else(|| delimiter(bytes));
            let reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
            for record in reader.into_byte_records().filter_map(Result::ok) {
                let value = String::from_utf8_lossy(record.get(*place).unwrap_or_default()).trim().to_owned();
                if !values.contains(&value) {
                    values.push(value);
                }
                if values.len() > VALUES_SHOWN_MAX {
                    break;
                }
            }
        }
        let message =
            format!("has no row where {column} is '{wanted}'; the values there are: {}", values.join(", "));
        Fault::of_file(self.name, message).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        Mapping { email: "email".to_owned(), group: Some("group".to_owned()), ..Mapping::default() }
    }

    #[test]
    fn delimiters_and_byte_order_marks_are_told_by_the_text() {
        for text in [
            "email,group\na@b.c,One\n",
            "\u{feff}email;group\r\na@b.c;One\r\n",
            "email\tgroup\na@b.c\tOne\n",
            "Email|Group\na@b.c|One",
            "name;email;group\n\"Murray, Grace\";a@b.c;One\n\"Yıldız, E, F\";a@b.c;One\n",
        ] {
            let (table, groups) = parse(text.as_bytes(), "x", &mapping()).expect(text);
            assert_eq!((table.rows.len(), groups), (1, vec!["One".to_owned()]), "{text}");
            assert_eq!(table.rows[0].email, EmailKey::new("a@b.c"));
            assert_eq!(table.rows[0].line, 2);
        }
    }

    #[test]
    fn every_bad_row_is_reported_with_its_number() {
        let text = "email,group\nada@example.com,One\nnobody,One\n,One\n\nbob@example.com,\n";
        let faults = parse(text.as_bytes(), "x.csv", &mapping()).expect_err("bad rows");
        assert_eq!(
            faults.to_string(),
            "x.csv:3: 'nobody' is no email address: it has no @\n\
             x.csv:4: the row has no email address\n\
             x.csv:6: the row names no group"
        );
    }

    #[test]
    fn a_row_that_is_there_twice_counts_once() {
        let text = "email,group\na@b.c,One\nA@B.C ,One\na@b.c,Two\n";
        let (table, _) = parse(text.as_bytes(), "x", &mapping()).expect("rows");
        assert_eq!((table.rows.len(), table.duplicates, table.rows_read), (2, 1, 3));
    }

    #[test]
    fn a_filter_leaves_rows_out_before_they_are_checked() {
        let mut mapping = mapping();
        mapping.filter.insert("active".to_owned(), "true".to_owned());
        let text = "email,group,active\na@b.c,One,true\nrubbish,One,false\n";
        let (table, _) = parse(text.as_bytes(), "x", &mapping).expect("a row");
        assert_eq!((table.rows.len(), table.filtered), (1, 1));
        let text = "email,group,active\na@b.c,One,TRUE\n";
        let (table, _) = parse(text.as_bytes(), "x", &mapping).expect("a row, in whatever case");
        assert_eq!((table.rows.len(), table.filtered), (1, 0));
        let text = "email,group,active\na@b.c,One,yes\n";
        let faults = parse(text.as_bytes(), "x", &mapping).expect_err("nobody");
        assert_eq!(faults.to_string(), "x has no row where active is 'true'; the values there are: yes");
    }

    #[test]
    fn a_row_that_has_slipped_is_told_and_not_taken_for_left_out() {
        let mut mapping = mapping();
        mapping.filter.insert("active".to_owned(), "yes".to_owned());
        for (row, told) in [
            ("a@b.c,One,yes", "x:3: the row has 1 column, the heading has 3"),
            ("a@b.c;One", "x:3: the row has 2 columns, the heading has 3"),
            ("a@b.c;One;of two;yes", "x:3: the row has 4 columns, the heading has 3"),
        ] {
            let text = format!("email;group;active\nd@e.f;One;yes\n{row}\ng@h.i;One;yes\n");
            assert_eq!(parse(text.as_bytes(), "x", &mapping).expect_err(row).to_string(), told);
        }
        let text = "email;group;active\nd@e.f;One;yes;;\n";
        assert_eq!(parse(text.as_bytes(), "x", &mapping).expect("a row").0.rows.len(), 1);
    }

    #[test]
    fn a_table_that_says_nothing_is_refused() {
        for (text, expected) in [
            ("", "x is empty"),
            ("\u{feff} \n", "x is empty"),
            ("email,group\n", "x has a heading and no row"),
            ("mail,group\na@b.c,One\n", "x:1: there is no column 'email'; the columns are: mail, group"),
        ] {
            assert_eq!(parse(text.as_bytes(), "x", &mapping()).expect_err(text).to_string(), expected);
        }
        assert!(parse(b"\xff\xfee\0", "x", &mapping()).is_err());
    }

    fn hint(text: &str, mapping: &Mapping) -> String {
        let fault = parse(text.as_bytes(), "x", mapping).expect_err(text).0.remove(0);
        fault.hint.expect("a hint")
    }

    #[test]
    fn a_column_that_is_not_there_names_the_option_that_says_which() {
        let options = mapping();
        assert_eq!(hint("mail,group\na@b.c,One\n", &options), "did you mean --email-column mail?");
        assert_eq!(hint("email,my team\na@b.c,One\n", &options), "say which one it is: --group-column NAME");
        assert_eq!(
            hint("email;the group\na@b.c;One\n", &options),
            "did you mean --group-column \"the group\"?"
        );
        let file = Mapping { email: "email".to_owned(), ..Mapping::of_file() };
        assert_eq!(hint("mail,group\na@b.c,One\n", &file), "did you mean `column: mail`?");
        let filter = BTreeMap::from([("active".to_owned(), "yes".to_owned())]);
        let filtered = Mapping { filter, ..options };
        assert_eq!(
            hint("email,group,actif\na@b.c,One,yes\n", &filtered),
            "did you mean --where actif=VALUE?"
        );
    }

    #[test]
    fn another_delimiter_is_used_when_somebody_says_so_and_suspected_when_it_is_wrong() {
        let semicolon = Mapping { delimiter: Some(b';'), ..mapping() };
        let text = "email;group\na@b.c;One, Two and Three\n";
        assert_eq!(parse(text.as_bytes(), "x", &semicolon).expect("a row").1, ["One, Two and Three"]);
        let expected = "the heading is one cell that holds a comma: is that the delimiter?";
        assert_eq!(hint("email,group\na@b.c,One\n", &semicolon), expected);
    }

    #[test]
    fn a_formula_is_refused_wherever_it_would_count() {
        let filter = BTreeMap::from([("active".to_owned(), "yes".to_owned())]);
        let mapping = Mapping { filter, ..mapping() };
        for (row, told) in [
            ("=20,One,yes", "x:3: '=20' is a formula, and not what it comes to"),
            ("a@b.c,=B2,yes", "x:3: '=B2' is a formula, and not what it comes to"),
            ("a@b.c,One,=TRUE()", "x:3: '=TRUE()' is a formula, and not what it comes to"),
            ("#REF!,One,yes", "x:3: '#REF!' is what a formula says that has failed"),
            ("a@b.c,#N/A,yes", "x:3: '#N/A' is what a formula says that has failed"),
        ] {
            let text = format!("email,group,active\nd@e.f,One,yes\n{row}\n");
            assert_eq!(parse(text.as_bytes(), "x", &mapping).expect_err(row).to_string(), told);
        }
        // Where nothing is read from it, it may stand.
        let text = "email,group,active,sum\nd@e.f,One,yes,=20\n";
        assert_eq!(parse(text.as_bytes(), "x", &mapping).expect("a row").0.rows.len(), 1);
    }

    #[test]
    fn a_row_that_breaks_over_lines_keeps_the_numbers_right() {
        let text = "email,note,group\na@b.c,\"two\nlines\",One\nbad,x,One\n";
        let faults = parse(text.as_bytes(), "x", &mapping()).expect_err("a bad row");
        assert_eq!(faults.to_string(), "x:4: 'bad' is no email address: it has no @");
    }
}
