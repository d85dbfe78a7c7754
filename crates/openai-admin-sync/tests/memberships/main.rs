//! Desired memberships against a real in-process server: known accidents, runs and properties.

mod accidents;
mod desk;
mod kept;
mod properties;
mod rights;
mod runs;
