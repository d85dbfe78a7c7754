//! What would be done: a value that people read, machines keep, and `apply` is held to.

mod document;
mod group_plan;
mod operation;
mod operation_document;

pub(crate) use self::document::hex;
pub use self::{
    document::{PLAN_VERSION, Plan, Purpose, UnknownPolicy, json_schema},
    group_plan::{Block, GroupPlan, Removes, Rule, SettledRow, Skip, Unresolved},
    operation::{Effect, Operation, Progress, Requirement, Target, Why},
};
