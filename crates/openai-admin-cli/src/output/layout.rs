//! Which fields of a thing are printed, and under which headings.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

/// A text that a declaration holds, or that was read from one.
pub(crate) type Name = Cow<'static, str>;

/// Heading and field of a column.
pub(crate) type Column = (Name, Name);

/// Something that commands print: its fields in order, as they travel, and its columns for people.
pub(crate) trait Record: Serialize + Sized {
    /// Every field: the columns of CSV, whichever of them a record happens to have.
    const FIELDS: &'static [&'static str] = &[];
    /// Heading and field of each column of a table.
    const COLUMNS: &'static [(&'static str, &'static str)];
    /// What people see besides, of a single record, where there is anything to see.
    const DETAILS: &'static [(&'static str, &'static str)] = &[];

    /// The names of the fields. Models say theirs, and so repeat none in [`FIELDS`](Self::FIELDS).
    fn names() -> &'static [&'static str] {
        Self::FIELDS
    }

    /// The fields of which each has a column: as they travel, unless they are nested.
    fn fields(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// How things of one kind are printed.
pub(crate) struct Layout<T> {
    /// Every field: the columns of CSV.
    pub(crate) names: Vec<Name>,
    /// The columns of a table.
    pub(crate) columns: Vec<Column>,
    /// What people see besides, of a single thing.
    pub(crate) details: Vec<Column>,
    /// The fields of a thing, as the columns name them.
    pub(crate) fields: fn(&T) -> serde_json::Result<Value>,
}

impl<T: Record> Layout<T> {
    /// As the declaration of the record says.
    pub(crate) fn of_record() -> Self {
        let columns = |columns: &'static [(&str, &str)]| {
            columns.iter().map(|(heading, field)| (Name::from(*heading), Name::from(*field))).collect()
        };
        Self {
            names: T::names().iter().map(|name| Name::from(*name)).collect(),
            columns: columns(T::COLUMNS),
            details: columns(T::DETAILS),
            fields: T::fields,
        }
    }
}
