//! Parts of every page. They know no resource of the API.

pub(crate) mod assets;
pub(crate) mod chart;
pub(crate) mod cookies;
pub(crate) mod csv;
pub(crate) mod failure;
pub(crate) mod fields;
pub(crate) mod frame;
pub(crate) mod gzip;
pub(crate) mod headers;
pub(crate) mod lists;
pub(crate) mod moment;
pub(crate) mod multipart;
pub(crate) mod numbers;
pub(crate) mod page;
