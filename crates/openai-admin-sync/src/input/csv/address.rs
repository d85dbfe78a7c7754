//! Takes the email address out of a cell: people and programs write more than the address into it.

use std::borrow::Cow;

use openai_admin::identity::{clean, is_email, is_invisible};

/// The quotation marks around an address, as pairs.
const QUOTES: [(char, char); 8] =
    [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('„', '“'), ('‘', '’'), ('«', '»'), ('”', '”')];
/// The scheme of a link to an address.
const LINK: &str = "mailto:";

/// The address of a cell, and whether something was removed to get it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether invisible characters were removed.
    pub(super) had_invisible: bool,
    /// Whether a name, a link or quotation marks around it were removed.
    pub(super) was_wrapped: bool,
}

/// Reads the address of a cell: `ada@example.com`, `Ada <ada@example.com>`, `mailto:ada@example.com`.
///
/// # Errors
///
/// The problem, as a clause about "it".
pub(super) fn address(cell: &str) -> Result<Address<'_>, String> {
    let had_invisible = cell.contains(is_invisible);
    let visible = match had_invisible {
        true => Cow::Owned(cell.chars().filter(|c| !is_invisible(*c)).collect::<String>()),
        false => Cow::Borrowed(cell),
    };
    let text = match visible {
        Cow::Borrowed(text) => clean(text),
        Cow::Owned(text) => Cow::Owned(clean(&text).into_owned()),
    };
    let inner = unwrap(&text);
    let was_wrapped = inner.len() != text.len();
    if let Err(problem) = is_email(inner) {
        return Err(match addresses_in(&text) {
            0 | 1 => problem.to_owned(),
            several => format!("it contains {several} addresses; write a row for each"),
        });
    }
    let text = if was_wrapped { Cow::Owned(inner.to_owned()) } else { text };
    Ok(Address { text, had_invisible, was_wrapped })
}

/// Removes quotation marks, a name before `<address>`, `mailto:` and a separator at the end, as often as there is one.
fn unwrap(text: &str) -> &str {
    let mut text = text;
    loop {
        let inner = unwrap_once(text).trim();
        if inner.len() == text.len() {
            return text;
        }
        text = inner;
    }
}

fn unwrap_once(text: &str) -> &str {
    let text = text.trim_end_matches([';', ',']);
    for (open, close) in QUOTES {
        if let Some(inner) = text.strip_prefix(open).and_then(|text| text.strip_suffix(close)) {
            return inner;
        }
    }
    if let Some((_, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<'))
        && !inner.contains('<')
    {
        return inner;
    }
    match text.get(..LINK.len()) {
        Some(link) if link.eq_ignore_ascii_case(LINK) => &text[LINK.len()..],
        // Spreadsheets write an apostrophe before a text that must not become a number or a formula.
        _ => text.strip_prefix('\'').unwrap_or(text),
    }
}

/// The number of addresses in a text.
fn addresses_in(text: &str) -> usize {
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '|' | '<' | '>');
    text.split(is_separator).filter(|part| is_email(part).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_address_is_taken_out_of_its_wrapping() {
        for cell in [
            "ada@example.com",
            " ada@example.com\u{a0}",
            "Ada Lovelace <ada@example.com>",
            "\"Lovelace, Ada\" <ada@example.com>;",
            "<ada@example.com>",
            "mailto:ada@example.com",
            "<MAILTO:ada@example.com>",
            "“ada@example.com”",
            "'ada@example.com'",
            "'ada@example.com",
            "ada@example.com,",
            "\u{feff}ada@exam\u{ad}ple.com\u{200b}",
        ] {
            assert_eq!(address(cell).expect(cell).text, "ada@example.com", "{cell}");
        }
        let plain = address("o'connor@example.com").expect("an address");
        assert_eq!((plain.had_invisible, plain.was_wrapped), (false, false));
        assert!(address("a\u{200d}da@example.com").expect("an address").had_invisible);
        assert!(address("<ada@example.com>").expect("an address").was_wrapped);
    }

    #[test]
    fn a_cell_without_exactly_one_address_has_a_reason() {
        for (cell, problem) in [
            ("a@b.c; d@e.f", "it contains 2 addresses; write a row for each"),
            ("Ada <a@b.c>, Bob <d@e.f>", "it contains 2 addresses; write a row for each"),
            ("a@b.c/d@e.f/g@h.i", "it contains 3 addresses; write a row for each"),
            ("Ada Lovelace", "it contains a space"),
            ("ada", "it has no @"),
            ("", "it is empty"),
            ("''", "it is empty"),
        ] {
            assert_eq!(address(cell).expect_err(cell), problem, "{cell}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_valid_whatever_the_cell(cell in "[ -~“”<>\u{200b}\u{ad}é]{0,40}") {
            if let Ok(address) = address(&cell) {
                prop_assert!(is_email(&address.text).is_ok());
            }
        }

        #[test]
        fn wrapping_an_address_changes_nothing(name in "[a-z]{1,8}", before in "[A-Za-z ]{0,8}") {
            let plain = format!("{name}@b.c");
            let cell = format!("{before} <mailto:{plain}>");
            prop_assert_eq!(address(&cell).map(|address| address.text.into_owned()), Ok(plain));
        }
    }
}
