//! The arguments of `verify-service`.

use clap::Args;

use super::{ConsentArguments, values};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin verify-service
  openai-admin verify-service --markdown --yes > report.md
  openai-admin verify-service --clean-up

Each assumed rule is tried in a project and a group that the command creates and removes. The report holds \
rules, answers and request ids, and no names, addresses or keys. Exit code 2 means that a rule differs, and 3 \
that something could not be removed. After Ctrl-C it removes everything; after a crash, --clean-up and the \
next start do.")]
pub(crate) struct VerifyServiceArguments {
    /// Only remove what earlier verifications left
    #[arg(long, conflicts_with_all = ["markdown", "output"])]
    pub(crate) clean_up: bool,
    /// Write the report as a Markdown page
    #[arg(long, conflicts_with = "output")]
    pub(crate) markdown: bool,
    /// Limit requests per minute per route [default: adaptive]
    #[arg(long, value_name = "N", value_parser = values::at_least_one)]
    pub(crate) max_rpm: Option<u64>,
    #[command(flatten)]
    pub(crate) consent: ConsentArguments,
}
