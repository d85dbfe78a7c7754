//! Combines group files and tables into a desired state.
//!
//! Pure: the function that reads tables and the current day are arguments.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    path::Path,
};

use jiff::civil::Date;
use openai_admin::{GroupId, identity::name_key, likeness::most_like, operations::groups::GroupName};

use crate::{
    input::{
        csv::{self, Mapping},
        file::{self, Group, MembersFrom, MembershipFile},
        input_error::{InputError, InputErrors, Position},
        located::Located,
        max_remove::MaxRemove,
        member::{Member, UserRef},
        policy::Protected,
    },
    plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers, MEMBERSHIPS_MAX},
        source::{Origin, Source},
    },
};

/// Reads a table. The arguments are the group file and the table's path as written in that file.
pub type ReadTable<'a> = dyn FnMut(&str, &str) -> Result<Vec<u8>, String> + 'a;

/// Combines files, each with its name.
///
/// # Errors
///
/// All contradictions, unknown references, unreadable tables, and groups that would be emptied without `allow_empty`.
pub fn expand(
    files: &[(String, MembershipFile)],
    today: Date,
    read_table: &mut ReadTable<'_>,
) -> Result<Desired, InputErrors> {
    expand_within(MEMBERSHIPS_MAX, files, today, read_table)
}

fn expand_within(
    memberships_max: usize,
    files: &[(String, MembershipFile)],
    today: Date,
    read_table: &mut ReadTable<'_>,
) -> Result<Desired, InputErrors> {
    let mut desired = Desired::default();
    let mut errors = InputErrors::default();
    let mut memberships = Memberships { max: memberships_max, count: 0 };
    for (name, file) in files {
        let memberships = &mut memberships;
        let (read_table, errors) = (&mut *read_table, &mut errors);
        Expanding { name, file, today, read_table, errors, memberships }.into_desired(&mut desired);
    }
    check_groups(&desired.groups, &mut errors);
    errors.or(desired)
}

/// Counts the memberships of all files together. A set of 10,000 users in 1,000 groups makes 10 million.
struct Memberships {
    max: usize,
    count: usize,
}

impl Memberships {
    /// Counts one more, and returns whether it is within the limit.
    fn count_one_more(&mut self) -> bool {
        self.count += 1;
        self.is_within_limit()
    }

    fn is_within_limit(&self) -> bool {
        self.count <= self.max
    }
}

struct Expanding<'a, 'r> {
    name: &'a str,
    file: &'a MembershipFile,
    today: Date,
    read_table: &'a mut ReadTable<'r>,
    errors: &'a mut InputErrors,
    memberships: &'a mut Memberships,
}

/// The members of a group while they are collected.
#[derive(Default)]
struct People<'a> {
    members: DesiredMembers,
    /// The position of each user.
    known: HashMap<Cow<'a, UserRef>, MemberPosition>,
}

/// The position of a user in `present` or `expired`.
#[derive(Clone, Copy)]
struct MemberPosition {
    has_expired: bool,
    index: usize,
}

impl People<'_> {
    fn list(&mut self, has_expired: bool) -> &mut Vec<DesiredMember> {
        if has_expired { &mut self.members.expired } else { &mut self.members.present }
    }
}

