//! Input files: groups, tables and policies. Text in, values or errors out.

pub mod csv;
mod decode;
pub mod email;
pub mod file;
pub mod input_error;
pub mod located;
pub mod max_remove;
pub mod member;
pub mod policy;
pub mod suggestion;
pub mod text;
pub mod visible;
mod workbook;
pub mod yaml;
