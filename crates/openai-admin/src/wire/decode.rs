use std::{borrow::Cow, cell::RefCell, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::Value;

use super::{
    FieldPosition,
    decode_error::DecodeError,
    parameter::{self, Parameter},
    placeholders::Placeholders,
};
use crate::{Endpoint, json, violation::ViolationCode};

/// The parts of a received request.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The path parameters, percent-decoded once.
    pub path: &'a [(&'a str, &'a str)],
    /// The query string, without its `?`.
    pub query: &'a str,
    /// The body. Empty if the operation has none, or if it is optional and omitted.
    pub body: &'a [u8],
}

/// The handling of unknown fields in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Ignore them, like the published service in most cases.
    #[default]
    Lenient,
    /// Refuse them with `unknown_parameter`, for tests that should find misspelt fields.
    Strict,
}

/// Decodes a request.
///
/// Unknown query parameters are ignored. A list is `name` or `name[]`, and the fields of a struct are `name[field]`.
///
/// # Errors
///
/// The first parameter that violates a rule, and the rule.
pub fn decode<E: Endpoint>(incoming: &Incoming<'_>, strictness: Strictness) -> Result<E, DecodeError> {
    let placeholders = Placeholders::of::<E>();
    // Derived deserializers accept an array for a struct; the API does not.
    let is_object = incoming.body.trim_ascii_start().first().is_none_or(|first| *first == b'{');
    // Only a body can have unknown fields.
    let is_lenient = strictness == Strictness::Lenient || incoming.body.is_empty();
    if is_lenient
        && is_object
        && let Ok(request) = E::deserialize(Request { placeholders, incoming, explained: None, strictness })
    {
        return Ok(request);
    }
    // serde_json's errors are text only. A refused body is therefore decoded again from a tree, with errors that
    // contain the parameter and the code. Only refused requests and unusual bodies pay for it.
    let tree = if incoming.body.is_empty() { None } else { Some(parse(incoming.body, unparsable_body)?) };
    E::deserialize(Request {
        placeholders,
        incoming,
        explained: tree.as_ref().or(Some(&Value::Null)),
        strictness,
    })
}

/// Decodes a line of JSON lines: an object with one field, whose name is a variant of `T`.
///
/// # Errors
///
/// The field that violates a rule, and the rule. The caller adds the number of the line.
pub(super) fn decode_line<T: DeserializeOwned>(
    line: &[u8],
    strictness: Strictness,
) -> Result<T, DecodeError> {
    // Derived deserializers accept an array for a record; the API does not. The name of a list has no colon.
    let mut value = line.iter().skip_while(|byte| **byte != b':').skip(1);
    let is_array = value.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if strictness == Strictness::Lenient
        && !is_array
        && let Ok(value) = serde_json::from_slice(line)
    {
        return Ok(value);
    }
    // serde_json counts lines too, but here it has only one.
    let explain = |error: serde_json::Error| {
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
        let column = error.column();
        DecodeError::malformed(format!("We could not parse this line as JSON: {problem} at column {column}."))
    };
    let tree = parse(line, explain)?;
    match &tree {
        Value::Object(fields) if fields.len() == 1 => T::deserialize(Line(Tree { value: &tree, strictness })),
        _ => Err(DecodeError::malformed(
            "A line must be a JSON object with one field, the name of a list, such as {\"costs\": {}}.",
        )),
    }
}

/// The object of a line, whose one field is the variant of an enum.
struct Line<'a>(Tree<'a>);

impl<'de> Deserializer<'de> for Line<'de> {
    type Error = DecodeError;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let Value::Object(fields) = self.0.value else {
            return self.0.deserialize_enum(name, variants, visitor);
        };
        let fields = TreeFields { fields: fields.iter(), next: None, tree: self.0 };
        visitor.visit_enum(de::value::MapAccessDeserializer::new(fields))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn unparsable_body(error: serde_json::Error) -> DecodeError {
    DecodeError::malformed(format!(
        "We could not parse the JSON body of your request: {error}. The body must be a JSON object, such as \
         {{\"name\": \"value\"}}."
    ))
}

fn parse(body: &[u8], explain: impl Fn(serde_json::Error) -> DecodeError) -> Result<Value, DecodeError> {
    // Windows programs write it at the start of text files.
    if body.starts_with(b"\xef\xbb\xbf") {
        let message = "The JSON body of your request starts with a byte-order mark. Remove it.";
        return Err(DecodeError::malformed(message));
    }
    let duplicate = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let tree = Once(&duplicate).deserialize(&mut deserializer);
    let tree = tree.and_then(|tree| deserializer.end().map(|()| tree));
    tree.map_err(|error| duplicate.take().unwrap_or_else(|| explain(error)))
}

/// Parses a tree, and refuses an object with a duplicate field, since the intended value is unknown. serde_json's
/// errors are text only, so the error is stored here.
#[derive(Clone, Copy)]
struct Once<'a>(&'a RefCell<Option<DecodeError>>);

impl Once<'_> {
    /// Prepends the name of a field, or the index of an item, to the position of an error.
    fn within(self, field: &str) {
        let found = self.0.take();
        self.0.replace(found.map(|error| error.within(field)));
    }
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            match items.next_element_seed(self) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => return Ok(Value::Array(values)),
                Err(error) => {
                    self.within(&format!("[{}]", values.len()));
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = serde_json::Map::new();
        while let Some(field) = entries.next_key::<String>()? {
            if fields.contains_key(&field) {
                let duplicate = DecodeError::violation(ViolationCode::DuplicateParameter, "").within(&field);
                self.0.replace(Some(duplicate));
                return Err(A::Error::custom("a field is repeated"));
            }
            let value = entries.next_value_seed(self).inspect_err(|_| self.within(&field))?;
            fields.insert(field, value);
        }
        Ok(Value::Object(fields))
    }
}

