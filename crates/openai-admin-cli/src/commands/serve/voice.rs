//! The messages of a server besides its log: plain lines for people, or lines of the JSON log, so that programs can parse
//! every line.

use std::io::{self, IsTerminal as _};

use crate::{arguments::LogFormat, failure::Failure, log::SAID, output::Output};

/// How it is said.
#[derive(Clone, Copy)]
pub(super) struct Voice<'a> {
    pub(super) output: &'a Output,
    pub(super) format: LogFormat,
}

impl Voice<'_> {
    /// One line, whatever is logged.
    pub(super) fn line(&self, text: &str) {
        match self.format {
            LogFormat::Human => self.output.line(text),
            LogFormat::Json => tracing::info!(target: SAID, "{text}"),
        }
    }

    /// The same, unless people want silence.
    pub(super) fn note(&self, text: &str) {
        if !self.output.is_quiet() {
            self.line(text);
        }
    }

    /// Whether it goes to a terminal, and not to a file or a journal.
    pub(super) fn is_seen_once(&self) -> bool {
        matches!(self.format, LogFormat::Human) && io::stderr().is_terminal()
    }

    /// Logs why the server ends, where the log is JSON. Otherwise the caller prints it.
    pub(super) fn last_words(&self, failure: Failure) -> Failure {
        match self.format {
            LogFormat::Human => failure,
            LogFormat::Json => {
                let hints: Vec<String> = failure.hints.iter().map(|hint| self.output.hint(hint)).collect();
                tracing::error!(target: SAID, hint = hints.join("; "), "{}", failure.message);
                Failure::silent(failure.status)
            }
        }
    }
}
