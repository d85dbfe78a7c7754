//! The command line. This file only declares it; `config.rs` turns it into settings.
//!
//! Commands build their arguments only once they are typed (`defer`). A struct of arguments has a plain comment, because
//! clap would replace the command's help with a documentation comment.

use std::{mem, path::PathBuf};

use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches, Parser, Subcommand};
use openai_admin::{AuditLogEventType, Method, operations::groups::GroupName};

mod access;
mod admin;
mod consent;
mod console;
mod emulate;
mod explain;
mod global;
mod keys;
mod lists;
mod memberships;
mod point_in_time;
mod profiles;
mod rights;
mod serve;
mod usage;
mod users;
mod values;
mod verify_service;

pub(crate) use access::{AccessCommand, AccessProject};
pub(crate) use admin::AdminCommand;
pub(crate) use consent::{ConsentArguments, RemovalArguments};
pub(crate) use console::ConsoleArguments;
pub(crate) use emulate::{EmulateArguments, ProfileChoice, UsageChoice};
pub(crate) use explain::{CoverageArguments, ExplainArguments};
pub(crate) use global::{ColorChoice, Format, GlobalArguments};
pub(crate) use keys::{CreateKeyArguments, ExpiryArguments, KeysCommand, RotateKeyArguments};
pub(crate) use lists::{ListArguments, OrderChoice, OrderedListArguments};
pub(crate) use memberships::{
    ApplyArguments, DriftArguments, ExecutionArguments, ExportArguments, ExportChoice, GroupFileArguments,
    ImportArguments, ImportChoice, ImportCommand, MatchChoice, OffboardArguments, PlanArguments,
    RenderChoice, RunsCommand, UnknownChoice,
};
pub(crate) use point_in_time::PointInTime;
pub(crate) use profiles::{LoginArguments, ProfilesCommand};
pub(crate) use rights::{
    AddProjectUsersArguments, AssignmentArguments, InviteArguments, InvitesCommand, ProjectUsersCommand,
    ProjectsCommand, RolesCommand,
};
pub(crate) use serve::{LogFormat, ServeArguments};
pub(crate) use usage::{CostsArguments, ReportArguments, UsageCommand, UsageKind};
pub(crate) use users::{CreateUserArguments, UpdateUserArguments, UserCommand, UsersCommand};
pub(crate) use values::{log_filter, unix_seconds};
pub(crate) use verify_service::VerifyServiceArguments;

const EXAMPLES: &str = "\
Examples:
  openai-admin --local acme.db load examples/acme/organization.yaml   load example data
  openai-admin --local acme.db groups users list \"Support Team\"       no server, no key
  openai-admin --local acme.db serve                                  the same data as an API
  OPENAI_ADMIN_KEY=sk-admin-… openai-admin groups list                your organization at OpenAI";

const EXIT_CODES: &str = "\
Exit codes:
  0 done   1 failed   2 differences found   3 partial failure   4 bad key or missing scope
  5 blocked by a limit   6 not found or ambiguous   7 rate limit   8 stale plan
  9 another run in progress   64 usage error   65 invalid input file
  130 stopped by Ctrl-C: nothing was written, or everything was removed";

const DISCLAIMER: &str = "Unofficial: not a product of OpenAI.";

/// Manage groups and members of an OpenAI organization, or serve the API yourself.
#[derive(Parser)]
#[command(
    name = "openai-admin",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = format!("{EXAMPLES}\n\n{DISCLAIMER}"),
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}\n\n{DISCLAIMER}"),
)]
struct Options {
    #[command(flatten)]
    global: GlobalArguments,
}

/// A hand-written command, and the options that every command takes.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) global: GlobalArguments,
    pub(crate) command: Command,
}

impl Arguments {
    /// The whole command line.
    pub(crate) fn command_line() -> clap::Command {
        Command::augment_subcommands(Options::command())
    }

    /// Whether a hand-written command begins with this word.
    pub(crate) fn has_noun(word: &str) -> bool {
        Command::has_subcommand(word)
    }

    /// The commands that these words may name, without help. The first word is the noun.
    pub(crate) fn command_line_of(typed: &[&str]) -> clap::Command {
        let mut all = Command::augment_subcommands(clap::Command::new(""));
        let is_noun = |command: &&mut clap::Command| typed.first() == Some(&command.get_name());
        let noun = all.get_subcommands_mut().find(is_noun).map(mem::take);
        let command = noun.map(|noun| with_typed_subcommands(noun, typed));
        // The program ends soon and frees everything at once.
        mem::forget(all);
        Options::command().subcommands(command)
    }
}

