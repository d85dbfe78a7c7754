//! Copies from and to PostgreSQL in a build without the feature `postgres`: they fail.

use std::path::Path;

use super::copy::Report;
use crate::{base::error::Result, engines::postgres::absent};

pub(super) fn from_postgres(_: &str, _: &Path, _: Report<'_>) -> Result<()> {
    Err(absent())
}

pub(super) fn into_postgres(_: &Path, _: &str, _: bool, _: Report<'_>) -> Result<()> {
    Err(absent())
}
