//! The paths of the emulator itself.

use axum::http::Uri;

/// The path of the controls, relative to the host or to a namespace.
pub(crate) const CONTROLS_PREFIX: &str = "/_emulator";

/// The URI without a prefix of its path.
pub(crate) fn without_prefix(uri: &Uri, prefix_length: usize) -> Option<Uri> {
    let path_and_query = uri.path_and_query()?.as_str().get(prefix_length..)?;
    let path_and_query = if path_and_query.starts_with('/') {
        path_and_query.to_owned()
    } else {
        format!("/{path_and_query}")
    };
    path_and_query.parse().ok()
}
