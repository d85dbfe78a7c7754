//! What somebody who mistyped a word may have meant.

use openai_admin::{
    identity::name_key_in_any_case,
    likeness::{likeness, most_like_by},
};

/// How alike a heading must be to be suggested for another one: a wrong column is worse than none.
const HEADING_LIKENESS_MIN: f64 = 0.6;
/// How alike two words must be for one to be suspected where the other is no mistake by itself.
const SUSPICION_MIN: f64 = 0.8;

/// The known word that a new one is so like that it may be a slip, in whichever letter case.
pub fn much_like<'a>(new: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let new = name_key_in_any_case(new);
    most_like_by(known, SUSPICION_MIN, |known| likeness(&new, &name_key_in_any_case(known)))
}

/// The heading of a table that is most like an unknown one: `E-Mail` and `Email Address` are like `email`.
pub fn heading_like<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(unknown);
    most_like_by(known, HEADING_LIKENESS_MIN, |heading| {
        let holds_word = heading.split(|c: char| !c.is_alphanumeric()).any(|word| letters(word) == wanted);
        let alike = likeness(&wanted, &letters(heading));
        if holds_word { alike.max(SUSPICION_MIN) } else { alike }
    })
}

/// What of a heading people remember: its letters and digits, in any case.
fn letters(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_suggested_for_what_it_says_and_not_for_a_few_letters() {
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
    fn a_slip_is_suspected_and_another_name_is_not() {
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
