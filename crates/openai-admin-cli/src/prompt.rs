//! The confirmation prompt of destructive commands.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::{
    arguments::ConsentArguments,
    failure::{ExitStatus, Failure, Result},
};

/// Whether a destructive command has been confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    Ask,
}

impl Consent {
    /// Fails without a terminal and without `--yes`, before anything is done. `doing` is "deleting a group".
    pub(crate) fn of(arguments: &ConsentArguments, doing: &str) -> Result<Self> {
        if arguments.yes {
            Ok(Self::Given)
        } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
            Ok(Self::Ask)
        } else {
            Err(Failure::usage(format!("{doing} requires confirmation, but stdin is not a terminal"))
                .hint("pass --yes to skip the prompt"))
        }
    }

    /// Like [`ask`](Self::ask), but on a separate thread, so that the runtime can still handle Ctrl-C.
    pub(crate) async fn ask_aside(self, question: &str) -> Result<()> {
        let question = question.to_owned();
        let (answer, answered) = tokio::sync::oneshot::channel();
        // A thread that waits for a line cannot be cancelled: it ends with the program.
        std::thread::spawn(move || answer.send(self.ask(&question)));
        answered
            .await
            .unwrap_or_else(|_| Err(Failure::new(ExitStatus::Failed, "cannot ask for confirmation")))
    }

    /// Asks for confirmation unless it was given. `question` ends in a question mark.
    pub(crate) fn ask(self, question: &str) -> Result<()> {
        if matches!(self, Self::Given) {
            return Ok(());
        }
        write!(io::stderr(), "{} [y/N] ", crate::output::visible(question))?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(ExitStatus::Failed, "cancelled; nothing changed")),
        }
    }
}
