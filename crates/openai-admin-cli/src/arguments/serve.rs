//! The settings of `serve`. Each is declared here and nowhere else: `settings.rs` makes of an option the variable of the
//! environment and the key of the file, and of its first line the documentation of all three.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::values;

// What belongs together only as a whole, such as a certificate and its key, is checked in `commands/serve.rs` and not
// by clap's `requires`: one may be typed and the other stand in the file.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin serve
  openai-admin serve --database postgres://admin@localhost/openai_admin --listen 127.0.0.1:9000
  openai-admin serve --listen 0.0.0.0:8443 --tls-cert fullchain.pem --tls-key privkey.pem
  openai-admin serve --config server.toml

Every option is also a variable of the environment and a line of a file: --listen X is
OPENAI_ADMIN_LISTEN=X and listen = \"X\". What is typed goes before the environment, and that before
the file. `openai-admin admin settings` lists them all.

The database is sqlite:openai-admin.db unless --local or --database says otherwise. Clients need a
key: the one in OPENAI_ADMIN_KEY or --key-file, one made by `keys create`, or the one that the first
start makes. That one is shown on a terminal, or else written to a file beside the database.")]
pub(crate) struct ServeArguments {
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen; port 0 is a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = values::listen_address)]
    pub(crate) listen: SocketAddr,
    /// Allow an address that others reach: a proxy in front encrypts
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// Speak HTTPS with the certificate in this PEM file, the server's own first; SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The PEM file with the certificate's private key
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Read the database's URL from a file, since it may hold a password
    #[arg(long, value_name = "FILE")]
    pub(crate) database_file: Option<PathBuf>,
    /// Read pages from this replica of PostgreSQL; repeatable
    #[arg(long, value_name = "URL")]
    pub(crate) database_read: Vec<String>,
    /// Refuse requests with unknown fields, which are ignored otherwise
    #[arg(long)]
    pub(crate) strict: bool,
    /// Answer 429 to a key that sends more requests than this
    #[arg(long, value_name = "N", value_parser = values::requests_per_minute)]
    pub(crate) requests_per_minute: Option<NonZeroU32>,
    /// Where to answer /live, /ready and /metrics; nowhere when left out
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = values::listen_address)]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Allow an address of --admin-listen that others reach: they need no key
    #[arg(long)]
    pub(crate) admin_public: bool,
    /// Accept this host name in requests to --admin-listen; repeatable
    #[arg(long, value_name = "NAME", value_parser = values::host_name)]
    pub(crate) admin_allow_host: Vec<String>,
    /// How long to go on after a SIGTERM while /ready says no, such as 10s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = values::grace)]
    pub(crate) drain_grace: Duration,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = values::log_level)]
    pub(crate) log: String,
    /// Whether the log is for people or for programs, with one JSON document a line: human or json
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub(crate) log_format: LogFormat,
    /// Send traces to an OpenTelemetry collector, such as http://127.0.0.1:4318/v1/traces; needs a build with the feature otel
    #[arg(long, value_name = "URL", value_parser = values::otlp_endpoint)]
    #[cfg_attr(not(feature = "otel"), arg(hide = true))]
    pub(crate) otlp_endpoint: Option<String>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line of words.
    Human,
    /// A line of JSON.
    Json,
}
