//! What every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use openai_admin::OrganizationId;

use super::values;

// The options before or after any command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// The API's address, if it is not OpenAI's [env: OPENAI_BASE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// A SQLite file instead of an API: no key needed [env: OPENAI_ADMIN_LOCAL]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) local: Option<PathBuf>,

    /// The database of serve, load, dump and keys [env: OPENAI_ADMIN_DATABASE]
    ///
    /// Either sqlite:FILE or postgres://USER@HOST/NAME; sqlite:openai-admin.db when left out. A URL with a password
    /// belongs into the environment, where other users of the machine do not see it.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,

    /// One organization of the database [env: OPENAI_ADMIN_ORGANIZATION]
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,

    /// A file with the admin key, or `-`; otherwise OPENAI_ADMIN_KEY is the key
    ///
    /// `-` reads the key from standard input. A key is never an argument, since other users of the machine see those
    /// and shells remember them.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// A PEM file with the certificates to trust, instead of the usual ones [env: OPENAI_ADMIN_CA_FILE]
    ///
    /// For a server of your own whose certificate is signed by nobody else's authority.
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// A file with what is protected and limited, whatever plans say [env: OPENAI_ADMIN_POLICY]
    ///
    /// It applies to every command that changes memberships. policy.yaml in the state folder when left out, if
    /// it is there.
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) policy: Option<PathBuf>,

    /// Format of the data on standard output [default: table]
    #[arg(short, long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "Write table, json, jsonl, csv or yaml [default: table]")]
    pub(crate) output: Option<Format>,

    /// Colour: auto, always or never; auto obeys NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_short_help = true, hide_possible_values = true, hide_default_value = true)]
    pub(crate) color: ColorChoice,

    /// How often a request that may succeed later is sent again
    ///
    /// After a rate limit the program waits as long as the service asks, at most two minutes for a request.
    #[arg(long, global = true, value_name = "N", default_value_t = 2, hide_short_help = true)]
    #[arg(value_parser = values::retries)]
    pub(crate) retries: u32,

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
