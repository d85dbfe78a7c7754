//! The columns and rows of a table to use.

use std::collections::BTreeMap;

/// The columns and rows of a table to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The column with email addresses.
    pub email: String,
    /// The column with the names of groups; `None` if all rows belong to one group.
    pub group: Option<String>,
    /// Only rows with these values in these columns.
    pub filter: BTreeMap<String, String>,
    /// The delimiter between cells; `None` to detect it.
    pub delimiter: Option<u8>,
    /// Where the mapping comes from, so that hints use its syntax.
    pub source: MappingSource,
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
