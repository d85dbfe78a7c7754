//! Every table of things. What holds for all of them walks this list.

use crate::{
    nouns::{groups, users},
    shapes::table::Table,
};

pub(crate) static TABLES: [&Table; 2] = [&groups::TABLE, &users::TABLE];
