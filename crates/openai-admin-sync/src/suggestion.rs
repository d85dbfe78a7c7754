//! What somebody who mistyped a word may have meant.

/// How alike a known word must be to be suggested for an unknown one.
const LIKENESS_MIN: f64 = 0.5;

/// The known word that is most like an unknown one, if any is like it at all.
pub fn most_like<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |known: &&str| strsim::normalized_damerau_levenshtein(unknown, known);
    let best = known.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(&best) >= LIKENESS_MIN).then_some(best)
}
