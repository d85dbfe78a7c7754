//! The paths that are the emulator's and not the API's.

use axum::http::Uri;

/// Where the controls live below the host, or below a namespace.
pub(crate) const CONTROLS_PREFIX: &str = "/_emulator";

/// The URI of a request without the beginning of its path.
pub(crate) fn without_prefix(uri: &Uri, prefix_length: usize) -> Option<Uri> {
    let path_and_query = uri.path_and_query()?.as_str().get(prefix_length..)?;
    let path_and_query = if path_and_query.starts_with('/') {
        path_and_query.to_owned()
    } else {
        format!("/{path_and_query}")
    };
    path_and_query.parse().ok()
}
