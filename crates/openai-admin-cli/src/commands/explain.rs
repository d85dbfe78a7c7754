//! `openai-admin explain`: what a refusal means, who is wrong, and what to do next.

use std::fmt::Write as _;

use comfy_table::ContentArrangement;
use openai_admin::likeness::most_like;
use openai_admin_server::{Example, Explanation};

use crate::{
    arguments::ExplainArguments,
    failure::{Failure, Result},
    output::{Output, Record, plain_table, rendered, visible},
};

impl Record for Explanation {
    // The example is nested, and so for JSON and YAML alone.
    const FIELDS: &'static [&'static str] =
        &["status", "code", "fault", "evidence", "meaning", "next", "answered_by", "operations"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("STATUS", "status"),
        ("CODE", "code"),
        ("WRONG", "fault"),
        ("KNOWN", "evidence"),
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
    let failure = Failure::not_found(format!("there is no code or status '{}'", visible(word)));
    let known = Explanation::all();
    let near = most_like(word, known.iter().filter_map(|explanation| explanation.code));
    let failure = match near {
        Some(near) => failure.hint(format!("did you mean '{near}'?")),
        None => failure,
    };
    failure.propose("explain", "lists all of them")
}

/// The code, or what stands for one.
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
    for (heading, words) in words(explanation) {
        table.add_row([heading.to_owned(), words]);
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

fn words(explanation: &Explanation) -> [(&'static str, String); 5] {
    let Explanation { meaning, fault, next, evidence, .. } = explanation;
    [
        ("Means", (*meaning).to_owned()),
        ("Wrong", format!("{}: {}", fault.as_str(), fault.meaning())),
        ("Next", (*next).to_owned()),
        ("Known", format!("{}: {}", evidence.as_str(), evidence.meaning())),
        ("Answered by", answered_by(explanation)),
    ]
}

/// The words, and the operations where the words alone do not tell.
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

What each refusal of the API means, who is wrong, and what to do next. `openai-admin explain CODE` says the same in a
terminal; `openai-admin explain --markdown` writes this page.

*Wrong* is who can do something about it: the **client**, which sent the request; the **operator**, who runs the server,
its database and its machine; or the **server**, which is this program. *Known* says how sure it is that OpenAI's own
service answers with this status and code: **seen** is published or recorded, **assumed** has been recorded by nobody in
public, **ours** is about something that the service does not have or does not say. The words of a message may differ.

A test sends every example to the server, unless no request brings its moment about. The ids are those of
[`examples/acme`](../examples/acme/organization.yaml).

| Status | Code | Wrong | Known | Means |
|---|---|---|---|---|
"
    .to_owned();
    let all = Explanation::all();
    let mut anchors: Vec<String> = Vec::new();
    for explanation in &all {
        let Explanation { status, code, fault, evidence, meaning, .. } = explanation;
        // As a renderer of Markdown makes it from the heading below; it counts headings that are the same.
        let anchor = name(explanation).replace(['(', ')'], "").replace(' ', "-");
        let count = anchors.iter().filter(|known| **known == anchor).count();
        let number = if count == 0 { String::new() } else { format!("-{count}") };
        let code = code.map_or_else(|| "none".to_owned(), |code| format!("`{code}`"));
        let (fault, evidence) = (fault.as_str(), evidence.as_str());
        let _ =
            writeln!(page, "| {status} | [{code}](#{anchor}{number}) | {fault} | {evidence} | {meaning} |");
        anchors.push(anchor);
    }
    for explanation in &all {
        let _ = writeln!(page, "\n## {}\n", name(explanation));
        for (heading, words) in words(explanation) {
            let _ = writeln!(page, "- **{heading}**: {words}");
        }
        if let Some(example) = &explanation.example {
            let Example { method, path, body, given, answer, .. } = example;
            let given = given.map(|given| format!(", where {given}")).unwrap_or_default();
            let body = body.map(|body| format!("\n{body}")).unwrap_or_default();
            let status = explanation.status;
            let _ = writeln!(page, "\nFor example{given}:\n\n```http\n{method} {path}{body}\n```\n");
            let _ = writeln!(page, "is answered with {status}:\n\n```json\n{answer:#}\n```");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_errors_is_as_it_is_written() {
        crate::commands::assert_page("docs/errors.md", &page(), "explain --markdown");
    }
}
