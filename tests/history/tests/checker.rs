//! Small histories, valid and invalid. Users 0 to 3 and one group, unless a case says otherwise.

use openai_admin_history::{
    Audit, AuditEvent, Call, End, History, Order,
    Order::{Ascending, Descending},
    Outcome, Page, Pair, Violation, check,
};

const fn pair(user: usize) -> Pair {
    Pair { group: 0, user }
}

fn call(client: usize, begun: u64, ended: u64, outcome: Outcome) -> Call {
    Call { client, begun, ended: End::Answered(ended), outcome }
}

fn added(begun: u64, ended: u64, user: usize) -> Call {
    call(1, begun, ended, Outcome::Added(pair(user)))
}

fn removed(begun: u64, ended: u64, user: usize) -> Call {
    call(2, begun, ended, Outcome::Removed(pair(user)))
}

fn found(begun: u64, ended: u64, user: usize, member: bool) -> Call {
    call(3, begun, ended, Outcome::Found(pair(user), member))
}

fn without_answer(ended: End, call: Call) -> Call {
    Call { ended, ..call }
}

fn listed(
    begun: u64,
    ended: u64,
    order: Order,
    after: Option<usize>,
    users: &[usize],
    next: Option<usize>,
) -> Call {
    let page = Page { walk: 0, group: 0, order, limit: 2, after, users: users.to_vec(), next };
    call(4, begun, ended, Outcome::Listed(page))
}

fn history(members: &[usize], calls: &[Call]) -> History {
    let members = members.iter().map(|user| pair(*user)).collect();
    History { users: 4, members, calls: calls.to_vec(), audit: None }
}

/// The kinds of violations, without repetitions.
fn wrong(history: &History) -> Vec<&'static str> {
    let kind = |violation: &Violation| match violation {
        Violation::NotLinearizable { .. } => "not linearizable",
        Violation::MalformedPage { .. } => "malformed page",
        Violation::TornPage { .. } => "torn page",
        Violation::RepeatedCursor { .. } => "repeated cursor",
        Violation::RepeatedMember { .. } => "repeated member",
        Violation::MissedMember { .. } => "missed member",
        Violation::AuditDisagrees { .. } => "audit disagrees",
        Violation::AuditContradictsMembers { .. } => "audit contradicts members",
        _ => "another",
    };
    let mut kinds: Vec<&str> = check(history).iter().map(kind).collect();
    kinds.dedup();
    kinds
}

#[track_caller]
fn assert_sound(members: &[usize], calls: &[Call]) {
    assert_eq!(check(&history(members, calls)), [], "a valid history");
}

#[track_caller]
fn assert_wrong(members: &[usize], calls: &[Call], kinds: &[&str]) {
    assert_eq!(wrong(&history(members, calls)), kinds);
}

#[test]
fn empty_and_sequential_histories_are_valid() {
    assert_sound(&[], &[]);
    assert_sound(&[], &[added(1, 2, 0), found(3, 4, 0, true), removed(5, 6, 0), found(7, 8, 0, false)]);
    assert_sound(&[0], &[found(1, 2, 0, true), found(3, 4, 1, false), removed(5, 6, 0)]);
    assert_sound(&[], &[added(1, 2, 0), added(3, 4, 0), removed(5, 6, 0)]);
}

#[test]
fn an_acknowledged_write_that_is_lost_is_found() {
    assert_wrong(&[], &[added(1, 2, 0), found(3, 4, 0, false)], &["not linearizable"]);
    assert_wrong(&[0], &[removed(1, 2, 0), found(3, 4, 0, true)], &["not linearizable"]);
    assert_wrong(&[], &[added(1, 2, 0), removed(3, 4, 0), removed(5, 6, 0)], &["not linearizable"]);
}

#[test]
fn a_phantom_is_found() {
    assert_wrong(&[], &[found(1, 2, 0, true)], &["not linearizable"]);
    assert_wrong(&[], &[removed(1, 2, 0)], &["not linearizable"]);
    assert_wrong(&[0], &[found(1, 2, 0, false)], &["not linearizable"]);
}

#[test]
fn a_read_may_see_a_concurrent_write_or_not() {
    assert_sound(&[], &[added(1, 4, 0), found(2, 3, 0, true)]);
    assert_sound(&[], &[added(1, 4, 0), found(2, 3, 0, false)]);
    assert_sound(&[], &[added(1, 10, 0), found(2, 3, 0, false), found(4, 5, 0, true)]);
    assert_sound(&[], &[added(1, 4, 0), removed(2, 3, 0), found(5, 6, 0, false)]);
}