impl<'a> Expanding<'a, '_> {
    fn into_desired(mut self, desired: &mut Desired) {
        let file = self.file;
        match (&desired.organization, &file.organization) {
            (Some(one), Some(other)) if one != other => self.errors.0.push(InputError::of_file(
                self.name,
                format!("is for organization {other}, but another file is for {one}"),
            )),
            (None, Some(one)) => desired.organization = Some(one.clone()),
            _ => {}
        }
        let file::Protect { users, groups } = &file.protect;
        desired.protect.add(&Protected { users: users.clone(), groups: groups.clone() });
        self.check_limits(file.defaults.max_remove);
        self.check_limits(file.max_remove);
        // The stricter limit of two files applies.
        desired.max_remove = match (desired.max_remove, file.max_remove) {
            (Some(one), Some(other)) => Some(one.stricter(other)),
            (one, other) => one.or(other),
        };
        if file.groups.is_empty() {
            let error = InputError::of_file(self.name, "names no group");
            self.errors.0.push(error.hint("an empty list does not delete groups: list the groups to manage"));
        }
        for (set, members) in &file.sets {
            if members.is_empty() {
                let error = InputError::of_file(self.name, format!("has an empty set '{set}'"));
                self.errors.0.push(error.hint("add members, or remove the set and each `include` of it"));
            }
        }
        // A file comes before its tables in the list of sources.
        let source_index = desired.sources.len();
        let path = self.name.to_owned();
        desired.sources.push(Source::of_path(path.clone(), 0, path, String::new()));
        let mut entries = 0;
        for group in &file.groups {
            let group = self.group(group, desired, &mut entries);
            desired.groups.push(group);
        }
        desired.sources[source_index].entries = entries;
        if !self.memberships.is_within_limit() {
            let Memberships { max, count } = self.memberships;
            let message = format!(
                "brings the plan to {count} memberships (`members`, `include`, `members_from`); the limit is {max}"
            );
            let hint = "split the groups into several files, and plan and apply each separately";
            self.errors.0.push(InputError::of_file(self.name, message).hint(hint));
        }
    }

    fn check_limits(&mut self, limits: Option<MaxRemove>) {
        if let Some(limits) = limits.filter(|limits| limits.percent > 100) {
            let message = format!("has `percent: {}`; the maximum is 100", limits.percent);
            self.errors.0.push(InputError::of_file(self.name, message));
        }
    }

    fn group(
        &mut self,
        group: &'a Located<Group>,
        desired: &mut Desired,
        entries: &mut usize,
    ) -> DesiredGroup {
        let (position, group) = (group.position(self.name), &group.value);
        if let Err(violation) = GroupName::new(&group.name.value) {
            let message = format!("invalid group name: {violation}");
            self.errors.0.push(InputError::at(group.name.position(self.name), message));
        }
        self.check_limits(group.max_remove);
        let faults_before = self.errors.0.len();
        let is_managed =
            group.members.is_some() || !group.include.is_empty() || !group.members_from.is_empty();
        let members = is_managed.then(|| {
            let mut people = People::default();
            people.members.mode = group.mode.unwrap_or(self.file.defaults.mode);
            for include in &group.include {
                *entries += self.include(include, &mut people);
            }
            for member in group.members.iter().flatten() {
                *entries += 1;
                self.add_member(member, None, &mut people);
            }
            for table in &group.members_from {
                let source = self.table(table, &position, &mut people, &mut desired.left_out);
                if let Some(source) = source.filter(|source| !desired.sources.contains(source)) {
                    desired.sources.push(source);
                }
            }
            // A group whose members could not be read already has an error.
            if self.errors.0.len() == faults_before && self.memberships.is_within_limit() {
                self.check_not_empty(group, &position, &people);
            }
            people.members
        });
        let default_max = self.file.defaults.max_remove.unwrap_or(MaxRemove::OF_GROUP);
        DesiredGroup {
            name: group.name.value.clone(),
            id: group.id.clone(),
            previously: group.previously.clone(),
            position: Some(position),
            creates: true,
            keeps_name: false,
            members,
            max_remove: group.max_remove.unwrap_or(default_max),
            allow_empty: group.allow_empty,
            ignores_scim: self.file.ignore.scim_managed,
        }
    }

    /// Refuses a group without members unless it has `allow_empty`: `members: []` may be a mistake or a broken export.
    fn check_not_empty(&mut self, group: &Group, position: &Position, people: &People<'_>) {
        if !people.members.present.is_empty() || group.allow_empty {
            return;
        }
        let (name, expired) = (&group.name.value, people.members.expired.len());
        let message = match expired {
            0 => format!("group '{name}' has no members"),
            1 => format!("group '{name}' has no members left: the `until` of its only member has passed"),
            _ => {
                format!("group '{name}' has no members left: the `until` of all {expired} members has passed")
            }
        };
        self.errors.0.push(InputError::at(position.clone(), message).hint(
            "omit `members` to leave the members unmanaged, or set `allow_empty: true` to allow an empty group",
        ));
    }

    fn include(&mut self, include: &Located<String>, people: &mut People<'a>) -> usize {
        let file = self.file;
        let Some(members) = file.sets.get(&include.value) else {
            let error = InputError::at(
                include.position(self.name),
                format!("there is no set called '{}'", include.value),
            );
            let known = file.sets.keys().map(String::as_str);
            self.errors.0.push(match most_like(&include.value, known) {
                Some(like) => error.hint(format!("did you mean '{like}'?")),
                None => error.hint("define it under `sets:` in the same file"),
            });
            return 0;
        };
        for member in members {
            self.add_member(member, Some(&include.value), people);
        }
        members.len()
    }

    fn table(
        &mut self,
        table: &Located<MembersFrom>,
        group: &Position,
        people: &mut People<'a>,
        left_out: &mut Vec<String>,
    ) -> Option<Source> {
        let position = if table.line == 0 { group.clone() } else { table.position(self.name) };
        let wanted = &table.value;
        let bytes = match (self.read_table)(self.name, &wanted.csv) {
            Ok(bytes) => bytes,
            Err(problem) => {
                let message = format!("cannot read the table {}: {problem}", wanted.csv);
                let hint = "the path of a table is relative to the file that names it";
                self.errors.0.push(InputError::at(position, message).hint(hint));
                return None;
            }
        };
        let mapping = Mapping {
            email: Some(wanted.column.clone()),
            filter: wanted.filter.clone(),
            ..Mapping::of_file()
        };
        let (rows, _) = match csv::parse(&bytes, &wanted.csv, &mapping) {
            Ok(parsed) => parsed,
            Err(errors) => {
                self.errors.0.extend(errors.0);
                return None;
            }
        };
        let entries = rows.rows.len();
        left_out.extend(
            rows.left_out.iter().chain(&rows.notes).map(|message| format!("{}: {message}", wanted.csv)),
        );
        for row in rows.rows {
            let position = Some(Position::line(wanted.csv.as_str(), row.line));
            self.add(Cow::Owned(UserRef::Email(row.email)), Origin { position, ..Origin::default() }, people);
        }
        let name = source_name(wanted);
        let filter = name.strip_prefix(&wanted.csv).unwrap_or_default().to_owned();
        let path = Path::new(self.name).parent().unwrap_or(Path::new("")).join(&wanted.csv);
        Some(Source::of_path(name, entries, path.display().to_string(), filter))
    }

    fn add_member(&mut self, member: &'a Located<Member>, set: Option<&String>, people: &mut People<'a>) {
        let (position, Member { who, until, reason }) = (member.position(self.name), &member.value);
        let origin =
            Origin { position: Some(position), set: set.cloned(), until: *until, reason: reason.clone() };
        self.add(Cow::Borrowed(who), origin, people);
    }

    /// Adds a user once. The same user with two end dates is a contradiction.
    fn add(&mut self, who: Cow<'a, UserRef>, origin: Origin, people: &mut People<'a>) {
        if let Some(MemberPosition { has_expired, index }) = people.known.get(&who).copied() {
            let before = &people.list(has_expired)[index].origin;
            if before.until != origin.until {
                self.contradiction(&who, before, origin);
            }
            return;
        }
        if !self.memberships.count_one_more() {
            return;
        }
        let has_expired = origin.until.is_some_and(|day| day < self.today);
        let list = people.list(has_expired);
        let index = list.len();
        list.push(DesiredMember { who: UserRef::clone(&who), origin });
        people.known.insert(who, MemberPosition { has_expired, index });
    }

    fn contradiction(&mut self, who: &UserRef, before: &Origin, origin: Origin) {
        let when = |origin: &Origin| match origin.until {
            Some(day) => format!("until {day}"),
            None => "without an end date".to_owned(),
        };
        let position = before.position.as_ref().map(ToString::to_string).unwrap_or_default();
        let message = format!(
            "'{}' is in the group {} here, but {} at {position}",
            who.as_str(),
            when(&origin),
            when(before)
        );
        let at = origin.position.unwrap_or_else(|| Position::line(self.name, 1));
        self.errors.0.push(InputError::at(at, message).hint("keep one of the two"));
    }
}

