//! Who should be in which group: what is typed to plan, apply, watch and take back.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{consent::ConsentArguments, values};

// What a plan is made of.
#[derive(Args, Clone, Debug)]
pub(crate) struct WishArguments {
    /// Files that say who should be in which group, in YAML or JSON
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What an address that nobody has means: error (the run counts as partly done) or skip
    #[arg(long, value_name = "WHAT", default_value = "error", hide_possible_values = true)]
    pub(crate) unknown: UnknownChoice,
    /// Accept that a source has shrunk to this number, as NAME=NUMBER
    #[arg(long = "accept-source", value_name = "NAME=NUMBER", value_parser = values::source)]
    pub(crate) accepted_sources: Vec<(String, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownChoice {
    Error,
    Skip,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin plan groups.yaml
  openai-admin plan groups.yaml --out plan.json && openai-admin apply plan.json
  openai-admin plan groups.yaml --render markdown >> \"$GITHUB_STEP_SUMMARY\"

A file:
  version: 1
  groups:
    - name: ML Research
      members: [ada@example.com, grace@example.com]
    - name: Contractors
      max_remove: { percent: 20, count: 25 }
      members_from: { csv: contractors.csv, column: mail }

Removals over max_remove are blocked. Unless the file says otherwise that is more than 25 people of
a group, or 20 % of one with 10 or more; more than 100 people, or 20 %, of all groups together.
`apply` takes their exact number (--allow-removals) or the plan's digest (--approve). A group is
emptied only where it says allow_empty: true, and whom and what `protect` names stays.

A plan only reads. Exit code 5 says that a limit blocks something, 6 that a group is not there, 3
that somebody was not found or a group could not be read, and with --detailed-exitcode 2 says that there is something to do. In
GitHub Actions it writes the step summary, and annotations at file and line.")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) wish: WishArguments,
    /// Keep the plan in a file, for `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 when there is something to do
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Write table, markdown, json or github
    #[arg(long, value_name = "FORM", hide_possible_values = true)]
    pub(crate) render: Option<RenderChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RenderChoice {
    /// For people.
    Table,
    /// For pull requests.
    Markdown,
    /// For programs.
    Json,
    /// Annotations of GitHub Actions, and the step summary.
    Github,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin --local acme.db apply examples/acme/groups.yaml
  openai-admin apply plan.json
  openai-admin apply groups.yaml --yes --allow-removals 118

A plan that was kept is compared with what is now: what somebody has done already is no change,
other groups do not matter, and what it does not know makes it stale (exit code 8). Its own limits
are not believed: what the built-in ones would block needs its digest (--approve). Nothing that a
limit (max_remove in the file; `plan --help` says more) blocks is done without its exact number, or
the digest of the whole plan. Ctrl-C waits for what is in flight; `runs resume` goes on.")]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) wish: WishArguments,
    #[command(flatten)]
    pub(crate) execution: ExecutionArguments,
}

// How writes are done.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExecutionArguments {
    #[command(flatten)]
    pub(crate) approval: ApprovalArguments,
    #[command(flatten)]
    pub(crate) consent: ConsentArguments,
    /// Limit requests per minute per route [default: adaptive]
    #[arg(long, value_name = "N", value_parser = values::at_least_one)]
    pub(crate) max_rpm: Option<u64>,
    /// Maximum concurrent writes
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::new(openai_admin_sync::executor::CONCURRENCY).unwrap_or(NonZeroUsize::MIN))]
    pub(crate) concurrency: NonZeroUsize,
    /// Stop if the service refuses for longer than this; the run can be resumed
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = values::duration_seconds)]
    pub(crate) max_wait: i64,
    /// Write the result of each row to a CSV or JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

// What somebody has accepted.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApprovalArguments {
    /// Accept the removals that a limit (max_remove) blocks: their exact number
    #[arg(long, value_name = "N", conflicts_with = "approve")]
    pub(crate) allow_removals: Option<usize>,
    /// Accept everything in the plan with this digest
    #[arg(long, value_name = "SHA256")]
    pub(crate) approve: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin drift groups.yaml && echo up to date

