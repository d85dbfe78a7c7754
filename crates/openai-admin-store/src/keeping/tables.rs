//! Every table of things. What holds for all of them walks this list.

use crate::{
    nouns::{groups, roles, users},
    shapes::table::Table,
};

pub(crate) static TABLES: [&Table; 3] = [&groups::TABLE, &users::TABLE, &roles::TABLE];
