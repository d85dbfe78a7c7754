use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{
    Serialize, Serializer,
    ser::{Error as _, Impossible, SerializeSeq, SerializeStruct},
};

use super::BODY;
use crate::Endpoint;

/// All characters except RFC 3986's unreserved ones. Suits both path segments and queries.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request that cannot be encoded, because its declaration violates a rule of [`Endpoint`]. A test over all
/// operations proves that this never happens for a declared operation.
#[derive(Debug)]
pub struct EncodeError(String);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot encode the request: {}", self.0)
    }
}

impl std::error::Error for EncodeError {}

impl serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Appends the path and query of `request` to `target` and returns its JSON body, if it has one.
///
/// # Errors
///
/// If the declaration of the operation violates a rule of [`Endpoint`].
///
/// ```
/// use openai_admin::{operations::AddGroupUser, wire};
/// let mut target = "/v1".to_owned();
/// let body = wire::encode(&AddGroupUser::new("group_1".parse()?, "user 7".parse()?), &mut target)?;
/// assert_eq!(target, "/v1/organization/groups/group_1/users");
/// assert_eq!(body.as_deref(), Some(br#"{"user_id":"user 7"}"#.as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn encode<E: Endpoint>(request: &E, target: &mut String) -> Result<Option<Vec<u8>>, EncodeError> {
    request.serialize(RequestSerializer { rest: E::PATH, target })
}

/// Serializes a struct field by field along the path template.
struct RequestSerializer<'a> {
    /// The rest of the path template.
    rest: &'static str,
    target: &'a mut String,
}

struct RequestFields<'a> {
    rest: &'static str,
    target: &'a mut String,
    /// `?` before the first parameter of the query, then `&`.
    separator: char,
    body: Option<Vec<u8>>,
}

impl SerializeStruct for RequestFields<'_> {
    type Ok = Option<Vec<u8>>;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        if let Some((literal, after)) = self.rest.split_once('{')
            && let Some(after) = after.strip_prefix(key).and_then(|after| after.strip_prefix('}'))
        {
            self.target.push_str(literal);
            self.rest = after;
            return value.serialize(Scalar { target: self.target, query: None });
        }
        if key == BODY {
            let body = serde_json::to_vec(value).map_err(EncodeError::custom)?;
            self.body = Some(body);
            return Ok(());
        }
        self.end_path()?;
        let query = Query { key, subkey: None, separator: &mut self.separator };
        value.serialize(Scalar { target: self.target, query: Some(query) })
    }

    fn end(mut self) -> Result<Self::Ok, EncodeError> {
        self.end_path()?;
        Ok(self.body)
    }
}

impl RequestFields<'_> {
    fn end_path(&mut self) -> Result<(), EncodeError> {
        if self.rest.contains('{') {
            return Err(EncodeError(format!("no field for {} at its position", self.rest)));
        }
        self.target.push_str(std::mem::take(&mut self.rest));
        Ok(())
    }
}

/// Writes a value of a path or a query: percent-encoded, omitted if it is `None`, repeated if it is a list, and
/// `name[field]` for each field of a struct.
struct Scalar<'a> {
    target: &'a mut String,
    /// `None` in a path.
    query: Option<Query<'a>>,
}

/// A query parameter.
struct Query<'a> {
    key: &'static str,
    /// The field of the parameter, if it is a struct.
    subkey: Option<&'static str>,
    /// The separator before the parameter.
    separator: &'a mut char,
}

impl Query<'_> {
    fn reborrow(&mut self) -> Query<'_> {
        Query { key: self.key, subkey: self.subkey, separator: self.separator }
    }
}

impl Scalar<'_> {
    fn write(&mut self, text: &str) {
        if let Some(Query { key, subkey, separator }) = &mut self.query {
            self.target.push(**separator);
            **separator = '&';
            self.target.extend(utf8_percent_encode(key, ESCAPED));
            if let Some(subkey) = subkey {
                self.target.extend(["%5B", *subkey, "%5D"]);
            }
            self.target.push('=');
        }
        self.target.extend(utf8_percent_encode(text, ESCAPED));
    }
}

impl SerializeSeq for Scalar<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        value.serialize(Scalar { target: self.target, query: self.query.as_mut().map(Query::reborrow) })
    }

    fn end(self) -> Result<(), EncodeError> {
        Ok(())
    }
}

