//! Finds the mapped columns in the header.

use std::borrow::Cow;

use openai_admin::identity::{clean, is_email, name_key_in_any_case};

use super::{
    address::address,
    delimiter::DELIMITERS,
    filter::Filter,
    guess::{self, Guess},
    mapping::{GroupSource, Mapping, MappingSource, Use},
    records::{Cell, Record},
};
use crate::input::{
    input_error::{InputError, InputErrors, Position},
    suggestion::heading_like,
    visible::excerpt,
};

/// The most columns that a message lists.
const COLUMNS_SHOWN_MAX: usize = 20;

/// The indexes of the mapped columns.
pub(super) struct Columns {
    pub(super) email: usize,
    pub(super) group: Option<usize>,
    pub(super) filters: Vec<Filter>,
    /// The columns that make up the name of a user; none if the table has no names.
    pub(super) names: Vec<usize>,
    /// Which columns were guessed, if their headings are not the plain words.
    pub(super) note: Option<String>,
}

/// A row that may be the header, with rows after it.
pub(super) struct Header<'a> {
    pub(super) headings: Vec<String>,
    line: u64,
    rows: &'a [Record<'a>],
}

impl<'a> Header<'a> {
    pub(super) fn new(record: &Record<'_>, rows: &'a [Record<'a>]) -> Self {
        let text = |cell: &Cell<'_>| clean(&String::from_utf8_lossy(&cell.bytes)).into_owned();
        Self { headings: record.cells.iter().map(text).collect(), line: record.line, rows }
    }

    /// The column with the most addresses in the first rows.
    fn column_of_addresses(&self) -> Option<&str> {
        let columns = 0..self.headings.len();
        let addresses = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
            cells.filter(|cell| address(&String::from_utf8_lossy(&cell.bytes)).is_ok()).count()
        };
        let column = columns.rev().max_by_key(|column| addresses(*column))?;
        (addresses(column) > 0).then(|| self.headings[column].as_str())
    }
}

/// Why a use has no column. It becomes a message only for the line that is reported.
pub(super) enum Problem {
    NoColumn {
        wanted_for: Use,
        wanted: String,
    },
    /// Two columns have the wanted name.
    Twice {
        wanted: String,
        first: usize,
        second: usize,
    },
    /// Two columns with different names are equally likely.
    Ambiguous {
        wanted_for: Use,
        first: usize,
        second: usize,
    },
}

impl Problem {
    fn error(&self, header: &Header<'_>, mapping: &Mapping, position: Position) -> InputError {
        match self {
            Self::NoColumn { wanted_for, wanted } => {
                let message = format!(
                    "there is no column '{}'; {}",
                    excerpt(wanted),
                    columns_text(&header.headings, wanted, *wanted_for)
                );
                InputError::at(position, message).hint(hint(header, *wanted_for, wanted, mapping))
            }
            Self::Twice { wanted, first, second } => {
                let (first, second) = (first + 1, second + 1);
                let message = format!("two columns are called '{}': {first} and {second}", excerpt(wanted));
                InputError::at(position, message).hint("rename one of them in the table")
            }
            Self::Ambiguous { wanted_for, first, second } => {
                let name = |column: &usize| excerpt(&header.headings[*column]);
                let what = if *wanted_for == Use::Group { "groups" } else { "addresses" };
                let message =
                    format!("two columns may hold the {what}: '{}' and '{}'", name(first), name(second));
                let hint = format!("choose one: {}", mapping.argument(*wanted_for, &name(first)));
                InputError::at(position, message).hint(hint)
            }
        }
    }
}

/// The errors of a line that lacks mapped columns.
pub(super) fn errors(
    header: &Header<'_>,
    problems: &[Problem],
    name: &str,
    mapping: &Mapping,
) -> InputErrors {
    let error = |problem: &Problem| problem.error(header, mapping, Position::line(name, header.line));
    InputErrors(problems.iter().map(error).collect())
}

impl Columns {
    /// The columns of a line that may be the header.
    pub(super) fn find(header: &Header<'_>, mapping: &Mapping) -> Result<Self, Vec<Problem>> {
        let headings = header.headings.as_slice();
        let mut problems = Vec::new();
        let mut or_problem = |found: Result<usize, Problem>| {
            found.unwrap_or_else(|problem| {
                problems.push(problem);
                0
            })
        };
        let email = match &mapping.email {
            Some(column) => or_problem(find_one(headings, Use::Email, column)),
            None => or_problem(guessed(headings, Use::Email)),
        };
        let group = match &mapping.group {
            GroupSource::Unnamed | GroupSource::Named(_) => None,
            GroupSource::Column(column) => Some(or_problem(find_one(headings, Use::Group, column))),
            GroupSource::Guessed => Some(or_problem(guessed(headings, Use::Group))),
        };
        let filters = mapping.filter.iter().map(|(column, value)| {
            let found = or_problem(find_one(headings, Use::Filter, column));
            Filter::new(found, column, value)
        });
        let filters = filters.collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let note = guess_note(header, mapping, email, group);
        let names = guess::name(headings);
        Ok(Self { email, group, filters, names, note })
    }
}

