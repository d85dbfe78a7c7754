//! Escapes untrusted text for display: names, ids and cells can contain any characters.
//!
//! All such text passes here before it is written to a terminal, a log or a message.

use openai_admin::identity::is_hidden;

/// The most characters of a cell, a heading or a name that a message quotes.
pub const EXCERPT_CHARS_MAX: usize = 40;

/// Escapes characters that move the cursor, reverse the line or are invisible.
pub fn visible(text: &str) -> String {
    if !text.contains(acts) {
        return text.to_owned();
    }
    text.chars().map(|c| if acts(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// The beginning of a text, escaped, for a message.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        None => visible(text),
        Some((end, _)) => visible(&text[..end]) + "…",
    }
}

/// Whether a character must be escaped: a control, line-breaking or invisible character.
pub fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_hidden(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        for (text, shown) in [
            ("Support\x1b[2J", "Support\\u{1b}[2J"),
            ("abc\u{202e}def", "abc\\u{202e}def"),
            ("a\u{9b}2Jb", "a\\u{9b}2Jb"),
            ("one\ntwo\u{2028}three", "one\\ntwo\\u{2028}three"),
            ("Support\u{200b}", "Support\\u{200b}"),
            ("فرح حداد 👩\u{200d}💻 山田", "فرح حداد 👩\u{200d}💻 山田"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn an_excerpt_has_at_most_40_characters() {
        assert_eq!(excerpt("ada"), "ada");
        assert_eq!(excerpt(&"é".repeat(EXCERPT_CHARS_MAX)), "é".repeat(EXCERPT_CHARS_MAX));
        assert_eq!(excerpt(&"\u{0}".repeat(5_000)).len(), "\\u{0}".len() * EXCERPT_CHARS_MAX + "…".len());
    }
}
