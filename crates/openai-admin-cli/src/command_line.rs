//! The command line: hand-written and generated commands.

use std::{ffi::OsString, mem};

use clap::{Arg, ArgMatches, Command, FromArgMatches as _, builder::StyledStr, error::ErrorKind};

use crate::{
    arguments::{self, Arguments, GlobalArguments},
    generated::{self, Call, Extent},
};

/// A parsed command line.
pub(crate) enum ParsedCommand {
    /// A hand-written command.
    HandWritten(Box<Arguments>),
    /// A generated one.
    Generated(Box<GlobalArguments>, Box<Call>),
}

impl ParsedCommand {
    /// The global options.
    pub(crate) fn global(&self) -> &GlobalArguments {
        match self {
            Self::HandWritten(arguments) => &arguments.global,
            Self::Generated(global, _) => global,
        }
    }

    /// Whether it is a server, which handles many requests at once.
    pub(crate) fn is_server(&self) -> bool {
        let Self::HandWritten(arguments) = self else { return false };
        matches!(arguments.command, arguments::Command::Serve(_) | arguments::Command::Emulate(_))
    }
}

/// A command line without a command to run.
pub(crate) enum Unparsed {
    /// The help of a command.
    Help(StyledStr),
    /// The same, because the command line lacks a command or arguments.
    Incomplete(StyledStr),
    /// An error, the help of the program, or its version.
    Error(clap::Error),
}

impl From<clap::Error> for Unparsed {
    fn from(error: clap::Error) -> Self {
        Self::Error(error)
    }
}

/// Parses the command line, with the program's name first.
pub(crate) fn parse(typed: &[OsString]) -> Result<ParsedCommand, Unparsed> {
    let words: Vec<&str> = typed.iter().filter_map(|word| word.to_str()).collect();
    let is_noun = |word: &&str| Arguments::has_noun(word) || generated::has_noun(word);
    // Words before the noun are options and their values.
    let words = words.iter().position(is_noun).map_or(words.as_slice(), |noun| &words[noun..]);
    let operations = generated::operations(Extent::Typed(words));
    let command =
        generated::add_commands(Arguments::command_line_of(words), &operations, Extent::Typed(words));
    // Help and suggestions need the names of all commands; nothing else does.
    let (mut matches, operations) = match matches(command, typed) {
        Ok(matches) => (matches, operations),
        Err(_) => {
            let matches = matches(with_names(words), typed).map_err(|error| help_or_error(error, words))?;
            (matches, generated::operations(Extent::Named(words)))
        }
    };
    match generated::call(&matches, &operations)? {
        Some(call) => {
            let global = GlobalArguments::from_arg_matches_mut(&mut matches)?;
            Ok(ParsedCommand::Generated(Box::new(global), Box::new(call)))
        }
        None => Ok(ParsedCommand::HandWritten(Box::new(Arguments::from_arg_matches_mut(&mut matches)?))),
    }
}

/// The global options in the help of a command; the help of the program explains them.
const GLOBAL_OPTIONS: &str =
    "Global options: see `openai-admin --help` (--local, --base-url, --key-file, --output, --quiet, …)";

/// The help of the command that these words name, or the error itself.
fn help_or_error(error: clap::Error, words: &[&str]) -> Unparsed {
    let is_incomplete = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if error.kind() != ErrorKind::DisplayHelp && !is_incomplete {
        return Unparsed::Error(error);
    }
    let mut all = with_names(words);
    all.build();
    let mut command = &all;
    for word in words {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    if std::ptr::eq(command, &raw const all) {
        return Unparsed::Error(error);
    }
    let hide_global = |option: Arg| if option.is_global_set() { option.hide(true) } else { option };
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{{all-args}}\n\n{GLOBAL_OPTIONS}{{after-help}}"
    );
    let mut command = command.clone().mut_args(hide_global).help_template(template);
    let is_short = is_incomplete || words.contains(&"-h");
    let help = if is_short { command.render_help() } else { command.render_long_help() };
    if is_incomplete { Unparsed::Incomplete(help) } else { Unparsed::Help(help) }
}

fn matches(mut command: Command, typed: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let matches = command.try_get_matches_from_mut(typed);
    // Freeing the tree takes as long as building it, and the program ends soon.
    mem::forget(command);
    matches
}

fn with_names(typed: &[&str]) -> Command {
    let extent = Extent::Named(typed);
    generated::add_commands(Arguments::command_line(), &generated::operations(extent), extent)
}

/// Every command with all its arguments.
pub(crate) fn whole() -> Command {
    generated::add_commands(Arguments::command_line(), &generated::operations(Extent::Whole), Extent::Whole)
}
