//! `openai-admin explain`: the meaning, cause and next step of an error.

use std::fmt::Write as _;

use comfy_table::ContentArrangement;
use openai_admin::likeness::most_like;
use openai_admin_server::{Example, Explanation};

use crate::{
    arguments::ExplainArguments,
    failure::{Failure, Result},
    output::{Output, Record, plain_table, rendered, visible},
};

mod words;

impl Record for Explanation {
    // The nested example is in JSON and YAML only.
    const FIELDS: &'static [&'static str] =
        &["status", "code", "fault", "evidence", "meaning", "next", "answered_by", "operations"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("STATUS", "status"),
        ("CODE", "code"),
        ("FAULT", "fault"),
        ("EVIDENCE", "evidence"),
        ("MEANING", "meaning"),
    ];
}

pub(super) fn run(arguments: &ExplainArguments, output: &Output) -> Result<()> {
    if arguments.markdown {
        return output.data(&page());
    }
    let Some(word) = &arguments.code else {
        return output.wrapped_items(&Explanation::all(), "there is nothing to explain");
    };
    if let Some(word) = words::of(word) {
        return output.item(word);
    }
    let explanations = Explanation::of(word.trim());
    if explanations.is_empty() {
        return Err(unknown(word));
    }
    if !output.is_for_people() {
        return output.items(&explanations, "there is nothing to explain");
    }
    let texts: Vec<String> = explanations.iter().map(|explanation| text(explanation, output)).collect();
    output.data(&texts.join("\n"))
}

fn unknown(word: &str) -> Failure {
    let failure = Failure::not_found(format!("unknown code, status or word '{}'", visible(word)));
    let known = Explanation::all();
    let codes = known.iter().filter_map(|explanation| explanation.code);
    let near = most_like(word, codes.chain(words::WORDS.iter().map(|word| word.word)));
    let failure = match near {
        Some(near) => failure.hint(format!("did you mean '{near}'?")),
        None => failure,
    };
    failure.suggest("explain", "lists all codes")
}

fn evidence_text(Explanation { evidence, confirmed_on, .. }: &Explanation) -> String {
    let day = confirmed_on.map(|day| format!(" of {day}")).unwrap_or_default();
    format!("{}: {}{day}", evidence.as_str(), evidence.meaning())
}

/// The code with its status, or the status alone.
fn name(Explanation { status, code, .. }: &Explanation) -> String {
    match code {
        Some(code) => format!("{code} ({status})"),
        None => format!("{status} without a code"),
    }
}

/// An explanation for people.
fn text(explanation: &Explanation, output: &Output) -> String {
    let bold =
        |text: &str| if output.is_colored() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() };
    let mut table = plain_table();
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(output.text_width());
    for (heading, text) in lines(explanation) {
        table.add_row([heading.to_owned(), text]);
    }
    let mut text = format!("{}\n{}", bold(&name(explanation)), rendered(&table));
    if let Some(example) = &explanation.example {
        let Example { method, path, body, given, .. } = example;
        let _ = writeln!(text, "\n  {method} {path}");
        if let Some(body) = body {
            let _ = writeln!(text, "  {body}");
        }
        if let Some(given) = given {
            let _ = writeln!(text, "  ({given})");
        }
        let _ = writeln!(text, "\n  {}", explanation.status);
        for line in format!("{:#}", example.answer).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn lines(explanation: &Explanation) -> [(&'static str, String); 5] {
    let Explanation { meaning, blame, next, .. } = explanation;
    [
        ("Meaning", (*meaning).to_owned()),
        ("Fault", format!("{}: {}", blame.as_str(), blame.meaning())),
        ("Next step", (*next).to_owned()),
        ("Evidence", evidence_text(explanation)),
        ("Returned by", answered_by(explanation)),
    ]
}

/// The operations that return the error: in words, and by id unless it is every operation.
fn answered_by(Explanation { answered_by, operations, .. }: &Explanation) -> String {
    if answered_by.starts_with("every") || operations.is_empty() {
        return (*answered_by).to_owned();
    }
    format!("{answered_by}: {}", operations.join(", "))
}

/// `docs/errors.md`.
fn page() -> String {
    let mut page = "\
# Errors

The error codes of the API, by HTTP status. `openai-admin explain CODE` shows the explanation and an example, and
`openai-admin explain --markdown` writes this page.

| Code | Status | Meaning | Next step |
|---|---|---|---|
"
    .to_owned();
    let mut all = Explanation::all();
    all.sort_by_key(|explanation| (explanation.status, explanation.code));
    for Explanation { status, code, meaning, next, .. } in &all {
        let code = code.map_or_else(|| "none".to_owned(), |code| format!("`{code}`"));
        let _ = writeln!(page, "| {code} | {status} | {} | {} |", first_clause(meaning), first_clause(next));
    }
    page
}

/// A text up to its first full stop, semicolon or colon outside of backticks.
fn first_clause(text: &str) -> &str {
    let ends =
        |at: usize| text[..at].matches('`').count().is_multiple_of(2) && text[at + 1..].starts_with(' ');
    let end = text.match_indices(['.', ';', ':']).map(|(at, _)| at).find(|at| ends(*at));
    text[..end.unwrap_or(text.len())].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_errors_is_as_it_is_written() {
        crate::commands::assert_page("docs/errors.md", &page(), "explain --markdown");
        assert!(page().lines().count() < 200);
    }

    #[test]
    fn a_clause_ends_at_punctuation_outside_of_backticks() {
        assert_eq!(first_clause("The key is unknown: it is mistyped."), "The key is unknown");
        assert_eq!(
            first_clause("Send `Content-Type: application/json`."),
            "Send `Content-Type: application/json`"
        );
        assert_eq!(first_clause("Retry. If it fails again, wait."), "Retry");
    }
}
