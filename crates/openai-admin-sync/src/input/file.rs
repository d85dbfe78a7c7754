//! The group file: the desired groups and their members.
//!
//! Pure: text in, value or error out. `expand.rs` turns the file into a desired state.

use std::collections::BTreeMap;

use openai_admin::{GroupId, OrganizationId};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::input::{
    input_error::{InputError, Position},
    yaml,
};
pub use crate::input::{
    located::Located,
    max_remove::MaxRemove,
    member::{Member, UserRef, user_ref},
};

/// The supported version of the format.
pub const FILE_VERSION: u32 = 1;

/// The largest file, in bytes. The file is in memory while it is read, and its content takes ten times as much.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A file of desired group memberships.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembershipFile {
    /// The version of this format: 1.
    pub version: Located<u32>,
    /// The only organization that this file may be applied to; default: any.
    #[serde(default)]
    pub organization: Option<OrganizationId>,
    /// Defaults for all groups.
    #[serde(default)]
    pub defaults: Defaults,
    /// The limit of removals in all groups together; default: 100, and 20 percent if the groups have at least 100
    /// members.
    #[serde(default)]
    pub max_remove: Option<MaxRemove>,
    /// Users and groups that no plan changes.
    #[serde(default)]
    pub protect: Protect,
    /// Groups to skip instead of blocking them.
    #[serde(default)]
    pub ignore: Ignore,
    /// Named lists of users that groups can include.
    #[serde(default)]
    pub sets: BTreeMap<String, Vec<Located<Member>>>,
    /// The groups. Groups that are not listed are not changed.
    pub groups: Vec<Located<Group>>,
}

/// Defaults for all groups.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    /// How to apply a list of members.
    pub mode: Mode,
    /// The limit of removals from a group in one run.
    pub max_remove: Option<MaxRemove>,
}

/// How to apply a list of members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Add missing members, and remove all others.
    #[default]
    Exact,
    /// Add missing members, and keep all others.
    AddOnly,
    /// Remove all others, and add no one.
    RemoveOnly,
}

/// Users and groups that no plan changes. `*` matches any characters and `?` matches one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Protect {
    /// Users, by email address or id, who are never removed from a group.
    pub users: Vec<String>,
    /// Groups, by name or id, that are never changed.
    pub groups: Vec<String>,
}

/// Groups to skip instead of blocking them.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ignore {
    /// Whether to skip groups that an identity provider manages. If false, such a group is blocked if its members
    /// differ.
    pub scim_managed: bool,
}

/// A group and its desired members.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The group's name. A group that `id` or `previously` finds under another name is renamed to it.
    #[schemars(length(min = 1, max = 255))]
    pub name: Located<String>,
    /// The group's id, which does not change when the group is renamed.
    #[serde(default)]
    pub id: Option<GroupId>,
    /// Previous names: a group with one of them is renamed, instead of creating a new group.
    #[serde(default)]
    pub previously: Vec<String>,
    /// How to apply the list of members; default: the mode in `defaults`.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// Sets whose users are members.
    #[serde(default)]
    pub include: Vec<Located<String>>,
    /// Users who are members. If `members`, `include` and `members_from` are all absent, the members are not managed.
    #[serde(default)]
    pub members: Option<Vec<Located<Member>>>,
    /// Tables whose users are members.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(schema_with = "one_or_many_schema")]
    pub members_from: Vec<Located<MembersFrom>>,
    /// Whether the group may end up empty.
    #[serde(default)]
    pub allow_empty: bool,
    /// The limit of removals in one run; default: the limit in `defaults`.
    #[serde(default)]
    pub max_remove: Option<MaxRemove>,
}

/// Users from a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersFrom {
    /// The path of the CSV file, relative to the folder of this file and inside it.
    pub csv: String,
    /// The column with the email addresses; default: `email`.
    #[serde(default = "email_column")]
    pub column: String,
    /// Use only rows with these values in these columns.
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, String>,
}

fn email_column() -> String {
    "email".to_owned()
}

/// Reads a list, or a single item without brackets.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Located<MembersFrom>>, D::Error> {
    struct OneOrMany;
    impl<'de> de::Visitor<'de> for OneOrMany {
        type Value = Vec<Located<MembersFrom>>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("{ csv: FILE, column: NAME }, or a list of these")
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(de::value::SeqAccessDeserializer::new(sequence))
        }
        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let value = MembersFrom::deserialize(de::value::MapAccessDeserializer::new(map))?;
            // Errors use the position of the group.
            Ok(vec![Located { value, line: 0, column: 0 }])
        }
    }
    deserializer.deserialize_any(OneOrMany)
}

fn one_or_many_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let one = generator.subschema_for::<MembersFrom>();
    schemars::json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
}

/// The JSON Schema of the file, for editors.
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(MembershipFile)
}

