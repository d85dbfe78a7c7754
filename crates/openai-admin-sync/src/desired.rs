//! What should be: files and tables, put together, with the origin of every wish.
//!
//! Pure: reading a table is passed in, and so is the day.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use jiff::civil::Date;
use openai_admin::{GroupId, OrganizationId, identity::name_key, operations::groups::GroupName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    csv::{self, Mapping},
    fault::{Fault, Faults, Place},
    file::{self, Group, Located, MaxRemove, Member, MembersFrom, MembershipFile, Mode, Who},
    plan::Purpose,
    policy::Protected,
    suggestion::most_like,
};

/// By how much a source may shrink from one applied run to the next, in percent.
pub const SHRINKING_PERCENT_MAX: usize = 30;
/// A source with fewer entries than this may shrink by more: of three people, one is a third.
const SHRINKING_SIZE_MIN: usize = 10;

/// Everything that is wished for.
#[derive(Debug, Default)]
pub struct Desired {
    /// The only organization that is meant, if the input says one.
    pub organization: Option<OrganizationId>,
    /// The groups, in the order of the input.
    pub groups: Vec<DesiredGroup>,
    /// Whom and what no plan touches.
    pub protect: Protected,
    /// How many memberships may go in all groups together.
    pub max_remove: Option<MaxRemove>,
    /// What a plan of it is for.
    pub purpose: Purpose,
    /// Where the wishes come from, and how many each says.
    pub sources: Vec<Source>,
    /// Which rows of tables do not count, for people: always told, since who is left out may be removed.
    pub left_out: Vec<String>,
}

/// A group that is wished for.
#[derive(Debug)]
pub struct DesiredGroup {
    /// Its name.
    pub name: String,
    /// Its id, if the input pins it.
    pub id: Option<GroupId>,
    /// Names that it had.
    pub previously: Vec<String>,
    /// Where the input says so.
    pub place: Option<Place>,
    /// Whether it is created when there is none. Otherwise a missing group is a fault, and the name may be an id.
    pub creates: bool,
    /// What becomes of its members; none when they are not managed.
    pub members: Option<DesiredMembers>,
    /// How many may go.
    pub max_remove: MaxRemove,
    /// Whether nobody may be left.
    pub allow_empty: bool,
    /// Whether it is left alone, and no fault, when an identity provider manages it.
    pub ignores_scim: bool,
}

/// Who should be in a group.
#[derive(Debug, Default)]
pub struct DesiredMembers {
    /// What `present` means for those who are not in it.
    pub mode: Mode,
    /// Who should be there, each once.
    pub present: Vec<DesiredMember>,
    /// Who should not be there, whatever the mode.
    pub absent: Vec<DesiredMember>,
    /// Who was wished for until a day that is over: the reason of their removal.
    pub expired: Vec<DesiredMember>,
}

/// Somebody who is wished for, and why.
#[derive(Clone, Debug)]
pub struct DesiredMember {
    /// Who.
    pub who: Who,
    /// Why.
    pub origin: Origin,
}

/// Where a wish comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The line that says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The set that it comes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The last day of the membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// The reason that somebody wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where wishes come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The file, and the filter of a table.
    pub name: String,
    /// How many memberships it says.
    pub entries: usize,
    /// Its one name, however its path was typed; none for standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// The path of its file, as it was typed, and the filter: what the canonical name is made of.
    #[serde(skip)]
    pub typed: Option<(String, String)>,
}

impl Source {
    /// A source by its name alone.
    pub fn named(name: impl Into<String>, entries: usize) -> Self {
        Self { name: name.into(), entries, canonical: None, typed: None }
    }

    fn of_path(name: String, entries: usize, path: String, filter: String) -> Self {
        let typed = (path != "-").then_some((path, filter));
        Self { typed, ..Self::named(name, entries) }
    }

    /// Gives it its one name. `canonical` knows the one name of a path; none when there is no such file.
    pub fn settle(&mut self, canonical: impl FnOnce(&str) -> Option<String>) {
        let Some((path, filter)) = &self.typed else { return };
        self.canonical = canonical(path).map(|path| path + filter);
    }

    /// What of it a plan keeps.
    pub(crate) fn kept(&self) -> Self {
        Self { typed: None, ..self.clone() }
    }

    /// Whether both are one source. Where one has no canonical name, names as they were typed count.
    fn is(&self, other: &Self) -> bool {
        match (&self.canonical, &other.canonical) {
            (Some(one), Some(other)) => one == other,
            _ => self.name == other.name,
        }
    }
}

