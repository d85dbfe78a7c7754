//! Arguments of `openai-admin users`.

use clap::{Args, Subcommand};
use openai_admin::{UserId, UserRole};

use super::{ListArguments, OffboardArguments, OrderedListArguments, RemovalArguments, values};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum UsersCommand {
    #[command(flatten)]
    Api(UserCommand),
    /// Remove users from every group
    Offboard(OffboardArguments),
}

/// Commands for users that call the API.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum UserCommand {
    /// List the users of the organization
    #[command(alias = "ls")]
    #[command(after_help = "\
Examples:
  openai-admin users list --limit 20
  openai-admin users list --email ada@example.com --email grace@example.com -o json
  openai-admin users list --no-group -o csv")]
    List {
        /// Only the user with this email address; repeatable
        #[arg(long = "email", value_name = "EMAIL")]
        emails: Vec<String>,
        /// Only the users who are in no group; reads the members of every group
        #[arg(long, conflicts_with_all = ["emails", "limit", "after"])]
        no_group: bool,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Find users by a part of their name or email address
    #[command(alias = "find")]
    #[command(after_help = "\
Examples:
  openai-admin users search whit
  openai-admin users search \"dana whitfield\"
  openai-admin users search contractor.example --limit 20

A user matches if the name, the email address or a word of them starts with the text, in any case. \
The API cannot search, so the program reads the list of users, 100 per request.")]
    Search {
        /// The beginning of a name, an email address or a word of them
        #[arg(value_parser = values::text)]
        text: String,
        /// Show at most N users; default: all
        #[arg(long, value_name = "N", value_parser = values::at_least_one)]
        limit: Option<u64>,
    },
    /// Show a user
    #[command(alias = "show")]
    Get {
        /// The user's id or email address
        user: String,
    },
    /// Create a user (on your own server; at OpenAI, invite people instead)
    #[command(alias = "add")]
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
    #[command(aliases = ["delete", "rm"])]
    #[command(after_help = "\
Examples:
  openai-admin users remove ada@example.com --dry-run
  openai-admin users remove ada@example.com

This cannot be undone. To remove a user from the groups only, use `users offboard`, which `runs undo` reverts.")]
    Remove {
        /// The user's id or email address
        user: String,
        #[command(flatten)]
        removal: RemovalArguments,
    },
    /// List the groups that a user is in
    #[command(after_help = "\
Examples:
  openai-admin users groups ada@example.com

Your own server answers this in one request. OpenAI's API cannot, so the program checks every group.")]
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
    #[arg(long, default_value = "reader", value_parser = values::role)]
    pub(crate) role: UserRole,
    /// The user's id; if omitted, the server generates one
    #[arg(long)]
    pub(crate) id: Option<UserId>,
    /// Create a service account, which needs no email address
    #[arg(long)]
    pub(crate) service_account: bool,
}

#[derive(Args, Debug)]
pub(crate) struct UpdateUserArguments {
    /// The user's id or email address
    pub(crate) user: String,
    /// The new role: owner or reader
    #[arg(long, value_parser = values::role)]
    #[arg(required_unless_present_any = ["technical_level", "developer_persona"])]
    pub(crate) role: Option<UserRole>,
    /// Metadata: the technical level
    #[arg(long, value_name = "TEXT")]
    pub(crate) technical_level: Option<String>,
    /// Metadata: the developer persona
    #[arg(long, value_name = "TEXT")]
    pub(crate) developer_persona: Option<String>,
}
