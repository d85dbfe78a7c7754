//! The checker detects the faults it was written for: a patch in `tests/history/faults` injects each of them into a
//! server.

use crate::{database::Engine, describe, patched::patch_of, round::Round};

/// In how many rounds a fault may stay undetected. A crash has to occur at the right moment in one of them.
const ROUNDS_MAX: u64 = 30;

fn is_found(engine: Engine, fault: &'static str) {
    assert!(patch_of(fault).is_file(), "no patch injects {fault}");
    for seed in 1..=ROUNDS_MAX {
        let done = Round { engine, seed, processes: 1, fault: Some(fault) }.run();
        if !done.violations.is_empty() {
            println!("{fault} on {engine:?}, found in round {seed}:\n{}", describe(&done.violations));
            return;
        }
    }
    panic!("{fault} on {engine:?} was not found in {ROUNDS_MAX} rounds");
}

macro_rules! found_on_both_engines {
    ($($test:ident: $fault:literal,)*) => {
        mod sqlite {
            $(#[test] fn $test() { super::is_found(crate::database::Engine::Sqlite, $fault); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::is_found(crate::database::Engine::Postgres, $fault); })*
        }
    };
}

found_on_both_engines! {
    an_answer_before_the_commit_is_found: "answer_before_commit",
    a_cursor_by_offset_is_found: "cursor_by_offset",
    an_audit_event_in_a_separate_transaction_is_found: "audit_apart",
    a_lost_role_of_a_group_is_found: "lost_assignment",
    a_role_that_a_group_keeps_in_a_project_is_found: "kept_assignment",
    a_stale_cache_of_roles_is_found: "stale_roles",
}

/// PostgreSQL has no cache.
#[test]
fn a_stale_cache_is_found() {
    is_found(Engine::Sqlite, "stale_cache");
}

#[test]
fn a_lost_invalidation_is_found() {
    is_found(Engine::Sqlite, "lost_invalidation");
}
