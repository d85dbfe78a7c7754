//! A rendered page as an answer.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};

use crate::base::failure::Failure;

/// The answer of a handler.
pub(crate) type Answer = Result<Response, Failure>;

/// Renders a page.
pub(crate) fn page(template: &impl Template) -> Answer {
    page_with(StatusCode::OK, template)
}

/// Renders a page with another status.
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Answer {
    let html = template.render().map_err(|error| Failure::internal(&error.to_string()))?;
    Ok((status, Html(html)).into_response())
}

/// Sends the browser to another page, with GET.
pub(crate) fn see(path: &str) -> Answer {
    Ok(Redirect::to(path).into_response())
}
