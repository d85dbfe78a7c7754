//! The commands about memberships: plan, apply, drift, export, import, runs and offboard.

mod apply;
mod context;
mod export;
mod finish;
mod import;
mod offboard;
mod plan;
mod runs;
mod saved_run;
mod tables;

pub(super) use self::context::{interrupted, now};

use crate::{
    arguments::{Command, GlobalArguments, OffboardArguments},
    config::Environment,
    failure::Result,
    output::Output,
};

/// Runs a command about memberships, except offboard.
pub(super) async fn run(
    command: Command,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    match command {
        Command::Plan(arguments) => plan::plan(arguments, global, environment, output).await,
        Command::Drift(arguments) => plan::drift(arguments, global, environment, output).await,
        Command::Apply(arguments) => apply::run(arguments, global, environment, output).await,
        Command::Export(arguments) => export::run(&arguments, global, environment, output).await,
        Command::Import(command) => import::run(command, global, environment, output).await,
        Command::Runs(command) => runs::run(command, global, environment, output).await,
        _ => Ok(()),
    }
}

/// Removes a user from every group.
pub(super) async fn offboard(
    arguments: OffboardArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    offboard::run(arguments, global, environment, output).await
}
