//! What can be typed. This file only describes the command line; `config.rs` turns it into settings.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use openai_admin::{Cursor, OrganizationId, Scope, UserId, UserRole, operations::groups::GroupName};

/// Who is in which group of an OpenAI organization: ask, change, and serve the same API yourself.
#[derive(Debug, Parser)]
#[command(
    name = "openai-admin",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "\
Examples:
  openai-admin --local acme.db load examples/acme/organization.yaml    an organization to try things on
  openai-admin --local acme.db groups users list \"Support Team\"        no server and no key needed
  openai-admin --local acme.db serve                                   the same organization as an API
  OPENAI_ADMIN_KEY=sk-admin-… openai-admin groups list                 your organization at OpenAI

Unofficial: not a product of OpenAI.",
    after_long_help = "\
Examples:
  openai-admin --local acme.db load examples/acme/organization.yaml    an organization to try things on
  openai-admin --local acme.db groups users list \"Support Team\"        no server and no key needed
  openai-admin --local acme.db serve                                   the same organization as an API
  OPENAI_ADMIN_KEY=sk-admin-… openai-admin groups list                 your organization at OpenAI

Exit codes:
  0 done   1 failed   3 some of it failed   4 key or scope   6 not found or ambiguous
  7 rate limit   64 command line   65 input file

