//! Whether something may be destroyed without a question.

use clap::Args;

// A destructive command asks on a terminal; elsewhere it needs this.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConsentArguments {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}
