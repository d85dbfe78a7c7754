//! How alike two words are, and which known word a misspelt one may mean.

/// How alike a known word must be to be suggested for an unknown one.
const LIKENESS_MIN: f64 = 0.5;

/// How alike two texts are, from 0 to 1: how much of the longer one stays when one becomes the other by inserting,
/// deleting and replacing characters and swapping neighbours.
///
/// ```
/// use openai_admin::likeness::likeness;
/// assert_eq!(likeness("groups", "groups"), 1.0);
/// assert_eq!(likeness("gruop", "group"), 0.8);
/// ```
pub fn likeness(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b)
}

/// The known word that is most like an unknown one, if any is like it at all, whatever the letter case and what stands
/// between the parts of a word. The first of equals.
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

/// The known word to which `likeness` gives most, and at least `likeness_min`. The first of equals.
pub fn most_like_by<'a>(
    known: impl IntoIterator<Item = &'a str>,
    likeness_min: f64,
    likeness: impl Fn(&str) -> f64,
) -> Option<&'a str> {
    let measured = known.into_iter().map(|known| (likeness(known), known));
    let alike = measured.filter(|(likeness, _)| *likeness >= likeness_min);
    alike.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, known)| known)
}