Unofficial: not a product of OpenAI."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// The API's address [env: OPENAI_BASE_URL] [default: https://api.openai.com/v1]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// A SQLite file instead of an API: no server, no key [env: OPENAI_ADMIN_LOCAL]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) local: Option<PathBuf>,

    /// The database of serve, load, dump and keys [default: sqlite:openai-admin.db]
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) database: Option<String>,

    /// Which organization of a database that holds several
    #[arg(long, global = true, value_name = "ID", hide_short_help = true)]
    pub(crate) organization: Option<OrganizationId>,

    /// Read the admin key from a file, or from standard input with `-` [env: OPENAI_ADMIN_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// Format of the data on standard output [default: table]
    #[arg(short, long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "Write table, json, jsonl, csv or yaml [default: table]")]
    pub(crate) output: Option<Format>,

    /// Colour: auto, always or never; auto obeys NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_short_help = true, hide_possible_values = true, hide_default_value = true)]
    pub(crate) color: ColorChoice,

    /// Say nothing but data and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// Comma-separated values with a heading.
    Csv,
    /// One YAML document.
    Yaml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderChoice {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Groups, and who is in them
    #[command(subcommand, arg_required_else_help = true)]
    Groups(GroupsCommand),
    /// Users of the organization
    #[command(subcommand, arg_required_else_help = true)]
    Users(UsersCommand),
    /// Load an organization from a YAML or JSON file into a database
    Load(LoadArguments),
    /// Write a database's organization as YAML or JSON
    Dump,
    /// Serve the API from a database
    Serve(ServeArguments),
    /// Keys of your own server
    #[command(subcommand, arg_required_else_help = true)]
    Keys(KeysCommand),
    /// Write a completion script for a shell
    Completion(CompletionArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupsCommand {
    /// List the groups
    List(OrderedListArguments),
    /// Show a group
    Get {
        /// The group's id or exact name
        group: String,
    },
    /// Create a group
    Create {
        /// The new group's name
        #[arg(value_parser = group_name)]
        name: GroupName,
    },
    /// Rename a group
    Rename {
        /// The group's id or exact name
        group: String,
        /// Its new name
        #[arg(value_parser = group_name)]
        name: GroupName,
    },
    /// Delete a group and every membership in it
    Delete {
        /// The group's id or exact name
        group: String,
        #[command(flatten)]
        consent: ConsentArguments,
    },
    /// Who is in a group: list, add, get, remove
    #[command(subcommand, arg_required_else_help = true)]
    Users(GroupUsersCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupUsersCommand {
    /// List the users of a group
    #[command(after_help = "\
Examples:
  openai-admin groups users list \"Support Team\"
  openai-admin groups users list group_support -o csv > support.csv")]
    List {
        /// The group's id or exact name
        group: String,
        #[command(flatten)]
        list: OrderedListArguments,
    },
    /// Add users to a group
    #[command(after_help = "\
Examples:
  openai-admin groups users add \"Support Team\" ada@example.com user_7
  openai-admin groups users add group_support -f joiners.txt
  cut -d, -f2 people.csv | openai-admin groups users add group_support -f - -o csv

Adding somebody who is in the group already changes nothing. One user who cannot be added
does not stop the others: exit code 3 says that some failed.")]
    Add(BulkArguments),
    /// Show a user of a group
    Get {
        /// The group's id or exact name
        group: String,
        /// The user's id or email address
        user: String,
    },
    /// Remove users from a group
    #[command(after_help = "\
Examples:
  openai-admin groups users remove \"Support Team\" ada@example.com
  openai-admin groups users remove \"Support Team\" -f leavers.txt --dry-run
  openai-admin groups users remove \"Support Team\" -f leavers.txt --yes

Removing somebody who is not in the group changes nothing. One user who cannot be removed
does not stop the others: exit code 3 says that some failed.")]
    Remove {
        #[command(flatten)]
        bulk: BulkArguments,
        #[command(flatten)]
        consent: ConsentArguments,
    },
}

/// A group and any number of users.
#[derive(Args, Debug)]
pub(crate) struct BulkArguments {
    /// The group's id or exact name
    pub(crate) group: String,
    /// Ids or email addresses of users
    #[arg(value_name = "USER", required_unless_present = "file")]
    pub(crate) users: Vec<String>,
    /// Read users from a file, one a line; `-` reads standard input, `#` begins a comment
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Find group and users, show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List the users of the organization
    #[command(after_help = "\
Examples:
  openai-admin users list --limit 20
  openai-admin users list --email ada@example.com --email grace@example.com -o json")]
    List {
        /// Only the user with this email address; may be repeated
        #[arg(long = "email", value_name = "EMAIL")]
        emails: Vec<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show a user
    Get {
        /// The user's id or email address
        user: String,
    },
    /// Create a user (on your own server; at OpenAI people are invited)
    #[command(after_help = "\
Examples:
  openai-admin --local acme.db users create kay@example.com --name \"Kay McNulty\"
  openai-admin --local acme.db users create --service-account --name \"Nightly evaluation\"")]
    Create(CreateUserArguments),
    /// Change a user's role or metadata
    #[command(after_help = "\
Examples:
  openai-admin users update ada@example.com --role owner")]
    Update(UpdateUserArguments),
    /// Remove a user from the organization and from all groups
    Remove {
        /// The user's id or email address
        user: String,
        #[command(flatten)]
        consent: ConsentArguments,
    },
    /// List the groups that a user is in (on your own server)
    Groups {
        /// The user's id or email address
        user: String,
        #[command(flatten)]
        list: OrderedListArguments,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateUserArguments {
    /// The user's email address
    #[arg(required_unless_present = "service_account")]
    pub(crate) email: Option<String>,
    /// The user's name
    #[arg(long)]
    pub(crate) name: String,
    /// The user's role: owner or reader
    #[arg(long, default_value = "reader", hide_possible_values = true, value_parser = role())]
    pub(crate) role: UserRole,
    /// The user's id; made up by the server when left out
    #[arg(long)]
    pub(crate) id: Option<UserId>,
    /// It is a machine, which may be without an email address
    #[arg(long)]
    pub(crate) service_account: bool,
}

#[derive(Args, Debug)]
#[group(id = "change", multiple = true, required = true, args = ["role", "technical_level", "developer_persona"])]
pub(crate) struct UpdateUserArguments {
    /// The user's id or email address
    pub(crate) user: String,
    /// The new role: owner or reader
    #[arg(long, hide_possible_values = true, value_parser = role())]
    pub(crate) role: Option<UserRole>,
    /// Metadata: the technical level
    #[arg(long, value_name = "TEXT")]
    pub(crate) technical_level: Option<String>,
    /// Metadata: the developer persona
    #[arg(long, value_name = "TEXT")]
    pub(crate) developer_persona: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key, and show it this once
    #[command(after_help = "\
Examples:
  openai-admin keys create --name laptop
  openai-admin keys create --name reports --scope api.groups.read --expires-in 90d")]
    Create(CreateKeyArguments),
    /// List the keys that work
    List,
    /// Revoke a key for good
    Revoke {
        /// The key's id or exact name
        key: String,
        #[command(flatten)]
        consent: ConsentArguments,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateKeyArguments {
    /// What the key is for, to recognise it by
    #[arg(long)]
    pub(crate) name: String,
    /// What the key may do; may be repeated; everything when left out
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope())]
    pub(crate) scopes: Vec<String>,
    /// When the key stops working, such as 12h, 90d or 2w; never when left out
    #[arg(long, value_name = "TIME", value_parser = duration_seconds)]
    pub(crate) expires_in: Option<i64>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin --local acme.db load examples/acme/organization.yaml
  openai-admin load --database postgres://admin@db/openai_admin organization.json

Creates what is missing and updates what differs; removes nothing. All of it happens or none.")]
pub(crate) struct LoadArguments {
    /// The YAML or JSON file; `-` reads standard input
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin serve
  openai-admin serve --database postgres://admin@db/openai_admin --listen 127.0.0.1:9000

Clients need a key: the one in OPENAI_ADMIN_KEY or --key-file, one made by `keys create`, or the
one that the first start makes and prints.")]
pub(crate) struct ServeArguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Refuse requests with unknown fields, which are ignored otherwise
    #[arg(long)]
    pub(crate) strict: bool,
    /// Answer 429 to a key that sends more requests than this
    #[arg(long, value_name = "N")]
    pub(crate) requests_per_minute: Option<NonZeroU32>,
    /// Allow an address that other machines reach: a proxy in front encrypts
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// What is logged: error, warn, info, debug or trace [env: OPENAI_ADMIN_LOG] [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin completion bash > ~/.local/share/bash-completion/completions/openai-admin
  openai-admin completion zsh > ~/.zfunc/_openai-admin")]
pub(crate) struct CompletionArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Which part of a list.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// At most so many items; all when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Begin after the item with this id
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<Cursor>,
}

/// Which part of a list, and in which direction.
#[derive(Args, Debug)]
pub(crate) struct OrderedListArguments {
    #[command(flatten)]
    pub(crate) list: ListArguments,
    /// Oldest first (asc) or newest first (desc)
    #[arg(long, value_name = "ORDER", hide_possible_values = true)]
    pub(crate) order: Option<OrderChoice>,
}

/// A destructive command asks on a terminal; elsewhere it needs this.
#[derive(Args, Debug)]
pub(crate) struct ConsentArguments {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

fn group_name(text: &str) -> Result<GroupName, String> {
    GroupName::new(text).map_err(|violation| violation.to_string())
}

fn role() -> impl clap::builder::TypedValueParser<Value = UserRole> {
    PossibleValuesParser::new(UserRole::KNOWN).map(|role| UserRole::from(role.as_str()))
}

fn scope() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str))
}

/// Reads `90d` as seconds.
fn duration_seconds(text: &str) -> Result<i64, String> {
    const SECONDS_MAX: i64 = 100 * 366 * 24 * 3600;
    let problem = || format!("'{text}' is no time: write 30m, 12h, 90d or 2w");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(problem)?;
    let unit_seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(problem()),
    };
    let number: u32 = number.parse().map_err(|_| problem())?;
    match i64::from(number) * unit_seconds {
        0 => Err("a key that has expired already is of no use".to_owned()),
        seconds if seconds > SECONDS_MAX => Err("longer than a century: leave it out instead".to_owned()),
        seconds => Ok(seconds),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_read_in_their_unit_and_bounded() {
        assert_eq!(duration_seconds("90d"), Ok(90 * 86_400));
        assert_eq!(duration_seconds("2w"), Ok(14 * 86_400));
        assert_eq!(duration_seconds("36600d"), Ok(36_600 * 86_400));
        for wrong in ["", "d", "90", "90 d", "-1d", "1.5h", "0d", "36601d", "9999999999d", "1é"] {
            assert!(duration_seconds(wrong).is_err(), "{wrong}");
        }
    }
}
