use crate::base::{
    error::Result,
    value::{Row, Value},
};

/// An organization of this database, as operations refer to it. Only the store creates one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Org(i64);

impl Org {
    pub(crate) fn seq(self) -> i64 {
        self.0
    }

    /// The organization with this number. The caller has read the number from the database or is about to write it.
    pub(crate) fn of_seq(seq: i64) -> Self {
        Self(seq)
    }

    pub(crate) fn from_row(row: &Row<'_>, column: usize) -> Result<Self> {
        row.integer(column).map(Self)
    }
}

impl From<Org> for Value<'_> {
    fn from(org: Org) -> Self {
        Self::Integer(org.seq())
    }
}
