//! Reads a file that describes an organization, and says where in it a fault is. Pure: text in, value or fault out.

use openai_admin_store::Directory;
use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::Spanned;

use crate::{failure::Failure, suggestion::most_alike};

/// Reads an organization from YAML or JSON. `name` is the file's, for messages.
pub(crate) fn parse(text: &str, name: &str) -> Result<Directory, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Failure::bad_input(format!("{name} is empty"))
            .hint("examples/acme/organization.yaml shows what such a file looks like"));
    }
    if text.trim_start().starts_with('{') {
        match serde_json::from_str(text) {
            Ok(directory) => return Ok(directory),
            // A brace also begins YAML's flow style, which JSON's parser does not know.
            Err(error) if error.is_syntax() && !looks_like_json(text) => {}
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                return Err(fault(name, line as u64, column as u64, message));
            }
        }
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let message = error.render_with_options(serde_saphyr::render_options! {
            formatter: &serde_saphyr::UserMessageFormatter,
            snippets: serde_saphyr::SnippetMode::Off,
        });
        let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
        fault(name, line, column, message.split(" at line ").next().unwrap_or_default())
    })
}

/// Puts file, line and column in front of what the store found wrong at `place`, such as `groups[3].members[2]`.
pub(crate) fn fault_at(text: &str, name: &str, place: &str, expected: &str) -> Failure {
    let position = locate(text, place);
    let at = position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    Failure::bad_input(format!("{name}{at}: {place}: expected {expected}"))
        .hint("correct the file and load it again; nothing has been loaded")
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start().trim_start_matches('{').trim_start().starts_with('"')
}

/// Large organizations are welcome: what bounds a file is the memory of who loads it. Aliases stay bounded, since
/// a few bytes of them can stand for gigabytes.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
        with_snippet: false,
    }
}

fn fault(name: &str, line: u64, column: u64, message: &str) -> Failure {
    let message = message.trim();
    // What the parser calls events, people call by what they write.
    let said =
        message.replace("sequence start", "a list (- item)").replace("mapping start", "fields (name: value)");
    let failure = Failure::bad_input(format!("{name}:{line}:{column}: {said}"));
    match suggestion(message) {
        Some(known) => failure.hint(format!("did you mean `{known}`?")),
        None => failure.hint("correct the file and load it again; nothing has been loaded"),
    }
}

/// In "unknown field `membres`, expected one of id, members": the known field that is most like the unknown one.
fn suggestion(message: &str) -> Option<&str> {
    let (unknown, expected) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let words = expected.split(|c: char| !c.is_alphanumeric() && c != '_');
    most_alike(unknown, words.filter(|word| !["", "expected", "one", "of", "or"].contains(word)))
}

/// The lists of a file, each item with its place.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    users: Vec<Spanned<IgnoredAny>>,
    #[serde(default)]
    groups: Vec<Spanned<GroupPlaces>>,
}

#[derive(Deserialize)]
struct GroupPlaces {
    #[serde(default)]
    members: Vec<Spanned<IgnoredAny>>,
}

/// Line and column of a place. Reads the file once more, which only a file with a fault costs.
fn locate(text: &str, place: &str) -> Option<(u64, u64)> {
    let places: Places = serde_saphyr::from_str_with_options(text, options()).ok()?;
    let index =
        |list: &str| place.split_once(&format!("{list}["))?.1.split(']').next()?.parse::<usize>().ok();
    let location = match (index("users"), index("groups"), index("members")) {
        (Some(user), _, _) => places.users.get(user)?.referenced,
        (_, Some(group), Some(member)) => places.groups.get(group)?.value.members.get(member)?.referenced,
        (_, Some(group), None) => places.groups.get(group)?.referenced,
        _ => return None,
    };
    Some((location.line(), location.column()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Hint;

    const FILE: &str = "\
users:
  - { id: user_ada, email: ada@example.com }
groups:
  - name: One
    members: [user_ada]
  - name: Two
    members:
      - user_ada
      - user_bob
";

    #[test]
    fn yaml_and_json_are_told_apart_by_what_they_say() {
        assert_eq!(parse(FILE, "x").expect("YAML").groups.len(), 2);
        let json = r#"{"users": [{"id": "user_1", "name": "\ud83d\ude00"}]}"#;
        assert_eq!(parse(json, "x").expect("JSON").users[0].name.as_deref(), Some("😀"));
        assert_eq!(parse("{users: [{id: user_1}]}", "x").expect("flow style").users.len(), 1);
    }

    #[test]
    fn a_place_is_found_in_the_text() {
        assert_eq!(locate(FILE, "users[0].email"), Some((2, 5)));
        assert_eq!(locate(FILE, "groups[1].members[1]"), Some((9, 9)));
        assert_eq!(locate(FILE, "groups[0].id"), Some((4, 5)));
        assert_eq!(locate(FILE, "organization"), None);
    }

    #[test]
    fn a_misspelt_field_gets_a_suggestion_in_both_notations() {
        for file in ["users:\n- emial: x\n", r#"{"users": [{"emial": "x"}]}"#] {
            assert_eq!(
                parse(file, "x").expect_err("unknown").hints,
                [Hint::Text("did you mean `email`?".to_owned())]
            );
        }
        for file in ["group: []\n", r#"{"group": []}"#] {
            assert_eq!(
                parse(file, "x").expect_err("unknown").hints,
                [Hint::Text("did you mean `groups`?".to_owned())]
            );
        }
    }

    #[test]
    fn a_large_file_is_within_the_budget() {
        let users: String =
            (0..60_000).map(|n| format!("  - {{ id: user_{n}, email: u{n}@example.com }}\n")).collect();
        assert_eq!(parse(&format!("users:\n{users}"), "x").expect("60,000 users").users.len(), 60_000);
    }
}
