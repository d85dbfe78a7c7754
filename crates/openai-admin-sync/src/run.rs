//! What is done: a plan is compared with what is, sent, written down, looked at again, and taken back.

pub mod executor;
pub mod fresh;
pub mod journal;
pub mod lock;
pub mod private;
pub mod runs;
pub mod schedule;
pub mod undo;
pub mod verify;

pub use self::runs::{Applied, Run, Runs, folder_name};
