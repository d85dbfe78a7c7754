//! Running a plan: compare it with the current state, send its operations, journal them, verify, undo.

pub mod apply;
pub mod executor;
pub mod fresh;
pub mod journal;
pub mod lock;
pub mod private;
pub mod rights;
pub mod runs;
pub mod saved;
pub mod schedule;
pub mod undo;
pub mod verify;

pub use self::runs::{Applied, Run, Runs, folder_name};
