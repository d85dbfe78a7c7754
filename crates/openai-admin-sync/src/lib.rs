//! Desired-state memberships for OpenAI organizations: plans the changes that make groups match a file, applies them
//! safely, and journals them.
//!
//! # Modules
//!
//! Each module uses only itself and the modules above it:
//!
//! - [`mod@input`] reads input files: a [`mod@file`] of groups, tables ([`mod@csv`]), a [`policy`].
//! - [`service`] reads the current state: a [`reader`] that cannot write, the [`current`] groups, and [`lanes`] that limit
//!   the rate of each route.
//! - [`mod@plan`] makes a plan: [`desired`] is the desired state, with the origin of each membership; [`resolve`] finds the
//!   users, [`diff`] compares, [`guard`] blocks. [`planning`] calls them in order. [`import`] makes plans
//!   from a table, and [`offboard`] for users who leave, with the rights that [`holdings`] reads.
//! - [`run`] applies a plan: [`mod@apply`] calls the steps in order. The [`executor`] follows the [`schedule`] and writes
//!   the [`journal`] under a [`lock`]; [`fresh`] compares before, [`verify`] after, and [`undo`] plans the inverse.
//! - [`render`] shows plans, [`report`]s of runs, their [`summary`], and [`export`]s.
//!
//! Only `service` and `run` do IO. The clock, the day and random numbers are arguments.

pub mod input;
pub mod plan;
pub mod render;
pub mod run;
pub mod service;

pub use input::{csv, email, file, input_error, policy, suggestion, text, visible, yaml};
pub use plan::{diff, guard, holdings, import, offboard, planning, resolve};
pub use render::{export, report, summary};
pub use run::{apply, executor, fresh, journal, lock, private, saved, schedule, undo, verify};
pub use service::{current, lanes, reader};

/// The desired state, and how files become one.
pub mod desired {
    pub use crate::plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers, MEMBERSHIPS_MAX},
        expand::{ReadTable, expand},
        source::{Origin, SHRINKING_PERCENT_MAX, Source, check_sources, uncompared},
    };
}

/// The request rate of one route.
pub mod pace {
    pub use crate::service::{
        estimator::Estimator,
        pacer::{Pacer, Pacer as Pace},
    };
}

pub use self::{
    executor::Executor,
    fresh::Start,
    guard::{Approval, Decision},
    input_error::{InputError, InputErrors, Position},
    journal::Journal,
    lanes::{LaneSettings, Lanes},
    plan::Plan,
    planning::{PlanOptions, plan},
    policy::Policy,
    reader::Reader,
    run::{Run, Runs},
};
