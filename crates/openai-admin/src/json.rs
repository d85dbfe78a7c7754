//! Reads the JSON that services and clients usually write, in a third of the instructions of serde_json.
//!
//! The quick reader gives up on everything else: floats, escapes in keys, deep nesting, a document that does not fit the
//! model. The caller then reads the document with serde_json, whose value or error counts. So the quick reader needs no
//! error messages and no positions, and it checks UTF-8 once for the whole document.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::eight_bytes::{HIGHEST_BITS, lowest_below, lowest_equal};

/// The quick reader gives up on lists and objects that are nested more deeply.
const DEPTH_MAX: usize = 32;

/// Returns what [`serde_json::from_slice`] would return, or `None` if the quick reader gives up.
#[cfg(any(feature = "client", test))]
pub(crate) fn quick<T: serde::de::DeserializeOwned>(document: &[u8]) -> Option<T> {
    quick_with(std::marker::PhantomData, document)
}

/// Like `quick`, for a value that a seed reads. An array in place of a struct, which derived deserializers accept from
/// serde_json, is also left to the caller.
pub(crate) fn quick_with<'de, S: DeserializeSeed<'de>>(seed: S, document: &'de [u8]) -> Option<S::Value> {
    let document = std::str::from_utf8(document).ok()?;
    let mut reader = Reader { document, at: 0, depth: 0 };
    let value = seed.deserialize(&mut reader).ok()?;
    reader.peek().is_none().then_some(value)
}

/// The document is unusual or does not fit the model. serde_json finds out which.
#[derive(Debug)]
struct GiveUp;

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not plain")
    }
}

impl std::error::Error for GiveUp {}

impl serde::de::Error for GiveUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Reader<'de> {
    document: &'de str,
    /// The place of the next byte to read.
    at: usize,
    depth: usize,
}

impl<'de> Reader<'de> {
    /// The next byte that is not white space, which stays the next.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        match self.document.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.peek_over_space(),
        }
    }

    #[inline(never)]
    fn peek_over_space(&mut self) -> Option<u8> {
        loop {
            match self.document.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Passes over one byte, which must be this one.
    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), GiveUp> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(GiveUp)
    }

    fn literal(&mut self, literal: &str) -> Result<(), GiveUp> {
        if self.document.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            self.at += literal.len();
            return Ok(());
        }
        Err(GiveUp)
    }

    /// A string without escapes, whose opening quote is the next byte.
    fn plain_string(&mut self) -> Result<&'de str, GiveUp> {
        let begin = self.at + 1;
        let end = end_of_plain(self.document.as_bytes(), begin);
        match self.document.as_bytes().get(end) {
            Some(b'"') => {
                self.at = end + 1;
                self.document.get(begin..end).ok_or(GiveUp)
            }
            _ => Err(GiveUp),
        }
    }

    /// A string whose opening quote is the next byte.
    #[inline(always)]
    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        match self.plain_string() {
            Ok(string) => visitor.visit_borrowed_str(string),
            Err(GiveUp) => visitor.visit_string(self.escaped_string()?),
        }
    }

    #[inline(never)]
    fn escaped_string(&mut self) -> Result<String, GiveUp> {
        let bytes = self.document.as_bytes();
        let mut end = self.at + 1;
        loop {
            end = end_of_plain(bytes, end);
            match bytes.get(end) {
                Some(b'\\') => end += 2,
                Some(b'"') => break,
                _ => return Err(GiveUp),
            }
        }
        let string = self.document.get(self.at..=end).ok_or(GiveUp)?;
        self.at = end + 1;
        serde_json::from_str(string).map_err(|_| GiveUp)
    }

    /// A whole number of at most 18 digits, so that it fits.
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        let is_negative = self.peek() == Some(b'-');
        self.at += usize::from(is_negative);
        let begin = self.at;
        let mut number = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.document.as_bytes().get(self.at) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = &self.document.as_bytes()[begin..self.at];
        let is_plain = matches!((digits.len(), digits.first()), (1, _) | (2..=18, Some(b'1'..=b'9')));
        let goes_on = matches!(self.document.as_bytes().get(self.at), Some(b'.' | b'e' | b'E'));
        // Minus zero is a float.
        if !is_plain || goes_on || (is_negative && number == 0) {
            return Err(GiveUp);
        }
        if is_negative { visitor.visit_i64(-number.cast_signed()) } else { visitor.visit_u64(number) }
    }

    #[inline(always)]
    fn nested<T>(
        &mut self,
        open: u8,
        read: impl FnOnce(&mut Self) -> Result<T, GiveUp>,
    ) -> Result<T, GiveUp> {
        self.expect(open)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(GiveUp);
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        self.nested(b'{', |reader| {
            let value = visitor.visit_map(Members { reader, is_first: true })?;
            reader.expect(b'}').map(|()| value)
        })
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        self.nested(b'[', |reader| {
            let value = visitor.visit_seq(Members { reader, is_first: true })?;
            reader.expect(b']').map(|()| value)
        })
    }
}

/// The place of the first byte from `at` that ends or breaks a plain string: a quote, a backslash, a control
/// character, or the end of the document.
#[inline(always)]
fn end_of_plain(bytes: &[u8], at: usize) -> usize {
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((eight, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*eight);
        // With this bit flipped, a quote is 0x20, and only control characters are below that.
        let flipped = word ^ u64::from_le_bytes([b'"' ^ 0x20; 8]);
        let ends = lowest_below(flipped, 0x21) | lowest_equal(word, b'\\');
        let ends = ends & !word & HIGHEST_BITS;
        if ends != 0 {
            return bytes.len() - rest.len() + ends.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    bytes.len() - rest.len() + end_of_last(rest)
}

/// The last few bytes of a document, one by one.
#[inline(never)]
fn end_of_last(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len())
}

/// The members of an object, or of a list.
struct Members<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
}

