//! Plans for people: as a table, as Markdown, and as annotations of a pull request.
//!
//! Pure: a plan in, text out.

mod github;
mod markdown;
mod rows;
mod table;

pub use self::{
    github::{annotations, fault_annotations},
    markdown::markdown,
    rows::{BLOCKED_ROWS_SHOWN_MAX, Notes, ROWS_SHOWN_MAX},
    table::table,
};
pub use crate::summary::Summary;
