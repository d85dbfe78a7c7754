//! The plan: the differences between the input and the current state, and the changes that the guard blocks.

pub mod desired;
pub mod diff;
pub mod document;
pub mod expand;
pub mod group_plan;
pub mod guard;
pub mod holdings;
pub mod import;
pub mod invitations;
pub mod no_user;
pub mod offboard;
pub mod operation;
mod operation_document;
pub mod planning;
pub mod resolve;
pub mod right;
pub mod source;
pub mod suggest;

pub use self::{
    document::{PLAN_VERSION, Plan, Purpose, UnknownPolicy, json_schema},
    group_plan::{Block, GroupPlan, Removes, Rule, SettledRow, Skip, Unresolved},
    operation::{Effect, Operation, Progress, Requirement, Target, Why},
    right::{Kept, KeptReason, Right},
};
