//! The tree of generated commands. Only the part that a command line needs is built.

use clap::{Args as _, Command};
use openai_admin::Method;

use super::{
    argument::{argument, body},
    form::form,
    operation::Operation,
    words::{NamedOperation, aliases, description, imperative, is_destructive, with_words},
};
use crate::arguments::{ListArguments, RemovalArguments};

/// Help lists generated nouns after the hand-written nouns of the API, of which this is the last.
const LAST_NOUN: &str = "audit-logs";
/// The position of generated commands within a noun: last.
const DISPLAY_ORDER: usize = 100;
/// How much of the tree is built.
#[derive(Clone, Copy)]
pub(crate) enum Extent<'a> {
    /// Only the commands that these words may name. The first word is the noun.
    Typed(&'a [&'a str]),
    /// The same, and the names of all others, for help and suggestions.
    Named(&'a [&'a str]),
    /// Everything.
    Whole,
}

impl Extent<'_> {
    /// Whether a command with a matching name is built with its arguments.
    pub(crate) fn has(self, is_word: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Typed(typed) | Self::Named(typed) => typed.iter().any(|word| is_word(word)),
            Self::Whole => true,
        }
    }
}

/// Whether a word is a name or alias of this command.
fn is_called(name: &str) -> impl Fn(&str) -> bool {
    move |word| word == name || aliases(name).contains(&word)
}

/// Adds the commands of operations to a command line.
pub(crate) fn add_commands(
    command: Command,
    operations: &[&'static Operation],
    extent: Extent<'_>,
) -> Command {
    add_subcommands(command, &with_words(operations), 0, extent)
}

/// Adds the commands after the first `depth` words.
fn add_subcommands(
    mut command: Command,
    named: &[NamedOperation],
    depth: usize,
    extent: Extent<'_>,
) -> Command {
    let mut names: Vec<&str> = Vec::new();
    for (words, _) in named {
        if let Some(name) = words.get(depth).filter(|name| !names.contains(&name.as_str())) {
            names.push(name);
        }
    }
    let order = command.find_subcommand(LAST_NOUN).map_or(DISPLAY_ORDER, Command::get_display_order);
    for name in names {
        let is_built = extent.has(is_called(name));
        if !is_built && matches!(extent, Extent::Typed(_)) {
            continue;
        }
        let below: Vec<NamedOperation> = named
            .iter()
            .filter(|(words, _)| words.get(depth).is_some_and(|word| word == name))
            .cloned()
            .collect();
        command = if command.find_subcommand(name).is_some() {
            command.mut_subcommand(name, |known| add_subcommands(known, &below, depth + 1, extent))
        } else {
            command.subcommand(subcommand(name, &below, depth + 1, order, extent))
        };
    }
    command
}

/// A new command: a noun with its subcommands, or an operation.
fn subcommand(
    name: &str,
    below: &[NamedOperation],
    depth: usize,
    order: usize,
    extent: Extent<'_>,
) -> Command {
    let command = Command::new(name.to_owned());
    if let [(words, operation)] = below
        && words.len() == depth
    {
        return operation_command(command, name, operation, extent.has(is_called(name)));
    }
    let is_read_only = below.iter().all(|(_, operation)| operation.method == Method::Get);
    let nouns = below.first().map(|(words, _)| &words[..depth]).unwrap_or_default();
    let command = command.about(description(nouns, is_read_only));
    let command = command.display_order(order);
    let command = command.subcommand_required(true).arg_required_else_help(true);
    if extent.has(is_called(name)) { add_subcommands(command, below, depth, extent) } else { command }
}

/// The command of an operation; with its arguments if `is_built`.
fn operation_command(command: Command, verb: &str, operation: &'static Operation, is_built: bool) -> Command {
    let form = form(operation);
    let about = imperative(&form.about);
    // Lists of commands show the first sentence.
    let command = match about.split_once(". ") {
        Some((first_sentence, _)) => command.about(first_sentence.to_owned()).long_about(about),
        None => command.about(about),
    };
    let command = command.aliases(aliases(verb));
    if !is_built {
        return command;
    }
    let mut command = command.args(form.fields.iter().map(|field| argument(field, form.takes_body)));
    if form.takes_body {
        command = command.arg(body(form.needs_body));
    }
    if form.page_size.is_some() {
        command = ListArguments::augment_args(command);
    }
    if is_destructive(operation, verb) { RemovalArguments::augment_args(command) } else { command }
}
