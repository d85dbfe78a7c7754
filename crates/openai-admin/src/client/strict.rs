//! Whether an answer holds exactly what its model knows: a check for tests, which fails on any drift.

use serde::Serialize;
use serde_json::Value;

/// Compares an answer with what its model would write. Null and absent are the same.
pub(super) fn check(model: &impl Serialize, body: &[u8]) -> Result<(), String> {
    let written = serde_json::to_value(model).map_err(|error| error.to_string())?;
    let answered: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    match difference(&answered, &written, String::new()) {
        Some(place) => Err(format!("strict: {place} is not what this version knows")),
        None => Ok(()),
    }
}

/// The first place at which two documents differ.
fn difference(answered: &Value, written: &Value, place: String) -> Option<String> {
    match (answered, written) {
        (Value::Object(answered), Value::Object(written)) => {
            let names = answered.keys().chain(written.keys().filter(|name| !answered.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let value = |object: &serde_json::Map<String, Value>| {
                    object.get(name).cloned().unwrap_or(Value::Null)
                };
                let separator = if place.is_empty() { "" } else { "." };
                difference(&value(answered), &value(written), format!("{place}{separator}{name}"))
            })
        }
        (Value::Array(answered), Value::Array(written)) if answered.len() == written.len() => {
            let pairs = answered.iter().zip(written).enumerate();
            pairs.into_iter().find_map(|(index, (answered, written))| {
                difference(answered, written, format!("{place}[{index}]"))
            })
        }
        _ if answered == written => None,
        _ => Some(place),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::models::UserListResource;

    #[test]
    fn drift_is_found_and_named() {
        let check = |body: &str| {
            let model: UserListResource = serde_json::from_str(body).expect("tolerant");
            check(&model, body.as_bytes())
        };
        let page =
            |item: &str| format!(r#"{{"object":"list","data":[{item}],"has_more":false,"next":null}}"#);
        assert_eq!(check(&page(r#"{"id":"u","name":"n","email":null}"#)), Ok(()));
        assert_eq!(check(&page(r#"{"id":"u","name":"n"}"#)), Ok(()));
        let unknown = "strict: data[0].role is not what this version knows".to_owned();
        assert_eq!(check(&page(r#"{"id":"u","name":"n","email":null,"role":"owner"}"#)), Err(unknown));
        assert!(check(r#"{"object":"page","data":[],"has_more":false,"next":null}"#).is_err());
    }
}
