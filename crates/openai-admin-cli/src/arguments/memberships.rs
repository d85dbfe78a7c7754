//! Arguments to plan, apply, compare and undo group memberships.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{consent::ConsentArguments, values};

// The files of a plan.
#[derive(Args, Clone, Debug)]
pub(crate) struct GroupFileArguments {
    /// Group files that list the members of each group, in YAML or JSON
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What to do with addresses that match no user: error (exit code 3), skip, or invite
    #[arg(long, value_name = "WHAT", default_value = "error", hide_possible_values = true)]
    pub(crate) unknown: UnknownChoice,
    /// Accept a source that shrank to NUMBER entries
    #[arg(long = "accept-source", value_name = "NAME=NUMBER", value_parser = values::source)]
    pub(crate) accepted_sources: Vec<(String, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownChoice {
    Error,
    Skip,
    Invite,
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

Removals over max_remove are blocked. Default limits: per group, 25 people, or 20 % in groups of 10 or more; \
per plan, 100 people or 20 % of all memberships. To allow more, pass \
the exact number (--allow-removals) or the plan's digest (--approve) to `apply`. A group is emptied \
only with allow_empty: true. Users and groups under `protect` do not change.

`plan` makes no changes. In GitHub Actions it writes the step summary and annotations at file and line.

Exit codes:
  2  changes (with --detailed-exitcode)
  3  user not found, or group unreadable
  5  blocked by a limit
  6  group not found")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) group_files: GroupFileArguments,
    /// Save the plan to a file for `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 if there are changes
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Show one line for each group, without the rows of users
    #[arg(long, conflicts_with = "render")]
    pub(crate) summary: bool,
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

A saved plan is compared with the current groups. Changes that are already in place are skipped, and \
other groups are ignored. Any other difference makes the plan stale (exit code 8). Limits stored in a \
saved plan are ignored; the built-in limits apply. To exceed them, pass the plan's digest with --approve. \
To exceed max_remove of a group file (see `plan --help`), pass the exact number or the digest. \
Ctrl-C waits for writes in flight; `runs resume` continues.")]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) group_files: GroupFileArguments,
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
    #[arg(long, value_name = "N", value_parser = values::concurrency, default_value_t = NonZeroUsize::new(openai_admin_sync::executor::CONCURRENCY).unwrap_or(NonZeroUsize::MIN))]
    pub(crate) concurrency: NonZeroUsize,
    /// Stop after being rate-limited for this long; resume with `runs resume`
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = values::duration_seconds)]
    pub(crate) max_wait: i64,
    /// Show one line for each group, without the rows of users
    #[arg(long)]
    pub(crate) summary: bool,
    /// Write the result of each row to a CSV or JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

// What the user approves.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApprovalArguments {
    /// Allow exactly N removals that max_remove would block
    #[arg(long, value_name = "N", conflicts_with = "approve", value_parser = values::removals)]
    pub(crate) allow_removals: Option<usize>,
    /// Approve everything in the plan with this digest
    #[arg(long, value_name = "SHA256")]
    pub(crate) approve: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin drift groups.yaml && echo up to date

Exit code 2 means that something differs, 3 that something could not be compared. It changes nothing.")]
pub(crate) struct DriftArguments {
    #[command(flatten)]
    pub(crate) group_files: GroupFileArguments,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin export > groups.yaml
  openai-admin export --groups 'ML *' --format csv

A plan from the exported file has no changes. Groups that an identity provider or a tenant manages \
are omitted.")]
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
    /// Add, remove or replace the members in a table
    #[command(after_help = "\
Examples:
  openai-admin import memberships people.csv --dry-run
  openai-admin import memberships people.csv --group-column team --where active=yes
  openai-admin import memberships people.xlsx --split ';' --create-groups
  openai-admin import memberships leavers.csv --mode remove --yes
  openai-admin import memberships people.csv --interactive corrected.csv

The file is a CSV file or an Excel workbook (.xlsx). The delimiter, the encoding, the header line and the columns \
are detected; notes show each guess and change. Blank and total rows are skipped. Every invalid row is reported \
with its line number before anything is written; a row with a formula is invalid. Groups are given by name or id \
and must exist, unless --create-groups is given.")]
    Memberships(Box<ImportArguments>),
    /// Any other word, so that the error can suggest the right one.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// The CSV file or Excel workbook; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to apply the table: add, remove, or exact (replace the members of each group)
    #[arg(long, value_name = "MODE", default_value = "add", hide_possible_values = true)]
    pub(crate) mode: ImportChoice,
    /// The column with email addresses; if omitted, it is guessed
    #[arg(long, value_name = "NAME")]
    pub(crate) email_column: Option<String>,
    /// The column with groups; if omitted, it is guessed
    #[arg(long, value_name = "NAME", conflicts_with = "group")]
    pub(crate) group_column: Option<String>,
    /// The group of all rows, instead of a column
    #[arg(long, value_name = "NAME", value_parser = values::text)]
    pub(crate) group: Option<String>,
    /// Split a cell with several groups at this text, such as ';'
    #[arg(long, value_name = "TEXT", value_parser = values::text, conflicts_with = "group")]
    pub(crate) split: Option<String>,
    /// Use the group of the row above for a blank group, as in merged cells
    #[arg(long, conflicts_with = "group")]
    pub(crate) fill_down: bool,
    /// How to compare names of groups: exact, or loose (without case)
    #[arg(
        long = "match",
        value_name = "HOW",
        default_value = "exact",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) matching: MatchChoice,
    /// Create the groups that do not exist
    #[arg(long)]
    pub(crate) create_groups: bool,
    /// Skip invalid rows, and write them to a CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) skip_bad_rows: Option<PathBuf>,
    /// Ask about each unknown address that resembles a user's, and write the corrected table to a CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) interactive: Option<PathBuf>,
    /// The sheet of a workbook; if omitted, the first one
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Option<String>,
    /// The delimiter: comma, semicolon, tab or bar; if omitted, it is detected
    #[arg(long, value_name = "WHICH", value_parser = values::delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Only rows with this value in this column; repeatable
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = values::pair)]
    pub(crate) filter: Vec<(String, String)>,
    /// What to do with addresses that match no user: error (exit code 3), skip, or invite
    #[arg(long, value_name = "WHAT", default_value = "error", hide_possible_values = true)]
    pub(crate) unknown: UnknownChoice,
    /// Show the changes without making them
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatchChoice {
    Exact,
    Loose,
}