impl SerializeStruct for Scalar<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        subkey: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let query = self.query.as_mut().map(|query| Query { subkey: Some(subkey), ..query.reborrow() });
        value.serialize(Scalar { target: self.target, query })
    }

    fn end(self) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// Refuses types that a request cannot have at this position.
macro_rules! refuse {
    ($what:literal: $($method:ident($($argument:ty),*) -> $result:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$result, EncodeError> {
            Err(EncodeError(concat!($what, " ", stringify!($method)).to_owned()))
        }
    )*};
}

macro_rules! refuse_compounds {
    ($what:literal) => {
        refuse! { $what:
            serialize_bytes(&[u8]) -> Self::Ok;
            serialize_unit() -> Self::Ok;
            serialize_unit_struct(&'static str) -> Self::Ok;
            serialize_tuple(usize) -> Self::SerializeTuple;
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
            serialize_map(Option<usize>) -> Self::SerializeMap;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, EncodeError> {
            Err(EncodeError(concat!($what, " serialize_newtype_variant").to_owned()))
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            value: &T,
        ) -> Result<Self::Ok, EncodeError> {
            value.serialize(self)
        }

        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, EncodeError> {
            value.serialize(self)
        }
    };
}

impl<'a> Serializer for RequestSerializer<'a> {
    type Ok = Option<Vec<u8>>;
    type Error = EncodeError;
    type SerializeSeq = Impossible<Self::Ok, EncodeError>;
    type SerializeTuple = Impossible<Self::Ok, EncodeError>;
    type SerializeTupleStruct = Impossible<Self::Ok, EncodeError>;
    type SerializeTupleVariant = Impossible<Self::Ok, EncodeError>;
    type SerializeMap = Impossible<Self::Ok, EncodeError>;
    type SerializeStruct = RequestFields<'a>;
    type SerializeStructVariant = Impossible<Self::Ok, EncodeError>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<RequestFields<'a>, EncodeError> {
        Ok(RequestFields { rest: self.rest, target: self.target, separator: '?', body: None })
    }

    refuse_compounds!("a request is a struct, not");
    refuse! { "a request is a struct, not":
        serialize_bool(bool) -> Self::Ok;
        serialize_i8(i8) -> Self::Ok;
        serialize_i16(i16) -> Self::Ok;
        serialize_i32(i32) -> Self::Ok;
        serialize_i64(i64) -> Self::Ok;
        serialize_u8(u8) -> Self::Ok;
        serialize_u16(u16) -> Self::Ok;
        serialize_u32(u32) -> Self::Ok;
        serialize_u64(u64) -> Self::Ok;
        serialize_f32(f32) -> Self::Ok;
        serialize_f64(f64) -> Self::Ok;
        serialize_char(char) -> Self::Ok;
        serialize_str(&str) -> Self::Ok;
        serialize_none() -> Self::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> Self::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
    }
}

macro_rules! write_displayed {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(mut self, value: $type) -> Result<(), EncodeError> {
            self.write(&value.to_string());
            Ok(())
        }
    )*};
}

impl Serializer for Scalar<'_> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Self;
    type SerializeTuple = Impossible<(), EncodeError>;
    type SerializeTupleStruct = Impossible<(), EncodeError>;
    type SerializeTupleVariant = Impossible<(), EncodeError>;
    type SerializeMap = Impossible<(), EncodeError>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), EncodeError>;

    fn serialize_str(mut self, value: &str) -> Result<(), EncodeError> {
        self.write(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        // A query cannot express null, so the parameter is omitted. A path needs every segment.
        if self.query.is_some() { Ok(()) } else { Err(EncodeError("a path segment is missing".to_owned())) }
    }

    fn serialize_unit_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.write(variant);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, EncodeError> {
        match &self.query {
            None => Err(EncodeError("a path segment is a list".to_owned())),
            Some(Query { subkey: Some(_), .. }) => {
                Err(EncodeError("a field of a parameter is a list".to_owned()))
            }
            Some(_) => Ok(self),
        }
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, EncodeError> {
        match &self.query {
            None => Err(EncodeError("a path segment is a struct".to_owned())),
            Some(Query { subkey: Some(_), .. }) => {
                Err(EncodeError("a field of a parameter is a struct".to_owned()))
            }
            Some(_) => Ok(self),
        }
    }

    write_displayed! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
    }

    refuse_compounds!("a parameter is one value, a list or a struct, not");
}
