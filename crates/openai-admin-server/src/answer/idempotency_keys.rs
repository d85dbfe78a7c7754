//! `Idempotency-Key`: a retried creation happens once and gets the same answer.
//!
//! Only operations that are not idempotent read the header. Adding a member again or setting the same name again
//! changes nothing, so the server stores nothing for it; such requests are the most frequent, and the library's client
//! sends a key with each.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use openai_admin::Endpoint;
use openai_admin_store::IdempotencyKey;
use serde_json::{Value, json};

use crate::{answer::error::ApiError, api_keys::hash};

const NAME: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// The key of a request, if its operation takes one: hashes of the key and of the request, since neither is shown
/// again.
pub(crate) fn read<E: Endpoint>(
    headers: &HeaderMap,
    request: &E,
) -> Result<Option<IdempotencyKey>, ApiError> {
    if E::IDEMPOTENT {
        return Ok(None);
    }
    let Some(key) = header(headers)? else { return Ok(None) };
    // The decoded request is hashed, so that white space in the body makes no difference.
    let mut decoded = serde_json::to_vec(request).map_err(|error| unserializable(&error, E::ID))?;
    decoded.extend_from_slice(E::ID.as_bytes());
    Ok(Some(IdempotencyKey { key: hash(key), request: hash(decoded) }))
}

fn header(headers: &HeaderMap) -> Result<Option<&HeaderValue>, ApiError> {
    let mut values = headers.get_all(NAME).iter();
    let Some(key) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ApiError::invalid_idempotency_key("your request has more than one; send one"));
    }
    if key.is_empty() {
        return Err(ApiError::invalid_idempotency_key(
            "it is empty; send a random string, or omit the header",
        ));
    }
    if key.len() > KEY_BYTES_MAX {
        let problem = format!("expected at most {KEY_BYTES_MAX} bytes, but got {}", key.len());
        return Err(ApiError::invalid_idempotency_key(&problem));
    }
    Ok(Some(key))
}

fn unserializable(error: &serde_json::Error, operation: &'static str) -> ApiError {
    tracing::error!(error = error as &dyn std::error::Error, operation, "cannot hash a request");
    ApiError::internal()
}

/// The header in the OpenAPI document.
pub(crate) fn parameter() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Makes retries safe: the same request with the same key creates once and gets the same answer \
                        for 24 hours. A different request with the same key is refused. An extension.",
        "schema": { "type": "string", "minLength": 1, "maxLength": KEY_BYTES_MAX },
    })
}
