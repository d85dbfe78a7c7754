//! Compares the desired state with the current state: groups first, then their members by user id.
//!
//! Pure: two states in, operations out. `guard.rs` decides which of them may be applied.

use std::collections::{BTreeMap, HashMap, HashSet};

use openai_admin::{GroupId, UserId, identity::name_key, likeness::most_like, models::GroupUser};

use crate::{
    input::{csv::Matching, file::Mode, member::UserRef, suggestion::much_like},
    plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers},
        document::Purpose,
        group_plan::{Block, GroupPlan, Removes, Rule, SettledRow, Skip, Unresolved},
        no_user,
        operation::{Operation, Why},
        resolve::{People, Resolution},
        source::Origin,
    },
    service::current::{CurrentGroup, Members, Snapshot},
};

/// The most pairs of names that are compared to find typos: enough for 100 new and 1,000 existing groups.
const NAMES_COMPARED_MAX: usize = 100_000;

/// The separators that people write between several groups in one cell.
const SEPARATORS: [char; 4] = [';', '|', ',', '/'];

/// The current group that a desired group refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// The group at this index of the snapshot.
    Found(usize),
    /// No group: create it.
    Missing,
    /// Several groups, or none that may be used.
    Problem(String),
}

/// Matches the desired groups with the current ones. `known` holds the ids of groups by name, from the last applied
/// run.
pub fn match_groups(desired: &Desired, snapshot: &Snapshot, known: &BTreeMap<String, GroupId>) -> Vec<Match> {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for (index, group) in snapshot.groups.iter().enumerate() {
        by_name.entry(name_key(&group.name)).or_default().push(index);
        by_id.insert(group.id.as_str(), index);
    }
    let mut by_loose_name: HashMap<String, Vec<usize>> = HashMap::new();
    if desired.matching == Matching::Loose {
        for (index, group) in snapshot.groups.iter().enumerate() {
            by_loose_name.entry(Matching::Loose.key(&group.name)).or_default().push(index);
        }
    }
    let lookup = Index { by_name, by_loose_name, by_id, groups: &snapshot.groups, known };
    let mut matches: Vec<Match> = desired.groups.iter().map(|group| lookup.find(group)).collect();
    let mut taken: HashMap<usize, usize> = HashMap::new();
    for index in 0..matches.len() {
        let Match::Found(group) = matches[index] else { continue };
        if let Some(other) = taken.insert(group, index) {
            let message = format!(
                "'{}' and '{}' refer to the same group",
                desired.groups[other].name, desired.groups[index].name
            );
            matches[index] = Match::Problem(message.clone());
            matches[other] = Match::Problem(message);
        }
    }
    matches
}

/// The English names of months as spreadsheets shorten them.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Whether a name looks like what a spreadsheet makes of `1-2`, `007` or `3E5`: `02-Jan`, `7`, `3.00E+05`.
fn is_made_by_spreadsheet(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_month = |text: &str| MONTHS.contains(&text.to_ascii_lowercase().as_str());
    let parts: Vec<&str> = name.split(['-', '/', '.', ' ']).collect();
    let is_date = match parts.as_slice() {
        [one, other] => is_number(one) && is_month(other) || is_month(one) && is_number(other),
        [one, other, last] => is_number(one) && (is_number(other) || is_month(other)) && is_number(last),
        _ => false,
    };
    let is_scientific = name
        .split_once("E+")
        .is_some_and(|(digits, exponent)| digits.split('.').all(is_number) && is_number(exponent));
    is_date || is_scientific || is_number(name)
}

struct Index<'a> {
    /// By normalized name, so that names that look the same match.
    by_name: HashMap<String, Vec<usize>>,
    /// By normalized name without case; empty if case matters.
    by_loose_name: HashMap<String, Vec<usize>>,
    by_id: HashMap<&'a str, usize>,
    groups: &'a [CurrentGroup],
    known: &'a BTreeMap<String, GroupId>,
}

