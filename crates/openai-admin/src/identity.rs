//! Rules for comparing names and addresses. Client, synchronization, store and server share them, so that each of them
//! finds values that another one has written.
//!
//! Texts that look the same are equal: `é` as one character or as `e` with an accent (both are normalized to
//! [NFC](https://www.unicode.org/reports/tr15/)), with or without invisible characters. Addresses are also compared
//! without case. Nothing else is ignored: a dot or a `+` is part of an address, even if some providers ignore it.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The maximum length of an address, in bytes: 64 before the `@` and 255 after it.
pub const EMAIL_BYTES_MAX: usize = 320;

/// Characters with a special meaning in email. They are not allowed in an address without quotes.
const EMAIL_SPECIALS: [char; 10] = ['(', ')', '<', '>', '[', ']', ':', ';', ',', '\\'];
/// Quotation marks that people and word processors put around an address.
const QUOTES: [char; 9] = ['"', '“', '”', '„', '‟', '«', '»', '‘', '`'];

/// The key for comparing addresses: addresses with the same key belong to the same person.
///
/// ```
/// use openai_admin::identity::email_key;
/// assert_eq!(email_key(" Ada@Example.COM "), "ada@example.com");
/// assert_ne!(email_key("ada+x@example.com"), email_key("ada@example.com"));
/// ```
pub fn email_key(address: &str) -> String {
    let address = address.trim();
    if address.is_ascii() {
        return address.to_ascii_lowercase();
    }
    let visible: String = address.chars().filter(|c| !is_invisible(*c)).collect();
    in_lower_case(visible.trim())
}

/// Whether a text can be an email address: text on both sides of a single `@`, without special or invisible characters.
///
/// ```
/// use openai_admin::identity::is_email;
/// assert_eq!(is_email("ada+x@example.com"), Ok(()));
/// assert_eq!(is_email("ada @example.com"), Err("it contains a space"));
/// ```
///
/// # Errors
///
/// The problem, as a clause about "it". It quotes nothing of the text.
pub fn is_email(text: &str) -> Result<(), &'static str> {
    if is_blank(text) {
        return Err("it is empty");
    }
    if text.len() > EMAIL_BYTES_MAX {
        return Err("it is longer than 320 bytes");
    }
    for c in text.chars() {
        match c {
            ' ' | '\u{a0}' => return Err("it contains a space"),
            _ if c.is_whitespace() || c.is_control() => {
                return Err("it contains a line break or a control character");
            }
            _ if is_invisible(c) => return Err("it contains an invisible character"),
            _ if QUOTES.contains(&c) => return Err("it contains a quotation mark"),
            _ if EMAIL_SPECIALS.contains(&c) => return Err("it contains more than an address"),
            _ => {}
        }
    }
    let (name, host) = text.split_once('@').ok_or("it has no @")?;
    if name.is_empty() || host.is_empty() || host.contains('@') {
        return Err("it is not NAME@HOST");
    }
    if name.starts_with('\'') {
        return Err("it starts with an apostrophe");
    }
    Ok(())
}

/// The key for comparing names: case matters, and any white space between words counts as one space.
///
/// ```
/// use openai_admin::identity::name_key;
/// assert_eq!(name_key(" Support\u{a0} Team\u{200b}"), "Support Team");
/// assert_eq!(name_key("Cafe\u{301}"), name_key("Caf\u{e9}"));
/// assert_ne!(name_key("support team"), name_key("Support Team"));
/// ```
pub fn name_key(name: &str) -> String {
    clean(name).into_owned()
}

/// Like [`name_key`], but without case: compares headings and values of tables, and finds names that are likely typos
/// of each other.
pub fn name_key_in_any_case(name: &str) -> String {
    in_lower_case(&clean(name))
}

