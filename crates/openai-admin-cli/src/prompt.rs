//! Asks before something is destroyed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::{
    arguments::ConsentArguments,
    failure::{ExitStatus, Failure, Result},
};

/// Leave to destroy: given on the command line, or to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    Ask,
}

impl Consent {
    /// Where nobody can be asked, `--yes` is needed: said before anything is done. `doing` is "deleting a group".
    pub(crate) fn of(arguments: &ConsentArguments, doing: &str) -> Result<Self> {
        if arguments.yes {
            Ok(Self::Given)
        } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
            Ok(Self::Ask)
        } else {
            Err(Failure::usage(format!("{doing} needs a confirmation, and there is no terminal to ask on"))
                .hint("add --yes to do it without a question"))
        }
    }

    /// Asks like [`ask`](Self::ask), and leaves the runtime free to hear of Ctrl-C meanwhile.
    pub(crate) async fn ask_aside(self, question: &str) -> Result<()> {
        let question = question.to_owned();
        let (answer, answered) = tokio::sync::oneshot::channel();
        // Nobody can call off a thread that waits for a line: it ends with the program.
        std::thread::spawn(move || answer.send(self.ask(&question)));
        answered.await.unwrap_or_else(|_| Err(Failure::new(ExitStatus::Failed, "nobody could be asked")))
    }

    /// Asks, unless leave was given. `question` says what would go, and ends in a question mark.
    pub(crate) fn ask(self, question: &str) -> Result<()> {
        if matches!(self, Self::Given) {
            return Ok(());
        }
        write!(io::stderr(), "{} [y/N] ", crate::output::visible(question))?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(ExitStatus::Failed, "cancelled; nothing has changed")),
        }
    }
}