impl Index<'_> {
    fn find(&self, wanted: &DesiredGroup) -> Match {
        if let Some(id) = &wanted.id {
            return match self.by_id.get(id.as_str()) {
                Some(index) => Match::Found(*index),
                None => Match::Problem(format!(
                    "there is no group with the id {id}: correct the id, or remove it to create the group"
                )),
            };
        }
        if let Some(found) = self.named(&wanted.name) {
            return found;
        }
        if let Some(index) = self.by_id.get(wanted.name.as_str()).filter(|_| wanted.keeps_name) {
            return Match::Found(*index);
        }
        if !wanted.creates {
            return Match::Problem(self.no_group_message(&wanted.name));
        }
        if let Some(found) = wanted.previously.iter().find_map(|name| self.named(name)) {
            return found;
        }
        // The group of this name was renamed. Creating a new one would leave its members behind.
        let renamed = self.known.get(&wanted.name).and_then(|id| self.by_id.get(id.as_str()));
        match renamed.map(|index| &self.groups[*index]) {
            Some(group) => Match::Problem(format!(
                "the group is now called '{}': use that name, or add `id: {}` to rename it back",
                group.name, group.id
            )),
            None => Match::Missing,
        }
    }

    fn no_group_message(&self, name: &str) -> String {
        if let Some((separator, groups)) = self.several_groups(name) {
            return format!(
                "there is no group called '{name}', but {groups} of its parts are groups: to split them, pass --split \
                 '{separator}'"
            );
        }
        if name.contains('@') {
            return format!(
                "there is no group called '{name}': groups have no address, so use the name or the id"
            );
        }
        match most_like(name, self.groups.iter().map(|group| group.name.as_str())) {
            Some(like) if Matching::Loose.key(like) == Matching::Loose.key(name) => format!(
                "there is no group called '{name}', but one called '{like}': to compare names without case, pass --match loose"
            ),
            Some(like) => format!("there is no group called '{name}': did you mean '{like}'?"),
            None if is_made_by_spreadsheet(name) => format!(
                "there is no group called '{name}': a spreadsheet may have turned the name into a date or a number, so \
                 format the column as text, or use the id"
            ),
            None => format!("there is no group called '{name}'"),
        }
    }

    /// If a name lists groups: the separator, and the number of groups in it.
    fn several_groups(&self, name: &str) -> Option<(char, usize)> {
        SEPARATORS.into_iter().find_map(|separator| {
            let parts = name.split(separator).filter(|part| self.by_name.contains_key(&name_key(part)));
            let groups = parts.count();
            (groups > 0 && name.contains(separator)).then_some((separator, groups))
        })
    }

    fn named(&self, name: &str) -> Option<Match> {
        let alike = self.by_name.get(&name_key(name));
        let alike = alike.or_else(|| self.by_loose_name.get(&Matching::Loose.key(name)))?;
        // An exact match wins over names that only look the same.
        let exact: Vec<usize> =
            alike.iter().copied().filter(|index| self.groups[*index].name == name).collect();
        Some(match (exact.as_slice(), alike.as_slice()) {
            ([index], _) | ([], [index]) => Match::Found(*index),
            ([], several) | (several, _) => {
                let ids: Vec<&str> = several.iter().map(|index| self.groups[*index].id.as_str()).collect();
                Match::Problem(format!(
                    "{} groups are called '{name}': choose one by id: {}",
                    ids.len(),
                    ids.join(", ")
                ))
            }
        })
    }
}

/// The snapshot indexes of the groups whose members must be read.
pub fn groups_to_read(desired: &Desired, matches: &[Match]) -> Vec<usize> {
    let groups = desired.groups.iter().zip(matches);
    let indexes = groups.filter_map(|(group, found)| match found {
        Match::Found(index) if group.members.is_some() => Some(*index),
        _ => None,
    });
    indexes.collect()
}

