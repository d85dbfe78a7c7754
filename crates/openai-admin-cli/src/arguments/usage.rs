//! Arguments of `usage report` and `costs`.

use clap::{Args, Subcommand, ValueEnum};

use super::values;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum UsageCommand {
    /// Report the usage of a period as a table, with totals and bars
    #[command(after_help = "\
Examples:
  openai-admin usage report --last 7d
  openai-admin usage report --by project,model --last 30d
  openai-admin usage report images --by size -o csv > images.csv

The period ends now and starts at midnight in UTC. The size of vector stores is the last of the period. A table shows \
rounded numbers and the names of projects. Other formats have exact numbers and ids.")]
    Report(UsageReportArguments),
}

#[derive(Args, Debug)]
pub(crate) struct UsageReportArguments {
    /// The kind of usage
    #[arg(value_enum, value_name = "KIND", default_value = "completions")]
    pub(crate) kind: UsageKind,
    #[command(flatten)]
    pub(crate) report: ReportArguments,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin costs --last 7d
  openai-admin costs --by project --last 30d
  openai-admin costs --by project,line-item -o csv > costs.csv

The period ends now and starts at midnight in UTC. A table shows cents and the names of projects. Other formats have \
exact amounts and ids.")]
pub(crate) struct CostsArguments {
    #[command(flatten)]
    pub(crate) report: ReportArguments,
}

#[derive(Args, Debug)]
pub(crate) struct ReportArguments {
    /// One row for each day, project, user, api-key, model or other published field; separated by commas
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', default_value = "day")]
    pub(crate) by: Vec<String>,
    /// The length of the period, such as 12h, 7d or 4w
    #[arg(long, value_name = "DURATION", value_parser = values::duration_seconds, default_value = "30d")]
    pub(crate) last: i64,
}

/// The kinds of usage that the API reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UsageKind {
    AudioSpeeches,
    AudioTranscriptions,
    CodeInterpreterSessions,
    Completions,
    Decisions,
    Embeddings,
    FileSearchCalls,
    Images,
    Moderations,
    VectorStores,
    WebSearchCalls,
}
