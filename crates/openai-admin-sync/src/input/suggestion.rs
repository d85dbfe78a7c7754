//! Suggestions for misspelled words.

use openai_admin::{
    identity::name_key_in_any_case,
    likeness::{likeness, most_like_by},
};

/// The least similarity of a suggested column heading. A wrong suggestion is worse than none.
const HEADING_LIKENESS_MIN: f64 = 0.6;
/// The least similarity of a word that may be a typo of another one, although it is valid by itself.
const TYPO_LIKENESS_MIN: f64 = 0.8;

/// The known word that `new` may be a typo of, ignoring case.
pub fn much_like<'a>(new: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let new = name_key_in_any_case(new);
    most_like_by(known, TYPO_LIKENESS_MIN, |known| likeness(&new, &name_key_in_any_case(known)))
}

/// The heading of a table that is most similar to an unknown one: `E-Mail` and `Email Address` are similar to `email`.
pub fn heading_like<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(unknown);
    most_like_by(known, HEADING_LIKENESS_MIN, |heading| {
        let holds_word = heading.split(|c: char| !c.is_alphanumeric()).any(|word| letters(word) == wanted);
        let alike = likeness(&wanted, &letters(heading));
        if holds_word { alike.max(TYPO_LIKENESS_MIN) } else { alike }
    })
}

/// The letters and digits of a heading, in lower case.
fn letters(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_heading_is_suggested_and_another_word_is_not() {
        for (wanted, heading, is_like) in [
            ("email", "E-Mail", true),
            ("email", "Email Address", true),
            ("email", "mail", true),
            ("active", "actif", true),
            ("group", "Groups", true),
            ("group", "the group", true),
            ("group", "objectType", false),
            ("group", "upn", false),
            ("email", "name", false),
        ] {
            let found = heading_like(wanted, std::iter::once(heading));
            assert_eq!(found.is_some(), is_like, "{wanted} {heading}");
        }
    }

    #[test]
    fn a_typo_is_suspected_and_another_name_is_not() {
        let known = ["ML Research", "Data Platform", "Support"];
        for (new, expected) in [
            ("ML Reserch", Some("ML Research")),
            ("ml research", Some("ML Research")),
            ("DataPlatform", Some("Data Platform")),
            ("Supprot", Some("Support")),
            ("Contractors", None),
            ("Platform", None),
        ] {
            assert_eq!(much_like(new, known.into_iter()), expected, "{new}");
        }
    }
}
