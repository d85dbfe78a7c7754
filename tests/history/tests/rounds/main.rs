//! Rounds: a server of one or two processes, several clients that change and read the same few memberships, roles and
//! users of a project, `kill -9` in between, and the checker over their results.
//!
//! Five rounds are part of the test run, because most planted faults are found in the first; 200 are run before a release:
//!
//! ```console
//! $ OPENAI_ADMIN_HISTORY_ROUNDS=200 scripts/with-postgres \
//!       cargo test -p openai-admin-history --test rounds -- \
//!       --exact rounds_on_sqlite rounds_on_postgres
//! ```
//!
//! `OPENAI_ADMIN_HISTORY_SEED` is the seed of the first round; default: 1. The same seed makes the same choices.
//! `OPENAI_ADMIN_BIN` names a binary to use as the server instead of this program.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the output of a test is shown if it fails, or on demand"
)]

mod clients;
mod creations;
mod database;
mod injected_faults;
mod patched;
mod rights;
mod round;
mod server;

use openai_admin_history::Violation;

use crate::{database::Engine, round::Round};

/// The number of rounds. Default: 5 with one process, and 3 with two, which wait for each other.
const ROUNDS: &str = "OPENAI_ADMIN_HISTORY_ROUNDS";
const ROUNDS_DEFAULT: u64 = 5;
const ROUNDS_OF_SEVERAL_DEFAULT: u64 = 3;
/// The seed of the first round; later rounds count up.
const SEED: &str = "OPENAI_ADMIN_HISTORY_SEED";
const SEED_DEFAULT: u64 = 1;

fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "parameters of a test, and of its child process")]
    std::env::var(name).ok()
}

fn number(name: &str, default: u64) -> u64 {
    environment(name).map_or(default, |value| value.parse().expect(name))
}

fn rounds(engine: Engine, processes: usize) {
    let first = number(SEED, SEED_DEFAULT);
    let count = number(ROUNDS, if processes == 1 { ROUNDS_DEFAULT } else { ROUNDS_OF_SEVERAL_DEFAULT });
    let mut answered = 0;
    let mut cut_off = 0;
    for seed in first..first + count {
        let done = Round { engine, seed, processes, fault: None }.run();
        assert!(done.violations.is_empty(), "{engine:?}, seed {seed}:\n{}", describe(&done.violations));
        answered += done.answered;
        cut_off += done.cut_off;
    }
    println!(
        "{engine:?}, {processes} processes: {answered} calls were answered and {cut_off} changes cut off"
    );
    assert!(cut_off > 0, "no kill interrupted a change");
}

fn describe(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn rounds_on_sqlite() {
    rounds(Engine::Sqlite, 1);
}

#[test]
fn rounds_on_postgres() {
    rounds(Engine::Postgres, 1);
}

#[test]
fn rounds_on_sqlite_with_two_processes() {
    rounds(Engine::Sqlite, 2);
}

#[test]
fn rounds_on_postgres_with_two_processes() {
    rounds(Engine::Postgres, 2);
}
