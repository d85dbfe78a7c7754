//! The fields of keys and storage in other clouds. Their type determines which fields are required.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::base::{
    error::{Error, Result},
    text::check_text,
};

/// The type and the given fields of that type. `path` precedes the names of fields in errors, such as `provider.`.
pub(crate) fn of_type(
    given: &impl Serialize,
    r#type: &str,
    [required, optional]: [&[&str]; 2],
    path: &str,
) -> Result<Map<String, Json>> {
    let Json::Object(given) = serde_json::to_value(given).map_err(Error::internal)? else {
        return Err(Error::internal("the fields of a cloud are an object"));
    };
    let mut fields = Map::from_iter([("type".to_owned(), Json::from(r#type))]);
    for field in required.iter().chain(optional) {
        let Some(value) = given.get(*field) else { continue };
        check_text(&format!("{path}{field}"), value.as_str().unwrap_or_default())?;
        fields.insert((*field).to_owned(), value.clone());
    }
    if let Some(missing) = required.iter().find(|field| !fields.contains_key(**field)) {
        let expected = format!("a value, since the type is '{type}'");
        return Err(Error::invalid_value(format!("{path}{missing}"), expected));
    }
    Ok(fields)
}
