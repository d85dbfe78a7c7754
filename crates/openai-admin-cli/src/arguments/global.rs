//! Options of every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use openai_admin::OrganizationId;

use super::values;

// The options are valid before and after any command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// Base URL of the API [env: OPENAI_BASE_URL]
    ///
    /// Default: https://api.openai.com/v1.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Use a local SQLite file; needs no key [env: OPENAI_ADMIN_LOCAL]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) local: Option<PathBuf>,

    /// Database URL for server commands [env: OPENAI_ADMIN_DATABASE]
    ///
    /// For serve, load, dump, keys and admin: sqlite:FILE or postgres://USER@HOST/NAME; default: sqlite:openai-admin.db. Put a URL with a password in the
    /// environment, where other users of the machine cannot read it.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,

    /// Organization to use in the database [env: OPENAI_ADMIN_ORGANIZATION]
    ///
    /// Needed if the database holds several organizations.
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,

    /// A file with the admin key, or `-` for standard input; default: the key in OPENAI_ADMIN_KEY
    ///
    /// No option takes the key itself, because other users of the machine can read arguments and shells save them.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// Use a saved profile: a service and its key [env: OPENAI_ADMIN_PROFILE]
    ///
    /// `openai-admin login` saves one. Default: the profile that `profiles use` selected. The key in OPENAI_ADMIN_KEY takes
    /// precedence over a profile that is not on the command line.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// A PEM file of trusted CA certificates, instead of the built-in ones [env: OPENAI_ADMIN_CA_FILE]
    ///
    /// For a server whose certificate is signed by a private CA.
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// A policy file that protects and limits changes by any plan [env: OPENAI_ADMIN_POLICY]
    ///
    /// It applies to every command that changes memberships. Default: policy.yaml in the state folder, if it exists.
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) policy: Option<PathBuf>,

    /// Format of the data on standard output [default: table]
    #[arg(short, long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "Write table, json, jsonl, csv or yaml [default: table]")]
    pub(crate) output: Option<Format>,

    /// Colour: auto, always or never; auto respects NO_COLOR, CLICOLOR=0 and CLICOLOR_FORCE=1
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_short_help = true, hide_possible_values = true, hide_default_value = true)]
    pub(crate) color: ColorChoice,

    /// How many times to retry a request that may succeed later
    ///
    /// After a rate limit the program waits as long as the service says, at most two minutes per request.
    #[arg(long, global = true, value_name = "N", default_value_t = 2, hide_short_help = true)]
    #[arg(value_parser = values::retries)]
    pub(crate) retries: u32,

    /// Print only data and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// The format of data.
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
