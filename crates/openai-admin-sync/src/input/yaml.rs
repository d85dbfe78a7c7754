//! Reads YAML with a limit on the expansion of aliases. Errors have a position and, for a misspelled field, a
//! suggestion.

use openai_admin::likeness::most_like;
use serde::de::DeserializeOwned;

use crate::input::input_error::{InputError, Position};

/// Reads a document. `name` is the name of the file, for messages.
///
/// # Errors
///
/// The first error, with its line and column.
pub fn read<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, InputError> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let message = error.render_with_options(serde_saphyr::render_options! {
            formatter: &serde_saphyr::UserMessageFormatter,
            snippets: serde_saphyr::SnippetMode::Off,
        });
        let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
        parse_error(Position { file: name.to_owned(), line, column: Some(column) }, &message)
    })
}

/// Turns the message of a serde parser into an error for the author of the document.
pub fn parse_error(position: Position, message: &str) -> InputError {
    // The message repeats the position in another form.
    let message = message.split(" at line ").next().unwrap_or_default().trim();
    // Replace the parser's names of events with the syntax.
    let message_text =
        message.replace("sequence start", "a list (- item)").replace("mapping start", "fields (name: value)");
    let error = InputError::at(position, message_text);
    // YAML reserves the character.
    if message.contains("`@'") {
        return error.hint(
            "`@` cannot begin a value in YAML; name a user by email address or id, such as dana@example.com",
        );
    }
    match suggested_field(message) {
        Some(known) => error.hint(format!("did you mean `{known}`?")),
        None => error,
    }
}

/// In "unknown field `membres`, expected one of id, members": the known field that is most similar to the unknown one.
fn suggested_field(message: &str) -> Option<&str> {
    let (unknown, expected) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let words = expected.split(|c: char| !c.is_alphanumeric() && c != '_');
    most_like(unknown, words.filter(|word| !["", "expected", "one", "of", "or"].contains(word)))
}

/// Allows files of any size, because the caller limits their bytes. Aliases stay limited, because a few bytes of them
/// can expand to gigabytes.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
        with_snippet: false,
    }
}
