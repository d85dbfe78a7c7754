//! `openai-admin coverage`: which operations of the published API this program serves.

use std::fmt::Write as _;

use openai_admin_server::{Coverage, PublishedOperation};
use serde::Serialize;

use crate::{
    arguments::CoverageArguments,
    failure::Result,
    output::{Output, Record},
};

/// An operation, and how completely it is served.
#[derive(Debug, Serialize)]
struct Row {
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    tag: &'static str,
    status: &'static str,
    /// Differences to the published description.
    missing: &'static [&'static str],
}

impl Record for Row {
    const FIELDS: &'static [&'static str] = &["operation", "method", "path", "tag", "status", "missing"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("STATUS", "status"), ("METHOD", "method"), ("PATH", "path"), ("OPERATION", "operation")];
}

impl From<(PublishedOperation, Coverage)> for Row {
    fn from((operation, coverage): (PublishedOperation, Coverage)) -> Self {
        let PublishedOperation { id, method, path, tag, .. } = operation;
        let (status, missing) = (coverage.as_str(), coverage.missing());
        Self { operation: id, method: method.as_str(), path, tag, status, missing }
    }
}

pub(super) fn run(arguments: &CoverageArguments, output: &Output) -> Result<()> {
    if arguments.markdown {
        return output.data(&page());
    }
    let mut rows = rows();
    let summary = summary(&rows);
    if arguments.not_served {
        rows.retain(|row| row.status == Coverage::NotYet.as_str());
    }
    output.items(&rows, "every published operation is served")?;
    if output.is_for_people() {
        for (operations, missing) in partly(&rows) {
            output.note(&format!("{operations}: {missing}"));
        }
        output.note(&summary);
    }
    Ok(())
}

fn rows() -> Vec<Row> {
    Coverage::of_all().into_iter().map(Row::from).collect()
}

fn summary(rows: &[Row]) -> String {
    let served = rows.iter().filter(|row| row.status != Coverage::NotYet.as_str()).count();
    let partly = rows.iter().filter(|row| !row.missing.is_empty()).count();
    format!("{served} of {} operations are served, {partly} of them incompletely", rows.len())
}

/// Each missing feature, with the operations that lack it.
fn partly(rows: &[Row]) -> Vec<(String, &'static str)> {
    let mut sentences: Vec<(Vec<&str>, &'static str)> = Vec::new();
    for row in rows {
        for missing in row.missing {
            match sentences.iter_mut().find(|(_, sentence)| sentence == missing) {
                Some((operations, _)) => operations.push(row.operation),
                None => sentences.push((vec![row.operation], missing)),
            }
        }
    }
    sentences.into_iter().map(|(operations, sentence)| (operations.join(", "), sentence)).collect()
}

/// `docs/coverage.md`.
fn page() -> String {
    let rows = rows();
    let mut page = format!(
        "\
# Coverage of the published API

{summary}.

These are the operations that OpenAI publishes for the administration of an organization, with the ids that it
publishes. Served means that `openai-admin serve`, `--local` and the emulator answer them. The tables come from the
server's routes. `openai-admin coverage --markdown` writes this page, and `openai-admin coverage` prints it in a terminal.

## Limits of served operations

",
        summary = summary(&rows)
    );
    for (operations, missing) in partly(&rows) {
        let _ = writeln!(page, "- `{}`: {missing}", operations.replace(", ", "`, `"));
    }
    let mut tag = "";
    for row in &rows {
        if row.tag != tag {
            tag = row.tag;
            let _ = write!(page, "\n## {tag}\n\n| Operation | Request | Served |\n|---|---|---|\n");
        }
        let Row { operation, method, path, status, .. } = row;
        let _ = writeln!(page, "| `{operation}` | `{method} {path}` | {status} |");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coverage_page_is_up_to_date() {
        crate::commands::assert_page("docs/coverage.md", &page(), "coverage --markdown");
    }
}
