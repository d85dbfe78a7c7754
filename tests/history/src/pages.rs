//! Pages and walks over all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{Call, History, Page, Pair, What},
    register::Register,
    violation::Violation,
};

/// Every page that was read, in the order of the recording.
fn pages(history: &History) -> impl Iterator<Item = (&Call, &Page)> {
    history.calls.iter().filter_map(|call| match &call.what {
        What::Listed(page) if call.is_answered() => Some((call, page)),
        _ => None,
    })
}

/// The form of each page, and whether there is an instant at which it may have been so.
pub(crate) fn check_pages(history: &History, registers: &BTreeMap<Pair, Register>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (call, page) in pages(history) {
        if let Some(problem) = fault_of_form(page) {
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

fn fault_of_form(page: &Page) -> Option<&'static str> {
    let in_order = |users: &[usize]| users.windows(2).all(|two| page.order.is_before(two[0], two[1]));
    if page.users.len() > page.limit {
        return Some("it holds more users than were asked for");
    }
    if !in_order(&page.users) {
        return Some("its users are not in order, or not all different");
    }
    if page.after.is_some_and(|after| page.users.iter().any(|user| !page.order.is_before(after, *user))) {
        return Some("it holds a user who does not come after its cursor");
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
        // What is wrong with a register itself has been said.
        .filter(|(register, _)| register.violation.is_none())
        .collect();
    let instants: BTreeSet<u64> =
        covered.iter().flat_map(|(register, _)| register.instants(call.begun, call.latest())).collect();
    covered.is_empty()
        || instants
            .iter()
            .any(|instant| covered.iter().all(|(register, member)| register.may_be(*instant, *member)))
}

/// The walks that came to their end.
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
        // A walk that was cut off proves nothing about whom it would have met.
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
