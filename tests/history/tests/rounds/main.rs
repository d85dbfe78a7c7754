//! Rounds: a server of its own, several clients that change and read the same few memberships, `kill -9` in between,
//! and the checker over what they saw.
//!
//! Ten rounds are part of the test run, 200 are run before a release:
//!
//! ```console
//! $ OPENAI_ADMIN_HISTORY_ROUNDS=200 scripts/with-postgres cargo test -p openai-admin-history --test rounds rounds_on
//! ```
//!
//! `OPENAI_ADMIN_HISTORY_SEED` is the seed of the first round, 1 unless it is set: the same seed makes the same choices.
//! `OPENAI_ADMIN_BIN` names a binary to be the server instead of this program.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics is doing its job")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a test says is shown when it fails, or on demand"
)]

mod clients;
mod creations;
mod database;
mod planted_faults;
mod round;
mod server;

use openai_admin_history::Violation;

use crate::{database::Engine, round::Round};

/// How many rounds are run, 10 unless it is set.
const ROUNDS: &str = "OPENAI_ADMIN_HISTORY_ROUNDS";
const ROUNDS_DEFAULT: u64 = 10;
/// The seed of the first round; the others follow.
const SEED: &str = "OPENAI_ADMIN_HISTORY_SEED";
const SEED_DEFAULT: u64 = 1;

fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test is told about its rounds, and its child about the test"
    )]
    std::env::var(name).ok()
}

fn number(name: &str, default: u64) -> u64 {
    environment(name).map_or(default, |value| value.parse().expect(name))
}

fn rounds(engine: Engine) {
    let first = number(SEED, SEED_DEFAULT);
    let mut answered = 0;
    let mut cut_off = 0;
    for seed in first..first + number(ROUNDS, ROUNDS_DEFAULT) {
        let done = Round { engine, seed, fault: None }.run();
        assert!(done.violations.is_empty(), "{engine:?}, seed {seed}:\n{}", tell(&done.violations));
        answered += done.answered;
        cut_off += done.cut_off;
    }
    println!("{engine:?}: {answered} calls were answered and {cut_off} changes cut off");
    assert!(cut_off > 0, "no kill met a change");
}

fn tell(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn rounds_on_sqlite() {
    rounds(Engine::Sqlite);
}

#[test]
fn rounds_on_postgres() {
    rounds(Engine::Postgres);
}
