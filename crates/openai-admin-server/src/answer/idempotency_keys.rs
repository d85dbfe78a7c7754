//! `Idempotency-Key`: a creation that is sent again under its key is made once, and answered as before.
//!
//! Only operations that would do something else the second time look at it. To add a member again, or to give a group
//! its name again, changes nothing, so nothing needs to be remembered of it; such requests are the most frequent, and
//! the library's client sends a key with each.

use axum::http::{HeaderMap, HeaderName};
use openai_admin::Endpoint;
use openai_admin_store::IdempotencyKey;
use serde_json::{Value, json};

use crate::{answer::error::ApiError, api_keys::hash};

const NAME: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// The key of a request, if its operation takes one: hashes of it and of what is asked, since neither is shown again.
pub(crate) fn read<E: Endpoint>(
    headers: &HeaderMap,
    request: &E,
) -> Result<Option<IdempotencyKey>, ApiError> {
    if E::IDEMPOTENT {
        return Ok(None);
    }
    let mut values = headers.get_all(NAME).iter();
    let Some(key) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ApiError::invalid_idempotency_key("your request has more than one; send one"));
    }
    if key.is_empty() {
        return Err(ApiError::invalid_idempotency_key("it is empty; send a random text, or no such header"));
    }
    if key.len() > KEY_BYTES_MAX {
        let problem = format!("expected at most {KEY_BYTES_MAX} bytes, but got {}", key.len());
        return Err(ApiError::invalid_idempotency_key(&problem));
    }
    // What was understood is hashed, not what was sent: the same request may be written with other spaces.
    let mut asked = serde_json::to_vec(request).map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            operation = E::ID,
            "a request was not hashed"
        );
        ApiError::internal()
    })?;
    asked.extend_from_slice(E::ID.as_bytes());
    Ok(Some(IdempotencyKey { key: hash(key), request: hash(asked) }))
}

/// The header in the OpenAPI document.
pub(crate) fn parameter() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Makes the creation happen once: the same request under the same key is answered in the same way \
                        for 24 hours, and another one is refused. An extension.",
        "schema": { "type": "string", "minLength": 1, "maxLength": KEY_BYTES_MAX },
    })
}
