//! What the server says about its operations: documents, pages, explanations.

pub(crate) mod coverage;
pub(crate) mod docs_page;
pub(crate) mod explanations;
pub(crate) mod openapi;