/// Whether a text or one of its words starts with `key`, a [`name_key_in_any_case`]. A word ends at anything but a letter
/// or a digit.
///
/// ```
/// use openai_admin::identity::{has_word_with_start, name_key_in_any_case};
/// let key = name_key_in_any_case("WHIT");
/// assert!(has_word_with_start("Dana Whitfield", &key));
/// assert!(has_word_with_start("dana.whitfield@example.com", &key));
/// assert!(!has_word_with_start("Ada Swhit", &key));
/// ```
pub fn has_word_with_start(text: &str, key: &str) -> bool {
    let text = clean(text);
    if text.is_ascii() {
        return has_ascii_word_with_start(text.as_bytes(), key.as_bytes());
    }
    let text = in_lower_case(&text);
    let starts_word = |index: usize| text[..index].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(key).any(|(index, _)| starts_word(index))
}

/// The same for ASCII, without an allocation: a search compares many thousand texts.
fn has_ascii_word_with_start(text: &[u8], key: &[u8]) -> bool {
    let starts_word = |index: usize| index == 0 || !text[index - 1].is_ascii_alphanumeric();
    let matches = |index: usize| text[index..index + key.len()].eq_ignore_ascii_case(key);
    key.len() <= text.len() && (0..=text.len() - key.len()).any(|index| starts_word(index) && matches(index))
}

/// A normalized text in NFC: without white space at its ends, repeated spaces and invisible characters, except for
/// those that shape adjacent letters. Most texts are unchanged.
pub fn clean(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c != ' ' && (c.is_ascii_graphic() || !(c.is_whitespace() || is_hidden(c)));
    let is_clean = text.split(' ').all(|word| !word.is_empty() && word.chars().all(plain));
    if is_clean && (text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes) {
        return Cow::Borrowed(text);
    }
    let visible: String = text.chars().filter(|c| !is_hidden(*c)).nfc().collect();
    Cow::Owned(visible.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether nothing of a text is visible: it is empty, or has only white space, control characters and invisible
/// characters.
///
/// ```
/// use openai_admin::identity::is_blank;
/// assert!(is_blank("") && is_blank(" \t") && is_blank("\u{200b}"));
/// assert!(!is_blank("Support"));
/// ```
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c) || c == '\u{2800}')
}

