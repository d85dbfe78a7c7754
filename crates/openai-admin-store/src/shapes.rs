//! Code shared by all kinds of resources and edges.

pub(crate) mod assignment;
pub(crate) mod edges;
pub(crate) mod page_token;
pub(crate) mod series;
pub(crate) mod setting;
pub(crate) mod table;
pub(crate) mod thing;