/// Reads a file from YAML or JSON. `name` is the name of the file, for messages.
///
/// # Errors
///
/// The first error with its line and column, and a suggestion for a misspelled field.
pub fn parse(text: &str, name: &str) -> Result<MembershipFile, InputError> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("has {} bytes; the limit for a group file is {FILE_BYTES_MAX}", text.len());
        return Err(InputError::of_file(name, message).hint(
            "split the groups into several files, or move the members of a large group into a table and use \
             `members_from`",
        ));
    }
    let text = text.trim_start_matches('\u{feff}');
    if let Some(line) = text.lines().position(is_conflict_marker) {
        let position = Position::line(name, line as u64 + 1);
        return Err(InputError::at(position, "unresolved merge conflict")
            .hint("keep one of the two versions, and delete the lines with <<<<<<<, ======= and >>>>>>>"));
    }
    if text.lines().all(|line| matches!(line.trim_start().chars().next(), None | Some('#'))) {
        return Err(InputError::of_file(name, "is empty")
            .hint("an empty file does not empty groups; see examples/acme/groups.yaml for an example"));
    }
    let file: MembershipFile = match yaml::read(text, name) {
        Ok(file) => file,
        // JSON allows what YAML does not: tabs, and characters written as two escapes.
        Err(error) => match plain_json(text) {
            Some(json) => yaml::read(&json, name).map_err(|_| error)?,
            None => return Err(error),
        },
    };
    if file.version.value != FILE_VERSION {
        let message = format!("unsupported format version {}", file.version.value);
        let hint = format!("use `version: {FILE_VERSION}`");
        return Err(InputError::at(file.version.position(name), message).hint(hint));
    }
    Ok(file)
}

/// Whether a line is a conflict marker of git.
fn is_conflict_marker(line: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker))
}

/// The same JSON, reformatted without tabs and escape pairs.
fn plain_json(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
version: 1
organization: org-abc123
defaults:
  mode: exact
  max_remove: { percent: 20, count: 25, min_size: 10 }
protect:
  users: [root@example.com]
  groups: [\"break-glass-*\"]
ignore:
  scim_managed: true
sets:
  ml-core: [ada@example.com, grace@example.com]
groups:
  - name: ML Research
    id: group_01J1F8ABCDXYZ
    previously: [ML]
    include: [ml-core]
    members:
      - Kay@Example.com
      - { email: temp@example.com, until: 2027-01-31, reason: SEC-412 }
  - name: Contractors
    mode: add-only
    members_from: { csv: contractors.csv, column: email, where: { active: \"true\" } }
  - name: Only a name
";

    #[test]
    fn the_documented_file_is_read_with_line_numbers() {
        let file = parse(FILE, "groups.yaml").expect("a good file");
        assert_eq!(file.groups.len(), 3);
        let research = &file.groups[0].value;
        let members = research.members.as_ref().expect("members");
        assert_eq!(members[0].value.who.as_str(), "kay@example.com");
        assert_eq!((members[0].line, members[1].line, members[1].column), (19, 20, 9));
        assert_eq!(members[1].value.until, Some(jiff::civil::date(2027, 1, 31)));
        assert_eq!(file.sets["ml-core"][1].line, 12);
        assert_eq!(file.groups[1].value.members_from[0].value.filter["active"], "true");
        assert!(file.groups[2].value.members.is_none());
    }

    #[test]
    fn json_may_contain_tabs_and_escape_pairs() {
        let json = "{\n\t\"version\": 1,\n\t\"groups\": [{\"name\": \"\\ud83d\\ude00\", \"members\": [\"a@b.c\"]}]\n}";
        assert_eq!(parse(json, "x").expect("JSON").groups[0].value.name.value, "😀");
    }

    #[test]
    fn an_error_names_its_position_and_a_suggestion() {
        let table = [
            ("", "x is empty"),
            ("version: 2\ngroups: []\n", "x:1:10: unsupported format version 2"),
            ("groups: []\n", "x:1:1: missing field `version`"),
            ("version: 1\ngroups:\n  - name: A\n    membres: []\n", "x:4:5: unknown field `membres`"),
            ("version: 1\ngroups:\n  - name: A\n    members: [ada]\n    members: []\n", "x:5:5: duplicate"),
            (
                "version: 1\ngroups:\n  - name: A\n    members: [a b@c.d]\n",
                "x:4:15: invalid email address 'a b@c.d'",
            ),
            (
                "version: 1\ngroups:\n  - name: A\n    members:\n      - { email: a@b.c, untl: 2027-01-01 }\n",
                "unknown field `untl`",
            ),
            (
                "version: 1\ngroups:\n  - name: A\n    members: [{ email: a@b.c, until: soon }]\n",
                "`until: soon` is not a date",
            ),
            ("version: 1\ngroups:\n  - name: A\n    members: [{ reason: x }]\n", "either `email` or `id`"),
        ];
        for (text, expected) in table {
            let error = parse(text, "x").expect_err(text).to_string();
            assert!(error.contains(expected), "{error:?} should contain {expected:?}");
        }
        let error = parse("version: 1\ngroups:\n  - name: A\n    membres: []\n", "x").expect_err("misspelt");
        assert_eq!(error.hint.as_deref(), Some("did you mean `members`?"));
    }

    #[test]
    fn a_file_of_comments_is_empty() {
        for text in ["", "\u{feff}\n", "# nothing yet\n\n  # and here\n"] {
            assert_eq!(parse(text, "x").expect_err(text).to_string(), "x is empty");
        }
    }

    #[test]
    fn one_byte_over_the_limit_is_refused() {
        let beginning = "version: 1\ngroups: [{ name: A }]\n#";
        let text = beginning.to_owned() + &"-".repeat(FILE_BYTES_MAX - beginning.len());
        parse(&text, "x").expect("at the limit");
        let error = parse(&(text + "-"), "x").expect_err("one byte more");
        assert_eq!(error.to_string(), "x has 67108865 bytes; the limit for a group file is 67108864");
        assert!(error.hint.is_some_and(|hint| hint.contains("members_from")));
    }

    #[test]
    fn a_merge_conflict_is_reported_at_its_line() {
        let text = "version: 1\ngroups:\n<<<<<<< HEAD\n  - name: A\n=======\n  - name: B\n>>>>>>> branch\n";
        assert_eq!(parse(text, "x").expect_err("a conflict").to_string(), "x:3: unresolved merge conflict");
    }
}
