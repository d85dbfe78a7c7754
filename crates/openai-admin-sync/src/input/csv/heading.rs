//! Finds the mapped columns in the header.

use std::borrow::Cow;

use openai_admin::identity::{clean, name_key_in_any_case};

use super::{
    delimiter::DELIMITERS,
    filter::Filter,
    mapping::{Mapping, Use},
    records::Record,
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
}

impl Columns {
    pub(super) fn find(record: &Record<'_>, name: &str, mapping: &Mapping) -> Result<Self, InputErrors> {
        let headings: Vec<String> = record
            .cells
            .iter()
            .map(|cell| clean(&String::from_utf8_lossy(&cell.bytes)).into_owned())
            .collect();
        let mut errors = InputErrors::default();
        let mut find = |wanted_for: Use, wanted: &str| {
            let position = Position::line(name, record.line);
            find_one(&headings, wanted_for, wanted, mapping, position).unwrap_or_else(|error| {
                errors.0.push(error);
                0
            })
        };
        let email = find(Use::Email, &mapping.email);
        let group = mapping.group.as_deref().map(|column| find(Use::Group, column));
        let filters = mapping.filter.iter();
        let filters =
            filters.map(|(column, value)| Filter::new(find(Use::Filter, column), column, value)).collect();
        errors.or(Self { email, group, filters })
    }
}

fn find_one(
    headings: &[String],
    wanted_for: Use,
    wanted: &str,
    mapping: &Mapping,
    position: Position,
) -> Result<usize, InputError> {
    let key = name_key_in_any_case(wanted);
    let mut found = (0..headings.len()).filter(|column| name_key_in_any_case(&headings[*column]) == key);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(first), Some(second)) => {
            let (first, second) = (first + 1, second + 1);
            let message = format!("two columns are called '{}': {first} and {second}", excerpt(wanted));
            Err(InputError::at(position, message).hint("rename one of them in the table"))
        }
        (None, _) => {
            let message = format!(
                "there is no column '{}'; {}",
                excerpt(wanted),
                columns_text(headings, wanted, wanted_for)
            );
            Err(InputError::at(position, message).hint(hint(headings, wanted_for, wanted, mapping)))
        }
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

fn hint(headings: &[String], wanted_for: Use, wanted: &str, mapping: &Mapping) -> String {
    if let Some(other) = undivided(headings) {
        return format!("the header is one cell that contains {other}: is that the delimiter?");
    }
    let alike = headings.iter().filter(|heading| is_plain(heading) && is_like(wanted_for, wanted, heading));
    if let Some(like) = heading_like(wanted, alike.map(String::as_str)) {
        return format!("did you mean {}?", mapping.argument(wanted_for, &excerpt(like)));
    }
    let pass_its_name = format!("pass its name: {}", mapping.argument(wanted_for, "NAME"));
    match wanted_for {
        Use::Group => format!(
            "{pass_its_name}; if all rows are members of one group, name the table in a group file: \
            `members_from: {{ csv: FILE, column: {} }}`",
            mapping.email
        ),
        Use::Email | Use::Filter => pass_its_name,
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
