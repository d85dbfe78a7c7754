//! The columns and rows of a table to use.

use std::collections::BTreeMap;

use openai_admin::identity::{name_key, name_key_in_any_case};

/// The columns and rows of a table to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The column with email addresses; `None` to guess it.
    pub email: Option<String>,
    /// Where the group of a row comes from.
    pub group: GroupSource,
    /// Only rows with these values in these columns.
    pub filter: BTreeMap<String, String>,
    /// The delimiter between cells; `None` to detect it.
    pub delimiter: Option<u8>,
    /// The sheet of a workbook; `None` for the first visible one.
    pub sheet: Option<String>,
    /// Whether a blank group means the group of the row above.
    pub fill_down: bool,
    /// The text between several groups in one cell.
    pub split: Option<String>,
    /// Whether to skip invalid rows instead of refusing the table.
    pub skip_bad_rows: bool,
    /// How to compare the names of groups.
    pub matching: Matching,
    /// Where the mapping comes from, so that hints use its syntax.
    pub source: MappingSource,
}

/// Where the group of a row comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GroupSource {
    /// The rows name no group.
    #[default]
    Unnamed,
    /// A column, guessed by its heading.
    Guessed,
    /// The column with this heading.
    Column(String),
    /// All rows are members of this group.
    Named(String),
}

/// How to compare the names of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Case matters.
    #[default]
    Exact,
    /// Case does not matter.
    Loose,
}

impl Matching {
    /// The key for comparing names of groups.
    pub fn key(self, name: &str) -> String {
        match self {
            Self::Exact => name_key(name),
            Self::Loose => name_key_in_any_case(name),
        }
    }
}

/// Where a mapping comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MappingSource {
    /// From command-line options.
    #[default]
    Options,
    /// From fields of a group file.
    Fields,
}

/// What a column is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Email,
    Group,
    Filter,
}

impl Mapping {
    /// An empty mapping for a group file.
    pub fn of_file() -> Self {
        Self { source: MappingSource::Fields, ..Self::default() }
    }

    /// The option or field that selects the column `name`.
    pub(super) fn argument(&self, wanted_for: Use, name: &str) -> String {
        let word = if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name.to_owned() };
        match (self.source, wanted_for) {
            (MappingSource::Options, Use::Email) => format!("--email-column {word}"),
            (MappingSource::Options, Use::Group) => format!("--group-column {word}"),
            (MappingSource::Options, Use::Filter) => format!("--where {word}=VALUE"),
            (MappingSource::Fields, Use::Email | Use::Group) => format!("`column: {name}`"),
            (MappingSource::Fields, Use::Filter) => format!("`where: {{ {name}: VALUE }}`"),
        }
    }
}
