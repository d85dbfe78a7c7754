//! The command line: hand-written and generated commands.

use std::{ffi::OsString, mem};

use clap::{ArgMatches, Command, FromArgMatches as _};

use crate::{
    arguments::{self, Arguments, GlobalArguments},
    generated::{self, Call, Extent},
};

/// What was typed.
pub(crate) enum Typed {
    /// A hand-written command.
    Written(Box<Arguments>),
    /// A generated one.
    Generated(GlobalArguments, Box<Call>),
}

impl Typed {
    /// The options that every command takes.
    pub(crate) fn global(&self) -> &GlobalArguments {
        match self {
            Self::Written(arguments) => &arguments.global,
            Self::Generated(global, _) => global,
        }
    }

    /// Whether it is a server, which works on many requests at once.
    pub(crate) fn is_server(&self) -> bool {
        let Self::Written(arguments) = self else { return false };
        matches!(arguments.command, arguments::Command::Serve(_) | arguments::Command::Emulate(_))
    }
}

/// Reads the command line, the program's name first.
pub(crate) fn parse(typed: &[OsString]) -> Result<Typed, clap::Error> {
    let words: Vec<&str> = typed.iter().filter_map(|word| word.to_str()).collect();
    let is_noun = |word: &&str| Arguments::has_noun(word) || generated::has_noun(word);
    // Words before the noun are options and their values.
    let words = words.iter().position(is_noun).map_or(words.as_slice(), |noun| &words[noun..]);
    let meant = generated::operations(Extent::Typed(words));
    let command = generated::grow(Arguments::command_line_of(words), &meant, Extent::Typed(words));
    // Help and suggestions need the names of all commands; nothing else does.
    let (mut matches, meant) = match matches(command, typed) {
        Ok(matches) => (matches, meant),
        Err(_) => (matches(named(words), typed)?, generated::operations(Extent::Named(words))),
    };
    match generated::call(&matches, &meant)? {
        Some(call) => {
            Ok(Typed::Generated(GlobalArguments::from_arg_matches_mut(&mut matches)?, Box::new(call)))
        }
        None => Ok(Typed::Written(Box::new(Arguments::from_arg_matches_mut(&mut matches)?))),
    }
}

fn matches(mut command: Command, typed: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let matches = command.try_get_matches_from_mut(typed);
    // To free the tree takes as long as to build it, and the program ends soon.
    mem::forget(command);
    matches
}

fn named(typed: &[&str]) -> Command {
    let extent = Extent::Named(typed);
    generated::grow(Arguments::command_line(), &generated::operations(extent), extent)
}

/// Every command with all that it takes.
pub(crate) fn whole() -> Command {
    generated::grow(Arguments::command_line(), &generated::operations(Extent::Whole), Extent::Whole)
}
