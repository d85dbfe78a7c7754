//! The deliberate differences between the published facts and the served ones: `published/differences.txt`.
//!
//! A row is `ids | place | what`, below its reason, a line that starts with `# `. `ids` are the operations that have exactly
//! this difference, separated by spaces.

use std::collections::BTreeMap;

use super::compare::Difference;

/// The differences that have a reason, each an operation, a place and a fact. The value is the reason.
pub(crate) type Deliberate = BTreeMap<(String, String, String), String>;

/// The key of a difference.
pub(crate) fn key(id: &str, difference: Difference) -> (String, String, String) {
    (id.to_owned(), difference.place, difference.what)
}

/// Reads the rows.
pub(crate) fn parse(text: &str) -> Result<Deliberate, String> {
    let mut reason = "";
    let mut rows = Deliberate::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(text) = line.strip_prefix("# ") {
            reason = text;
            continue;
        }
        if reason.is_empty() {
            return Err(format!("a row without a reason: {line}"));
        }
        let parts: Vec<&str> = line.split(" | ").collect();
        let [ids, place, what] = parts[..] else { return Err(format!("not `ids | place | what`: {line}")) };
        for id in ids.split(' ') {
            let key = (id.to_owned(), place.to_owned(), what.to_owned());
            if rows.insert(key, reason.to_owned()).is_some() {
                return Err(format!("twice: {id} | {place} | {what}"));
            }
        }
    }
    Ok(rows)
}

#[test]
fn a_row_names_its_operations_and_has_a_reason() {
    let rows = parse("# why\n\na b | c | d\n").unwrap();
    let key = |id: &str| (id.to_owned(), "c".to_owned(), "d".to_owned());
    assert_eq!((rows.len(), &*rows[&key("a")], &*rows[&key("b")]), (2, "why", "why"));
    assert!(parse("a | b | c").is_err() && parse("# why\na | b").is_err());
    assert!(parse("# why\na | b | c\na | b | c").is_err());
}
