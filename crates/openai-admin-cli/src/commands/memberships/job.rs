use openai_admin_sync::{Approval, Plan, Run, Runs, fresh::Earlier, lock::Lock};

/// A plan to apply.
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) runs: Runs,
    pub(super) approval: Approval,
    pub(super) begin: Begin,
    /// The exclusive lock of the organization and its runs.
    pub(super) lock: Lock,
}

/// How a job starts.
pub(super) enum Begin {
    /// The plan was just made under the lock.
    Now,
    /// The plan was made before the prompt, and is compared with the current state.
    Confirmed,
    /// The plan was saved, and is compared with the current state and the local protection. The digest is that of the
    /// saved plan.
    Saved(Earlier, String),
    /// It was started before.
    Resumed(Run, Earlier),
}
