//! Desired memberships against a real server in process: the accidents of others, and what must always hold.

mod accidents;
mod desk;
mod kept;
mod properties;
mod runs;
