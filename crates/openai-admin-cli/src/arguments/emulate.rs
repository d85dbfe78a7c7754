//! Arguments of `emulate`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use super::values;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  openai-admin emulate --fixtures examples/acme/organization.yaml
  openai-admin emulate --listen 127.0.0.1:0 --isolate-by-key     a free port; one organization per key
  openai-admin emulate --seed 7 --profile flaky                  the same faults in every run
  curl -X POST http://127.0.0.1:8080/_emulator/reset             back to the fixtures

It prints one line of JSON once it listens: {\"url\": …, \"controls\": …}. It accepts any key, unless \
--require-key-file or OPENAI_ADMIN_REQUIRE_KEYS lists the valid ones. The controls need no key. The \
organization is in memory, unless --local or --database names a SQLite file. Each /_ns/NAME/v1/… is a \
separate organization, created from the fixtures on first use.

It listens on loopback only, and refuses requests from other websites. In a container, use \
--allow-remote, and --allow-host with the name that clients use.")]
pub(crate) struct EmulateArguments {
    /// Address to listen on: PORT or ADDRESS:PORT; port 0 picks a free port
    #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = address_or_port)]
    listen: SocketAddr,
    /// The same as --listen 127.0.0.1:PORT
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// Allow a non-loopback address, as in a container; the controls need no key
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Accept requests for this host name, in addition to localhost and its address; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Start with the users and groups of a YAML or JSON file, in the format of `load`
    #[arg(long, value_name = "FILE")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Start with usage and costs of the past year: demo
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    pub(crate) usage: Option<UsageChoice>,
    /// Give each key a separate organization
    #[arg(long)]
    pub(crate) isolate_by_key: bool,
    /// Accept only the keys in this file, one per line
    #[arg(long, value_name = "FILE")]
    pub(crate) require_key_file: Option<PathBuf>,
    /// Refused: every user of the machine can read arguments.
    #[arg(long, value_name = "KEY", hide = true)]
    pub(crate) require_key: Vec<String>,
    /// Seed for ids and randomness, for the same results in every run; stops the clock
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Start at this time, such as 2026-01-01T00:00:00Z; the clock stops until you move it
    #[arg(long, value_name = "TIME", value_parser = values::clock)]
    pub(crate) clock: Option<i64>,
    /// Simulate failures of a real service: production-like, flaky or slow
    // The same name and type as the global option, so that clap has one value for both. `faults_of_profile` checks it.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Inject faults defined in a YAML or JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Reject unknown parameters; otherwise a response header lists them
    #[arg(long)]
    pub(crate) strict: bool,
    /// Switch a rule off, such as already_in_project; repeatable
    #[arg(long, value_name = "NAME=off")]
    pub(crate) rule: Vec<String>,
    /// Switch off the rules that generated test suites break, such as with the role "role"
    #[arg(long)]
    pub(crate) loose: bool,
}

impl EmulateArguments {
    /// The address to listen on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.port.map_or(self.listen, |port| (Ipv4Addr::LOCALHOST, port).into())
    }

    /// The set of faults.
    ///
    /// # Errors
    ///
    /// If there is no such set.
    pub(crate) fn faults_of_profile(&self) -> Result<Option<ProfileChoice>, String> {
        let Some(name) = self.profile.as_deref() else { return Ok(None) };
        let choice = ProfileChoice::from_str(name, false);
        choice
            .map(Some)
            .map_err(|_| format!("invalid value '{name}' for --profile: use production-like, flaky or slow"))
    }
}

/// Reads an address, or a port alone as one of loopback.
fn address_or_port(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => values::listen_address(text)
            .map_err(|_| "write PORT or ADDRESS:PORT, such as 8080 or 127.0.0.1:8080".to_owned()),
    }
}

/// Sets of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// About seven requests per minute for each operation, then 429 without further information.
    ProductionLike,
    /// One request in five fails.
    Flaky,
    /// Responses are slow.
    Slow,
}

/// Generated usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UsageChoice {
    /// A year of usage and costs in up to four projects, which grows and is lower on weekends.
    Demo,
}