impl Members<'_, '_> {
    /// Whether there is another member, and then passes over the comma before it.
    #[inline(always)]
    fn goes_on(&mut self, close: u8) -> Result<bool, GiveUp> {
        let is_first = std::mem::take(&mut self.is_first);
        match self.reader.peek() {
            Some(byte) if byte == close => Ok(false),
            Some(b',') if !is_first => {
                self.reader.at += 1;
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            _ => Err(GiveUp),
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = GiveUp;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, GiveUp> {
        if !self.goes_on(b'}')? {
            return Ok(None);
        }
        if self.reader.peek() != Some(b'"') {
            return Err(GiveUp);
        }
        let key = self.reader.plain_string()?;
        self.reader.expect(b':')?;
        seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, GiveUp> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = GiveUp;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, GiveUp> {
        if self.goes_on(b']')? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = GiveUp;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        match self.peek() {
            Some(b'"') => self.string(visitor),
            Some(b'{') => self.object(visitor),
            Some(b'[') => self.list(visitor),
            Some(b'-' | b'0'..=b'9') => self.number(visitor),
            Some(b't') => self.literal("true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.literal("false").and_then(|()| visitor.visit_bool(false)),
            Some(b'n') => self.literal("null").and_then(|()| visitor.visit_unit()),
            _ => Err(GiveUp),
        }
    }

    #[inline(always)]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        if self.peek() == Some(b'n') {
            self.literal("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline(always)]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, GiveUp> {
        visitor.visit_newtype_struct(self)
    }

    #[inline(always)]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        match self.peek() {
            Some(b'"') => self.string(visitor),
            _ => Err(GiveUp),
        }
    }

    #[inline(always)]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        self.deserialize_str(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GiveUp> {
        self.object(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        self.object(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        self.list(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        match self.peek() {
            // Most unknown members. Nothing reads the text, but it must be one that serde_json accepts.
            Some(b'"') => match self.plain_string() {
                Ok(_) => visitor.visit_unit(),
                Err(GiveUp) => self.escaped_string().and_then(|_| visitor.visit_unit()),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    // No model contains these types, and serde_json treats them differently.
    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, GiveUp> {
        Err(GiveUp)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, GiveUp> {
        Err(GiveUp)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, GiveUp> {
        Err(GiveUp)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char unit unit_struct tuple tuple_struct identifier
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::models::{User, UserListResource};

    fn page() -> Value {
        json!({
            "object": "list",
            "data": [
                { "id": "user-aB3dE5gH7jK9mN1pQ3sT5vW7", "name": "Ада Лавлейс", "email": "ada@example.com" },
                { "id": "user_2", "name": "", "email": null, "unknown": [{ "a": -7 }, true, [], {}] },
            ],
            "has_more": true,
            "next": "user_2",
        })
    }

    /// Where the quick reader has an answer, it is serde_json's.
    fn agrees<T: serde::de::DeserializeOwned + PartialEq + fmt::Debug>(
        document: &str,
    ) -> Result<(), TestCaseError> {
        if let Some(value) = quick::<T>(document.as_bytes()) {
            let slow = serde_json::from_str::<T>(document);
            prop_assert!(slow.is_ok_and(|slow| slow == value), "{document:?} was read as {value:?}");
        }
        Ok(())
    }

    #[test]
    fn what_services_write_is_read_quickly() {
        for document in [page().to_string(), serde_json::to_string_pretty(&page()).expect("a document")] {
            let read = quick::<UserListResource>(document.as_bytes()).expect("quickly");
            assert_eq!(read, serde_json::from_str::<UserListResource>(&document).expect("a page"));
            assert_eq!(quick::<Value>(document.as_bytes()).expect("quickly"), page());
        }
        let user = r#"{"object":"organization.user","id":"u","name":"\u00e9\n\"","role":"owner","added_at":1711471533}"#;
        let read = quick::<User>(user.as_bytes()).expect("quickly");
        assert_eq!(read.name.as_deref(), Some("é\n\""));
        assert_eq!(read.added_at.unix_seconds(), 1_711_471_533);
    }

    #[test]
    fn what_is_not_plain_is_left_to_serde_json() {
        for document in
            ["1.5", "-0", "01", "1e3", "[1,]", "[,1]", "{,}", "1 2", "\"\u{1}\"", "nul", "\"", "{\"a\"}", "-"]
        {
            assert!(quick::<Value>(document.as_bytes()).is_none(), "{document}");
        }
        assert!(quick::<Value>("[".repeat(100_000).as_bytes()).is_none());
        assert!(quick::<Value>(b"\"\xff\"").is_none());
    }

    proptest! {
        #[test]
        fn any_document_is_read_as_serde_json_reads_it(
            document in r#"([\[\]{},:"\\ \n0-9.eE-]|null|true|false|"[a-zé\\]{0,9}"|"id":|"data":\[){0,12}"#,
        ) {
            agrees::<Value>(&document)?;
            agrees::<UserListResource>(&document)?;
        }

        #[test]
        fn a_damaged_page_is_read_as_serde_json_reads_it(
            place in 0_usize..400,
            removed in 0_usize..12,
            inserted in r#"[\[\]{},:"\\ \n0-9.a-z\x00-\x1f-]{0,4}"#,
        ) {
            let mut document: Vec<char> = page().to_string().chars().collect();
            let begin = place.min(document.len());
            let end = (begin + removed).min(document.len());
            document.splice(begin..end, inserted.chars());
            let document: String = document.into_iter().collect();
            agrees::<Value>(&document)?;
            agrees::<UserListResource>(&document)?;
        }
    }
}