#[test]
fn later_reads_see_everything_that_earlier_ones_saw() {
    assert_wrong(&[], &[added(1, 10, 0), found(2, 3, 0, true), found(4, 5, 0, false)], &["not linearizable"]);
    // Two removals of one add.
    let second = call(5, 2, 5, Outcome::Removed(pair(0)));
    assert_wrong(&[0], &[removed(1, 6, 0), second], &["not linearizable"]);
}

#[test]
fn an_unanswered_call_took_effect_or_not() {
    let cut_off = || without_answer(End::CutOff(5), added(1, 0, 0));
    for member in [true, false] {
        assert_sound(&[], &[cut_off(), found(6, 7, 0, member), found(8, 9, 0, member)]);
        assert_sound(&[], &[cut_off(), found(2, 3, 0, false), found(6, 7, 0, member)]);
    }
    let removal = || without_answer(End::CutOff(5), removed(1, 0, 0));
    for member in [true, false] {
        assert_sound(&[0], &[removal(), found(6, 7, 0, member), found(8, 9, 0, member)]);
    }
}

#[test]
fn an_unanswered_call_does_not_take_effect_after_its_server_died() {
    let cut_off = |ended| without_answer(ended, added(1, 0, 0));
    let later = [found(6, 7, 0, false), found(8, 9, 0, true)];
    let with = |first| [&[first][..], &later].concat();
    assert_wrong(&[], &with(cut_off(End::CutOff(5))), &["not linearizable"]);
    assert_sound(&[], &with(cut_off(End::Unknown)));
}

#[test]
fn a_call_of_unknown_outcome_takes_effect_at_most_once() {
    let unknown = without_answer(End::Unknown, added(1, 0, 0));
    let again = [unknown.clone(), found(2, 3, 0, true), removed(4, 5, 0), found(6, 7, 0, true)];
    assert_wrong(&[], &again, &["not linearizable"]);
    let two = [&[unknown][..], &again].concat();
    assert_sound(&[], &two);
    let both =
        [without_answer(End::CutOff(9), added(1, 0, 0)), without_answer(End::Unknown, removed(2, 0, 0))];
    assert_sound(&[], &[&both[..], &[found(10, 11, 0, true), found(12, 13, 0, false)]].concat());
    assert_wrong(
        &[],
        &[&both[..], &[found(10, 11, 0, false), found(12, 13, 0, true)]].concat(),
        &["not linearizable"],
    );
}

#[test]
fn a_page_covers_members_and_non_members() {
    assert_sound(&[0, 1, 2], &[listed(1, 2, Ascending, None, &[0, 1], Some(1))]);
    assert_sound(&[0, 1, 2], &[listed(1, 2, Descending, Some(2), &[1, 0], None)]);
    // 0 is missing, although it comes before the last user of the page.
    assert_wrong(&[0, 1, 2], &[listed(1, 2, Ascending, None, &[1, 2], Some(2))], &["not linearizable"]);
    // 2 is missing at the end.
    assert_wrong(&[0, 1, 2], &[listed(1, 2, Ascending, None, &[0, 1], None)], &["not linearizable"]);
    // 3 is on the page, but is not a member.
    assert_wrong(&[0], &[listed(1, 2, Descending, None, &[3, 0], None)], &["not linearizable"]);
    // Users before the cursor or after the last user are not covered.
    assert_sound(&[0, 1, 2, 3], &[listed(1, 2, Ascending, Some(0), &[1, 2], Some(2))]);
}

#[test]
fn a_malformed_page_is_found() {
    for (order, after, users, next) in [
        (Ascending, None, &[0, 1, 2][..], None),
        (Ascending, None, &[1, 0], None),
        (Ascending, None, &[0, 0], None),
        (Ascending, Some(1), &[1, 2], None),
        (Descending, Some(1), &[2, 0], None),
        (Ascending, None, &[0, 1], Some(0)),
        (Ascending, None, &[], Some(0)),
    ] {
        let found = wrong(&history(&[0, 1, 2], &[listed(1, 2, order, after, users, next)]));
        assert!(found.contains(&"malformed page"), "{users:?} {next:?}: {found:?}");
    }
}

#[test]
fn a_page_with_parts_of_different_times_is_found() {
    // While the page is read, 0 is removed, and 1 is added only afterwards: they were never members at the same time.
    let changes = [removed(2, 3, 0), added(4, 5, 1)];
    let with = |users: &[usize]| [&changes[..], &[listed(1, 6, Ascending, None, users, None)]].concat();
    assert_wrong(&[0], &with(&[0, 1]), &["torn page"]);
    for users in [&[0][..], &[], &[1]] {
        assert_sound(&[0], &with(users));
    }
    // With concurrent changes, they may have been members at the same time.
    let changes = [removed(2, 5, 0), added(3, 4, 1)];
    assert_sound(&[0], &[&changes[..], &[listed(1, 6, Ascending, None, &[0, 1], None)]].concat());
}

