//! Checks what concurrent clients read about group members, role assignments, and the users and groups of projects, while
//! their server was killed and restarted.
//!
//! A [`History`] contains the calls, their times and their answers. [`check`] is a pure function that returns the
//! contradictions in it. It checks the guarantees in `docs/guarantees.md`, and nothing else:
//!
//! - **Each membership is a linearizable register**: every answered call took effect at one instant between its call
//!   and its answer, and these instants explain all answers. An unanswered call took effect once or never, and not
//!   after its server was dead. A page counts as a read of every pair that it covers: those after its cursor, up to its
//!   last user, or up to the end if no page follows.
//! - **Each page is a snapshot.** There must be an instant between its call and its answer at which every pair that it
//!   covers *may* have been in the state on the page. A state is possible at an instant if some linearization of all
//!   calls up to that instant leads to it. This is weaker than linearizability of whole groups, which would take time
//!   exponential in the number of pairs: two pages may each have a possible instant although no common order of all
//!   instants explains both. It never reports a correct server, and it detects every page whose parts come from
//!   different times, as long as an acknowledged change separates those times.
//! - **Each walk** over all pages contains every user who was certainly a member from its first call to its last
//!   answer, contains no user twice, and repeats no cursor.
//! - **The audit trail** records each acknowledged change exactly once, with its author, and nothing else except for
//!   unanswered changes. It leads to the final memberships.

mod audit;
mod history;
mod pages;
mod register;
mod violation;

pub use audit::{Audit, AuditEvent};
pub use history::{Call, End, History, Order, Outcome, Page, Pair};
pub use violation::Violation;

/// All violations in a history. Empty if there are none.
pub fn check(history: &History) -> Vec<Violation> {
    let registers = register::registers(history);
    let mut violations: Vec<Violation> =
        registers.values().filter_map(|register| register.violation.clone()).collect();
    violations.extend(pages::check_pages(history, &registers));
    violations.extend(pages::check_walks(history, &registers));
    violations.extend(audit::check(history));
    violations
}
