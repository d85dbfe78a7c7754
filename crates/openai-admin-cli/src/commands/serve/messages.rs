//! The messages of a server outside its log: plain lines for people, or lines of the JSON log, so that programs can parse
//! every line.

use std::io::{self, IsTerminal as _};

use crate::{arguments::LogFormat, failure::Failure, log::MESSAGES, output::Output};

/// Prints messages in the format of the log.
#[derive(Clone, Copy)]
pub(super) struct Messages<'a> {
    pub(super) output: &'a Output,
    pub(super) format: LogFormat,
}

impl Messages<'_> {
    /// Prints one line, at any log level.
    pub(super) fn line(&self, text: &str) {
        match self.format {
            LogFormat::Human => self.output.line(text),
            LogFormat::Json => tracing::info!(target: MESSAGES, "{text}"),
        }
    }

    /// Prints one line, unless notes are off.
    pub(super) fn note(&self, text: &str) {
        if !self.output.is_quiet() {
            self.line(text);
        }
    }

    /// Whether messages go to a terminal, not to a file or a journal.
    pub(super) fn are_transient(&self) -> bool {
        matches!(self.format, LogFormat::Human) && io::stderr().is_terminal()
    }

    /// Logs the failure that ends the server if the log is JSON. Otherwise the caller prints it.
    pub(super) fn log_failure(&self, failure: Failure) -> Failure {
        match self.format {
            LogFormat::Human => failure,
            LogFormat::Json => {
                let hints: Vec<String> = failure.hints.iter().map(|hint| self.output.hint(hint)).collect();
                tracing::error!(target: MESSAGES, hint = hints.join("; "), "{}", failure.message);
                Failure::silent(failure.status)
            }
        }
    }
}
