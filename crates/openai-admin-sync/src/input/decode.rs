//! Decodes tables that are not UTF-8: spreadsheets on Windows write UTF-16 and Windows-1252.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::input::text;

/// The text of a table, and a note about its encoding if it is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded<'a> {
    /// The text in UTF-8, without a byte-order mark.
    pub(crate) text: Cow<'a, str>,
    pub(crate) note: Option<String>,
}

/// Decodes UTF-8, UTF-16 (with or without a byte-order mark), and everything else as Windows-1252.
///
/// # Errors
///
/// The kind of a file that is not text: "is a PDF".
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, &'static str> {
    let utf_16 = match bytes {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [0, ..] if text::is_wide(bytes) => Some(UTF_16BE),
        _ if text::is_wide(bytes) => Some(UTF_16LE),
        _ => None,
    };
    if let Some(encoding) = utf_16 {
        let (text, _) = encoding.decode_with_bom_removal(bytes);
        if text.contains('\0') {
            return Err("is binary: it contains a zero byte");
        }
        return Ok(Decoded { text, note: Some("decoded from UTF-16".to_owned()) });
    }
    let bytes = text::without_byte_order_mark(bytes);
    if let Some(what) = text::other_format(bytes) {
        return Err(what);
    }
    match str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded { text: Cow::Borrowed(text), note: None }),
        Err(error) => {
            let line = text::line_ends(&bytes[..error.valid_up_to()]) + 1;
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
            let note = format!(
                "not UTF-8 from line {line} on; decoded from Windows-1252 (check names with accents, or save it as \
                 \"CSV UTF-8\")"
            );
            Ok(Decoded { text, note: Some(note) })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn encodings_of_spreadsheets_are_decoded() {
        for (bytes, text, note) in [
            (b"Zo\xc3\xab".to_vec(), "Zoë", None),
            (b"\xef\xbb\xbfZo\xc3\xab".to_vec(), "Zoë", None),
            (b"a\nZo\xeb \x80".to_vec(), "a\nZoë €", Some("not UTF-8 from line 2 on")),
            (wide("\u{feff}email,Zoë", u16::to_le_bytes), "email,Zoë", Some("UTF-16")),
            (wide("\u{feff}email,Zoë", u16::to_be_bytes), "email,Zoë", Some("UTF-16")),
            (wide("email,Zoë", u16::to_le_bytes), "email,Zoë", Some("UTF-16")),
            (wide("email,Zoë", u16::to_be_bytes), "email,Zoë", Some("UTF-16")),
        ] {
            let decoded = decode(&bytes).expect(text);
            assert_eq!(decoded.text, text);
            assert_eq!(decoded.note.is_some(), note.is_some());
            assert!(note.is_none_or(|note| decoded.note.is_some_and(|all| all.contains(note))));
        }
        assert_eq!(decode(b"%PDF-1.7"), Err("is a PDF"));
        assert_eq!(decode(b"A=1\0B=2\0"), Err("is binary: it contains a zero byte"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(decoded) = decode(&bytes) {
                prop_assert!(!decoded.text.contains('\0'));
            }
        }

        #[test]
        fn utf_8_is_unchanged(text in "[^\0\u{feff}%P\u{1f}S]{0,40}") {
            prop_assume!(!text::is_wide(text.as_bytes()));
            let decoded = decode(text.as_bytes()).expect("text");
            prop_assert_eq!(decoded, Decoded { text: Cow::Borrowed(text.as_str()), note: None });
        }
    }
}
