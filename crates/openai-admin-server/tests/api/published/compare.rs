//! The differences between the published facts of an operation and the served ones.

use std::collections::BTreeMap;

use super::facts::{Fact, Operation};

/// One difference: its place, and the published and the served fact.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) place: String,
    pub(crate) what: String,
}

/// All differences of an operation. A request must be the same. An answer may promise more than is published: fewer
/// types or values, narrower bounds, fields that are always present, and fewer alternatives.
pub(crate) fn differences(published: &Operation, served: &Operation) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |place: &str, what: String| found.push(Difference { place: place.to_owned(), what });
    let route = |it: &Operation| format!("{} {}", it.method, it.path);
    if route(published) != route(served) {
        note("route", format!("{} -> {}", route(published), route(served)));
    }
    for (place, fact) in &published.facts {
        let is_answer = place.starts_with("answer");
        match served.facts.get(place) {
            Some(other) if is_answer => compare_answers(place, fact, other, &mut note),
            Some(other) => compare_requests(place, fact, other, &mut note),
            None if is_answer => match alternative(place, &served.facts) {
                Alternative::NotServed => {}
                Alternative::Only(other) => compare_answers(place, fact, other, &mut note),
                // The whole object is absent, which its own fact reports.
                Alternative::Absent if !has_parent(place, &served.facts) => {}
                // An answer may always omit it.
                Alternative::Absent if fact.is_required != Some(true) => {}
                Alternative::Absent => note(place, format!("{fact} -> absent")),
            },
            None => note(place, format!("{fact} -> absent")),
        }
    }
    for (place, fact) in &served.facts {
        let is_published = published.facts.contains_key(place)
            || place.starts_with("answer") && published.facts.keys().any(|it| without_tags(it) == *place);
        if !is_published {
            note(place, format!("absent -> {fact}"));
        }
    }
    found
}

fn compare_requests(place: &str, published: &Fact, served: &Fact, note: &mut impl FnMut(&str, String)) {
    if published.is_required != served.is_required {
        note(place, format!("{} -> {}", presence(published), presence(served)));
    }
    if published.types != served.types {
        note(place, format!("{} -> {}", joined(&published.types), joined(&served.types)));
    }
    if published.values != served.values {
        let more: Vec<&String> = served.values.difference(&published.values).collect();
        let fewer: Vec<&String> = published.values.difference(&served.values).collect();
        note(place, format!("values: without {fewer:?}, with {more:?}"));
    }
    compare_bounds(place, published, served, note);
}

fn compare_bounds(place: &str, published: &Fact, served: &Fact, note: &mut impl FnMut(&str, String)) {
    let absent = String::from("none");
    let mut names: Vec<&String> = published.bounds.keys().chain(served.bounds.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let bound = |fact: &Fact| fact.bounds.get(name).unwrap_or(&absent).clone();
        let (before, after) = (bound(published), bound(served));
        if before != after {
            note(place, format!("{name} {before} -> {after}"));
        }
    }
}

fn compare_answers(place: &str, published: &Fact, served: &Fact, note: &mut impl FnMut(&str, String)) {
    if published.is_required == Some(true) && served.is_required == Some(false) {
        note(place, "required -> optional".to_owned());
    }
    // No type stands for any type.
    let is_narrower = !served.types.is_empty() && served.types.is_subset(&published.types);
    if !published.types.is_empty() && !is_narrower {
        note(place, format!("{} -> {}", joined(&published.types), joined(&served.types)));
    }
    if published.is_closed() && !served.values.is_subset(&published.values) {
        let more: Vec<&String> = served.values.difference(&published.values).collect();
        note(place, format!("values: with {more:?}"));
    }
    compare_answer_bounds(place, published, served, note);
}

/// A published bound of an answer must hold for the served one. A default must be the same if the field may be absent.
fn compare_answer_bounds(place: &str, published: &Fact, served: &Fact, note: &mut impl FnMut(&str, String)) {
    for (name, before) in &published.bounds {
        let after = served.bounds.get(name);
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        let is_kept = match after {
            Some(after) if name == "default" => before == after,
            None if name == "default" => served.is_required == Some(true),
            Some(after) if name.to_lowercase().contains("max") => number(after) <= number(before),
            Some(after) => number(after) >= number(before),
            None => false,
        };
        if !is_kept {
            note(place, format!("{name} {before} -> {}", after.map_or("none", String::as_str)));
        }
    }
}

fn presence(fact: &Fact) -> &'static str {
    match fact.is_required {
        Some(true) => "required",
        _ => "optional",
    }
}

fn joined(names: &std::collections::BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "any".to_owned(),
        false => names.iter().map(String::as_str).collect::<Vec<_>>().join("|"),
    }
}

enum Alternative<'a> {
    /// The server never answers with this alternative.
    NotServed,
    /// The server always answers with this alternative.
    Only(&'a Fact),
    Absent,
}

/// The served fact of an alternative, such as `answer.results[]<organization.costs.result>.amount`.
fn alternative<'a>(place: &str, served: &'a BTreeMap<String, Fact>) -> Alternative<'a> {
    let Some((object, rest)) = place.split_once('<') else { return Alternative::Absent };
    let (tag, field) = rest.split_once('>').unwrap();
    if served.keys().any(|it| it.starts_with(&format!("{object}<{tag}>"))) {
        return Alternative::Absent;
    }
    if served.keys().any(|it| it.starts_with(&format!("{object}<"))) {
        return Alternative::NotServed;
    }
    let tags = ["object", "type"].iter().find_map(|name| served.get(&format!("{object}.{name}")));
    match tags {
        Some(tags) if tags.values.len() == 1 && tags.values.contains(tag) => {
            served.get(&format!("{object}{field}")).map_or(Alternative::Absent, Alternative::Only)
        }
        Some(tags) if !tags.values.contains(tag) => Alternative::NotServed,
        _ => served.get(&format!("{object}{field}")).map_or(Alternative::Absent, Alternative::Only),
    }
}

fn has_parent(place: &str, served: &BTreeMap<String, Fact>) -> bool {
    let end = place.rfind(['.', '[', '{']).unwrap_or(place.len());
    let parent = &place[..end];
    let parent = parent.trim_end_matches('>');
    let object = parent.split('<').next().unwrap();
    served.contains_key(&place[..end]) || parent.len() > object.len() && served.contains_key(object)
}

/// The place without the tags of alternatives.
fn without_tags(place: &str) -> String {
    let mut text = String::new();
    for part in place.split('<') {
        text += part.split_once('>').map_or(part, |(_, rest)| rest);
    }
    text
}
