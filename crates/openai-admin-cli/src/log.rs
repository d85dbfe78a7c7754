//! The log: what the server's code tells its operator, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    arguments::{ColorChoice, LogFormat},
    config::Environment,
    failure::{Failure, Result},
};

/// What is logged when the server's code runs in process: only what the answer must not say, but its user may know.
pub(crate) const LOCAL_LEVEL: &str = "error";

/// Starts the log at a level such as `info`, or with levels for single modules.
pub(crate) fn start(
    level: &str,
    format: LogFormat,
    color: ColorChoice,
    environment: &Environment,
) -> Result<()> {
    let filter = filter(level).ok_or_else(|| {
        Failure::usage(format!("OPENAI_ADMIN_LOG: '{level}' is no level"))
            .hint("use error, warn, info, debug or trace, or several such as info,openai_admin_server=debug")
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Human => log.with_ansi(environment.color(color, io::stderr().is_terminal())).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

/// What a level such as `info` lets through, or levels for single modules.
pub(crate) fn filter(level: &str) -> Option<EnvFilter> {
    // A single unknown word would be taken for the name of a module.
    if !level.contains([',', '=']) && level.parse::<LevelFilter>().is_err() {
        return None;
    }
    EnvFilter::builder().parse(level).ok()
}
