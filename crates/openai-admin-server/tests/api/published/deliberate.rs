//! The deliberate differences between the published facts and the served ones: `published/differences.txt`.
//!
//! A row is `id | place | what`, below the reason, a line that starts with `# `. In each part, `*` stands for anything.

use super::compare::Difference;

/// Differences with one reason.
#[derive(Debug)]
pub(crate) struct Deliberate {
    id: String,
    place: String,
    what: String,
    reason: String,
}

impl Deliberate {
    pub(crate) fn explains(&self, id: &str, difference: &Difference) -> bool {
        matches(&self.id, id)
            && matches(&self.place, &difference.place)
            && matches(&self.what, &difference.what)
    }
}

/// Reads the rows.
pub(crate) fn parse(text: &str) -> Result<Vec<Deliberate>, String> {
    let mut reason = "";
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(text) = line.strip_prefix("# ") {
            reason = text;
            continue;
        }
        if reason.is_empty() {
            return Err(format!("a row without a reason: {line}"));
        }
        let parts: Vec<&str> = line.split(" | ").collect();
        let [id, place, what] = parts[..] else { return Err(format!("not `id | place | what`: {line}")) };
        let [id, place, what, reason] = [id, place, what, reason].map(str::to_owned);
        rows.push(Deliberate { id, place, what, reason });
    }
    Ok(rows)
}

/// Whether a pattern with `*` matches a whole text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[test]
fn a_star_stands_for_anything() {
    assert!(matches("*", "") && matches("a*c", "abc") && matches("*.id", "answer.data[].id"));
    assert!(!matches("a*c", "abd") && !matches("id", "ids") && !matches("*.id", "answer.ids"));
}

#[test]
fn every_row_has_three_parts_and_a_reason() {
    assert_eq!(parse("# why\n\na | b | c\n").unwrap()[0].reason, "why");
    assert!(parse("a | b | c").is_err() && parse("# why\na | b").is_err());
}
