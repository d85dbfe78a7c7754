//! What things and edges have in common, whatever their kind.

pub(crate) mod assignment;
pub(crate) mod edges;
pub(crate) mod table;
pub(crate) mod thing;
