//! Reads a file that describes an organization, and finds the line of an error. Pure: text in, value or error out.

use openai_admin_sync::{
    input_error::{InputError, Position},
    yaml,
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_saphyr::Spanned;

use crate::failure::Failure;

/// Reads an organization from YAML or JSON. `name` is the name of the file, for messages.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Failure::bad_input(format!("{name} is empty"))
            .hint("see examples/acme/organization.yaml for an example"));
    }
    if text.trim_start().starts_with('{') {
        match serde_json::from_str(text) {
            Ok(directory) => return Ok(directory),
            // A brace also starts YAML's flow style, which the JSON parser does not know.
            Err(error) if error.is_syntax() && !looks_like_json(text) => {}
            Err(error) => {
                let (line, column) = (error.line() as u64, error.column() as u64);
                let position = Position { file: name.to_owned(), line, column: Some(column) };
                return Err(with_hint(yaml::parse_error(position, &error.to_string())));
            }
        }
    }
    yaml::read(text, name).map_err(with_hint)
}

/// Adds file, line and column to an error of the store at `path`, such as `groups[3].members[2]`.
pub(crate) fn error_at(text: &str, name: &str, path: &str, expected: &str) -> Failure {
    let position = locate(text, path);
    let at = position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    Failure::bad_input(format!("{name}{at}: {path}: expected {expected}"))
        .hint("nothing was loaded; correct the file and load it again")
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start().trim_start_matches('{').trim_start().starts_with('"')
}

fn with_hint(error: InputError) -> Failure {
    let failure = Failure::bad_input(error.to_string());
    match error.hint {
        Some(hint) => failure.hint(hint),
        None => failure.hint("nothing was loaded; correct the file and load it again"),
    }
}

/// The lists of a file, each item with its position.
#[derive(Deserialize)]
struct Located {
    #[serde(default)]
    users: Vec<Spanned<LocatedEntry>>,
    #[serde(default)]
    groups: Vec<Spanned<LocatedEntry>>,
    #[serde(default)]
    roles: Vec<Spanned<LocatedEntry>>,
}

/// The lists of an entry.
#[derive(Deserialize)]
struct LocatedEntry {
    #[serde(default)]
    members: Vec<Spanned<IgnoredAny>>,
    #[serde(default)]
    roles: Vec<Spanned<IgnoredAny>>,
    #[serde(default)]
    permissions: Vec<Spanned<IgnoredAny>>,
}

/// Line and column of a path, such as `groups[3].members[2]`. Parses the file a second time, only after an error.
fn locate(text: &str, path: &str) -> Option<(u64, u64)> {
    let located: Located = yaml::read(text, "").ok()?;
    let (list, index, rest) = first_item(path)?;
    let entries = match list {
        "users" => &located.users,
        "groups" => &located.groups,
        "roles" => &located.roles,
        _ => return None,
    };
    let entry = entries.get(index)?;
    let inner = first_item(rest).and_then(|(list, index, _)| {
        let items = match list {
            "members" => &entry.value.members,
            "roles" => &entry.value.roles,
            "permissions" => &entry.value.permissions,
            _ => return None,
        };
        items.get(index).map(|item| item.referenced)
    });
    let location = inner.unwrap_or(entry.referenced);
    Some((location.line(), location.column()))
}

/// Splits `groups[3].members[2]` into `groups`, 3 and `members[2]`.
fn first_item(path: &str) -> Option<(&str, usize, &str)> {
    let (list, rest) = path.split_once('[')?;
    let (index, rest) = rest.split_once(']')?;
    Some((list, index.parse().ok()?, rest.trim_start_matches('.')))
}

#[cfg(test)]
mod tests {
    use openai_admin_store::Directory;

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
    roles: [owner, Support]
roles:
  - name: Support
    permissions:
      - everything
";

    #[test]
    fn yaml_and_json_are_detected_by_content() {
        assert_eq!(parse::<Directory>(FILE, "x").expect("YAML").groups.len(), 2);
        let json = r#"{"users": [{"id": "user_1", "name": "\ud83d\ude00"}]}"#;
        assert_eq!(parse::<Directory>(json, "x").expect("JSON").users[0].name.as_deref(), Some("😀"));
        assert_eq!(parse::<Directory>("{users: [{id: user_1}]}", "x").expect("flow style").users.len(), 1);
    }

    #[test]
    fn a_path_has_a_line_and_a_column() {
        assert_eq!(locate(FILE, "users[0].email"), Some((2, 5)));
        assert_eq!(locate(FILE, "groups[1].members[1]"), Some((9, 9)));
        assert_eq!(locate(FILE, "groups[0].id"), Some((4, 5)));
        assert_eq!(locate(FILE, "groups[1].roles[1]"), Some((10, 20)));
        assert_eq!(locate(FILE, "roles[0].name"), Some((12, 5)));
        assert_eq!(locate(FILE, "roles[0].permissions[0]"), Some((14, 9)));
        assert_eq!(locate(FILE, "organization"), None);
    }

    #[test]
    fn a_misspelt_field_gets_a_suggestion_in_both_notations() {
        for file in ["users:\n- emial: x\n", r#"{"users": [{"emial": "x"}]}"#] {
            assert_eq!(
                parse::<Directory>(file, "x").expect_err("unknown").hints,
                [Hint::Text("did you mean `email`?".to_owned())]
            );
        }
        for file in ["group: []\n", r#"{"group": []}"#] {
            assert_eq!(
                parse::<Directory>(file, "x").expect_err("unknown").hints,
                [Hint::Text("did you mean `groups`?".to_owned())]
            );
        }
    }

    #[test]
    fn a_large_file_is_within_the_limits_of_the_parser() {
        let users: String =
            (0..60_000).map(|n| format!("  - {{ id: user_{n}, email: u{n}@example.com }}\n")).collect();
        assert_eq!(
            parse::<Directory>(&format!("users:\n{users}"), "x").expect("60,000 users").users.len(),
            60_000
        );
    }
}
