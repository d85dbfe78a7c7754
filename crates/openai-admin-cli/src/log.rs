//! The log: what the server's code tells its operator, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    arguments::ColorChoice,
    config::Environment,
    failure::{Failure, Result},
};

/// What `serve` logs, unless somebody says otherwise.
pub(crate) const SERVER_LEVEL: &str = "info";
/// What is logged when the server's code runs in process: only what the answer must not say, but its user may know.
pub(crate) const LOCAL_LEVEL: &str = "error";

/// Starts the log at a level such as `info`, or with levels for single modules.
pub(crate) fn start(level: &str, color: ColorChoice, environment: &Environment) -> Result<()> {
    let wrong = || {
        Failure::usage(format!("--log: '{level}' is no level"))
            .hint("use error, warn, info, debug or trace, or several such as info,openai_admin_server=debug")
    };
    // A single unknown word would be taken for the name of a module.
    if !level.contains([',', '=']) && level.parse::<LevelFilter>().is_err() {
        return Err(wrong());
    }
    let filter = EnvFilter::builder().parse(level).map_err(|_| wrong())?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(environment.color(color, io::stderr().is_terminal()))
        .init();
    Ok(())
}
