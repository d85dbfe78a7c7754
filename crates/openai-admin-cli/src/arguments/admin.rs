//! What an operator types beside a server that runs.

use std::{net::SocketAddr, path::PathBuf};

use clap::Subcommand;

use super::{consent::ConsentArguments, values};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum AdminCommand {
    /// Copy the whole database to a file while servers use it
    #[command(after_help = "\
Examples:
  openai-admin --local acme.db admin backup /var/backups/acme.backup
  openai-admin --database postgres://admin@localhost/openai_admin admin backup acme.backup

The backup is the database as it was at one moment: organizations, users, groups, keys and the audit
log. It is verified before it takes the place of an earlier backup, and restores into SQLite and into
PostgreSQL. It holds people's names and addresses: keep it like the database itself.")]
    Backup {
        /// Where the backup goes; an earlier backup there is replaced once the new one is whole
        file: PathBuf,
    },
    /// Put a backup in the place of the database
    #[command(after_help = "\
Examples:
  openai-admin --local restored.db admin restore acme.backup
  openai-admin --local acme.db admin restore acme.backup --overwrite

Stop the servers of the database first. The backup is verified, and the database changes in one step
or not at all. A SQLite file that a server uses is refused. Nothing stops a restore over a PostgreSQL
database in use, so --overwrite asks there.")]
    Restore {
        /// The backup
        file: PathBuf,
        /// Lose what the database holds
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        consent: ConsentArguments,
    },
    /// Ask a server whether it is ready; exit code 1 when it is not
    #[command(after_help = "\
Examples:
  openai-admin admin ready 127.0.0.1:9090")]
    Ready {
        /// What the server was given as --admin-listen [env: OPENAI_ADMIN_ADMIN_LISTEN]
        #[arg(value_name = "ADDRESS:PORT", value_parser = values::listen_address)]
        address: Option<SocketAddr>,
    },
    /// Check everything that must always hold of the database
    Verify,
    /// Bring the database's schema to the version of this program
    #[command(after_help = "\
Examples:
  openai-admin --local acme.db admin migrate --check
  openai-admin --local acme.db admin migrate

A server does the same when it starts.")]
    Migrate {
        /// Only say whether it is needed; exit code 1 when it is
        #[arg(long)]
        check: bool,
    },
    /// List the settings of `serve`: as options, in the environment and in a file
    #[command(after_help = "\
Examples:
  openai-admin admin settings
  openai-admin admin settings --toml > server.toml")]
    Settings {
        /// Write an example of the file instead, with every setting as a comment
        #[arg(long)]
        toml: bool,
    },
}