/// The changes of each group, before the guard applies limits and protection.
pub fn diff(desired: &Desired, snapshot: &Snapshot, matches: &[Match], people: &People) -> Vec<GroupPlan> {
    let groups = desired.groups.iter().zip(matches);
    let mut plans: Vec<GroupPlan> =
        groups.map(|(group, found)| diff_group(group, found, snapshot, people)).collect();
    if desired.purpose == Purpose::Import {
        for (plan, group) in plans.iter_mut().zip(&desired.groups) {
            plan.rows = settled_rows(plan, group, people);
        }
    }
    find_similar(&mut plans, snapshot, matches);
    let unresolved = plans.iter_mut().flat_map(|plan| &mut plan.unresolved);
    no_user::explain(unresolved, &snapshot.groups, &desired.purpose);
    plans
}

/// For each new group, finds the most similar existing group that the input does not list: the new name may be a typo.
fn find_similar(plans: &mut [GroupPlan], snapshot: &Snapshot, matches: &[Match]) {
    let named: HashSet<usize> = matches
        .iter()
        .filter_map(|found| match found {
            Match::Found(index) => Some(*index),
            Match::Missing | Match::Problem(_) => None,
        })
        .collect();
    let others: Vec<&str> = snapshot
        .groups
        .iter()
        .enumerate()
        .filter(|(index, _)| !named.contains(index))
        .map(|(_, group)| group.name.as_str())
        .collect();
    let compared_max = NAMES_COMPARED_MAX.checked_div(others.len()).unwrap_or_default();
    for plan in plans.iter_mut().filter(|plan| plan.is_created()).take(compared_max) {
        plan.similar = much_like(&plan.name, others.iter().copied()).map(str::to_owned);
    }
}

fn diff_group(wanted: &DesiredGroup, found: &Match, snapshot: &Snapshot, people: &People) -> GroupPlan {
    let mut plan = GroupPlan::new(&wanted.name, wanted.max_remove);
    plan.position.clone_from(&wanted.position);
    plan.allow_empty = wanted.allow_empty;
    let origin = || Origin { position: wanted.position.clone(), ..Origin::default() };
    let current: Option<&CurrentGroup> = match found {
        Match::Problem(message) => {
            plan.blocks.push(Block { rule: Rule::Group, message: message.clone() });
            plan.keep = desired_users(wanted, people, &mut plan.unresolved);
            return plan;
        }
        Match::Missing => {
            plan.operations.push(Operation::create_group(wanted.name.clone(), Why::Listed, origin()));
            None
        }
        Match::Found(index) => Some(&snapshot.groups[*index]),
    };
    if let Some(group) = current {
        plan.id = Some(group.id.clone());
        if group.is_managed_elsewhere() {
            plan.name.clone_from(&group.name);
            skip(&mut plan, group, wanted, people);
            return plan;
        }
        // A group that was matched by a similar-looking name keeps its name. One that was matched by id gets the exact
        // name.
        let is_same_name = wanted.id.is_none() && name_key(&group.name) == name_key(&wanted.name);
        if wanted.keeps_name || is_same_name {
            plan.name.clone_from(&group.name);
        } else if group.name != wanted.name {
            let (from, to) = (group.name.clone(), wanted.name.clone());
            plan.operations.push(Operation::rename_group(from, to, Why::Listed, origin()));
        }
        if let Members::Unreadable(problem) = &group.members {
            plan.operations.clear();
            let message = format!("its members could not be read: {problem}");
            plan.blocks.push(Block { rule: Rule::Unreadable, message });
            plan.keep = desired_users(wanted, people, &mut plan.unresolved);
            return plan;
        }
    }
    if let Some(members) = &wanted.members {
        let current = current.map(CurrentGroup::members).unwrap_or_default();
        diff_members(members, current, people, &mut plan);
    }
    plan
}

