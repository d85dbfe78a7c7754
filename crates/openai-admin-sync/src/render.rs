//! Output for people and programs: plans as tables, Markdown and annotations, reports of runs, and exports.
//!
//! Pure: values in, text out.

pub mod export;
mod github;
mod markdown;
pub mod report;
mod rows;
mod shell;
pub mod summary;
mod table;

pub use self::{
    github::{annotations, error_annotations},
    markdown::markdown,
    rows::{BLOCKED_ROWS_SHOWN_MAX, Notes, ROWS_SHOWN_MAX},
    shell::shell_word,
    summary::Summary,
    table::table,
};
