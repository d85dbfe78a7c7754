//! `openai-admin completion`: completion scripts for shells.

use crate::{arguments::CompletionArguments, command_line, failure::Result, output::Output};

pub(super) fn run(arguments: &CompletionArguments, output: &Output) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command_line::whole(), "openai-admin", &mut script);
    output.raw(&String::from_utf8_lossy(&script))
}
