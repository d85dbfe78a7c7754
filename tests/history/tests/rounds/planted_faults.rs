//! The checker finds the faults that it is for: a patch of `tests/history/faults` plants each of them in a server.

use crate::{database::Engine, patched::patch_of, round::Round, tell};

/// How many rounds a fault may hide. A crash has to meet some of them at the right moment.
const ROUNDS_MAX: u64 = 30;

fn is_found(engine: Engine, fault: &'static str) {
    assert!(patch_of(fault).is_file(), "no patch plants {fault}");
    for seed in 1..=ROUNDS_MAX {
        let done = Round { engine, seed, processes: 1, fault: Some(fault) }.run();
        if !done.violations.is_empty() {
            println!("{fault} on {engine:?}, found in round {seed}:\n{}", tell(&done.violations));
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
    an_audit_event_in_a_transaction_of_its_own_is_found: "audit_apart",
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
