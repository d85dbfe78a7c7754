//! Operations on the whole database.

pub(crate) mod backup;
pub(crate) mod census;
pub(crate) mod directory;
mod dump;
mod invariants;
pub(crate) mod load;
pub(crate) mod migrations;
mod opening;
mod snapshots;
mod tables;
mod verify;
