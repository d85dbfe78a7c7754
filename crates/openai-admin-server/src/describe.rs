//! Descriptions of the operations: the OpenAPI document, pages and explanations.

pub(crate) mod coverage;
pub(crate) mod docs_page;
pub(crate) mod explanations;
pub(crate) mod openapi;
