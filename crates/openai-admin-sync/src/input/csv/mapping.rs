//! Which columns of a table are meant, and which rows.

use std::collections::BTreeMap;

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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
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
    pub(super) fn saying(&self, wanted_for: Use, name: &str) -> String {
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
