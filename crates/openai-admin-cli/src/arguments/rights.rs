//! Arguments of the commands that give rights to several people: `projects users add`, `roles assign` and `invites create`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use openai_admin::InviteRole;

use super::{RemovalArguments, values};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ProjectsCommand {
    /// Manage the users of a project
    #[command(subcommand, arg_required_else_help = true)]
    Users(ProjectUsersCommand),
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ProjectUsersCommand {
    /// Add users to a project
    #[command(alias = "create")]
    #[command(after_help = "\
Examples:
  openai-admin projects users add Search ada@example.com grace@example.com
  openai-admin projects users add proj_1 -f joiners.txt --role owner

A user who is already in the project keeps the role there. If a user cannot be added, the others still are: exit \
code 3 means that some failed.")]
    Add(AddProjectUsersArguments),
}

#[derive(Args, Debug)]
pub(crate) struct AddProjectUsersArguments {
    /// The project's id or exact name
    pub(crate) project: String,
    /// Ids or email addresses of users
    #[arg(value_name = "USER")]
    pub(crate) users: Vec<String>,
    /// Read users from a file, one per line; `-` reads standard input, `#` begins a comment
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Their role in the project: owner, member or viewer
    #[arg(long, value_name = "ROLE", default_value = "member")]
    pub(crate) role: String,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum RolesCommand {
    /// Assign a role to groups and users
    #[command(after_help = "\
Examples:
  openai-admin roles assign Auditor --user ada@example.com --user user_7
  openai-admin roles assign Builder --group \"ML Research\" --project Search

Assigning a role again changes nothing. `owner` and `reader` replace a user's role in the organization. If one \
assignment fails, the others are still made: exit code 3 means that some failed.")]
    Assign(AssignmentArguments),
    /// Unassign a role from groups and users
    #[command(after_help = "\
Examples:
  openai-admin roles unassign Auditor --user ada@example.com --dry-run
  openai-admin roles unassign Builder --group \"ML Research\" --project Search --yes")]
    Unassign {
        #[command(flatten)]
        assignment: AssignmentArguments,
        #[command(flatten)]
        removal: RemovalArguments,
    },
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("principal").required(true).multiple(true))]
pub(crate) struct AssignmentArguments {
    /// The role's id or exact name
    pub(crate) role: String,
    /// A group, by id or exact name; repeatable
    #[arg(long = "group", value_name = "GROUP", group = "principal")]
    pub(crate) groups: Vec<String>,
    /// A user, by id or email address; repeatable
    #[arg(long = "user", value_name = "USER", group = "principal")]
    pub(crate) users: Vec<String>,
    /// The project of the role, by id or exact name; if omitted, the organization
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum InvitesCommand {
    /// Invite people to the organization
    #[command(aliases = ["add", "send"])]
    #[command(after_help = "\
Examples:
  openai-admin invites create ada@example.com grace@example.com
  openai-admin invites create -f joiners.txt --project Search:member --project proj_2:owner

Without --project, people get the default project. A person who is a user, or who has a pending invite, is not \
invited again. If a person cannot be invited, the others still are: exit code 3 means that some failed.")]
    Create(InviteArguments),
}

#[derive(Args, Debug)]
pub(crate) struct InviteArguments {
    /// Email addresses
    #[arg(value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,
    /// Read addresses from a file, one per line; `-` reads standard input, `#` begins a comment
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Their role in the organization: reader or owner
    #[arg(long, value_name = "ROLE", default_value = "reader", value_parser = values::invite_role)]
    pub(crate) role: InviteRole,
    /// A project that they join, by id or exact name, and their role there, member by default; repeatable
    #[arg(long = "project", value_name = "PROJECT[:ROLE]")]
    pub(crate) projects: Vec<String>,
}