/// Reads the table that a file names: the file, and the table's path as the file has it.
pub type ReadTable<'a> = dyn FnMut(&str, &str) -> Result<Vec<u8>, String> + 'a;

/// Puts files together. Each comes with its name.
///
/// # Errors
///
/// Everything that contradicts itself, names what is not there, or would empty a group without saying so.
pub fn expand(
    files: &[(String, MembershipFile)],
    today: Date,
    read_table: &mut ReadTable<'_>,
) -> Result<Desired, Faults> {
    let mut desired = Desired::default();
    let mut faults = Faults::default();
    for (name, file) in files {
        let expanding = Expanding { name, file, today, read_table: &mut *read_table, faults: &mut faults };
        expanding.into_desired(&mut desired);
    }
    check_groups(&desired.groups, &mut faults);
    faults.or(desired)
}

struct Expanding<'a, 'r> {
    name: &'a str,
    file: &'a MembershipFile,
    today: Date,
    read_table: &'a mut ReadTable<'r>,
    faults: &'a mut Faults,
}

/// The people of a group, while they are put together.
#[derive(Default)]
struct People {
    members: DesiredMembers,
    /// Where each of them stands in `present` or `expired`.
    known: HashMap<Who, Origin>,
}

impl Expanding<'_, '_> {
    fn into_desired(mut self, desired: &mut Desired) {
        let file = self.file;
        match (&desired.organization, &file.organization) {
            (Some(one), Some(other)) if one != other => self.faults.0.push(Fault::of_file(
                self.name,
                format!("is for organization {other}, and another file for {one}"),
            )),
            (None, Some(one)) => desired.organization = Some(one.clone()),
            _ => {}
        }
        let file::Protect { users, groups } = &file.protect;
        desired.protect.add(&Protected { users: users.clone(), groups: groups.clone() });
        self.check_limits(file.defaults.max_remove);
        self.check_limits(file.max_remove);
        // Of two files, the stricter one holds.
        desired.max_remove = match (desired.max_remove, file.max_remove) {
            (Some(one), Some(other)) => Some(one.stricter(other)),
            (one, other) => one.or(other),
        };
        if file.groups.is_empty() {
            let fault = Fault::of_file(self.name, "names no group");
            self.faults.0.push(fault.hint("an empty list is no wish for an empty organization"));
        }
        for (set, members) in &file.sets {
            if members.is_empty() {
                let fault = Fault::of_file(self.name, format!("has nobody in the set '{set}'"));
                self.faults.0.push(fault.hint("remove the set and what includes it, if that is meant"));
            }
        }
        // The file stands before the tables that it names.
        let place = desired.sources.len();
        let path = self.name.to_owned();
        desired.sources.push(Source::of_path(path.clone(), 0, path, String::new()));
        let mut entries = 0;
        for group in &file.groups {
            let group = self.group(group, desired, &mut entries);
            desired.groups.push(group);
        }
        desired.sources[place].entries = entries;
    }

    fn check_limits(&mut self, limits: Option<MaxRemove>) {
        if let Some(limits) = limits.filter(|limits| limits.percent > 100) {
            let message = format!("says `percent: {}`, which is more than all", limits.percent);
            self.faults.0.push(Fault::of_file(self.name, message));
        }
    }

