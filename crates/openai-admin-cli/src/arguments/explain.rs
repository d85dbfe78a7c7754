//! Arguments of the commands that describe the API and need no service.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin explain
  openai-admin explain group_not_found
  openai-admin explain 403
  openai-admin explain rate_limit_exceeded -o json
  openai-admin explain blocked

A word of a plan or a run is explained too. A code is the `code` of an error response; look up responses without a code by status. The command \
needs no service and no key. FAULT says who can fix it. EVIDENCE says whether OpenAI's \
service returns this error: seen (observed), confirmed (by a report), assumed, or ours (only this server).")]
pub(crate) struct ExplainArguments {
    /// A code, a status, or a word of a plan such as blocked; if omitted, all codes are listed
    pub(crate) code: Option<String>,
    /// Write a Markdown page of all codes
    #[arg(long, conflicts_with_all = ["code", "output"])]
    pub(crate) markdown: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin coverage
  openai-admin coverage --not-served
  openai-admin coverage -o json

These are the operations that OpenAI publishes for the administration of an organization. An operation \
that is not served gets a 501 response.")]
pub(crate) struct CoverageArguments {
    /// Only the operations that are not served yet
    #[arg(long)]
    pub(crate) not_served: bool,
    /// Write a Markdown page of all operations
    #[arg(long, conflicts_with_all = ["not_served", "output"])]
    pub(crate) markdown: bool,
}
