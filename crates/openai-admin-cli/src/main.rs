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
mod profiles;
mod progress;
mod prompt;
mod resolve;
mod session;
mod settings;
mod target;

use std::{
    io::{self, IsTerminal as _, Write as _},
    num::NonZeroUsize,
    process::ExitCode,
    sync::mpsc,
    thread,
};

use clap::builder::StyledStr;

use crate::{
    arguments::ColorChoice,
    command_line::{ParsedCommand, Unparsed},
    config::Environment,
    failure::{ExitStatus, Failure},
    output::Output,
};

fn main() -> ExitCode {
    let environment = Environment::read();
    let typed = match command_line::parse(&environment.arguments) {
        Ok(typed) => typed,
        Err(unparsed) => return code(print_unparsed(&unparsed, &environment)),
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

/// Prints the help or the error of a command line that could not be parsed. If the terminal is closed, there is no place to
/// report it.
fn print_unparsed(unparsed: &Unparsed, environment: &Environment) -> ExitStatus {
    match unparsed {
        Unparsed::Help(help) => {
            let is_colored = environment.color(ColorChoice::Auto, io::stdout().is_terminal());
            let _ = io::stdout().write_all(help_text(help, is_colored).as_bytes());
            ExitStatus::Done
        }
        Unparsed::Incomplete(help) => {
            let is_colored = environment.color(ColorChoice::Auto, io::stderr().is_terminal());
            let _ = io::stderr().write_all(help_text(help, is_colored).as_bytes());
            ExitStatus::Usage
        }
        Unparsed::Error(error) if !error.use_stderr() => {
            let _ = error.print();
            ExitStatus::Done
        }
        Unparsed::Error(error) => {
            if config::asks_for_json(&environment.arguments) {
                output::print_as_json(&Failure::of_command_line(error));
            } else {
                let _ = error.print();
            }
            ExitStatus::Usage
        }
    }
}

fn help_text(help: &StyledStr, is_colored: bool) -> String {
    if is_colored { help.ansi().to_string() } else { help.to_string() }
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