    fn group(&mut self, group: &Located<Group>, desired: &mut Desired, entries: &mut usize) -> DesiredGroup {
        let (place, group) = (group.place(self.name), &group.value);
        if let Err(violation) = GroupName::new(&group.name.value) {
            let message = format!("the name cannot be a group's: {violation}");
            self.faults.0.push(Fault::at(group.name.place(self.name), message));
        }
        self.check_limits(group.max_remove);
        let faults_before = self.faults.0.len();
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
                let origin = Origin { place: Some(member.place(self.name)), ..Origin::default() };
                self.add(&member.value, origin, &mut people);
            }
            for table in &group.members_from {
                let source = self.table(table, &place, &mut people, &mut desired.left_out);
                if let Some(source) = source.filter(|source| !desired.sources.contains(source)) {
                    desired.sources.push(source);
                }
            }
            // A group whose people could not be read has a fault already.
            if self.faults.0.len() == faults_before {
                self.check_somebody(group, &place, &people);
            }
            people.members
        });
        let default_max = self.file.defaults.max_remove.unwrap_or(MaxRemove::OF_GROUP);
        DesiredGroup {
            name: group.name.value.clone(),
            id: group.id.clone(),
            previously: group.previously.clone(),
            place: Some(place),
            creates: true,
            members,
            max_remove: group.max_remove.unwrap_or(default_max),
            allow_empty: group.allow_empty,
            ignores_scim: self.file.ignore.scim_managed,
        }
    }

    /// `members: []` may be a slip, or what a broken export writes: an empty group is asked for in words.
    fn check_somebody(&mut self, group: &Group, place: &Place, people: &People) {
        if !people.members.present.is_empty() || group.allow_empty {
            return;
        }
        let (name, expired) = (&group.name.value, people.members.expired.len());
        let message = match expired {
            0 => format!("group '{name}' has no members"),
            1 => format!("group '{name}' has no members left: the only one's `until` is over"),
            _ => format!("group '{name}' has no members left: the `until` of all {expired} is over"),
        };
        self.faults.0.push(Fault::at(place.clone(), message).hint(
            "leave `members` out if nobody is to be managed, or say `allow_empty: true` if nobody may be in it",
        ));
    }

    fn include(&mut self, include: &Located<String>, people: &mut People) -> usize {
        let Some(members) = self.file.sets.get(&include.value) else {
            let fault =
                Fault::at(include.place(self.name), format!("there is no set called '{}'", include.value));
            let known = self.file.sets.keys().map(String::as_str);
            self.faults.0.push(match most_like(&include.value, known) {
                Some(like) => fault.hint(format!("did you mean '{like}'?")),
                None => fault.hint("sets are lists under `sets:` in the same file"),
            });
            return 0;
        };
        for member in members {
            let place = Some(member.place(self.name));
            let origin = Origin { place, set: Some(include.value.clone()), ..Origin::default() };
            self.add(&member.value, origin, people);
        }
        members.len()
    }

    fn table(
        &mut self,
        table: &Located<MembersFrom>,
        group: &Place,
        people: &mut People,
        left_out: &mut Vec<String>,
    ) -> Option<Source> {
        let place = if table.line == 0 { group.clone() } else { table.place(self.name) };
        let wanted = &table.value;
        let bytes = match (self.read_table)(self.name, &wanted.csv) {
            Ok(bytes) => bytes,
            Err(problem) => {
                let message = format!("the table {} cannot be read: {problem}", wanted.csv);
                let hint = "a table is looked for beside the file that names it";
                self.faults.0.push(Fault::at(place, message).hint(hint));
                return None;
            }
        };
        let mapping =
            Mapping { email: wanted.column.clone(), filter: wanted.filter.clone(), ..Mapping::of_file() };
        let (rows, _) = match csv::parse(&bytes, &wanted.csv, &mapping) {
            Ok(parsed) => parsed,
            Err(faults) => {
                self.faults.0.extend(faults.0);
                return None;
            }
        };
        let entries = rows.rows.len();
        left_out.extend(rows.left_out.iter().map(|told| format!("{}: {told}", wanted.csv)));
        for row in rows.rows {
            let member = Member { who: Who::Email(row.email), until: None, reason: None };
            let origin =
                Origin { place: Some(Place::line(wanted.csv.as_str(), row.line)), ..Origin::default() };
            self.add(&member, origin, people);
        }
        let name = source_name(wanted);
        let filter = name.strip_prefix(&wanted.csv).unwrap_or_default().to_owned();
        let path = Path::new(self.name).parent().unwrap_or(Path::new("")).join(&wanted.csv);
        Some(Source::of_path(name, entries, path.display().to_string(), filter))
    }

    /// Adds somebody, unless they are there already. Twice with two ends is a contradiction.
    fn add(&mut self, member: &Member, mut origin: Origin, people: &mut People) {
        origin.until = member.until;
        origin.reason.clone_from(&member.reason);
        if let Some(before) = people.known.get(&member.who) {
            if before.until != origin.until {
                let when = |origin: &Origin| match origin.until {
                    Some(day) => format!("until {day}"),
                    None => "without an end".to_owned(),
                };
                let place = before.place.as_ref().map(ToString::to_string).unwrap_or_default();
                let message = format!(
                    "'{}' is in the group {} here and {} at {place}",
                    member.who.as_str(),
                    when(&origin),
                    when(before)
                );
                let at = origin.place.unwrap_or_else(|| Place::line(self.name, 1));
                self.faults.0.push(Fault::at(at, message).hint("keep one of the two"));
            }
            return;
        }
        people.known.insert(member.who.clone(), origin.clone());
        let is_over = origin.until.is_some_and(|day| day < self.today);
        let wished = DesiredMember { who: member.who.clone(), origin };
        let list = if is_over { &mut people.members.expired } else { &mut people.members.present };
        list.push(wished);
    }
}