/// Deserializes a whole request as one struct.
struct Request<'a> {
    placeholders: &'static Placeholders,
    incoming: &'a Incoming<'a>,
    /// The body as a tree, when decoding again.
    explained: Option<&'a Value>,
    strictness: Strictness,
}

impl<'de> Deserializer<'de> for Request<'de> {
    type Error = DecodeError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let query = parameters(self.incoming.query);
        visitor.visit_map(RequestFields { request: self, fields: fields.iter(), query, field: "" })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::custom("a request is a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The names and values of a query.
fn parameters(query: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    // Fast path: most values are ids and numbers, without escapes.
    if query.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return form_urlencoded::parse(query.as_bytes()).collect();
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))).collect()
}

struct RequestFields<'a> {
    request: Request<'a>,
    fields: std::slice::Iter<'static, &'static str>,
    query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The field whose value is read next.
    field: &'static str,
}

impl RequestFields<'_> {
    fn is_present(&self, field: &str) -> bool {
        match self.request.placeholders.field_position(field) {
            FieldPosition::Path => true,
            // An optional body has a default value. If a required one is missing, the second decoding reports it.
            FieldPosition::Body => self.request.explained.is_some() || !self.request.incoming.body.is_empty(),
            FieldPosition::Query => self.query.iter().any(|(key, _)| parameter::part(key, field).is_some()),
        }
    }
}

impl<'de> MapAccess<'de> for RequestFields<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        while let Some(field) = self.fields.next() {
            if self.is_present(field) {
                self.field = field;
                return seed.deserialize((*field).into_deserializer()).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let field = self.field;
        match self.request.placeholders.field_position(field) {
            FieldPosition::Path => {
                let segment = self.request.incoming.path.iter().find(|(name, _)| *name == field);
                let text = segment.map_or("", |(_, value)| value).to_owned();
                seed.deserialize(Parameter::one(text)).map_err(|error| error.within(field).in_the_path())
            }
            FieldPosition::Query => {
                let parameter = Parameter::of_query(&self.query, field);
                seed.deserialize(parameter).map_err(|error| error.within(field))
            }
            FieldPosition::Body => match self.request.explained {
                // It leaves an array in place of a struct to the tree, at any depth.
                None => json::quick_with(seed, self.request.incoming.body)
                    .ok_or_else(|| DecodeError::custom("an unusual body")),
                Some(Value::Object(_)) => seed.deserialize(Tree {
                    value: self.request.explained.unwrap_or(&Value::Null),
                    strictness: self.request.strictness,
                }),
                Some(_) => Err(DecodeError::malformed(
                    "The body of your request must be a JSON object, such as {\"name\": \"value\"}.",
                )),
            },
        }
    }
}

/// A JSON tree whose errors contain their position.
#[derive(Clone, Copy)]
struct Tree<'a> {
    value: &'a Value,
    strictness: Strictness,
}

impl<'de> Deserializer<'de> for Tree<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(value) => visitor.visit_str(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::Array(values) => {
                visitor.visit_seq(TreeItems { values: values.iter().enumerate(), tree: self })
            }
            Value::Object(fields) => {
                visitor.visit_map(TreeFields { fields: fields.iter(), next: None, tree: self })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::String(variant) => visitor.visit_enum(variant.as_str().into_deserializer()),
            _ => Err(DecodeError::violation(ViolationCode::InvalidType, "expected a string.")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        // serde would read the items as fields.
        if self.value.is_array() {
            return Err(DecodeError::violation(
                ViolationCode::InvalidType,
                "expected an object, but got an array.",
            ));
        }
        if self.strictness == Strictness::Strict
            && let Value::Object(given) = self.value
            && let Some(unknown) = given.keys().find(|key| !fields.contains(&key.as_str()))
        {
            return Err(DecodeError::unknown_field(unknown, fields));
        }
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

struct TreeFields<'a> {
    fields: serde_json::map::Iter<'a>,
    next: Option<(&'a str, &'a Value)>,
    tree: Tree<'a>,
}

impl<'de> MapAccess<'de> for TreeFields<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.fields.next() else { return Ok(None) };
        self.next = Some((key, value));
        seed.deserialize(key.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let (key, value) = self.next.take().unwrap_or(("", &Value::Null));
        seed.deserialize(Tree { value, ..self.tree }).map_err(|error| error.within(key))
    }
}

struct TreeItems<'a> {
    values: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    tree: Tree<'a>,
}

impl<'de> de::SeqAccess<'de> for TreeItems<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, value)) = self.values.next() else { return Ok(None) };
        let item = seed.deserialize(Tree { value, ..self.tree });
        item.map(Some).map_err(|error| error.within(&format!("[{index}]")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_path_of_queries_equals_the_slow_one() {
        for query in
            ["", "a=1", "a=1&b=2&a=3", "&&a&=b&c=d=e&", "a[]=1&b[c]=2", "ä=ö", "a=1 2", "=", "%61=%2B+&b=1"]
        {
            let decoded: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
            assert_eq!(parameters(query), decoded, "{query}");
        }
    }
}
