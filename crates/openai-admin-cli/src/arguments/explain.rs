//! What can be asked about the API itself, without a service.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin explain
  openai-admin explain group_not_found
  openai-admin explain 403
  openai-admin explain rate_limit_exceeded -o json

A code is the `code` of an error's answer; answers without one are found by their status. Nothing is
asked of a service, and no key is needed. WRONG says who can do something about it. KNOWN says how
sure it is that OpenAI's service answers so: seen, assumed, or ours.")]
pub(crate) struct ExplainArguments {
    /// A code or a status; all of them when left out
    pub(crate) code: Option<String>,
    /// Write all of it as a page of Markdown instead
    #[arg(long, conflicts_with_all = ["code", "output"])]
    pub(crate) markdown: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin coverage
  openai-admin coverage --not-served
  openai-admin coverage -o json

The operations are those that OpenAI publishes for the administration of an organization. One that
is not served answers 501, and never a false success. OpenAI's own service answers all of them, also
to `openai-admin api`.")]
pub(crate) struct CoverageArguments {
    /// Only the operations that are not served yet
    #[arg(long)]
    pub(crate) not_served: bool,
    /// Write all of it as a page of Markdown instead
    #[arg(long, conflicts_with_all = ["not_served", "output"])]
    pub(crate) markdown: bool,
}
