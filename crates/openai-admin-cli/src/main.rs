//! The command line `openai-admin`: parse, run, exit code.
//!
//! Data goes one way: `arguments.rs` (the command line), `config.rs` (completed from the environment and checked; for
//! `serve` also from a file: `settings.rs`), `commands/` (one file per noun), `output.rs` (output for people and
//! programs). A command does nothing that a user of the library cannot do.

mod arguments;
mod command_line;
mod commands;
mod config;
mod database;
mod directory_file;
mod failure;
mod generated;
mod lists;
mod log;
mod output;
mod progress;
mod prompt;
mod resolve;
mod session;
mod settings;

use std::{io, num::NonZeroUsize, process::ExitCode, sync::mpsc, thread};

use crate::{
    command_line::ParsedCommand,
    config::Environment,
    failure::{ExitStatus, Failure},
    output::Output,
};

fn main() -> ExitCode {
    let environment = Environment::read();
    let typed = match command_line::parse(&environment.arguments) {
        Ok(typed) => typed,
        Err(error) => {
            // If the terminal is closed, there is no place to report it.
            let _ = error.print();
            return code(if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Done });
        }
    };
    let output = Output::new(typed.global(), &environment);
    let done =
        runtime(&typed).and_then(|runtime| runtime.block_on(commands::run(typed, &environment, &output)));
    match done {
        Ok(()) => code(ExitStatus::Done),
        Err(mut failure) => {
            failure.message = generated::with_commands(&failure.message);
            output.failure(&failure);
            code(failure.status)
        }
    }
}

/// The server uses every core. Other commands wait for the network, so one thread is enough.
fn runtime(typed: &ParsedCommand) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = if typed.is_server() {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        check_threads(threads).map_err(|error| Failure::no_thread(&error))?;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(threads);
        builder
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    Ok(builder.enable_all().build()?)
}

/// Checks that `count` threads can run at once, because tokio panics if it cannot start its own.
fn check_threads(count: usize) -> io::Result<()> {
    let mut started = Vec::new();
    for _ in 0..count {
        let (hold, held) = mpsc::channel::<()>();
        // The thread runs until `hold` is dropped: after all have started, or one has failed.
        started.push((
            hold,
            thread::Builder::new().spawn(move || {
                let _ = held.recv();
            })?,
        ));
    }
    for (hold, thread) in started {
        drop(hold);
        let _ = thread.join();
    }
    Ok(())
}

fn code(status: ExitStatus) -> ExitCode {
    ExitCode::from(status as u8)
}
