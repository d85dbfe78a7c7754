//! Desired-state membership of OpenAI organizations: a file says who should be in which group; this makes it so,
//! safely, and can prove what it did.
//!
//! # A map
//!
//! Each folder is a floor, and uses only itself and those before it:
//!
//! - [`mod@input`] reads what people write: a [`mod@file`] of groups, tables ([`mod@csv`]), a [`policy`].
//! - [`service`] reads the current state: a [`reader`] that cannot write, the [`current`] groups, and [`lanes`] that keep
//!   the pace of each route.
//! - [`mod@plan`] makes a plan: what the input [`desired`], with the origin of each membership; [`resolve`] finds the users,
//!   [`diff`] compares, [`guard`] blocks. [`planning`] does all of it in order. [`import`] and [`offboard`] are other ways
//!   to a plan.
//! - [`run`] applies it: the [`executor`] follows the [`schedule`] and writes the [`journal`] under a [`lock`]; [`fresh`]
//!   compares before, [`verify`] after, and [`undo`] plans the way back.
//! - [`render`] shows plans, [`report`]s of runs, their [`summary`], and [`export`]s.
//!
//! Only `service` and `run` do IO themselves. The clock, the day and randomness are passed in.

pub mod input;
pub mod plan;
pub mod render;
pub mod run;
pub mod service;

pub use input::{csv, email, fault, file, policy, suggestion, text, visible, yaml};
pub use plan::{diff, guard, import, offboard, planning, resolve};
pub use render::{export, report, summary};
pub use run::{executor, fresh, journal, lock, private, schedule, undo, verify};
pub use service::{current, lanes, reader};

/// What should be, and the way to it from files.
pub mod desired {
    pub use crate::plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers, MEMBERSHIPS_MAX},
        expand::{ReadTable, expand},
        source::{Origin, SHRINKING_PERCENT_MAX, Source, check_sources, uncompared},
    };
}

/// How fast one route may be asked.
pub mod pace {
    pub use crate::service::{
        estimator::Estimator,
        pacer::{Pacer, Pacer as Pace},
    };
}

pub use self::{
    executor::Executor,
    fault::{Fault, Faults, Place},
    fresh::Start,
    guard::{Approval, Standing},
    journal::Journal,
    lanes::{LaneSettings, Lanes},
    plan::Plan,
    planning::{PlanOptions, plan},
    policy::Policy,
    reader::Reader,
    run::{Run, Runs},
};
