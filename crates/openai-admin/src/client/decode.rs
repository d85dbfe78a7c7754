//! From the body of a response to its model.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{json, open_enum};

/// Decodes a response. The error names the field that does not fit, and no value: a value may be the name of a person.
///
/// A strict client also refuses a response that holds more than its model knows.
pub(super) fn decode<T: Serialize + DeserializeOwned>(body: &[u8], strict: bool) -> Result<T, String> {
    // Derived deserializers accept an array for a struct. No response of the API is an array.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err("it is an array".to_owned());
    }
    if strict {
        return decode_strictly(body);
    }
    json::quick(body).map_or_else(|| decode_slowly(body), Ok)
}

/// serde_json with the path of an error: for the few documents that the quick reader does not take.
fn decode_slowly<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let deserializer = &mut serde_json::Deserializer::from_slice(body);
    let model = serde_path_to_error::deserialize(&mut *deserializer)
        .map_err(|error| format!("{}: {}", error.path(), without_values(error.inner())))?;
    match deserializer.end() {
        Ok(()) => Ok(model),
        Err(_) => Err("something follows the JSON document".to_owned()),
    }
}

/// The messages of serde_json quote the value that does not fit.
fn without_values(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "it breaks off",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "a value is missing or of another type",
        serde_json::error::Category::Io => "it cannot be read",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

/// Compares a response with what its model would write. Null and absent are the same. A field `object` that the schema
/// does not have is accepted, because the published examples have it.
fn decode_strictly<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    open_enum::take_unknown();
    let model: T = decode_slowly(body)?;
    if let Some(unknown) = open_enum::take_unknown() {
        return Err(format!("strict: '{unknown}' is not a value that this version knows"));
    }
    let written = serde_json::to_value(&model).map_err(|error| error.to_string())?;
    let answered: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    match difference(&answered, &written, String::new()) {
        Some(place) => Err(format!("strict: {place} is not what this version knows")),
        None => Ok(model),
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
    use super::decode_strictly;
    use crate::models::{GroupResponse, UserListResource};

    #[test]
    fn drift_is_found_and_named() {
        let check = |body: &str| decode_strictly::<UserListResource>(body.as_bytes()).map(drop);
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
        let check_group = |body: String| decode_strictly::<GroupResponse>(body.as_bytes()).map(drop);
        assert_eq!(check_group(group("group", r#","object":"group""#)), Ok(()));
        let unknown = "strict: 'hologroup' is not a value that this version knows".to_owned();
        assert_eq!(check_group(group("hologroup", "")), Err(unknown));
        assert!(check(r#"{"object":"page","data":[],"has_more":false,"next":null}"#).is_err());
    }
}
