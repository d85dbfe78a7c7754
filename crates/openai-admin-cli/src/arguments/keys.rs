//! Options of `openai-admin keys`.

use clap::{Args, Subcommand};

use super::{consent::RemovalArguments, values};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum KeysCommand {
    /// Create a key and show it once
    #[command(after_help = "\
Examples:
  openai-admin keys create --name laptop
  openai-admin keys create --name reports --read-only --expires-in 90d
  openai-admin keys create --name audit --read-only --expires-at 2030-01-01
  openai-admin keys create --name joiners --scope api.groups.read --scope api.groups.write

Scopes:
  api.audit_logs.read      read the audit log
  api.external_keys.read   read and validate external keys
  api.external_keys.write  register and delete external keys
  api.groups.read          read groups and their members
  api.groups.write         change groups and their members
  api.management.read      read users of the organization, and find them by email address
  api.management.write     change users of the organization
  api.roles.read           read roles, their assignments and access
  api.roles.write          change roles and their assignments
  api.usage.read           read usage
  api.usage.write          record usage")]
    Create(CreateKeyArguments),
    /// List the valid keys
    #[command(alias = "ls")]
    List,
    /// Replace a key, keeping the old one valid for an overlap period
    #[command(after_help = "\
Examples:
  openai-admin keys rotate ci
  openai-admin keys rotate ci --overlap 7d

The new key has the same name, scopes and lifetime. The old key stays valid until the overlap ends, so \
that you can change clients one by one.")]
    Rotate(RotateKeyArguments),
    /// Revoke a key for good
    #[command(aliases = ["delete", "remove", "rm"])]
    Revoke {
        /// The key's id or exact name
        key: String,
        #[command(flatten)]
        removal: RemovalArguments,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateKeyArguments {
    /// A name to recognize the key by
    #[arg(long)]
    pub(crate) name: String,
    /// Grant this scope; repeatable; if omitted, the key has all scopes
    #[arg(long = "scope", value_name = "SCOPE", hide_possible_values = true, value_parser = values::scope())]
    pub(crate) scopes: Vec<String>,
    /// Grant all read scopes and no write scopes
    #[arg(long, conflicts_with = "scopes")]
    pub(crate) read_only: bool,
    #[command(flatten)]
    pub(crate) expiry: ExpiryArguments,
}

// When a key stops working.
#[derive(Args, Debug)]
pub(crate) struct ExpiryArguments {
    /// How long the key is valid, such as 12h, 90d or 2w; if omitted, it does not expire
    #[arg(long, value_name = "TIME", value_parser = values::duration_seconds)]
    pub(crate) expires_in: Option<i64>,
    /// When the key expires, such as 2030-01-31 or 2030-01-31T12:00:00Z (UTC)
    #[arg(long, value_name = "DATE", value_parser = values::moment_seconds, conflicts_with = "expires_in")]
    pub(crate) expires_at: Option<i64>,
}

#[derive(Args, Debug)]
pub(crate) struct RotateKeyArguments {
    /// The key's id or exact name
    pub(crate) key: String,
    /// How long the old key stays valid
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = values::duration_seconds)]
    pub(crate) overlap: i64,
    #[command(flatten)]
    pub(crate) expiry: ExpiryArguments,
}