Exit code 2 says that something differs, 3 that something could not be compared. Nothing is changed.")]
pub(crate) struct DriftArguments {
    #[command(flatten)]
    pub(crate) wish: WishArguments,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin export > groups.yaml
  openai-admin export --groups 'ML *' --format csv

What is exported plans to nothing. Groups that an identity provider or a tenant manages are left out.")]
pub(crate) struct ExportArguments {
    /// Only groups whose names match; `*` stands for any characters
    #[arg(long, value_name = "PATTERN", default_value = "*", hide_default_value = true)]
    pub(crate) groups: String,
    /// Write yaml, csv or json
    #[arg(long, value_name = "FORM", default_value = "yaml", hide_possible_values = true)]
    pub(crate) format: ExportChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportChoice {
    Yaml,
    Csv,
    Json,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ImportCommand {
    /// Add, remove or replace the members that a table names
    #[command(after_help = "\
Examples:
  openai-admin import memberships people.csv --dry-run
  openai-admin import memberships people.csv --group-column team --where active=yes
  openai-admin import memberships leavers.csv --mode remove --yes

Comma, semicolon, tab or bar: the table says which. Every bad row is told with its number before
anything is written; one with a formula in it is bad. Groups are named by name or id and must
exist.")]
    Memberships(ImportArguments),
    /// What is no kind of import: it is told what was meant.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// The CSV file; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Do what with the people: add, remove, or exact (they and nobody else)
    #[arg(long, value_name = "MODE", default_value = "add", hide_possible_values = true)]
    pub(crate) mode: ImportChoice,
    /// The column with email addresses
    #[arg(long, value_name = "NAME", default_value = "email")]
    pub(crate) email_column: String,
    /// The column with groups
    #[arg(long, value_name = "NAME", default_value = "group")]
    pub(crate) group_column: String,
    /// What stands between cells: comma, semicolon, tab or bar; the table says which when left out
    #[arg(long, value_name = "WHICH", value_parser = values::delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Only rows with this value in this column; may be repeated
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = values::pair)]
    pub(crate) filter: Vec<(String, String)>,
    /// What an address that nobody has means: error or skip
    #[arg(long, value_name = "WHAT", default_value = "error", hide_possible_values = true)]
    pub(crate) unknown: UnknownChoice,
    /// Show the plan, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) execution: ExecutionArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportChoice {
    Add,
    Remove,
    Exact,
}

/// A run is named by its name, the beginning of it, or `last`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum RunsCommand {
    /// List the runs of this machine
    #[command(alias = "ls")]
    List,
    /// Show the plan of a run
    Show {
        /// The run's name, or `last`
        run: String,
    },
    /// Go on with a run that stopped
    Resume {
        /// The run's name, or `last`
        run: String,
        #[command(flatten)]
        execution: ExecutionArguments,
    },
    /// Take back what a run has done
    #[command(after_help = "\
Examples:
  openai-admin runs undo last --dry-run
  openai-admin runs undo last
  openai-admin runs undo 20260131T120000000Z-012345 --allow-removals 118

`last` is the last run that is no undo. An undo is done whole or not at all: where a limit
(max_remove) blocks a part of it, it says the number that accepts all of it. Protected users and
groups stay as they are. To undo an undo, by its name, does again what it has taken back. Only
`apply`, `import` and `users offboard` leave a run: what `groups users remove`, `groups delete` and
their like do cannot be undone.")]
    Undo {
        /// The run's name, or `last`
        run: String,
        /// Show the plan, and do nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        execution: ExecutionArguments,
    },
    /// Show what came of every row of a run
    Report {
        /// The run's name, or `last`
        run: String,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin users offboard ada@example.com --dry-run
  openai-admin users offboard ada@example.com --yes --report receipt.csv

The user stays in the organization: `users remove` ends that. `runs undo` gives the groups back.")]
pub(crate) struct OffboardArguments {
    /// The user's id or email address
    pub(crate) user: String,
    /// Show the plan, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) execution: ExecutionArguments,
}