/// `run` is a name, a prefix of one, or `last`.
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
    /// Continue a run that stopped
    Resume {
        /// The run's name, or `last`
        run: String,
        #[command(flatten)]
        execution: ExecutionArguments,
    },
    /// Undo the changes of a run
    #[command(after_help = "\
Examples:
  openai-admin runs undo last --dry-run
  openai-admin runs undo last
  openai-admin runs undo 20260131T120000000Z-012345 --allow-removals 118

`last` skips runs that are undos. An undo applies completely or not at all: if a limit (max_remove) \
blocks a part of it, the message says which number allows all of it. Protected users and groups do \
not change. To redo, undo the undo by its name. `apply`, `import`, `users offboard`, `groups users add`, \
`groups users remove` and `groups rename` leave a run. Other changes, such as `groups delete` and \
`users remove`, cannot be undone.")]
    Undo {
        /// The run's name, or `last`
        run: String,
        /// Show the changes without making them
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        execution: ExecutionArguments,
    },
    /// Show the result of each row of a run
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
  openai-admin users offboard -f leavers.txt --dry-run

Removes the users from every group and project, unassigns their roles, and deletes their keys and pending \
invites. The last owner stays owner, and the key of the command is kept. Service accounts that a user \
created are listed, not deleted, because others may use them. `runs undo` restores groups, projects and roles; \
a deleted key or invite cannot be restored. The users stay in the organization; to end that, use `users \
remove`. If one of several users does not exist, nothing is done. \
Reading takes a request for each project and user.")]
pub(crate) struct OffboardArguments {
    /// Ids or email addresses of users
    #[arg(value_name = "USER")]
    pub(crate) users: Vec<String>,
    /// Read users from a file, one per line; `-` reads standard input, `#` begins a comment
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only remove the users from groups
    #[arg(long)]
    pub(crate) groups_only: bool,
    /// Show the changes without making them
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) execution: ExecutionArguments,
}