/// A table by its path and its filter: another filter is another source.
fn source_name(table: &MembersFrom) -> String {
    let filter: Vec<String> =
        table.filter.iter().map(|(column, value)| format!("{column}={value}")).collect();
    if filter.is_empty() { table.csv.clone() } else { format!("{}[{}]", table.csv, filter.join(",")) }
}

/// A group is described once, whatever it is called.
fn check_groups(groups: &[DesiredGroup], faults: &mut Faults) {
    let mut ids: HashSet<&GroupId> = HashSet::new();
    let mut names: HashMap<String, &DesiredGroup> = HashMap::new();
    let at = |group: &DesiredGroup| group.place.clone().unwrap_or_else(|| Place::line("the input", 1));
    for group in groups {
        if group.id.as_ref().is_some_and(|id| !ids.insert(id)) {
            faults.0.push(Fault::at(at(group), "the group with this id is described a second time"));
        }
        if let Some(other) = names.insert(name_key(&group.name), group)
            && (group.id.is_none() || other.id.is_none())
        {
            let message = format!("the group '{}' is described at {} already", group.name, at(other));
            faults.0.push(Fault::at(at(group), message).hint("put both into one, or pin each by its `id`"));
        }
    }
    for group in groups {
        for name in &group.previously {
            if let Some(other) = names.get(&name_key(name)) {
                let message = format!(
                    "'{name}' cannot be what '{}' was called: {} describes it",
                    group.name,
                    at(other)
                );
                faults.0.push(Fault::at(at(group), message));
            }
        }
    }
}

/// What could not be compared with the last applied run: a line for people, if there is something.
pub fn uncompared(sources: &[Source], before: Option<&[Source]>) -> Option<String> {
    let Some(before) = before else {
        return Some(
            "no earlier run to compare sources with: a source that shrank is not noticed".to_owned(),
        );
    };
    let new = sources.iter().filter(|source| !before.iter().any(|before| before.is(source)));
    let names: Vec<&str> = new.map(|source| source.name.as_str()).collect();
    (!names.is_empty())
        .then(|| format!("not in the last applied run, so the size is not compared: {}", names.join(", ")))
}

