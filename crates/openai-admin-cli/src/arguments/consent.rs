//! The confirmation of destructive commands.

use clap::Args;

// On a terminal a destructive command asks; elsewhere it needs this.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConsentArguments {
    /// Skip the confirmation prompt
    #[arg(short, long)]
    pub(crate) yes: bool,
}
