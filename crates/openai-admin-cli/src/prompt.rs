//! The confirmation prompt of destructive commands.

pub(crate) mod secret;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::{
    arguments::{ConsentArguments, RemovalArguments},
    failure::{ExitStatus, Failure, Result},
    output::{Output, Record, visible},
};

/// Whether a destructive command has been confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    Ask,
    /// Nothing is to be changed: the answer to the question is shown instead.
    DryRun,
}

/// Whether there is a terminal to ask on.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether the user agrees. Like [`Consent::ask_aside`], it waits on a separate thread.
pub(crate) async fn is_agreed(question: &str, output: &Output) -> Result<bool> {
    let question = output.question(question);
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || answer.send(read_answer(&question)));
    answered.await.unwrap_or_else(|_| Err(Failure::new(ExitStatus::Failed, "cannot ask")))
}

/// Whether the line that the user types is a yes.
fn read_answer(question: &str) -> Result<bool> {
    write!(io::stderr(), "{} [y/N] ", visible(question))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// What a dry run would do.
#[derive(Serialize)]
struct Preview<'a> {
    dry_run: bool,
    would: &'a str,
}

impl Record for Preview<'_> {
    const FIELDS: &'static [&'static str] = &["dry_run", "would"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[("WOULD", "would")];
}

impl Consent {
    /// Fails without a terminal and without `--yes`, before anything is done. `doing` is "deleting a group".
    pub(crate) fn of(arguments: &ConsentArguments, doing: &str) -> Result<Self> {
        if arguments.yes {
            Ok(Self::Given)
        } else if can_ask() {
            Ok(Self::Ask)
        } else {
            Err(Failure::usage(format!("{doing} requires confirmation, but stdin is not a terminal"))
                .hint("pass --yes to skip the prompt"))
        }
    }

    /// The consent to remove one thing.
    pub(crate) fn of_removal(arguments: &RemovalArguments, doing: &str) -> Result<Self> {
        if arguments.dry_run { Ok(Self::DryRun) } else { Self::of(&arguments.consent, doing) }
    }

    /// Like [`ask`](Self::ask), but on a separate thread, so that the runtime can still handle Ctrl-C.
    pub(crate) async fn ask_aside(self, question: &str, output: &Output) -> Result<()> {
        let question = output.question(question);
        let (answer, answered) = tokio::sync::oneshot::channel();
        // A thread that waits for a line cannot be cancelled: it ends with the program.
        std::thread::spawn(move || answer.send(self.ask_on_terminal(&question)));
        answered
            .await
            .unwrap_or_else(|_| Err(Failure::new(ExitStatus::Failed, "cannot ask for confirmation")))
    }

    /// Asks for confirmation unless it was given. A dry run prints what it would do and ends the command. `question`
    /// ends in a question mark.
    pub(crate) fn ask(self, question: &str, output: &Output) -> Result<()> {
        if self != Self::DryRun {
            return self.ask_on_terminal(&output.question(question));
        }
        let would = question.trim_end_matches('?');
        match output.is_for_people() {
            true => output.data(&format!("Would {}\n", visible(would)))?,
            false => output.item(&Preview { dry_run: true, would })?,
        }
        Err(Failure::silent(ExitStatus::Done))
    }

    fn ask_on_terminal(self, question: &str) -> Result<()> {
        if self == Self::Given {
            return Ok(());
        }
        match read_answer(question)? {
            true => Ok(()),
            false => Err(Failure::new(ExitStatus::Failed, "cancelled; nothing changed")),
        }
    }
}
