//! The log on standard error.

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

/// The log level if the server's code runs in this process: errors that a response must hide but the user may see.
pub(crate) const LOCAL_LEVEL: &str = "error";

/// The target of messages that are printed at every level, such as the server's address.
pub(crate) const MESSAGES: &str = "openai_admin::serve";

/// Starts the log at a level such as `info`, or with levels of single modules. Dropping the result writes the remaining
/// lines.
pub(crate) fn start(
    level: &str,
    format: LogFormat,
    color: ColorChoice,
    environment: &Environment,
) -> Result<Log> {
    let filter = log_filter(level).ok_or_else(|| {
        Failure::usage(format!("invalid OPENAI_ADMIN_LOG \"{level}\""))
            .hint("use error, warn, info, debug or trace, or several such as info,openai_admin_server=debug")
    })?;
    let filter = filter.with_target(MESSAGES, LevelFilter::INFO);
    let log = Log::start(io::stderr()).map_err(|error| Failure::no_thread(&error))?;
    // Only the filter decides; the subscriber's default would stop at `info`.
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
