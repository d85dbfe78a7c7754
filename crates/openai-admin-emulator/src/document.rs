//! Documents for the emulator, in JSON or YAML.

use serde::de::DeserializeOwned;

/// Parses a document.
///
/// # Errors
///
/// The first error in one line, with its line and column.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if text.trim_start().starts_with('{') {
        match serde_json::from_str(text) {
            Ok(value) => return Ok(value),
            // A brace also starts YAML's flow style, which is not valid JSON.
            Err(error) if error.is_syntax() => {}
            Err(error) => {
                return Err(problem(error.line() as u64, error.column() as u64, &error.to_string()));
            }
        }
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let message = error.render_with_options(serde_saphyr::render_options! {
            formatter: &serde_saphyr::UserMessageFormatter,
            snippets: serde_saphyr::SnippetMode::Off,
        });
        let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
        problem(line, column, &message)
    })
}

/// Removes the position from a parser's message; each parser words it differently.
fn problem(line: u64, column: u64, message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default().trim();
    format!("line {line}, column {column}: {message}")
}
