//! Options of `openai-admin access`.

use clap::{Args, Subcommand};
use openai_admin::PermissionName;

use super::ListArguments;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum AccessCommand {
    /// List the permissions of a user, each with the roles that grant it
    #[command(after_help = "\
Examples:
  openai-admin access of ada@example.com
  openai-admin access of ada@example.com --project Search

Permissions of predefined roles are assumed where OpenAI does not publish them. They are marked so.")]
    Of {
        /// The user's id or email address
        user: String,
        #[command(flatten)]
        project: AccessProject,
    },
    /// List the users with a permission, each with the roles that grant it
    #[command(after_help = "\
Examples:
  openai-admin access who api.groups.write
  openai-admin access who api.model.request --project Search -o csv > people.csv")]
    Who {
        /// The permission, such as api.groups.write
        permission: PermissionName,
        #[command(flatten)]
        project: AccessProject,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Show whether a user has a permission, and through which roles
    #[command(after_help = "\
Examples:
  openai-admin access explain ada@example.com api.groups.write
  openai-admin access explain user_ada api.model.request --project proj_search -o json")]
    Explain {
        /// The user's id or email address
        user: String,
        /// The permission, such as api.groups.write
        permission: PermissionName,
        #[command(flatten)]
        project: AccessProject,
    },
    /// List the permissions, each with the roles that grant it
    #[command(after_help = "\
Examples:
  openai-admin access permissions
  openai-admin access permissions --project Search")]
    Permissions {
        #[command(flatten)]
        project: AccessProject,
    },
}

// Where the access is.
#[derive(Args, Debug)]
pub(crate) struct AccessProject {
    /// Access in this project, by id or exact name; default: in the organization
    #[arg(long = "project", value_name = "PROJECT")]
    pub(crate) text: Option<String>,
}
