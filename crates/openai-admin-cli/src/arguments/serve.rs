//! The settings of `serve`. Each is declared only here: `settings.rs` derives the environment variable and the key of
//! the file from the option, and the documentation of all three from its first line.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::values;

// `commands/serve.rs` checks that a certificate and its key come together. clap's `requires` cannot, because one may be
// an option and the other in the file.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin serve
  openai-admin serve --database postgres://admin@localhost/openai_admin --listen 127.0.0.1:9000
  openai-admin serve --listen 0.0.0.0:8443 --tls-cert fullchain.pem --tls-key privkey.pem
  openai-admin serve --config server.toml

Every option is also an environment variable and a key of the settings file: --listen X is \
OPENAI_ADMIN_LISTEN=X and listen = \"X\". Options take precedence over the environment, and the \
environment over the file. `openai-admin admin settings` lists them all.

The default database is sqlite:openai-admin.db; change it with --local or --database. Clients need a \
key: the one in OPENAI_ADMIN_KEY or --key-file, one from `keys create`, or the first key, which the \
first start creates. The first key is shown on a terminal, or written to a file next to the database.")]
pub(crate) struct ServeArguments {
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = values::listen_address)]
    pub(crate) listen: SocketAddr,
    /// Allow a non-loopback address, behind a proxy that terminates TLS
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// Serve HTTPS with the certificate chain in this PEM file, leaf first; SIGHUP reloads it
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The PEM file with the certificate's private key
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Read the database URL from a file, because it may contain a password
    #[arg(long, value_name = "FILE")]
    pub(crate) database_file: Option<PathBuf>,
    /// Read pages from this PostgreSQL replica; repeatable
    #[arg(long, value_name = "URL")]
    pub(crate) database_read: Vec<String>,
    /// How long to wait at the start for a PostgreSQL server that does not answer yet, such as 60s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = values::grace)]
    pub(crate) wait_for_database: Duration,
    /// Report in /metrics when this backup, or the newest file in this folder of backups, was last changed
    #[arg(long, value_name = "PATH")]
    pub(crate) backups: Option<PathBuf>,
    /// Reject requests with unknown fields, which are ignored by default
    #[arg(long)]
    pub(crate) strict: bool,
    /// Maximum requests per minute per key; more get 429
    #[arg(long, value_name = "N", value_parser = values::requests_per_minute)]
    pub(crate) requests_per_minute: Option<NonZeroU32>,
    /// Address for /live, /ready and /metrics; if omitted, they are off
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = values::listen_address)]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Allow a non-loopback --admin-listen address, although it needs no key
    #[arg(long)]
    pub(crate) admin_public: bool,
    /// Accept this host name in requests to --admin-listen; repeatable
    #[arg(long, value_name = "NAME", value_parser = values::host_name)]
    pub(crate) admin_allow_host: Vec<String>,
    /// Serve the web console at /console on a non-loopback address too; on loopback it is always on
    #[arg(long)]
    pub(crate) console: bool,
    /// Accept this host name in requests to the web console; repeatable
    #[arg(long, value_name = "NAME", value_parser = values::host_name)]
    pub(crate) console_allow_host: Vec<String>,
    /// How long to keep serving after SIGTERM while /ready reports not ready, such as 10s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = values::grace)]
    pub(crate) drain_grace: Duration,
    /// Log level: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = values::log_level)]
    pub(crate) log: String,
    /// Log format: human, or json with one document per line
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub(crate) log_format: LogFormat,
    /// Send traces to an OpenTelemetry collector, such as http://127.0.0.1:4318/v1/traces; needs a build with the feature otel
    #[arg(long, value_name = "URL", value_parser = values::otlp_endpoint)]
    #[cfg_attr(not(feature = "otel"), arg(hide = true))]
    pub(crate) otlp_endpoint: Option<String>,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line of text.
    Human,
    /// A line of JSON.
    Json,
}
