//! Commands that a message or a page shows.

/// A text quoted as one word of a shell command.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./@:+=,%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else if text.contains(['"', '$', '`', '\\', '!']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"{text}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_word_is_quoted_if_needed() {
        assert_eq!(shell_word("acme.db"), "acme.db");
        assert_eq!(shell_word("Support Team"), "\"Support Team\"");
        assert_eq!(shell_word("a$b"), "'a$b'");
        assert_eq!(shell_word("it's `x`"), "'it'\\''s `x`'");
        assert_eq!(shell_word(""), "\"\"");
    }
}
