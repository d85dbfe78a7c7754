//! An operation as data: its declaration, its schemas and how to send it.

use std::{future::Future, pin::Pin};

use openai_admin::{Client, Method};
use serde_json::Value;

use super::request_fields::RequestFields;
use crate::{arguments::ListArguments, failure::Result, output::Output};

/// An operation of the API.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The first word of the path that is a noun.
    pub(crate) noun: &'static str,
    /// The schema of its request.
    pub(crate) request: fn() -> Value,
    /// The schema of its response.
    pub(crate) answer: fn() -> Value,
    /// Checks the arguments before anything is sent.
    pub(crate) check: fn(&RequestFields) -> Result<()>,
    pub(crate) dispatch: Dispatch,
}

/// The future of a request.
pub(super) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// How an operation is sent.
pub(crate) enum Dispatch {
    /// One request, with the response as JSON.
    Once(for<'a> fn(&'a Client, &'a RequestFields) -> BoxFuture<'a, Value>),
    /// As many pages as `--limit` needs, printed.
    InPages(for<'a> fn(&'a Client, &'a RequestFields, &'a Listing<'a>) -> BoxFuture<'a, ()>),
}

/// The part of a list to read, and its format.
pub(crate) struct Listing<'a> {
    pub(crate) part: &'a ListArguments,
    pub(crate) page_size: u16,
    /// The schema of its items.
    pub(crate) item: &'a Value,
    /// The columns of a table; empty for all.
    pub(crate) columns: &'a [&'static str],
    /// The message for an empty list.
    pub(crate) none: &'a str,
    /// Completes "cannot …".
    pub(crate) doing: &'a str,
    pub(crate) output: &'a Output,
}