/// The desired members of a group that cannot be changed. They must not be removed from other groups, because they may
/// not be in this one yet.
fn desired_users(wanted: &DesiredGroup, people: &People, unresolved: &mut Vec<Unresolved>) -> Vec<UserId> {
    let members = wanted.members.as_ref().map(|members| members.present.as_slice()).unwrap_or_default();
    resolve(members, people, unresolved).into_iter().map(|(id, _)| id.clone()).collect()
}

/// Compares a group that cannot be changed here, to report whether it matches the input.
fn skip(plan: &mut GroupPlan, group: &CurrentGroup, wanted: &DesiredGroup, people: &People) {
    let reason = if group.is_tenant_group { Skip::TenantGroup } else { Skip::ScimManaged };
    plan.skipped = Some(reason);
    let Some(members) = &wanted.members else { return };
    if let Members::Unreadable(problem) = &group.members {
        let message = format!("its members could not be read: {problem}");
        plan.blocks.push(Block { rule: Rule::Unreadable, message });
        return;
    }
    let mut compared = GroupPlan::new(&group.name, wanted.max_remove);
    diff_members(members, group.members(), people, &mut compared);
    plan.member_count = group.members().len();
    plan.left_out = compared.operations.len() + compared.unresolved.len();
    if plan.left_out > 0 && !wanted.ignores_scim {
        let message = format!("{}; change its members there", reason.as_str());
        plan.blocks.push(Block { rule: Rule::Managed, message });
    }
}

/// The rows of a table without an operation and without an unmatched user.
fn settled_rows(plan: &GroupPlan, wanted: &DesiredGroup, people: &People) -> Vec<SettledRow> {
    let Some(members) = &wanted.members else { return Vec::new() };
    let changed: HashSet<&UserId> = plan.operations.iter().filter_map(|one| one.user_id()).collect();
    let missing: HashSet<&str> = plan.unresolved.iter().map(|one| one.who.as_str()).collect();
    let holds = plan.blocks.is_empty() && plan.skipped.is_none();
    let rows = members.present.iter().chain(&members.absent).filter_map(|member| {
        let user_id = match people.find(&member.who) {
            Resolution::User(id) => Some(id),
            Resolution::Several(_) | Resolution::NoUser => None,
        };
        let is_reported =
            user_id.is_some_and(|id| changed.contains(id)) || missing.contains(member.who.as_str());
        (!is_reported).then(|| SettledRow {
            who: member.who.as_str().to_owned(),
            user_id: user_id.cloned(),
            origin: member.origin.clone(),
            holds,
        })
    });
    rows.collect()
}

fn diff_members(wanted: &DesiredMembers, current: &[GroupUser], people: &People, plan: &mut GroupPlan) {
    let rows: HashMap<&UserId, &GroupUser> = current.iter().map(|user| (&user.id, user)).collect();
    plan.member_count = current.len();
    let present = resolve(&wanted.present, people, &mut plan.unresolved);
    let absent = resolve(&wanted.absent, people, &mut plan.unresolved);
    plan.adds = wanted.mode != Mode::RemoveOnly && wanted.absent.is_empty();
    plan.removes = match wanted.mode {
        _ if !wanted.absent.is_empty() => Removes::Listed,
        Mode::Exact | Mode::RemoveOnly => Removes::Unlisted,
        Mode::AddOnly => Removes::Nobody,
    };
    let mut desired_users: HashSet<&UserId> = HashSet::with_capacity(present.len());
    let mut additions = Vec::new();
    for (id, member) in present {
        // Two addresses may belong to one user.
        if !desired_users.insert(id) || rows.contains_key(id) || !plan.adds {
            continue;
        }
        let (email, origin) = (email_of(&member.who), member.origin.clone());
        additions.push(Operation::add_user(id.clone(), email, Why::Listed, origin));
    }
    let mut removals = removals(wanted, current, people, &desired_users, &absent, plan.removes);
    // An unmatched user may be in the group with another address.
    if !plan.unresolved.is_empty() && plan.removes == Removes::Unlisted {
        plan.frozen_removals = removals.len();
        plan.removes = Removes::Nobody;
        removals.clear();
    }
    plan.operations.extend(additions);
    plan.operations.extend(removals);
    // A group without changes needs no list of members to keep.
    if !plan.operations.is_empty() {
        let kept = current.iter().filter(|user| desired_users.contains(&user.id));
        plan.keep = kept.map(|user| user.id.clone()).collect();
    }
}

