//! The file that people write: which groups there should be, and who should be in them.
//!
//! Pure: text in, value or faults out. What the file means is `desired.rs`.

use std::collections::BTreeMap;

use openai_admin::{GroupId, OrganizationId};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::input::{
    fault::{Fault, Place},
    yaml,
};
pub use crate::input::{
    located::Located,
    max_remove::MaxRemove,
    member::{Member, Who, who},
};

/// The version of the format that this program reads.
pub const FILE_VERSION: u32 = 1;

/// How large a file may be, in bytes: all of it is in memory while it is read, and ten times as much for what it says.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A file of desired memberships.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembershipFile {
    /// The version of this format: 1.
    pub version: Located<u32>,
    /// The only organization that this file may be applied to; any when absent.
    #[serde(default)]
    pub organization: Option<OrganizationId>,
    /// What holds for groups that do not say otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// How many memberships may go in all groups together; 100, and 20 percent of 100 and more, when absent.
    #[serde(default)]
    pub max_remove: Option<MaxRemove>,
    /// Whom and what no plan touches.
    #[serde(default)]
    pub protect: Protect,
    /// What is left alone without being a fault.
    #[serde(default)]
    pub ignore: Ignore,
    /// Lists of people that groups include by name.
    #[serde(default)]
    pub sets: BTreeMap<String, Vec<Located<Member>>>,
    /// The groups. A group that is not here is not touched.
    pub groups: Vec<Located<Group>>,
}

/// What holds for groups that do not say otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    /// What a list of members means.
    pub mode: Mode,
    /// How many members may go from a group in one run.
    pub max_remove: Option<MaxRemove>,
}

/// What a list of members means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Exactly these are in the group.
    #[default]
    Exact,
    /// These are in the group; others may be too.
    AddOnly,
    /// Others are not in the group; these are not added.
    RemoveOnly,
}

/// Whom and what no plan touches. `*` stands for any characters and `?` for one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Protect {
    /// Users, by email address or id, who are never removed from a group.
    pub users: Vec<String>,
    /// Groups, by name or id, that are never changed.
    pub groups: Vec<String>,
}

/// What is left alone without being a fault.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ignore {
    /// Groups that an identity provider manages: left alone when true. When false, one whose members differ is blocked.
    pub scim_managed: bool,
}

/// A group, and who should be in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name; it gets this name when `id` or `previously` finds it under another.
    #[schemars(length(min = 1, max = 255))]
    pub name: Located<String>,
    /// Its id, which survives a renaming.
    #[serde(default)]
    pub id: Option<GroupId>,
    /// Names that it had: a renaming, not a removal and a creation.
    #[serde(default)]
    pub previously: Vec<String>,
    /// What the list of members means, if not what `defaults` says.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// Sets whose people are members.
    #[serde(default)]
    pub include: Vec<Located<String>>,
    /// People who are members. Absent together with `include` and `members_from`: who is in the group is not managed.
    #[serde(default)]
    pub members: Option<Vec<Located<Member>>>,
    /// Tables whose people are members.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(schema_with = "one_or_many_schema")]
    pub members_from: Vec<Located<MembersFrom>>,
    /// The group may end up with nobody.
    #[serde(default)]
    pub allow_empty: bool,
    /// How many members may go in one run, if not what `defaults` says.
    #[serde(default)]
    pub max_remove: Option<MaxRemove>,
}

/// People from a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersFrom {
    /// The CSV file, by its path from the folder of this file, and below that folder.
    pub csv: String,
    /// The column with the email addresses; `email` when absent.
    #[serde(default = "email_column")]
    pub column: String,
    /// Only rows that have these values in these columns.
    #[serde(default, rename = "where")]
    pub filter: BTreeMap<String, String>,
}

fn email_column() -> String {
    "email".to_owned()
}

/// A list, or a single item without its brackets.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Located<MembersFrom>>, D::Error> {
    struct OneOrMany;
    impl<'de> de::Visitor<'de> for OneOrMany {
        type Value = Vec<Located<MembersFrom>>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("{ csv: FILE, column: NAME }, or a list of such")
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(de::value::SeqAccessDeserializer::new(sequence))
        }
        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let value = MembersFrom::deserialize(de::value::MapAccessDeserializer::new(map))?;
            // The group's own place stands for it.
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

