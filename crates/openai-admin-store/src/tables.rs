//! Every table of things. What holds for all of them walks this list.

use crate::{groups, table::Table, users};

pub(crate) static TABLES: [&Table; 2] = [&groups::TABLE, &users::TABLE];
