//! The confirmation and the preview of destructive commands.

use clap::Args;

// On a terminal a destructive command asks; elsewhere it needs this.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConsentArguments {
    /// Skip the confirmation prompt
    #[arg(short, long)]
    pub(crate) yes: bool,
}

// A removal of one thing.
#[derive(Args, Clone, Debug)]
pub(crate) struct RemovalArguments {
    #[command(flatten)]
    pub(crate) consent: ConsentArguments,
    /// Show what would be removed without removing it
    #[arg(long)]
    pub(crate) dry_run: bool,
}
