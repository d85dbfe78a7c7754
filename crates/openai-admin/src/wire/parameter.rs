//! A parameter of a path or a query, as a value of any supported type.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Unexpected, Visitor, value::SeqDeserializer,
    },
    forward_to_deserialize_any,
};

use super::decode_error::DecodeError;
use crate::violation::ViolationCode;

/// All values of a parameter.
pub(super) struct Parameter {
    /// The values of the parameter itself.
    texts: Vec<String>,
    /// The values of `name[field]`, by field.
    fields: Vec<(String, String)>,
}

/// The part of a parameter that a query key sets.
pub(super) enum Part<'a> {
    /// The whole parameter, or an item of a list: `name` or `name[]`.
    Whole,
    /// A field: `name[field]`.
    Field(&'a str),
}

/// The part of the parameter that `key` sets, if any. The name of a list may end in brackets, as in some published
/// operations.
pub(super) fn part<'a>(key: &'a str, name: &str) -> Option<Part<'a>> {
    let name = name.strip_suffix("[]").unwrap_or(name);
    match key.strip_prefix(name)? {
        "" | "[]" => Some(Part::Whole),
        rest => Some(Part::Field(rest.strip_prefix('[')?.strip_suffix(']')?)),
    }
}

impl Parameter {
    pub(super) fn one(text: String) -> Self {
        Self { texts: vec![text], fields: Vec::new() }
    }

    pub(super) fn of_query(query: &[(Cow<'_, str>, Cow<'_, str>)], name: &str) -> Self {
        let mut parameter = Self { texts: Vec::new(), fields: Vec::new() };
        for (key, value) in query {
            match part(key, name) {
                Some(Part::Whole) => parameter.texts.push(value.to_string()),
                Some(Part::Field(field)) => parameter.fields.push((field.to_owned(), value.to_string())),
                None => {}
            }
        }
        parameter
    }

    /// Refuses fields, for a type without fields.
    fn without_fields(self, expected: &'static str) -> Result<Vec<String>, DecodeError> {
        match self.fields.is_empty() {
            true => Ok(self.texts),
            false => Err(DecodeError::invalid_type(Unexpected::Map, &expected)),
        }
    }

    fn text(self, expected: &'static str) -> Result<String, DecodeError> {
        let mut texts = self.without_fields(expected)?;
        match texts.len() {
            0 | 1 => Ok(texts.pop().unwrap_or_default()),
            _ => Err(DecodeError::violation(ViolationCode::DuplicateParameter, "")),
        }
    }

    fn integer(self) -> Result<i64, DecodeError> {
        let text = self.text("an integer")?;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DecodeError::invalid_type(Unexpected::Str(&text), &"an integer"));
        }
        // All digits but too large for an i64, so it is out of range. The answer should say so.
        Ok(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
    }
}

macro_rules! deserialize_integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            visitor.visit_i64(self.integer()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameter {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_string(self.text("a string")?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let text = self.text("a boolean")?;
        let value =
            text.parse().map_err(|_| DecodeError::invalid_type(Unexpected::Str(&text), &"a boolean"))?;
        visitor.visit_bool(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(self.text("a string")?.into_deserializer())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let texts = self.without_fields("a list")?;
        visitor.visit_seq(SeqDeserializer::new(texts.into_iter().map(Self::one)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.texts.first() {
            Some(text) => Err(DecodeError::invalid_type(Unexpected::Str(text), &"an object")),
            None => visitor.visit_map(Fields { names: fields.iter(), given: self.fields, name: "" }),
        }
    }

    deserialize_integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map identifier
        ignored_any
    }
}

impl IntoDeserializer<'_, DecodeError> for Parameter {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// The fields of a struct in the form `name[field]`. Unknown ones are ignored, like unknown parameters.
struct Fields {
    names: std::slice::Iter<'static, &'static str>,
    given: Vec<(String, String)>,
    /// The field whose value is read next.
    name: &'static str,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        match self.names.find(|name| self.given.iter().any(|(field, _)| field == *name)) {
            Some(name) => {
                self.name = name;
                seed.deserialize((*name).into_deserializer()).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let given = self.given.iter().filter(|(field, _)| field == self.name);
        let texts = given.map(|(_, text)| text.clone()).collect();
        seed.deserialize(Parameter { texts, fields: Vec::new() })
            .map_err(|error| error.within(&format!("[{}]", self.name)))
    }
}
