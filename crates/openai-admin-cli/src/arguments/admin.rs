//! Arguments of the commands that operate a server.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

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

The backup holds the whole database at one moment: organizations, users, groups, keys and the audit \
log. It is verified before it replaces an earlier backup. It restores into SQLite and PostgreSQL. It \
holds people's names and addresses: protect it like the database.")]
    Backup {
        /// The backup file; an earlier backup there is replaced once the new one is complete
        file: PathBuf,
    },
    /// Replace the database with a backup
    #[command(after_help = "\
Examples:
  openai-admin --local restored.db admin restore acme.backup
  openai-admin --local acme.db admin restore acme.backup --overwrite --dry-run
  openai-admin --local acme.db admin restore acme.backup --overwrite

Stop the servers of the database first. The backup is verified, and the database changes in one step \
or not at all. The command refuses a SQLite file in use. It cannot detect a PostgreSQL database in \
use, so --overwrite asks for confirmation there.")]
    Restore {
        /// The backup
        file: PathBuf,
        /// Replace the contents of the database
        #[arg(long)]
        overwrite: bool,
        /// Show what would be restored and lost, without changing anything
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        consent: ConsentArguments,
    },
    /// Check whether a server is ready; exit code 1 if not
    #[command(after_help = "\
Examples:
  openai-admin admin ready 127.0.0.1:9090
  openai-admin admin ready 127.0.0.1:9090 --wait 30s")]
    Ready {
        /// The server's --admin-listen address [env: OPENAI_ADMIN_ADMIN_LISTEN]
        #[arg(value_name = "ADDRESS:PORT", value_parser = values::listen_address)]
        address: Option<SocketAddr>,
        /// Wait until the server is ready, for at most this time, such as 30s
        #[arg(long, value_name = "TIME", default_value = "0s", value_parser = values::grace)]
        wait: Duration,
    },
    /// Check the invariants of the database
    Verify,
    /// Migrate the database to the schema of this program
    #[command(after_help = "\
Examples:
  openai-admin --local acme.db admin migrate --check
  openai-admin --local acme.db admin migrate

A server migrates when it starts.")]
    Migrate {
        /// Only report whether a migration is needed; exit code 1 if so
        #[arg(long)]
        check: bool,
    },
    /// List the settings of `serve`: options, environment variables and keys of the file
    #[command(after_help = "\
Examples:
  openai-admin admin settings
  openai-admin admin settings --toml > server.toml")]
    Settings {
        /// Write an example settings file, with every setting as a comment
        #[arg(long)]
        toml: bool,
    },
}
