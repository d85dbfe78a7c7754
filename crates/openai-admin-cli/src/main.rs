//! The command line `openai-admin`: parse, run, exit code.
//!
//! Data goes one way: `arguments.rs` (what can be typed), `config.rs` (filled up from the environment and checked; for
//! `serve` also from a file: `settings.rs`),
//! `commands/` (one file for each noun, as on the other floors), `output.rs` (what people and programs read). A
//! command can do nothing that a user of the library cannot.

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
    command_line::Typed,
    config::Environment,
    failure::{ExitStatus, Failure},
    output::Output,
};

fn main() -> ExitCode {
    let environment = Environment::read();
    let typed = match command_line::parse(&environment.arguments) {
        Ok(typed) => typed,
        Err(error) => {
            // Nobody can be told that the terminal is gone.
            let _ = error.print();
            return code(if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Done });
        }
    };
    let output = Output::new(typed.global(), &environment);
    let done =
        runtime(&typed).and_then(|runtime| runtime.block_on(commands::run(typed, &environment, &output)));
    match done {
        Ok(()) => code(ExitStatus::Done),
        Err(failure) => {
            output.failure(&failure);
            code(failure.status)
        }
    }
}

/// The server uses every core; a command waits for the network, for which one thread is enough.
fn runtime(typed: &Typed) -> Result<tokio::runtime::Runtime, Failure> {
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

/// Checks that so many threads can run at once, since tokio panics when it cannot start its own.
fn check_threads(count: usize) -> io::Result<()> {
    let mut started = Vec::new();
    for _ in 0..count {
        let (hold, held) = mpsc::channel::<()>();
        // It runs until `hold` is dropped: after all of them have started, or one has failed.
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