/// Whether a character has no glyph: Unicode's "default ignorable" characters, such as the zero-width space, the
/// byte-order mark and changes of direction.
pub fn is_invisible(c: char) -> bool {
    if c < '\u{ad}' {
        return false;
    }
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is invisible and does not affect adjacent characters. Joiners, fillers and variation selectors
/// do: letters of Persian and Korean and emoji such as 👩‍💻 depend on them.
pub fn is_hidden(c: char) -> bool {
    let shapes_others = matches!(c,
        '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200c}'..='\u{200d}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0020}'..='\u{e007f}'
        | '\u{e0100}'..='\u{e01ef}');
    is_invisible(c) && !shapes_others
}

/// In lower case and NFC. The two small sigmas are equal: the position in a word decides which of them a capital one
/// becomes.
fn in_lower_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed: String = text.nfc().collect();
    composed.to_lowercase().chars().map(|c| if c == 'ς' { 'σ' } else { c }).nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_otherwise_exactly() {
        assert_eq!(email_key(" Ada@Example.COM\u{a0}"), "ada@example.com");
        assert_ne!(email_key("a.da@example.com"), email_key("ada@example.com"));
        assert_ne!(email_key("ada+x@example.com"), email_key("ada@example.com"));
        assert_ne!(email_key("strasse@example.com"), email_key("straße@example.com"));
        assert_eq!(email_key("STRAẞE@example.com"), email_key("straße@example.com"));
    }

    #[test]
    fn a_final_sigma_equals_a_sigma() {
        let spellings = ["ΑΣ@x.y", "ας@x.y", "ασ@x.y", "ΑΣ@X.Y"].map(email_key);
        assert!(spellings.iter().all(|key| key == "ασ@x.y"), "{spellings:?}");
        assert_eq!(name_key_in_any_case("ΟΔΟΣ"), name_key_in_any_case("οδος"));
    }

    #[test]
    fn composed_and_decomposed_characters_are_equal() {
        assert_eq!(email_key("jose\u{301}@example.com"), email_key("JOS\u{c9}@example.com"));
        assert_eq!(name_key("Cafe\u{301} E\u{301}quipe"), name_key("Caf\u{e9} \u{c9}quipe"));
    }

    #[test]
    fn invisible_characters_are_ignored() {
        for text in [
            "\u{feff}ada@example.com",
            "ada@\u{200b}example.com",
            "ada@example.com\u{202e}",
            "a\u{200d}da@example.com",
        ] {
            assert_eq!(email_key(text), "ada@example.com", "{text:?}");
            assert_eq!(is_email(text), Err("it contains an invisible character"), "{text:?}");
        }
        for name in [
            "Support\u{a0}Team",
            "\u{3000}Support \t Team\n",
            "Sup\u{ad}port Team\u{200b}",
            "\u{2067}Support Team\u{2069}",
        ] {
            assert_eq!(name_key(name), "Support Team", "{name:?}");
        }
        // Joiners matter: without them it is another emoji, or another word.
        for name in ["👩\u{200d}💻 Engineering", "می\u{200c}خواهم", "❤\u{fe0f}"] {
            assert_eq!(clean(name), Cow::Borrowed(name));
        }
    }

    #[test]
    fn an_invalid_address_has_a_reason() {
        for good in ["ada@example.com", "ada+x@localhost", "o'connor@例え.jp", "a.b_c-d/e=f@x", "{x}@y.z"] {
            assert_eq!(is_email(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "it is empty"),
            ("\u{200b}", "it is empty"),
            ("ada", "it has no @"),
            ("@example.com", "it is not NAME@HOST"),
            ("ada@", "it is not NAME@HOST"),
            ("a@b@c", "it is not NAME@HOST"),
            ("ada @example.com", "it contains a space"),
            ("a\nb@x.y", "it contains a line break or a control character"),
            ("\u{1b}[31m@x.y", "it contains a line break or a control character"),
            ("Ada <ada@example.com>", "it contains a space"),
            ("<ada@example.com>", "it contains more than an address"),
            ("mailto:ada@example.com", "it contains more than an address"),
            ("a@b.c;d@e.f", "it contains more than an address"),
            ("“ada@example.com”", "it contains a quotation mark"),
            ("'ada@example.com", "it starts with an apostrophe"),
        ] {
            assert_eq!(is_email(bad), Err(why), "{bad}");
        }
        assert!(is_email(&format!("{}@x", "a".repeat(EMAIL_BYTES_MAX - 2))).is_ok());
        assert!(is_email(&format!("{}@x", "a".repeat(EMAIL_BYTES_MAX - 1))).is_err());
    }

    #[test]
    fn a_text_without_visible_characters_is_blank() {
        for blank in
            ["", " ", "\u{a0}\u{3000}", "\u{200b}", "\u{feff}", "\u{2060}\t", "\u{0}", "\u{3164}", "\u{2800}"]
        {
            assert!(is_blank(blank), "{blank:?}");
        }
        assert!(!is_blank("\u{200b}x") && !is_blank("🚨"));
    }

    proptest! {
        #[test]
        fn a_word_is_found_in_ascii_as_in_other_text(text in "[abAB .@-]{0,8}", key in "[ab .@-]{0,3}") {
            let key = name_key_in_any_case(&key);
            // A word after the end, so that the text is not ASCII.
            prop_assert_eq!(has_word_with_start(&text, &key), has_word_with_start(&format!("{text} é"), &key));
        }

        #[test]
        fn a_key_is_stable(text in any::<String>()) {
            let key = email_key(&text);
            prop_assert_eq!(email_key(&key), key);
            let key = name_key(&text);
            prop_assert_eq!(name_key(&key), key);
            let key = name_key_in_any_case(&text);
            prop_assert_eq!(name_key_in_any_case(&key), key);
        }

        #[test]
        fn equivalent_texts_have_the_same_key(text in any::<String>()) {
            let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
            prop_assert_eq!(email_key(&composed), email_key(&decomposed));
            prop_assert_eq!(name_key(&composed), name_key(&decomposed));
        }

        #[test]
        fn an_address_in_another_case_is_the_same(text in "[a-zA-ZäöüÄÖÜéÉàÀσΣжЖ]{1,20}@[a-z]{1,5}") {
            prop_assert_eq!(email_key(&text.to_uppercase()), email_key(&text.to_lowercase()));
        }
    }
}
