//! The command of an operation: nouns from its path, and a verb from its method and the form of the path.

use openai_admin::Method;

use super::operation::{Dispatch, Operation};

/// Exceptions to the rules.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("assign-group-role", "groups roles assign"),
    ("unassign-group-role", "groups roles unassign"),
    ("assign-user-role", "users roles assign"),
    ("unassign-user-role", "users roles unassign"),
    ("assign-project-group-role", "projects groups roles assign"),
    ("unassign-project-group-role", "projects groups roles unassign"),
    ("assign-project-user-role", "projects users roles assign"),
    ("unassign-project-user-role", "projects users roles unassign"),
    ("create-project-user", "projects users add"),
    ("delete-project-user", "projects users remove"),
    ("add-project-group", "projects groups add"),
    ("remove-project-group", "projects groups remove"),
    ("uploadCertificate", "certificates upload"),
];
/// Last words of a path that are verbs.
const VERBS: &[&str] = &["accept", "activate", "archive", "deactivate", "look-up", "search", "validate"];
/// Below this path a command is the path without a verb, because usage is only read.
const USAGE: &str = "/organization/usage/";

/// The words of a command: nouns, and then the verb. `all` contains the operations with the same path.
pub(crate) fn words(operation: &Operation, all: &[&Operation]) -> Vec<String> {
    if let Some((_, words)) = EXCEPTIONS.iter().find(|(id, _)| *id == operation.id) {
        return words.split(' ').map(str::to_owned).collect();
    }
    let mut words: Vec<String> = literals(operation.path).map(|noun| noun.replace('_', "-")).collect();
    let is_action = words.last().is_some_and(|last| VERBS.contains(&&**last));
    if !is_action && !below_usage(operation.path).starts_with(USAGE) {
        words.push(verb(operation, all).to_owned());
    }
    words
}

/// The help of a noun, such as `Manage project service accounts`.
pub(super) fn description(nouns: &[String], is_read_only: bool) -> String {
    let mut nouns: Vec<String> =
        nouns.iter().map(|noun| noun.replace("api-", "API ").replace('-', " ")).collect();
    let last = nouns.pop().unwrap_or_default();
    let last = match last.as_str() {
        "usage" => return "Report and record usage".to_owned(),
        "counts" => return "Count groups, users, projects and admin keys".to_owned(),
        "names" => return "Look up names by their IDs".to_owned(),
        "spend limit" => "spend limits".to_owned(),
        "data retention" => "data retention settings".to_owned(),
        _ => last,
    };
    let owners = nouns.iter().map(|noun| singular(noun) + " ").collect::<String>();
    let verb = if is_read_only { "Show" } else { "Manage" };
    format!("{verb} {owners}{last}")
}

/// The description of an operation as help: `Lists groups.` becomes `List groups`.
pub(super) fn imperative(description: &str) -> String {
    let (verb, rest) = description.split_at(description.find(' ').unwrap_or(description.len()));
    let verb = match verb {
        _ if verb.ends_with("ies") => verb.replace("ies", "y"),
        _ if ["ches", "shes", "sses"].iter().any(|end| verb.ends_with(end)) => {
            verb[..verb.len() - 2].to_owned()
        }
        _ if verb.ends_with('s') => verb[..verb.len() - 1].to_owned(),
        _ => verb.to_owned(),
    };
    verb + &rest.replace(" (assumed)", "")
}

/// An operation and the words of its command.
pub(super) type NamedOperation = (Vec<String>, &'static Operation);

/// The words of each operation.
pub(super) fn with_words(operations: &[&'static Operation]) -> Vec<NamedOperation> {
    operations.iter().map(|operation| (words(operation, operations), *operation)).collect()
}

/// The first noun of a path. A constant function, because every command line is compared with all operations.
pub(super) const fn noun(path: &'static str) -> &'static str {
    let (first, rest) = first_segment(below_usage(path));
    match first.as_bytes() {
        b"organization" | b"x" => first_segment(rest).0,
        _ => first,
    }
}

const fn first_segment(path: &str) -> (&str, &str) {
    let mut end = 1;
    while end < path.len() && path.as_bytes()[end] != b'/' {
        end += 1;
    }
    let (segment, rest) = path.split_at(end);
    (segment.split_at(1).1, rest)
}

/// Whether a word is the first of the operation's command.
pub(super) fn is_noun(operation: &Operation, word: &str) -> bool {
    let noun = operation.noun;
    noun.len() == word.len() && noun.bytes().zip(word.bytes()).all(|(own, other)| other == kebab(own))
}

fn kebab(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte }
}

fn verb(operation: &Operation, all: &[&Operation]) -> &'static str {
    let names_one = operation.path.ends_with('}');
    match operation.method {
        Method::Delete => "delete",
        Method::Post if names_one || is_setting(operation.path, all) => "update",
        Method::Post => "create",
        _ if matches!(operation.dispatch, Dispatch::InPages(_)) => "list",
        _ => "get",
    }
}

/// Whether a path has a single value instead of a list.
fn is_setting(path: &str, all: &[&Operation]) -> bool {
    all.iter().any(|other| {
        other.path == path && other.method == Method::Get && matches!(other.dispatch, Dispatch::Once(_))
    })
}

/// The words of a path, without those that all paths share.
fn literals<'a>(path: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
    segments(path).filter(|segment| !segment.starts_with('{'))
}

fn segments<'a>(path: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
    below_usage(path).split('/').filter(|segment| !["", "organization", "x"].contains(segment))
}

/// Moves costs below the path of usage.
const fn below_usage(path: &str) -> &str {
    match path.as_bytes() {
        b"/organization/costs" => "/organization/usage/costs",
        _ => path,
    }
}

/// The aliases of a verb.
pub(crate) fn aliases(verb: &str) -> &'static [&'static str] {
    match verb {
        "list" => &["ls"],
        "get" => &["show"],
        "create" => &["add"],
        "delete" => &["remove", "rm"],
        "remove" => &["delete", "rm"],
        _ => &[],
    }
}

/// The action of a command, such as "delete role 'role_1' of project 'proj_1'".
pub(crate) fn phrase<'a>(operation: &Operation, verb: &str, ids: impl Iterator<Item = &'a str>) -> String {
    let mut ids = ids;
    let mut things: Vec<String> = Vec::new();
    for segment in segments(operation.path).filter(|segment| !VERBS.contains(segment)) {
        match (segment.starts_with('{'), things.last_mut()) {
            (true, Some(thing)) => {
                *thing = format!("{} '{}'", singular(thing), ids.next().unwrap_or_default());
            }
            _ => things.push(segment.replace('_', " ").replace("api ", "API ")),
        }
    }
    if let (true, Some(last)) = (["create", "assign", "add", "upload"].contains(&verb), things.last_mut()) {
        *last = singular(last);
    }
    things.reverse();
    let verb = match operation.method {
        Method::Get if !["list", "search"].contains(&verb) => "get",
        _ => verb,
    };
    format!("{verb} {}", things.join(" of "))
}

/// The past tense of a verb.
pub(crate) fn past(verb: &str) -> String {
    format!("{}ed", verb.trim_end_matches('e'))
}

/// The singular of a noun.
pub(crate) fn singular(noun: &str) -> String {
    match (noun.strip_suffix("ies"), noun.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(one)) => one.to_owned(),
        (None, None) => noun.to_owned(),
    }
}

/// Whether a command removes something permanently.
pub(super) fn is_destructive(operation: &Operation, verb: &str) -> bool {
    operation.method == Method::Delete || verb == "archive"
}
