//! The similarity of words, and suggestions for misspelt ones.

/// The minimum similarity of a suggestion.
const LIKENESS_MIN: f64 = 0.5;

/// The similarity of two texts, from 0 to 1: the part of the longer one that stays the same when insertions, deletions,
/// replacements and swaps of adjacent characters turn one text into the other.
///
/// ```
/// use openai_admin::likeness::likeness;
/// assert_eq!(likeness("groups", "groups"), 1.0);
/// assert_eq!(likeness("gruop", "group"), 0.8);
/// ```
pub fn likeness(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b)
}

/// The most similar known word, or `None` if no word is similar enough. Ignores case and the separators between the
/// parts of a word. Returns the first of equals.
///
/// ```
/// use openai_admin::likeness::most_like;
/// let known = ["add-group-user", "list-group-users"];
/// assert_eq!(most_like("addGroupUsr", known), Some("add-group-user"));
/// assert_eq!(most_like("zebra", known), None);
/// ```
pub fn most_like<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.replace(['-', '_', ' '], "").to_lowercase();
    let unknown = plain(unknown);
    most_like_by(known, LIKENESS_MIN, |known| likeness(&unknown, &plain(known)))
}

/// The known word with the highest `likeness` of at least `likeness_min`. Returns the first of equals.
pub fn most_like_by<'a>(
    known: impl IntoIterator<Item = &'a str>,
    likeness_min: f64,
    likeness: impl Fn(&str) -> f64,
) -> Option<&'a str> {
    let measured = known.into_iter().map(|known| (likeness(known), known));
    let alike = measured.filter(|(likeness, _)| *likeness >= likeness_min);
    alike.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, known)| known)
}
