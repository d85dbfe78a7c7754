//! What somebody who mistyped a word may have meant.

/// How alike a known word must be to be suggested for an unknown one.
const LIKENESS_MIN: f64 = 0.5;
/// How alike two words must be for one to be suspected where the other is no mistake by itself.
const SUSPICION_MIN: f64 = 0.8;

/// The known word that is most like an unknown one, if any is like it at all.
pub fn most_like<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    like(unknown, known, LIKENESS_MIN)
}

/// The known word that a new one is so like that it may be a slip, in whichever letter case.
pub fn much_like<'a>(new: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let new = new.to_lowercase();
    let lower: Vec<(String, &str)> = known.map(|known| (known.to_lowercase(), known)).collect();
    let found = like(&new, lower.iter().map(|(lower, _)| lower.as_str()), SUSPICION_MIN)?;
    lower.iter().find(|(lower, _)| lower == found).map(|(_, known)| *known)
}

fn like<'a>(word: &str, known: impl Iterator<Item = &'a str>, min: f64) -> Option<&'a str> {
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(word, known);
    let best = known.map(|known| (likeness(known), known)).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= min).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
