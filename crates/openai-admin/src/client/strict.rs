//! Whether an answer holds exactly what its model knows: a check for tests, which fails on any drift.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::open_enum;

/// Compares an answer with what its model would write. Null and absent are the same, and an `object` may stand where
/// the schema has none, as it does in the published examples.
pub(super) fn check<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<(), String> {
    open_enum::take_unknown();
    let model: T = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(unknown) = open_enum::take_unknown() {
        return Err(format!("strict: '{unknown}' is not a value that this version knows"));
    }
    let written = serde_json::to_value(&model).map_err(|error| error.to_string())?;
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
            let is_extra_object = |name: &str| name == "object" && !written.contains_key(name);
            names.into_iter().filter(|name| !is_extra_object(name)).find_map(|name| {
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
    use crate::models::{GroupResponse, UserListResource};

    #[test]
    fn drift_is_found_and_named() {
        let check = |body: &str| check::<UserListResource>(body.as_bytes());
        let page =
            |item: &str| format!(r#"{{"object":"list","data":[{item}],"has_more":false,"next":null}}"#);
        assert_eq!(check(&page(r#"{"id":"u","name":"n","email":null}"#)), Ok(()));
        assert_eq!(check(&page(r#"{"id":"u","name":"n"}"#)), Ok(()));
        let unknown = "strict: data[0].role is not what this version knows".to_owned();
        assert_eq!(check(&page(r#"{"id":"u","name":"n","email":null,"role":"owner"}"#)), Err(unknown));
        let group = |group_type: &str, more: &str| {
            format!(
                r#"{{"id":"g","name":"n","created_at":0,"is_scim_managed":false,"group_type":"{group_type}"{more}}}"#
            )
        };
        let check_group = |body: String| super::check::<GroupResponse>(body.as_bytes());
        assert_eq!(check_group(group("group", r#","object":"group""#)), Ok(()));
        let unknown = "strict: 'hologroup' is not a value that this version knows".to_owned();
        assert_eq!(check_group(group("hologroup", "")), Err(unknown));
        assert!(check(r#"{"object":"page","data":[],"has_more":false,"next":null}"#).is_err());
    }
}