/// Reads a file from YAML or JSON. `name` is the file's, for messages.
///
/// # Errors
///
/// The fault with its line and column, and a suggestion where a field is misspelt.
pub fn parse(text: &str, name: &str) -> Result<MembershipFile, Fault> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("has {} bytes, and a file of groups has at most {FILE_BYTES_MAX}", text.len());
        return Err(Fault::of_file(name, message).hint(
            "divide the groups among several files, or keep the people of a large group in a table that \
             `members_from` names",
        ));
    }
    let text = text.trim_start_matches('\u{feff}');
    if let Some(line) = text.lines().position(is_conflict_marker) {
        let place = Place::line(name, line as u64 + 1);
        return Err(Fault::at(place, "a merge conflict is not resolved")
            .hint("keep one of the two versions, and delete the lines with <<<<<<<, ======= and >>>>>>>"));
    }
    if text.lines().all(|line| matches!(line.trim_start().chars().next(), None | Some('#'))) {
        return Err(Fault::of_file(name, "is empty").hint(
            "an empty file is no wish for empty groups; examples/acme/groups.yaml shows what one looks like",
        ));
    }
    let file: MembershipFile = match yaml::read(text, name) {
        Ok(file) => file,
        // JSON may hold what YAML's flow style does not know: tabs, and characters written as two escapes.
        Err(fault) => match plain_json(text) {
            Some(json) => yaml::read(&json, name).map_err(|_| fault)?,
            None => return Err(fault),
        },
    };
    if file.version.value != FILE_VERSION {
        let message = format!("version {} of the format is unknown", file.version.value);
        let hint = format!("this program reads `version: {FILE_VERSION}`");
        return Err(Fault::at(file.version.place(name), message).hint(hint));
    }
    Ok(file)
}

/// Whether a line is one that git leaves in a file with a conflict.
fn is_conflict_marker(line: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker))
}

/// The same JSON in the plainest way to write it.
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
    fn the_documented_file_is_read_with_its_lines() {
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
    fn json_is_read_also_with_tabs_and_pairs_of_escapes() {
        let json = "{\n\t\"version\": 1,\n\t\"groups\": [{\"name\": \"\\ud83d\\ude00\", \"members\": [\"a@b.c\"]}]\n}";
        assert_eq!(parse(json, "x").expect("JSON").groups[0].value.name.value, "😀");
    }

    #[test]
    fn a_fault_names_its_place_and_what_was_meant() {
        let table = [
            ("", "x is empty"),
            ("version: 2\ngroups: []\n", "x:1:10: version 2 of the format is unknown"),
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
                "`until: soon` is no day",
            ),
            ("version: 1\ngroups:\n  - name: A\n    members: [{ reason: x }]\n", "either `email` or `id`"),
        ];
        for (text, expected) in table {
            let fault = parse(text, "x").expect_err(text).to_string();
            assert!(fault.contains(expected), "{fault:?} should hold {expected:?}");
        }
        let fault = parse("version: 1\ngroups:\n  - name: A\n    membres: []\n", "x").expect_err("misspelt");
        assert_eq!(fault.hint.as_deref(), Some("did you mean `members`?"));
    }

    #[test]
    fn a_file_that_says_nothing_yet_is_named_so() {
        for text in ["", "\u{feff}\n", "# nothing yet\n\n  # and here\n"] {
            assert_eq!(parse(text, "x").expect_err(text).to_string(), "x is empty");
        }
    }

    #[test]
    fn a_file_as_large_as_it_may_be_is_read_and_one_byte_more_is_refused() {
        let beginning = "version: 1\ngroups: [{ name: A }]\n#";
        let text = beginning.to_owned() + &"-".repeat(FILE_BYTES_MAX - beginning.len());
        parse(&text, "x").expect("as large as it may be");
        let fault = parse(&(text + "-"), "x").expect_err("one byte more");
        assert_eq!(fault.to_string(), "x has 67108865 bytes, and a file of groups has at most 67108864");
        assert!(fault.hint.is_some_and(|hint| hint.contains("members_from")));
    }

    #[test]
    fn a_conflict_that_git_left_is_named_with_its_line() {
        let text = "version: 1\ngroups:\n<<<<<<< HEAD\n  - name: A\n=======\n  - name: B\n>>>>>>> branch\n";
        assert_eq!(
            parse(text, "x").expect_err("a conflict").to_string(),
            "x:3: a merge conflict is not resolved"
        );
    }
}
