//! `openai-admin completion`: completion scripts for shells.

use clap::CommandFactory as _;

use crate::{
    arguments::{Arguments, CompletionArguments},
    failure::Result,
    output::Output,
};

pub(super) fn run(arguments: &CompletionArguments, output: &Output) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "openai-admin", &mut script);
    output.raw(&String::from_utf8_lossy(&script))
}
