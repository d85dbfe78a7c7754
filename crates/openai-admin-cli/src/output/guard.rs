//! Keeps data from being interpreted where it is shown: by a terminal, or by GitHub Actions, which executes lines that
//! look like workflow commands.

use std::{borrow::Cow, fmt::Write as _};

use openai_admin_sync::visible::{acts, visible};

/// The start of an old workflow command, anywhere in a line.
const OLD_COMMAND: &str = "##[";
/// The start of a workflow command, at the start of a line.
const COMMAND: &str = "::";

/// Escapes every control character except line ends.
pub(super) fn visible_lines(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c != '\n' && acts(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(visible).collect::<Vec<_>>().join("\n"))
}

/// Escapes the colons and signs of lines that GitHub would execute.
pub(super) fn without_commands(text: &str) -> Cow<'_, str> {
    if !text.contains(COMMAND) && !text.contains(OLD_COMMAND) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        let rest = line.trim_start();
        harmless += &line[..line.len() - rest.len()];
        let rest = match rest.strip_prefix(COMMAND) {
            Some(rest) => {
                harmless += "\\u{3a}:";
                rest
            }
            None => rest,
        };
        harmless += &rest.replace(OLD_COMMAND, "#\\u{23}[");
    }
    Cow::Owned(harmless)
}

/// The same JSON, with control characters and GitHub's old commands escaped.
pub(super) fn plain_json(json: &str) -> Cow<'_, str> {
    // JSON allows control characters only as white space between values; any other is in a string.
    let acts_in_strings = |c: char| !c.is_ascii_control() && acts(c) || c == '\u{7f}';
    if !json.contains(acts_in_strings) && !json.contains(OLD_COMMAND) {
        return Cow::Borrowed(json);
    }
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if acts_in_strings(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(plain, "\\u{unit:04x}");
            }
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain.replace(OLD_COMMAND, "#\\u0023["))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_control_characters_and_keeps_its_values() {
        let name = "a\u{9b}2J\u{202e}b\u{7f}\u{e0001}##[error]\u{1b} 山田 👩\u{200d}💻";
        let json = serde_json::to_string_pretty(&[name]).expect("JSON");
        let plain = plain_json(&json);
        assert!(!plain.contains(|c| c != '\n' && acts(c)) && !plain.contains("##["), "{plain}");
        assert!(plain.contains("山田 👩\u{200d}💻"));
        assert_eq!(serde_json::from_str::<Vec<String>>(&plain).expect("JSON"), [name]);
    }

    #[test]
    fn no_line_of_data_is_a_workflow_command() {
        for (text, harmless) in [
            ("::error::pwn", "\\u{3a}:error::pwn"),
            ("x\n  ::error::pwn\n", "x\n  \\u{3a}:error::pwn\n"),
            ("x\r::add-mask::y", "x\r\\u{3a}:add-mask::y"),
            ("name ##[error]x", "name #\\u{23}[error]x"),
            ("a::b\n2001:db8::1", "a::b\n2001:db8::1"),
        ] {
            assert_eq!(without_commands(text), harmless);
        }
    }

    #[test]
    fn control_characters_are_escaped_and_lines_are_kept() {
        assert_eq!(visible_lines("a\u{1b}[2J\nb\u{202e}\n"), "a\\u{1b}[2J\nb\\u{202e}\n");
        assert_eq!(visible_lines("plain\n"), "plain\n");
    }
}
