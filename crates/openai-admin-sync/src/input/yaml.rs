//! YAML that people write: read with a limit on what a few bytes can stand for, and refused with the place and, of a
//! misspelt field, the one that may be meant.

use openai_admin::likeness::most_like;
use serde::de::DeserializeOwned;

use crate::input::fault::{Fault, Place};

/// Reads a document. `name` is the file's, for messages.
///
/// # Errors
///
/// The first fault, with its line and column.
pub fn read<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Fault> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let message = error.render_with_options(serde_saphyr::render_options! {
            formatter: &serde_saphyr::UserMessageFormatter,
            snippets: serde_saphyr::SnippetMode::Off,
        });
        let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
        fault(Place { file: name.to_owned(), line, column: Some(column) }, &message)
    })
}

/// What a parser of serde's says of a document, in words for whoever wrote it.
pub fn fault(place: Place, message: &str) -> Fault {
    // It repeats the place, in words of its own.
    let message = message.split(" at line ").next().unwrap_or_default().trim();
    // What the parser calls events, people call by what they write.
    let said =
        message.replace("sequence start", "a list (- item)").replace("mapping start", "fields (name: value)");
    let fault = Fault::at(place, said);
    match field_meant(message) {
        Some(known) => fault.hint(format!("did you mean `{known}`?")),
        None => fault,
    }
}

/// In "unknown field `membres`, expected one of id, members": the known field that is most like the unknown one.
fn field_meant(message: &str) -> Option<&str> {
    let (unknown, expected) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let words = expected.split(|c: char| !c.is_alphanumeric() && c != '_');
    most_like(unknown, words.filter(|word| !["", "expected", "one", "of", "or"].contains(word)))
}

/// Large files are welcome: what bounds one is the memory of who reads it. Aliases stay bounded, since a few bytes of
/// them can stand for gigabytes.
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
