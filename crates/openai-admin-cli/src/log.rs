//! The log: what the server's code tells its operator, on standard error.

mod outlet;
mod plain_lines;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{
    filter::LevelFilter, fmt::format::JsonFields, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use self::{
    outlet::Outlet,
    plain_lines::{Clock, PlainLines},
};
use crate::{
    arguments::{ColorChoice, LogFormat, log_filter},
    config::Environment,
    failure::{Failure, Result},
};

pub(crate) use self::outlet::Log;

/// What is logged when the server's code runs in process: only what the answer must not say, but its user may know.
pub(crate) const LOCAL_LEVEL: &str = "error";

/// The target of messages that are logged at every level, such as the address that a server listens on.
pub(crate) const SAID: &str = "openai_admin::serve";

/// Starts the log at a level such as `info`, or with levels for single modules. It is written to the end when what is
/// returned is dropped.
pub(crate) fn start(
    level: &str,
    format: LogFormat,
    color: ColorChoice,
    environment: &Environment,
) -> Result<Log> {
    let filter = log_filter(level).ok_or_else(|| {
        Failure::usage(format!("OPENAI_ADMIN_LOG: '{level}' is no level"))
            .hint("use error, warn, info, debug or trace, or several such as info,openai_admin_server=debug")
    })?;
    let filter = filter.with_target(SAID, LevelFilter::INFO);
    let log = Log::start(io::stderr()).map_err(|error| Failure::no_thread(&error))?;
    // The filter decides alone; without it the subscriber would stop at `info`.
    let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(Outlet::of(&log));
    match format {
        LogFormat::Human if environment.color(color, io::stderr().is_terminal()) => {
            lines.with_ansi(true).finish().with(filter).init();
        }
        LogFormat::Human => {
            let lines = lines.with_ansi(false).event_format(PlainLines::human(Clock::system()));
            lines.finish().with(filter).init();
        }
        LogFormat::Json => {
            let lines = lines.fmt_fields(JsonFields::new()).event_format(PlainLines::json(Clock::system()));
            lines.finish().with(filter).init();
        }
    }
    Ok(log)
}