/// Refuses sources that have shrunk to less than they can have shrunk to. `accepted` holds the number of entries that
/// somebody has accepted for a source by name.
///
/// # Errors
///
/// Each source that shrank to nothing, or by more than [`SHRINKING_PERCENT_MAX`].
pub fn check_sources(
    sources: &[Source],
    before: &[Source],
    accepted: &BTreeMap<String, usize>,
) -> Result<(), Faults> {
    let mut faults = Faults::default();
    for source in sources {
        let Some(before) = before.iter().find(|before| before.is(source)) else { continue };
        let (had, has) = (before.entries, source.entries);
        let is_accepted = [Some(&source.name), source.canonical.as_ref()]
            .into_iter()
            .flatten()
            .any(|name| accepted.get(name) == Some(&has));
        let may_have = had * (100 - SHRINKING_PERCENT_MAX);
        let shrank = has == 0 || (had >= SHRINKING_SIZE_MIN && has * 100 < may_have);
        if had > 0 && shrank && !is_accepted {
            let message = format!("had {had} entries in the last applied run and has {has} now");
            let accept = format!("if that is right: --accept-source '{}={has}'", source.name);
            faults.0.push(Fault::of_file(&source.name, message).hint(accept));
        }
    }
    faults.or(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::file;

    fn expand_text(text: &str, tables: &[(&str, &str)]) -> Result<Desired, Faults> {
        let file = file::parse(text, "groups.yaml").map_err(Faults::from)?;
        let mut read = |_: &str, path: &str| {
            let table = tables.iter().find(|(name, _)| *name == path);
            table.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "not found".to_owned())
        };
        expand(&[("groups.yaml".to_owned(), file)], date(2026, 11, 23), &mut read)
    }

    fn names(members: &[DesiredMember]) -> Vec<&str> {
        members.iter().map(|member| member.who.as_str()).collect()
    }

    #[test]
    fn sets_lists_and_tables_are_put_together_each_with_its_origin() {
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
        assert_eq!(members.present[3].origin.place, Some(Place::line("t.csv", 2)));
        assert_eq!(members.present[2].origin.reason.as_deref(), Some("SEC-412"));
        let sources = [("groups.yaml", 5), ("t.csv[active=yes]", 1)];
        let found = desired.sources.iter().map(|source| (source.name.as_str(), source.entries));
        assert_eq!(found.collect::<Vec<_>>(), sources);
    }

    #[test]
    fn five_spellings_of_a_source_are_one() {
        let one_name = |path: &str| Some(path.rsplit('/').next().unwrap_or_default().to_owned());
        let source = |path: &str, entries| {
            let mut source = Source::of_path(path.to_owned(), entries, path.to_owned(), "[a=b]".to_owned());
            source.settle(one_name);
            source
        };
        let before = [source("groups.yaml", 39)];
        let none = BTreeMap::new();
        for path in
            ["groups.yaml", "./groups.yaml", "/repository/groups.yaml", "x/../groups.yaml", ".//groups.yaml"]
        {
            check_sources(&[source(path, 15)], &before, &none).expect_err(path);
            assert_eq!(uncompared(&[source(path, 15)], Some(&before)), None);
        }
        assert!(uncompared(&before, None).expect("a line").starts_with("no earlier run to compare"));
        assert!(
            uncompared(&[source("other.yaml", 1)], Some(&before)).expect("a line").contains("other.yaml")
        );
    }

    #[test]
    fn absent_members_are_not_managed_and_empty_ones_are_refused() {
        let desired = expand_text("version: 1\ngroups:\n  - name: A\n", &[]).expect("unmanaged");
        assert!(desired.groups[0].members.is_none());
        let faults =
            expand_text("version: 1\ngroups:\n  - name: A\n    members: []\n", &[]).expect_err("empty");
        assert_eq!(faults.to_string(), "groups.yaml:3:5: group 'A' has no members");
        let allowed = "version: 1\ngroups:\n  - name: A\n    members: []\n    allow_empty: true\n";
        let desired = expand_text(allowed, &[]).expect("allowed");
        assert_eq!(names(&desired.groups[0].members.as_ref().expect("managed").present), [""; 0]);
    }

    #[test]
    fn contradictions_and_dead_references_are_refused() {
        let table = [
            ("groups: []", "names no group"),
            ("sets: { s: [] }\ngroups: [{ name: A }]", "has nobody in the set 's'"),
            ("groups: [{ name: A }, { name: A }]", "the group 'A' is described at groups.yaml:2:10 already"),
            ("groups: [{ name: A, id: g }, { name: B, id: g }]", "with this id is described a second time"),
            ("groups: [{ name: A }, { name: B, previously: [A] }]", "'A' cannot be what 'B' was called"),
            (
                "sets: { core: [a@b.c] }\ngroups: [{ name: A, include: [cor] }]",
                "there is no set called 'cor'",
            ),
            (
                "groups: [{ name: A, members: [a@b.c, { email: A@b.c, until: 2030-01-01 }] }]",
                "without an end at",
            ),
            (
                "groups: [{ name: A, members: [{ email: a@b.c, until: 2020-01-01 }] }]",
                "the only one's `until`",
            ),
            ("groups: [{ name: '' }]", "the name cannot be a group's"),
            (
                "groups: [{ name: A, members_from: { csv: no.csv } }]",
                "the table no.csv cannot be read: not found",
            ),
            ("max_remove: { percent: 120 }\ngroups: [{ name: A }]", "which is more than all"),
        ];
        for (text, expected) in table {
            let faults = expand_text(&format!("version: 1\n{text}\n"), &[]).expect_err(text).to_string();
            assert!(faults.contains(expected), "{faults:?} should hold {expected:?}");
        }
    }

    #[test]
    fn a_source_that_shrank_is_refused_unless_its_number_is_accepted() {
        let source = |entries| [Source::named("t.csv", entries)];
        let none = BTreeMap::new();
        assert!(check_sources(&source(70), &source(100), &none).is_ok());
        assert!(check_sources(&source(3), &source(5), &none).is_ok());
        assert!(check_sources(&source(69), &[], &none).is_ok());
        let faults = check_sources(&source(69), &source(100), &none).expect_err("shrank");
        assert_eq!(faults.to_string(), "t.csv had 100 entries in the last applied run and has 69 now");
        assert!(check_sources(&source(0), &source(3), &none).is_err());
        let accepted = |number| BTreeMap::from([("t.csv".to_owned(), number)]);
        assert!(check_sources(&source(69), &source(100), &accepted(69)).is_ok());
        assert!(check_sources(&source(69), &source(100), &accepted(68)).is_err());
    }
}
