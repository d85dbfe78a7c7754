//! The definition of a table of resources: its columns, from which its statements are generated, and properties for
//! code that covers all tables.

use crate::base::kind::Kind;

/// A table of resources. Each has a number and an id, and leaves a tombstone when it is deleted.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    /// The columns that are erased when a resource is deleted.
    pub(crate) erased: &'static [&'static str],
    /// A column, and the field of creation and update events that records its value.
    pub(crate) recorded: (&'static str, &'static str),
    pub(crate) numbers: Numbers,
    /// The names of its events.
    pub(crate) created: &'static str,
    pub(crate) updated: &'static str,
    pub(crate) deleted: &'static str,
    pub(crate) sql: Statements,
}

/// Where the last assigned number of a kind is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers {
    /// In a column of `organizations`, with the statement that increments it.
    Column { column: &'static str, next: &'static str },
    /// In `sequences`.
    Sequence,
}

/// The SQL statements of a table of resources. The comments name the parameters in order.
#[derive(Debug)]
pub(crate) struct Statements {
    /// The columns of a resource, by organization and id.
    pub(crate) find: &'static str,
    /// The number of a resource, by organization and id.
    pub(crate) find_seq: &'static str,
    /// The same, including tombstones.
    pub(crate) position: &'static str,
    /// All resources of an organization, by number.
    pub(crate) all: &'static str,
    /// The number of resources, over all organizations.
    pub(crate) count: &'static str,
    /// The resources after a number, ascending and descending.
    pub(crate) page: [&'static str; 2],
    /// The columns, then organization and number.
    pub(crate) insert: &'static str,
    /// The columns without the id, then organization and number.
    pub(crate) update: &'static str,
    /// The time of the deletion, organization and number.
    pub(crate) bury: &'static str,
}

/// Declares the table of a kind as `TABLE`, and `select!`, which builds a query for its columns, with `seq` and `id`
/// first.
///
/// The first argument is a dollar sign, which a macro cannot produce itself.
macro_rules! table {
    (
        $dollar:tt $table:ident of $kind:ident;
        columns: $($column:ident)*;
        erased: $($erased:ident = $empty:literal)*;
        recorded: $recorded:ident = $field:literal;
        numbers: $numbers:expr;
        events: $created:literal, $updated:literal, $deleted:literal;
    ) => {
        /// Builds a query for the columns of this table from the text after `from`.
        #[allow(unused_macros, reason = "some tables are only read with the statements of `TABLE`")]
        macro_rules! select {
            ($dollar rest:literal) => {
                concat!("select seq, id", $(", ", stringify!($column),)* " from ", $dollar rest)
            };
        }

        /// The table.
        pub(crate) static TABLE: $crate::shapes::table::Table = $crate::shapes::table::Table {
            kind: $crate::base::kind::Kind::$kind,
            name: stringify!($table),
            erased: &[$(stringify!($erased)),*],
            recorded: (stringify!($recorded), $field),
            numbers: $numbers,
            created: $created,
            updated: $updated,
            deleted: $deleted,
            sql: $crate::shapes::table::Statements {
                find: concat!(
                    "select seq, id", $(", ", stringify!($column),)*
                    " from ", stringify!($table), " where org = $1 and id = $2 and removed_at is null"
                ),
                find_seq: concat!(
                    "select seq from ", stringify!($table), " where org = $1 and id = $2 and removed_at is null"
                ),
                position: concat!("select seq from ", stringify!($table), " where org = $1 and id = $2"),
                all: concat!(
                    "select seq, id", $(", ", stringify!($column),)*
                    " from ", stringify!($table), " where org = $1 and removed_at is null order by seq"
                ),
                count: concat!("select count(*) from ", stringify!($table), " where removed_at is null"),
                page: [
                    concat!(
                        "select seq, id", $(", ", stringify!($column),)* " from ", stringify!($table),
                        " where org = $1 and seq > $2 and removed_at is null order by seq limit $3"
                    ),
                    concat!(
                        "select seq, id", $(", ", stringify!($column),)* " from ", stringify!($table),
                        " where org = $1 and seq < $2 and removed_at is null order by seq desc limit $3"
                    ),
                ],
                insert: $crate::shapes::table::insert!(
                    $table [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20] [] [] id $($column)* org seq
                ),
                update: $crate::shapes::table::update!(
                    $table [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20] [] $($column)*
                ),
                bury: concat!(
                    "update ", stringify!($table), " set ", $(stringify!($erased), " = ", $empty, ", ",)*
                    "removed_at = $1 where org = $2 and seq = $3"
                ),
            },
        };
    };
}
pub(crate) use table;

/// `insert into table (a, b) values ($1, $2)`
macro_rules! insert {
    ($table:ident [$n:literal $($ns:literal)*] [$($names:tt)*] [$($values:tt)*] $column:ident) => {
        concat!(
            "insert into ", stringify!($table), " (", $($names)* stringify!($column),
            ") values (", $($values)* "$", $n, ")"
        )
    };
    ($table:ident [$n:literal $($ns:literal)*] [$($names:tt)*] [$($values:tt)*] $column:ident $($rest:ident)+) => {
        $crate::shapes::table::insert!(
            $table [$($ns)*] [$($names)* stringify!($column), ", ",] [$($values)* "$", $n, ", ",] $($rest)+
        )
    };
}
pub(crate) use insert;

/// `update table set a = $1, b = $2 where org = $3 and seq = $4`
macro_rules! update {
    ($table:ident [$n:literal $org:literal $seq:literal $($ns:literal)*] [$($set:tt)*] $column:ident) => {
        concat!(
            "update ", stringify!($table), " set ", $($set)* stringify!($column), " = $", $n,
            " where org = $", $org, " and seq = $", $seq
        )
    };
    ($table:ident [$n:literal $($ns:literal)*] [$($set:tt)*] $column:ident $($rest:ident)+) => {
        $crate::shapes::table::update!($table [$($ns)*] [$($set)* stringify!($column), " = $", $n, ", ",] $($rest)+)
    };
}
pub(crate) use update;

impl Table {
    /// The column of an audit event with the number of a resource of this table.
    pub(crate) fn audit_column(&self) -> &'static str {
        match self.kind {
            Kind::Group => "group_seq",
            Kind::User => "user_seq",
            _ => "subject_seq",
        }
    }
}
