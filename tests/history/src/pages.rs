//! Pages and walks over all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{Call, History, Outcome, Page, Pair},
    register::Register,
    violation::Violation,
};

/// All pages, in the order of the recording.
fn pages(history: &History) -> impl Iterator<Item = (&Call, &Page)> {
    history.calls.iter().filter_map(|call| match &call.outcome {
        Outcome::Listed(page) if call.is_answered() => Some((call, page)),
        _ => None,
    })
}

/// Checks the form of each page, and that it is a possible snapshot.
pub(crate) fn check_pages(history: &History, registers: &BTreeMap<Pair, Register>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (call, page) in pages(history) {
        if let Some(problem) = form_problem(page) {
            violations.push(Violation::MalformedPage { page: page.clone(), problem });
        } else if !is_of_one_instant(history, registers, call, page) {
            violations.push(Violation::TornPage {
                page: page.clone(),
                begun: call.begun,
                ended: call.latest(),
            });
        }
    }
    violations
}

fn form_problem(page: &Page) -> Option<&'static str> {
    let in_order = |users: &[usize]| users.windows(2).all(|two| page.order.is_before(two[0], two[1]));
    if page.users.len() > page.limit {
        return Some("it contains more users than its limit");
    }
    if !in_order(&page.users) {
        return Some("its users are out of order, or repeated");
    }
    if page.after.is_some_and(|after| page.users.iter().any(|user| !page.order.is_before(after, *user))) {
        return Some("it contains a user who does not come after its cursor");
    }
    if page.next.is_some_and(|next| page.users.last() != Some(&next)) {
        return Some("its next is not its last user");
    }
    None
}

fn is_of_one_instant(
    history: &History,
    registers: &BTreeMap<Pair, Register>,
    call: &Call,
    page: &Page,
) -> bool {
    let covered: Vec<(&Register, bool)> = page
        .covered(history.users)
        .filter_map(|(pair, member)| Some((registers.get(&pair)?, member)))
        // Violations of a register are already reported.
        .filter(|(register, _)| register.violation.is_none())
        .collect();
    let instants: BTreeSet<u64> =
        covered.iter().flat_map(|(register, _)| register.instants(call.begun, call.latest())).collect();
    covered.is_empty()
        || instants
            .iter()
            .any(|instant| covered.iter().all(|(register, member)| register.may_be(*instant, *member)))
}

/// Checks the walks that reached the last page.
pub(crate) fn check_walks(history: &History, registers: &BTreeMap<Pair, Register>) -> Vec<Violation> {
    let mut walks: BTreeMap<usize, Vec<(&Call, &Page)>> = BTreeMap::new();
    for (call, page) in pages(history) {
        walks.entry(page.walk).or_default().push((call, page));
    }
    let mut violations = Vec::new();
    for (number, walk) in walks {
        let mut cursors = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for (_, page) in &walk {
            if page.next.is_some_and(|next| !cursors.insert(next)) {
                violations.push(Violation::RepeatedCursor { walk: number, page: (*page).clone() });
            }
            for user in page.users.iter().filter(|user| !seen.insert(**user)) {
                let pair = Pair { group: page.group, user: *user };
                violations.push(Violation::RepeatedMember { walk: number, pair });
            }
        }
        let (Some((first, page)), Some((last, last_page))) = (walk.first(), walk.last()) else { continue };
        // An incomplete walk does not show which users it would have contained.
        if page.after.is_some() || last_page.next.is_some() {
            continue;
        }
        let missed = (0..history.users)
            .map(|user| Pair { group: page.group, user })
            .filter(|pair| !seen.contains(&pair.user))
            .filter(|pair| {
                registers.get(pair).is_some_and(|register| register.is_certain(first.begun, last.latest()))
            });
        violations.extend(missed.map(|pair| Violation::MissedMember { walk: number, pair }));
    }
    violations
}
