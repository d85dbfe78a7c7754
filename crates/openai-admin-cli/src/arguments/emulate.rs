//! What an emulator can be told.

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
  openai-admin emulate --listen 127.0.0.1:0 --isolate-by-key     a free port; an organization for each key
  openai-admin emulate --seed 7 --profile flaky                  the same faults in every run
  curl -X POST http://127.0.0.1:8080/_emulator/reset             back to the fixtures

It prints one line of JSON when it listens: {\"url\": …, \"controls\": …}. Any key works, unless
--require-key-file or OPENAI_ADMIN_REQUIRE_KEYS says which; the controls need none. The organization is
in memory, unless --local or --database names an SQLite file. /_ns/NAME/v1/… is an organization of its
own, made from the fixtures at first use. The controls are described in docs/emulator.md.

It listens on this machine only, and refuses web pages of other sites. In a container, use
--allow-remote, and --allow-host with the name by which others reach it.")]
pub(crate) struct EmulateArguments {
    /// Where to listen: a port of this machine, or an address with one; port 0 is a free one
    #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = address_or_port)]
    listen: SocketAddr,
    /// The same as --listen 127.0.0.1:PORT
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// Allow an address that other machines reach, as in a container: they need no key for the controls
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Answer requests for this host name, beside localhost and its own address; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Begin with the users and groups of a YAML or JSON file, as `load` reads it
    #[arg(long, value_name = "FILE")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Give every key an organization of its own
    #[arg(long)]
    pub(crate) isolate_by_key: bool,
    /// Take only the keys in this file, one on each line
    #[arg(long, value_name = "FILE")]
    pub(crate) require_key_file: Option<PathBuf>,
    /// Refused: every user of the machine can read arguments
    #[arg(long, value_name = "KEY", hide = true)]
    pub(crate) require_key: Vec<String>,
    /// Make ids and chance the same in every run; the clock stands then
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Begin at this time, such as 2026-01-01T00:00:00Z, and stand until the clock is moved
    #[arg(long, value_name = "TIME", value_parser = values::clock)]
    pub(crate) clock: Option<i64>,
    /// Let go wrong what goes wrong with a real service: production-like, flaky or slow
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    pub(crate) profile: Option<ProfileChoice>,
    /// Let go wrong what a YAML or JSON file says; docs/emulator.md describes it
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Refuse parameters that an operation does not have, which a header of the answer names otherwise
    #[arg(long)]
    pub(crate) strict: bool,
    /// Take the placeholders of generated test suites, such as the role "role"
    #[arg(long)]
    pub(crate) loose: bool,
}

impl EmulateArguments {
    /// Where to listen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.port.map_or(self.listen, |port| (Ipv4Addr::LOCALHOST, port).into())
    }
}

/// Takes a port alone as one of this machine.
fn address_or_port(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => values::listen_address(text)
            .map_err(|_| "write PORT or ADDRESS:PORT, such as 8080 or 127.0.0.1:8080".to_owned()),
    }
}

/// Faults that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// About seven requests a minute for each operation, then 429 that says nothing more.
    ProductionLike,
    /// One request of five goes wrong.
    Flaky,
    /// Answers take long.
    Slow,
}