#[test]
fn a_walk_contains_every_member_once() {
    let first = listed(1, 2, Ascending, None, &[0, 1], Some(1));
    assert_sound(&[0, 1, 2], &[first.clone(), listed(3, 4, Ascending, Some(1), &[2], None)]);
    // A cursor by offset, after user 0 was removed: 2 is skipped.
    let skips = [first.clone(), removed(3, 4, 0), listed(5, 6, Ascending, Some(1), &[3], None)];
    let found = wrong(&history(&[0, 1, 2, 3], &skips));
    assert_eq!(found, ["not linearizable"], "the page itself shows that 2 is not a member");
    // The same with a page that covers less.
    let first = listed(1, 2, Ascending, None, &[0], Some(0));
    let hides = [first, listed(3, 4, Ascending, Some(1), &[2], None)];
    assert_wrong(&[0, 1, 2], &hides, &["missed member"]);
}

#[test]
fn a_user_who_is_added_or_removed_during_a_walk_is_optional() {
    let first = listed(1, 2, Ascending, None, &[0, 1], Some(1));
    let last = |users: &[usize]| listed(5, 6, Ascending, Some(1), users, None);
    assert_sound(&[0, 1, 3], &[first.clone(), added(3, 4, 2), last(&[2, 3])]);
    assert_sound(&[0, 1, 2], &[first.clone(), removed(3, 4, 2), last(&[])]);
    assert_sound(&[0, 1], &[first.clone(), removed(3, 4, 0), last(&[])]);
    let unknown = without_answer(End::Unknown, removed(3, 0, 2));
    assert_sound(&[0, 1, 2], &[first, unknown, last(&[])]);
}

#[test]
fn a_walk_with_a_repeated_user_or_cursor_is_found() {
    let first = listed(1, 2, Ascending, None, &[0, 1], Some(1));
    let twice =
        wrong(&history(&[0, 1, 2], &[first.clone(), listed(3, 4, Ascending, Some(0), &[1, 2], None)]));
    assert_eq!(twice, ["repeated member"]);
    let again = wrong(&history(&[0, 1, 2], &[first.clone(), first]));
    assert_eq!(again, ["repeated cursor", "repeated member"]);
}

fn event(client: usize, user: usize, added: bool) -> AuditEvent {
    AuditEvent { client, pair: pair(user), added }
}

#[test]
fn the_audit_trail_records_every_acknowledged_change_once_and_nothing_else() {
    let calls = [added(1, 2, 0), added(3, 4, 0), removed(5, 6, 0), removed(7, 8, 1)];
    let cut_off = without_answer(End::CutOff(20), added(9, 0, 2));
    let calls = [&calls[..], &[cut_off]].concat();
    let with = |events: &[AuditEvent], members: &[usize]| {
        let members = members.iter().map(|user| pair(*user)).collect();
        let audit = Audit { events: events.to_vec(), members };
        History { audit: Some(audit), ..history(&[1], &calls) }
    };
    let trail = [event(1, 0, true), event(2, 0, false), event(2, 1, false)];
    assert_eq!(check(&with(&trail, &[])), []);
    let longer = [&trail[..], &[event(1, 2, true)]].concat();
    assert_eq!(check(&with(&longer, &[2])), [], "an unanswered change may have happened");
    let disagrees = "audit disagrees";
    let elsewhere = "audit contradicts members";
    // An unanswered change happened without an event, or has an event but did not happen.
    assert_eq!(wrong(&with(&trail, &[2])), [elsewhere]);
    assert_eq!(wrong(&with(&longer, &[])), [elsewhere]);
    // The removal of user 0 has no event.
    assert_eq!(wrong(&with(&[event(1, 0, true), event(2, 1, false)], &[])), [disagrees, elsewhere]);
    // The event names another client.
    let other = [event(1, 0, true), event(1, 0, false), event(2, 1, false)];
    assert_eq!(wrong(&with(&other, &[])), [disagrees]);
    // A change has two events, and so does an add that happened once.
    let twice = [&trail[..], &[event(2, 0, false)]].concat();
    assert_eq!(wrong(&with(&twice, &[])), [disagrees, elsewhere]);
    let twice = [&trail[..], &[event(1, 0, true)]].concat();
    assert_eq!(wrong(&with(&twice, &[])), [elsewhere]);
    // A removal has an event, but no add does.
    assert_eq!(wrong(&with(&[event(2, 0, false), event(2, 1, false)], &[])), [elsewhere]);
}
