//! The command line `openai-admin`: parse, run, exit code.
//!
//! Data goes one way: `arguments.rs` (what can be typed), `config.rs` (filled up from the environment and checked; for
//! `serve` also from a file: `settings.rs`),
//! `commands/` (one file for each noun, as on the other floors), `output.rs` (what people and programs read). A
//! command can do nothing that a user of the library cannot.

mod arguments;
mod commands;
mod config;
mod directory_file;
mod failure;
mod log;
mod output;
mod progress;
mod prompt;
mod resolve;
mod settings;

use std::{io, process::ExitCode};

use clap::Parser as _;

use crate::{
    arguments::{Arguments, Command},
    config::Environment,
    failure::{ExitStatus, Failure},
    output::Output,
};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody can be told that the terminal is gone.
            let _ = error.print();
            return code(if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Done });
        }
    };
    let environment = Environment::read();
    let output = Output::new(&arguments.global, &environment);
    let done = runtime(&arguments.command)
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(commands::run(arguments, &environment, &output)));
    match done {
        Ok(()) => code(ExitStatus::Done),
        Err(failure) => {
            output.failure(&failure);
            code(failure.status)
        }
    }
}

/// The server uses every core; a command waits for the network, for which one thread is enough.
fn runtime(command: &Command) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Serve(_) | Command::Emulate(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

fn code(status: ExitStatus) -> ExitCode {
    ExitCode::from(status as u8)
}
