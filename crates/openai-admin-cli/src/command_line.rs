//! The command line: hand-written and generated commands.

use std::{ffi::OsString, mem};

use clap::{ArgMatches, Command, FromArgMatches as _};

use crate::{
    arguments::{self, Arguments, GlobalArguments},
    generated::{self, Call, Extent},
};

/// A parsed command line.
pub(crate) enum ParsedCommand {
    /// A hand-written command.
    HandWritten(Box<Arguments>),
    /// A generated one.
    Generated(GlobalArguments, Box<Call>),
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

/// Parses the command line, with the program's name first.
pub(crate) fn parse(typed: &[OsString]) -> Result<ParsedCommand, clap::Error> {
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
        Err(_) => (matches(with_names(words), typed)?, generated::operations(Extent::Named(words))),
    };
    match generated::call(&matches, &operations)? {
        Some(call) => {
            Ok(ParsedCommand::Generated(GlobalArguments::from_arg_matches_mut(&mut matches)?, Box::new(call)))
        }
        None => Ok(ParsedCommand::HandWritten(Box::new(Arguments::from_arg_matches_mut(&mut matches)?))),
    }
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
