//! Checks what concurrent clients saw of the users of groups, while their server was killed and started again.
//!
//! A [`History`] says who asked what, when, and what came back; [`check`] is a pure function from it to what cannot
//! have been. It looks for what the guarantees in `docs/guarantees.md` forbid, and for nothing else:
//!
//! - **Each membership is a register** that can be linearized: every answered call took effect at one instant between
//!   its call and its answer, and the instants explain all answers. A call that was cut off took effect once or never,
//!   and not after the server that had it was gone. A page counts as a look at every pair that it covers: those after
//!   its cursor, up to its last user, or up to the end where nothing more follows.
//! - **Each page is of one instant.** There must be an instant between its call and its answer at which every pair that
//!   it covers *may* have been as the page says. What may have been at an instant is what some linearization of all
//!   calls up to that instant leads to. This is weaker than linearizability of whole groups, which would take time
//!   exponential in the pairs: two pages may each have an instant of their own that no order of all instants explains.
//!   It never blames a correct server, and it finds every page whose parts come from different times, as long as some
//!   acknowledged change tells the times apart.
//! - **Each walk** over all pages contains a user who was certainly a member from its first call to its last answer,
//!   nobody twice, and no cursor twice.
//! - **The audit trail** tells of each acknowledged change exactly once, by whoever made it, and of nothing else, save
//!   for changes that were cut off; and it leads to the memberships that are there.

mod audit;
mod history;
mod pages;
mod register;
mod violation;

pub use audit::{Audit, AuditEvent};
pub use history::{Call, End, History, Order, Page, Pair, What};
pub use violation::Violation;

/// Everything about a history that cannot have been; nothing when all is well.
pub fn check(history: &History) -> Vec<Violation> {
    let registers = register::registers(history);
    let mut violations: Vec<Violation> =
        registers.values().filter_map(|register| register.violation.clone()).collect();
    violations.extend(pages::check_pages(history, &registers));
    violations.extend(pages::check_walks(history, &registers));
    violations.extend(audit::check(history));
    violations
}