fn removals(
    wanted: &DesiredMembers,
    current: &[GroupUser],
    people: &People,
    desired_users: &HashSet<&UserId>,
    absent: &[(&UserId, &DesiredMember)],
    removes: Removes,
) -> Vec<Operation> {
    let named: HashMap<&UserId, (&DesiredMember, Why)> = match removes {
        Removes::Listed => absent.iter().map(|(id, member)| (*id, (*member, Why::Listed))).collect(),
        _ => {
            let expired = wanted.expired.iter().filter_map(|member| match people.find(&member.who) {
                Resolution::User(id) => Some((id, (member, Why::Ended))),
                Resolution::Several(_) | Resolution::NoUser => None,
            });
            expired.collect()
        }
    };
    let is_removed = |user: &&GroupUser| match removes {
        Removes::Nobody => false,
        Removes::Listed => named.contains_key(&user.id),
        Removes::Unlisted => !desired_users.contains(&user.id),
    };
    let removal = |user: &GroupUser| {
        let email = user.email.as_deref().map(str::to_owned);
        let (why, origin) = match named.get(&user.id) {
            Some((member, why)) => (*why, member.origin.clone()),
            None => (Why::NotListed, Origin::default()),
        };
        Operation::remove_user(user.id.clone(), email, why, origin)
    };
    let mut removals: Vec<Operation> = current.iter().filter(is_removed).map(removal).collect();
    // Sorted by address, so that plans of the same state are identical, in whatever order the service lists users.
    let key = |operation: &Operation| {
        (operation.email().map(str::to_owned), operation.user_id().map(ToString::to_string))
    };
    removals.sort_by_cached_key(key);
    removals
}

fn email_of(who: &UserRef) -> Option<String> {
    match who {
        UserRef::Email(email) => Some(email.as_str().to_owned()),
        UserRef::Id(_) => None,
    }
}

/// Resolves members to users, and records those that match no user or several.
fn resolve<'a>(
    members: &'a [DesiredMember],
    people: &'a People,
    unresolved: &mut Vec<Unresolved>,
) -> Vec<(&'a UserId, &'a DesiredMember)> {
    let mut resolved = Vec::with_capacity(members.len());
    for member in members {
        let problem = match people.find(&member.who) {
            Resolution::User(id) => {
                resolved.push((id, member));
                continue;
            }
            Resolution::Several(ids) => {
                let ids: Vec<&str> = ids.iter().map(UserId::as_str).collect();
                format!("{} users have this address: choose one by id: {}", ids.len(), ids.join(", "))
            }
            Resolution::NoUser => no_user::problem(&member.who).to_owned(),
        };
        let who = member.who.as_str().to_owned();
        let origin = member.origin.clone();
        unresolved.push(Unresolved { who, origin, problem, suggestion: None, invited: false });
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_spreadsheet_changed_is_recognized() {
        for name in ["02-Jan", "Jan-02", "1/2/2026", "2026-01-02", "02.01.2026", "3.00E+05", "7", "2-may-26"]
        {
            assert!(is_made_by_spreadsheet(name), "{name}");
        }
        for name in ["Team 7", "1-2", "jan", "Design", "", "E+", "Q1-2026-x", "3E5"] {
            assert!(!is_made_by_spreadsheet(name), "{name}");
        }
    }
}
