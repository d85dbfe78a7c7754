//! The checker finds what it is for: each fault is planted in a server of its own, and must be found.

use openai_admin_store::PlantedFault;
use serde_json::Value;

use crate::{database::Engine, round::Round, tell};

/// How many rounds a fault may hide. A crash has to meet some of them at the right moment.
const ROUNDS_MAX: u64 = 30;

fn is_found(engine: Engine, fault: PlantedFault) {
    for seed in 1..=ROUNDS_MAX {
        let done = Round { engine, seed, processes: 1, fault: Some(fault) }.run();
        if !done.violations.is_empty() {
            println!("{fault:?} on {engine:?}, found in round {seed}:\n{}", tell(&done.violations));
            return;
        }
    }
    panic!("{fault:?} on {engine:?} was not found in {ROUNDS_MAX} rounds");
}

macro_rules! found_on_both_engines {
    ($($test:ident: $fault:ident,)*) => {
        mod sqlite {
            $(#[test] fn $test() { super::is_found(crate::database::Engine::Sqlite, super::PlantedFault::$fault); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::is_found(crate::database::Engine::Postgres, super::PlantedFault::$fault); })*
        }
    };
}

found_on_both_engines! {
    an_answer_before_the_commit_is_found: AnswerBeforeCommit,
    a_cursor_by_offset_is_found: CursorByOffset,
    an_audit_event_in_a_transaction_of_its_own_is_found: AuditApart,
}

/// PostgreSQL has no cache.
#[test]
fn a_stale_cache_is_found() {
    is_found(Engine::Sqlite, PlantedFault::StaleCache);
}

#[test]
fn a_lost_invalidation_is_found() {
    is_found(Engine::Sqlite, PlantedFault::LostInvalidation);
}

/// The faults are compiled in by a feature of the store. Nothing that is shipped may switch it on.
#[test]
fn no_dependency_but_of_tests_switches_planted_faults_on() {
    const FEATURE: &str = "planted-faults";
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path", workspace])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut switched_on_by = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        for (feature, switches_on) in package["features"].as_object().unwrap() {
            assert!(
                !switches_on.to_string().contains(FEATURE),
                "the feature {feature} of {name} switches {FEATURE} on"
            );
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["features"].to_string().contains(FEATURE) {
                assert_eq!(dependency["kind"], "dev", "{name} switches {FEATURE} on outside of tests");
                switched_on_by.push(name);
            }
        }
    }
    assert_eq!(switched_on_by, ["openai-admin-history"]);
}