/// The path and the filter of a table: the same table with another filter is another source.
fn source_name(table: &MembersFrom) -> String {
    let filter: Vec<String> =
        table.filter.iter().map(|(column, value)| format!("{column}={value}")).collect();
    if filter.is_empty() { table.csv.clone() } else { format!("{}[{}]", table.csv, filter.join(",")) }
}

/// Refuses groups that are listed twice, by id, name or previous name.
fn check_groups(groups: &[DesiredGroup], errors: &mut InputErrors) {
    let mut ids: HashSet<&GroupId> = HashSet::new();
    let mut names: HashMap<String, &DesiredGroup> = HashMap::new();
    let at = |group: &DesiredGroup| group.position.clone().unwrap_or_else(|| Position::line("the input", 1));
    for group in groups {
        if group.id.as_ref().is_some_and(|id| !ids.insert(id)) {
            errors.0.push(InputError::at(at(group), "the group with this id is listed twice"));
        }
        if let Some(other) = names.insert(name_key(&group.name), group)
            && (group.id.is_none() || other.id.is_none())
        {
            let message = format!("the group '{}' is already listed at {}", group.name, at(other));
            errors.0.push(InputError::at(at(group), message).hint("merge the two, or give each its `id`"));
        }
    }
    for group in groups {
        for name in &group.previously {
            if let Some(other) = names.get(&name_key(name)) {
                let message =
                    format!("'{name}' cannot be a previous name of '{}': {} lists it", group.name, at(other));
                errors.0.push(InputError::at(at(group), message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn expand_text(text: &str, tables: &[(&str, &str)]) -> Result<Desired, InputErrors> {
        expand_text_within(MEMBERSHIPS_MAX, text, tables)
    }

    fn expand_text_within(max: usize, text: &str, tables: &[(&str, &str)]) -> Result<Desired, InputErrors> {
        let file = file::parse(text, "groups.yaml").map_err(InputErrors::from)?;
        let mut read = |_: &str, path: &str| {
            let table = tables.iter().find(|(name, _)| *name == path);
            table.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "not found".to_owned())
        };
        expand_within(max, &[("groups.yaml".to_owned(), file)], date(2026, 11, 23), &mut read)
    }

    fn names(members: &[DesiredMember]) -> Vec<&str> {
        members.iter().map(|member| member.who.as_str()).collect()
    }

    #[test]
    fn members_of_sets_lists_and_tables_keep_their_origin() {
        let text = "\
version: 1
sets:
  core: [ada@x.y, Bob@x.y]
groups:
  - name: A
    include: [core]
    members:
      - bob@x.y
      - { email: temp@x.y, until: 2026-11-23, reason: SEC-412 }
      - { email: gone@x.y, until: 2026-11-22 }
    members_from: { csv: t.csv, where: { active: 'yes' } }
";
        let desired =
            expand_text(text, &[("t.csv", "email,active\nkay@x.y,yes\nleft@x.y,no\n")]).expect("good");
        let members = desired.groups[0].members.as_ref().expect("managed");
        assert_eq!(names(&members.present), ["ada@x.y", "bob@x.y", "temp@x.y", "kay@x.y"]);
        assert_eq!(names(&members.expired), ["gone@x.y"]);
        assert_eq!(members.present[1].origin.set.as_deref(), Some("core"));
        assert_eq!(members.present[3].origin.position, Some(Position::line("t.csv", 2)));
        assert_eq!(members.present[2].origin.reason.as_deref(), Some("SEC-412"));
        let sources = [("groups.yaml", 5), ("t.csv[active=yes]", 1)];
        let found = desired.sources.iter().map(|source| (source.name.as_str(), source.entries));
        assert_eq!(found.collect::<Vec<_>>(), sources);
    }

    #[test]
    fn absent_members_are_not_managed_and_empty_ones_are_refused() {
        let desired = expand_text("version: 1\ngroups:\n  - name: A\n", &[]).expect("unmanaged");
        assert!(desired.groups[0].members.is_none());
        let errors =
            expand_text("version: 1\ngroups:\n  - name: A\n    members: []\n", &[]).expect_err("empty");
        assert_eq!(errors.to_string(), "groups.yaml:3:5: group 'A' has no members");
        let allowed = "version: 1\ngroups:\n  - name: A\n    members: []\n    allow_empty: true\n";
        let desired = expand_text(allowed, &[]).expect("allowed");
        assert_eq!(names(&desired.groups[0].members.as_ref().expect("managed").present), [""; 0]);
    }

    #[test]
    fn contradictions_and_dead_references_are_refused() {
        let table = [
            ("groups: []", "names no group"),
            ("sets: { s: [] }\ngroups: [{ name: A }]", "has an empty set 's'"),
            ("groups: [{ name: A }, { name: A }]", "the group 'A' is already listed at groups.yaml:2:10"),
            ("groups: [{ name: A, id: g }, { name: B, id: g }]", "with this id is listed twice"),
            ("groups: [{ name: A }, { name: B, previously: [A] }]", "'A' cannot be a previous name of 'B'"),
            (
                "sets: { core: [a@b.c] }\ngroups: [{ name: A, include: [cor] }]",
                "there is no set called 'cor'",
            ),
            (
                "groups: [{ name: A, members: [a@b.c, { email: A@b.c, until: 2030-01-01 }] }]",
                "without an end date at",
            ),
            (
                "groups: [{ name: A, members: [{ email: a@b.c, until: 2020-01-01 }] }]",
                "the `until` of its only member",
            ),
            ("groups: [{ name: '' }]", "invalid group name"),
            (
                "groups: [{ name: A, members_from: { csv: no.csv } }]",
                "cannot read the table no.csv: not found",
            ),
            ("max_remove: { percent: 120 }\ngroups: [{ name: A }]", "the maximum is 100"),
        ];
        for (text, expected) in table {
            let errors = expand_text(&format!("version: 1\n{text}\n"), &[]).expect_err(text).to_string();
            assert!(errors.contains(expected), "{errors:?} should contain {expected:?}");
        }
    }

    #[test]
    fn one_membership_over_the_limit_is_refused() {
        // A user who is listed twice in a group counts once.
        let text = "\
version: 1
sets: { core: [a@x.y, b@x.y] }
groups:
  - { name: A, include: [core], members: [a@x.y, c@x.y] }
  - { name: B, include: [core], members_from: { csv: t.csv } }
";
        let table = [("t.csv", "email\nd@x.y\n")];
        expand_text_within(6, text, &table).expect("six memberships");
        let errors = expand_text_within(5, text, &table).expect_err("one more");
        assert_eq!(
            errors.to_string(),
            "groups.yaml brings the plan to 6 memberships (`members`, `include`, `members_from`); the limit is 5"
        );
        assert!(errors.0[0].hint.as_deref().is_some_and(|hint| hint.starts_with("split the groups")));
    }
}
