//! The style and the script, under names that contain their hash, so that browsers may keep them.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("../../assets/console.css");
const SCRIPT: &str = include_str!("../../assets/console.js");
/// How many digits of the hash are part of a name.
const HASH_DIGITS: usize = 12;

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named(STYLE, "css"));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| named(SCRIPT, "js"));

/// The path of the style.
pub(crate) fn style() -> String {
    format!("/console/assets/{}", *STYLE_NAME)
}

/// The path of the script.
pub(crate) fn script() -> String {
    format!("/console/assets/{}", *SCRIPT_NAME)
}

fn named(text: &str, extension: &str) -> String {
    let mut hash = String::new();
    for byte in Sha256::digest(text).iter().take(HASH_DIGITS / 2) {
        // Writing to a string does not fail.
        let _ = write!(hash, "{byte:02x}");
    }
    format!("console-{hash}.{extension}")
}

pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let (text, kind) = if name == *STYLE_NAME {
        (STYLE, "text/css; charset=utf-8")
    } else if name == *SCRIPT_NAME {
        (SCRIPT, "text/javascript; charset=utf-8")
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, text).into_response()
}