/// Takes out the subcommands that these words may name, each without its siblings.
fn typed_subcommands(command: &mut clap::Command, typed: &[&str]) -> Vec<clap::Command> {
    let is_typed = |command: &&mut clap::Command| {
        typed.contains(&command.get_name()) || command.get_all_aliases().any(|alias| typed.contains(&alias))
    };
    command
        .get_subcommands_mut()
        .filter(is_typed)
        .map(|command| with_typed_subcommands(mem::take(command), typed))
        .collect()
}

fn with_typed_subcommands(mut command: clap::Command, typed: &[&str]) -> clap::Command {
    if !command.has_subcommands() || command.is_allow_external_subcommands_set() {
        return command;
    }
    let noun = clap::Command::new(command.get_name().to_owned())
        .aliases(command.get_all_aliases().map(str::to_owned))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(typed_subcommands(&mut command, typed));
    mem::forget(command);
    noun
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        let Options { global } = Options::from_arg_matches_mut(matches)?;
        Ok(Self { global, command: Command::from_arg_matches_mut(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Manage groups and their members
    #[command(subcommand, arg_required_else_help = true)]
    Groups(GroupsCommand),
    /// Manage the users of the organization
    #[command(subcommand, arg_required_else_help = true)]
    Users(UsersCommand),
    /// Manage projects
    #[command(subcommand, arg_required_else_help = true)]
    Projects(ProjectsCommand),
    /// Manage roles and their assignments
    #[command(subcommand, arg_required_else_help = true)]
    Roles(RolesCommand),
    /// Manage invites
    #[command(subcommand, arg_required_else_help = true)]
    Invites(InvitesCommand),
    /// List audit log events
    #[command(subcommand, arg_required_else_help = true)]
    AuditLogs(AuditLogsCommand),
    /// Report and record usage
    #[command(subcommand, arg_required_else_help = true)]
    Usage(UsageCommand),
    /// Report costs
    Costs(CostsArguments),
    /// Show the permissions of users, and the roles that grant them
    #[command(subcommand, arg_required_else_help = true)]
    Access(AccessCommand),
    /// Preview the changes needed to match a file
    Plan(PlanArguments),
    /// Apply a group file or a saved plan
    Apply(ApplyArguments),
    /// Check for differences between groups and a file
    Drift(DriftArguments),
    /// Write the current groups as a group file
    Export(ExportArguments),
    /// Add or remove the people in a table
    #[command(subcommand, arg_required_else_help = true)]
    Import(ImportCommand),
    /// List, inspect, resume and undo runs made on this machine
    #[command(subcommand, arg_required_else_help = true)]
    Runs(RunsCommand),
    /// Load an organization from a YAML or JSON file into a database
    Load(LoadArguments),
    /// Write a database's organization as YAML or JSON
    Dump,
    /// Serve the API from a database
    Serve(ServeArguments),
    /// Open the web console of a database in a browser
    Console(ConsoleArguments),
    /// Run an in-memory emulator for tests, with fault injection, a settable clock and a request journal
    Emulate(EmulateArguments),
    /// Manage the keys of your server
    #[command(subcommand, arg_required_else_help = true)]
    Keys(KeysCommand),
    /// Back up, restore, check and configure your own server
    #[command(subcommand, arg_required_else_help = true)]
    Admin(AdminCommand),
    /// Save the key of a service as a profile
    Login(LoginArguments),
    /// Manage the profiles: services with their keys
    #[command(subcommand, arg_required_else_help = true)]
    Profiles(ProfilesCommand),
    /// Check the key, the service and the database
    #[command(after_help = "\
Examples:
  openai-admin doctor
  openai-admin doctor -o json
  openai-admin --local acme.db doctor

`doctor` changes nothing. It tests each scope of the key with one request, or reads the whole local file. \
Write scopes are tested at your own server only, with requests that it refuses. It never shows the \
key. Exit code 1 means that a check failed, and 4 that the \
key is wrong or may not read groups. A warning does not change the exit code.")]
    Doctor,
    /// Try the assumed rules of the API at a service
    VerifyService(VerifyServiceArguments),
    /// Send any request to the API and write the response
    Api(ApiArguments),
    /// Explain an error code: meaning, cause, next step
    Explain(ExplainArguments),
    /// List the operations of the API and show which are served here
    Coverage(CoverageArguments),
    /// Write a completion script for a shell
    Completion(CompletionArguments),
    /// Write a man page for each command
    #[command(hide = true)]
    ManPages(ManPagesArguments),
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum GroupsCommand {
    /// List the groups
    #[command(alias = "ls")]
    #[command(after_help = "\
Examples:
  openai-admin groups list
  openai-admin groups list --members")]
    List {
        /// Count the members, up to 1,000 per group; needs one request per group
        #[arg(long)]
        members: bool,
        #[command(flatten)]
        list: OrderedListArguments,
    },
    /// Show a group
    #[command(alias = "show")]
    Get {
        /// The group's id or exact name
        group: String,
    },
    /// Create a group
    #[command(alias = "add")]
    Create {
        /// The new group's name
        #[arg(value_parser = values::group_name)]
        name: GroupName,
        /// Create it even if a group already has this name
        #[arg(long)]
        allow_duplicate: bool,
    },
    /// Rename a group
    #[command(alias = "update")]
    Rename {
        /// The group's id or exact name
        group: String,
        /// Its new name
        #[arg(value_parser = values::group_name)]
        name: GroupName,
        /// Rename it even if another group already has this name
        #[arg(long)]
        allow_duplicate: bool,
    },
    /// Delete a group and every membership in it
    #[command(aliases = ["remove", "rm"])]
    #[command(after_help = "\
Examples:
  openai-admin groups delete \"Support Team\" --dry-run
  openai-admin export --groups \"Support Team\" > support.yaml && openai-admin groups delete \"Support Team\"

This cannot be undone: a new group with the same members has another id, and none of the roles.")]
    Delete {
        /// The group's id or exact name
        group: String,
        #[command(flatten)]
        removal: RemovalArguments,
    },
    /// List the users who are in all of these groups
    #[command(after_help = "\
Examples:
  openai-admin groups overlap \"ML Research\" \"Data Platform\"
  openai-admin groups overlap Admins Contractors -o csv")]
    Overlap {
        /// Ids or exact names of two or more groups
        #[arg(value_name = "GROUP", required = true, num_args = 2..)]
        groups: Vec<String>,
    },
    /// Manage the members of a group: list, add, get, remove
    #[command(alias = "members")]
    #[command(subcommand, arg_required_else_help = true)]
    Users(GroupUsersCommand),
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum GroupUsersCommand {
    /// List the users of a group
    #[command(alias = "ls")]
    #[command(after_help = "\
Examples:
  openai-admin groups users list \"Support Team\"
  openai-admin groups users list group_support -o csv > support.csv
  openai-admin groups users list \"Support Team\" --at 2026-01-31

--at undoes the later changes in the audit log, so it needs your own server: OpenAI publishes no \
event for changes of group members. It cannot show a deleted group. A user who has been removed \
from the organization is shown by id, because the log holds no names.")]
    List {
        /// The group's id or exact name
        group: String,
        /// Show the members at this time, or at the end of this day in UTC: 7d, yesterday or 2026-01-31
        #[arg(long, value_name = "TIME", value_parser = point_in_time::point_in_time)]
        #[arg(conflicts_with_all = ["limit", "after", "order"])]
        at: Option<PointInTime>,
        #[command(flatten)]
        list: OrderedListArguments,
    },
    /// Add users to a group
    #[command(after_help = "\
Examples:
  openai-admin groups users add \"Support Team\" ada@example.com user_7
  openai-admin groups users add group_support -f joiners.txt
  tail -n +2 people.csv | cut -d, -f2 | openai-admin groups users add group_support -f -

Adding a user who is already in the group changes nothing. If a user cannot be added, the others \
still are: exit code 3 means that some failed.")]
    Add(BulkArguments),
    /// Show a user of a group
    #[command(alias = "show")]
    Get {
        /// The group's id or exact name
        group: String,
        /// The user's id or email address
        user: String,
    },
    /// Remove users from a group
    #[command(aliases = ["delete", "rm"])]
    #[command(after_help = "\
Examples:
  openai-admin groups users remove \"Support Team\" ada@example.com
  openai-admin groups users remove \"Support Team\" -f leavers.txt --dry-run
  openai-admin groups users remove \"Support Team\" -f leavers.txt --yes

Removing a user who is not in the group changes nothing. If a user cannot be removed, the others \
still are: exit code 3 means that some failed.")]
    Remove {
        #[command(flatten)]
        bulk: BulkArguments,
        #[command(flatten)]
        consent: ConsentArguments,
    },
}

// A group and any number of users.
#[derive(Args, Debug)]
pub(crate) struct BulkArguments {
    /// The group's id or exact name
    pub(crate) group: String,
    /// Ids or email addresses of users
    #[arg(value_name = "USER")]
    pub(crate) users: Vec<String>,
    /// Read users from a file, one per line; `-` reads standard input, `#` begins a comment
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Show the changes without making them
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum AuditLogsCommand {
    /// List the changes, newest first
    #[command(alias = "ls")]
    #[command(after_help = "\
Examples:
  openai-admin audit-logs list --limit 20
  openai-admin audit-logs list --since 24h --type group.user.added --type group.user.removed
  openai-admin audit-logs list --resource user_ada -o jsonl

Only your own server logs changes of group members: OpenAI publishes no event for them.")]
    List(ListAuditLogsArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ListAuditLogsArguments {
    /// Only changes since this time: 24h, 7d, yesterday, 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = point_in_time::point_in_time)]
    pub(crate) since: Option<PointInTime>,
    /// Only changes before this time: 24h, 7d, yesterday, 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = point_in_time::point_in_time)]
    pub(crate) until: Option<PointInTime>,
    /// Only events of this type, such as group.created; repeatable
    #[arg(long = "type", value_name = "TYPE", value_parser = values::event_type)]
    pub(crate) types: Vec<AuditLogEventType>,
    /// Only changes by this actor: a user by id, email address or name, or a key by id; repeatable
    #[arg(long = "actor", value_name = "ACTOR")]
    pub(crate) actors: Vec<String>,
    /// Only changes of this resource: a group by id or name, a user by id, email address or name, or a key by id; repeatable
    #[arg(long = "resource", value_name = "RESOURCE")]
    pub(crate) resources: Vec<String>,
    #[command(flatten)]
    pub(crate) list: ListArguments,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin --local acme.db load examples/acme/organization.yaml
  openai-admin load --database postgres://admin@localhost/openai_admin organization.json

A file:
  organization: { id: org-acme, title: Acme }
  users:
    - { id: user_ada, email: ada@example.com, name: Ada Lovelace }
  groups:
    - { name: ML Research, members: [user_ada] }

Creates missing users and groups, and updates existing ones. Removes nothing, and keeps fields that \
the file omits. If anything fails, nothing changes.")]
pub(crate) struct LoadArguments {
    /// The YAML or JSON file; `-` reads standard input
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin api GET /organization/projects --query limit=5
  openai-admin api POST /v1/organization/invites -d '{\"email\":\"kay@example.com\",\"role\":\"reader\"}'
  openai-admin api POST organization/groups -d @group.json --yes
  openai-admin --local acme.db api GET organization/groups

The path may start with /v1. A POST or DELETE asks for confirmation. The program sends each request \
once, whatever --retries says. Exit codes are those of other commands: 4 key or scope, 6 not found, \
7 rate limit, 1 any other refusal.")]
pub(crate) struct ApiArguments {
    /// GET, POST or DELETE
    #[arg(value_parser = values::method)]
    pub(crate) method: Method,
    /// The path below the base URL, such as /organization/groups
    pub(crate) path: String,
    /// The JSON to send; `@FILE` reads a file, `-` reads standard input
    #[arg(short, long, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// A query parameter, which the program escapes; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::query_parameter)]
    pub(crate) query: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) consent: ConsentArguments,
    /// Show the request without sending it
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin completion bash > ~/.local/share/bash-completion/completions/openai-admin
  openai-admin completion zsh > ~/.zfunc/_openai-admin")]
pub(crate) struct CompletionArguments {
    /// Shell to write the script for
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManPagesArguments {
    /// Existing folder to write the pages to
    pub(crate) folder: PathBuf,
}

#[cfg(test)]
mod tests {
    use openai_admin::Scope;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command_line().debug_assert();
    }

    #[test]
    fn the_help_of_keys_create_explains_all_scopes() {
        let mut command_line = Arguments::command_line_of(&["keys", "create"]);
        command_line.build();
        let keys = command_line.find_subcommand("keys").expect("keys");
        let help = keys.find_subcommand("create").expect("create").clone().render_help().to_string();
        let explained = |scope: &&Scope| help.contains(&format!("  {scope} "));
        assert_eq!(Scope::ALL.iter().find(|scope| !explained(scope)), None);
    }
}
