//! What an emulator can be told.

use std::{net::SocketAddr, path::PathBuf};

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
--require-key says which. The organization is in memory, unless --local or --database names an SQLite
file. /_ns/NAME/v1/… is an organization of its own, made from the fixtures at first use. What can be
done to it while it runs, by HTTP: /_emulator/openapi.json, and docs/emulator.md.

Only this machine reaches it: it believes everybody. To run your own directory, use `serve`.")]
pub(crate) struct EmulateArguments {
    /// Where to listen, on this machine; port 0 is a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = values::listen_address)]
    pub(crate) listen: SocketAddr,
    /// Begin with the users and groups of a YAML or JSON file, as `load` reads it
    #[arg(long, value_name = "FILE")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Give every key an organization of its own
    #[arg(long)]
    pub(crate) isolate_by_key: bool,
    /// Take this key and no others; may be repeated
    #[arg(long, value_name = "KEY")]
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