/// The column that is guessed for a use.
fn guessed(headings: &[String], wanted_for: Use) -> Result<usize, Problem> {
    let (guess, word) = match wanted_for {
        Use::Group => (guess::group(headings), "group"),
        Use::Email | Use::Filter => (guess::email(headings), "email"),
    };
    match guess {
        Guess::One(column) => Ok(column),
        Guess::Two(first, second) if names_equal(headings, first, second) => {
            Err(Problem::Twice { wanted: headings[first].clone(), first, second })
        }
        Guess::Two(first, second) => Err(Problem::Ambiguous { wanted_for, first, second }),
        Guess::None => find_one(headings, wanted_for, word),
    }
}

fn names_equal(headings: &[String], first: usize, second: usize) -> bool {
    name_key_in_any_case(&headings[first]) == name_key_in_any_case(&headings[second])
}

/// Says which columns were guessed, unless they are called `email` and `group`.
fn guess_note(header: &Header<'_>, mapping: &Mapping, email: usize, group: Option<usize>) -> Option<String> {
    let mut parts = Vec::new();
    let mut add = |column: usize, plain: &str, what: &str| {
        if !header.headings[column].eq_ignore_ascii_case(plain) {
            parts.push(format!("the column '{}' for {what}", excerpt(&header.headings[column])));
        }
    };
    if mapping.email.is_none() {
        add(email, "email", "addresses");
    }
    if let (GroupSource::Guessed, Some(group)) = (&mapping.group, group) {
        add(group, "group", "groups");
    }
    (!parts.is_empty()).then(|| format!("using {}", parts.join(" and ")))
}

fn find_one(headings: &[String], wanted_for: Use, wanted: &str) -> Result<usize, Problem> {
    let key = name_key_in_any_case(wanted);
    let mut found = (0..headings.len()).filter(|column| name_key_in_any_case(&headings[*column]) == key);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(first), Some(second)) => Err(Problem::Twice { wanted: wanted.to_owned(), first, second }),
        (None, _) => Err(Problem::NoColumn { wanted_for, wanted: wanted.to_owned() }),
    }
}

/// Describes the existing columns. A line that is not a header is not quoted, because it may be secret.
fn columns_text(headings: &[String], wanted: &str, wanted_for: Use) -> Cow<'static, str> {
    let is_like_wanted = |heading: &String| is_like(wanted_for, wanted, heading);
    if !headings.iter().all(|heading| is_plain(heading)) {
        return "the first line is not the header of a table".into();
    }
    if headings.len() == 1 && !headings.iter().any(is_like_wanted) {
        return "the header has one column, with another name".into();
    }
    let shown: Vec<String> =
        headings.iter().take(COLUMNS_SHOWN_MAX).map(|heading| excerpt(heading)).collect();
    let more = headings.len().saturating_sub(COLUMNS_SHOWN_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the columns are: {}{more}", shown.join(", ")).into()
}

/// Whether a heading looks like the name of a column, and not like a line of settings or secrets.
fn is_plain(heading: &str) -> bool {
    !heading.contains(|c: char| c.is_control() || c == '=' || c == '\u{fffd}')
        && heading.matches([':', '/']).count() < 2
        && !heading.starts_with("---")
}

fn is_like(wanted_for: Use, wanted: &str, heading: &str) -> bool {
    // A yes/no column holds neither addresses nor groups.
    let lower = heading.to_lowercase();
    let is_flag = !matches!(wanted_for, Use::Filter) && (lower.starts_with("is") || lower.starts_with("has"));
    !is_flag && heading_like(wanted, std::iter::once(heading)).is_some()
}

fn hint(header: &Header<'_>, wanted_for: Use, wanted: &str, mapping: &Mapping) -> String {
    let headings = header.headings.as_slice();
    if let Some(other) = undivided(headings) {
        return format!("the header is one cell that contains {other}: is that the delimiter?");
    }
    let alike = headings.iter().filter(|heading| is_plain(heading) && is_like(wanted_for, wanted, heading));
    if let Some(like) = heading_like(wanted, alike.map(String::as_str)) {
        return format!("did you mean {}?", mapping.argument(wanted_for, &excerpt(like)));
    }
    if wanted_for == Use::Email
        && let Some(column) = header.column_of_addresses().filter(|heading| is_plain(heading))
    {
        if is_email(column).is_ok() {
            return "the table has no header: add a first line with the names of the columns".to_owned();
        }
        return format!(
            "the column '{}' holds addresses: {}",
            excerpt(column),
            mapping.argument(wanted_for, &excerpt(column))
        );
    }
    let pass_its_name = format!("pass its name: {}", mapping.argument(wanted_for, "NAME"));
    match (wanted_for, mapping.source) {
        (Use::Group, MappingSource::Options) => {
            format!("{pass_its_name}; if all rows are members of one group, pass --group NAME")
        }
        _ => pass_its_name,
    }
}

/// The delimiter inside a header of a single cell.
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
