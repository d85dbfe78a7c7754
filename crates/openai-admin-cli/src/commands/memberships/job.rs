use openai_admin_sync::{Approval, Plan, Run, Runs, fresh::Earlier, lock::Lock};

/// A plan that is to be done.
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) runs: Runs,
    pub(super) approval: Approval,
    pub(super) begin: Begin,
    /// Nobody else writes to the organization, nor to its runs.
    pub(super) lock: Lock,
}

/// How it begins.
pub(super) enum Begin {
    /// The plan was made just now, under the lock.
    Now,
    /// It was made just now, before somebody was asked, and is compared with what is.
    Asked,
    /// It was kept somewhere, and is compared with what is, and with what is known of protection here.
    /// The digest is that of the plan as it was kept.
    Kept(Earlier, String),
    /// It was begun before.
    Resumed(Run, Earlier),
}
