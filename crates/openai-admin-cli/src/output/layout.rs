//! The fields and columns of a record.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

/// A static text, or one that was read from a declaration.
pub(crate) type Name = Cow<'static, str>;

/// Heading and field of a column.
pub(crate) type Column = (Name, Name);

/// Something that commands print: its fields in order, and its columns for people.
pub(crate) trait Record: Serialize + Sized {
    /// Every field that a record can have: the columns of CSV.
    const FIELDS: &'static [&'static str] = &[];
    /// Heading and field of each column of a table.
    const COLUMNS: &'static [(&'static str, &'static str)];
    /// Further fields that people see of a single record, if they have a value.
    const DETAILS: &'static [(&'static str, &'static str)] = &[];

    /// The names of the fields. Models name theirs, and leave [`FIELDS`](Self::FIELDS) empty.
    fn names() -> &'static [&'static str] {
        Self::FIELDS
    }

    /// The fields by name, for the columns. By default, the record's own JSON.
    fn fields(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// How a kind of item is printed.
pub(crate) struct Layout<T> {
    /// Every field: the columns of CSV.
    pub(crate) names: Vec<Name>,
    /// The columns of a table.
    pub(crate) columns: Vec<Column>,
    /// Further columns that people see of a single item.
    pub(crate) details: Vec<Column>,
    /// The fields of an item, by the names in the columns.
    pub(crate) fields: fn(&T) -> serde_json::Result<Value>,
}

impl<T: Record> Layout<T> {
    /// The layout that the record declares.
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
