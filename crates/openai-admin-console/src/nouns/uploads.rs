//! Plans from uploaded or pasted tables and group files, as `import memberships` and `apply` make them.

use std::collections::BTreeMap;

use askama::Template;
use openai_admin_sync::{
    csv::{GroupSource, Mapping},
    import::ImportMode,
};

use crate::{
    base::{
        failure::Failure,
        fields::Fields,
        frame::{Frame, Section},
        moment::day_of,
        page::{Answer, page},
    },
    nouns::{emulator, runs},
    plans::{Table, is_group_file},
    visit::{UPLOAD_BYTES_MAX, UploadForm, Visit},
};

/// The names of pasted texts in messages.
const PASTED_TABLE: &str = "pasted.csv";
const PASTED_GROUP_FILE: &str = "pasted.yaml";
const MIB: usize = 1024 * 1024;

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage {
    frame: Frame,
    mib_max: usize,
    can_plan: bool,
}

pub(crate) async fn show(visit: Visit) -> Answer {
    page(&UploadPage {
        frame: visit.frame(Section::Runs, "New plan"),
        mib_max: UPLOAD_BYTES_MAX / MIB,
        can_plan: visit.state.pages.runs.is_some(),
    })
}

pub(crate) async fn plan(form: UploadForm) -> Answer {
    let UploadForm { visit, fields, files, turn } = form;
    let planner = runs::planner(&visit)?;
    let planned = match fields.get("kind") {
        "groups" => {
            let files = group_files(&fields, files)?;
            let today = day_of(emulator::now(&visit).await?);
            planner.plan_group_files(files, &accepted(&fields)?, today, turn).await
        }
        _ => planner.plan_table(table(&fields, files)?, turn).await,
    };
    runs::keep(&visit, planned)
}

/// The table of a form: the chosen file, or the pasted rows.
fn table(fields: &Fields, mut files: Vec<(String, Vec<u8>)>) -> Result<Table, Failure> {
    let pasted = fields.raw("pasted");
    let (name, bytes) = match (files.pop(), pasted.trim().is_empty()) {
        (Some(_), false) => return Err(Failure::invalid("choose a file or paste rows, not both")),
        (Some(_), true) if !files.is_empty() => return Err(Failure::invalid("choose one table")),
        (Some(file), true) => file,
        (None, false) => (PASTED_TABLE.to_owned(), pasted.as_bytes().to_vec()),
        (None, true) => return Err(Failure::invalid("choose a file, or paste rows")),
    };
    if is_group_file(&name) {
        return Err(Failure::invalid(format!("{name} is a group file, not a table"))
            .hint("Use the form for group files."));
    }
    let mode = match fields.get("mode") {
        "" | "add" => ImportMode::Add,
        "remove" => ImportMode::Remove,
        "exact" => ImportMode::Exact,
        other => return Err(Failure::invalid(format!("invalid mode \"{other}\""))),
    };
    let creates_groups = fields.given("create").is_some();
    if creates_groups && mode == ImportMode::Remove {
        return Err(Failure::invalid("a group that does not exist has no members to remove"));
    }
    let group = match (fields.given("group"), fields.given("group_column")) {
        (Some(name), None) => GroupSource::Named(name.to_owned()),
        (None, Some(column)) => GroupSource::Column(column.to_owned()),
        (None, None) => GroupSource::Guessed,
        (Some(_), Some(_)) => {
            return Err(Failure::invalid("name one group or the column with the groups, not both"));
        }
    };
    let email = fields.given("email_column").map(str::to_owned);
    let mapping = Mapping { email, group, ..Mapping::default() };
    Ok(Table { name, bytes, mapping, mode, creates_groups })
}

fn group_files(
    fields: &Fields,
    mut files: Vec<(String, Vec<u8>)>,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let pasted = fields.raw("pasted");
    if !pasted.trim().is_empty() {
        files.push((PASTED_GROUP_FILE.to_owned(), pasted.as_bytes().to_vec()));
    }
    match files.iter().any(|(name, _)| is_group_file(name)) {
        true => Ok(files),
        false => Err(Failure::invalid("choose a group file (YAML or JSON), or paste one")),
    }
}

/// The sources that may have shrunk, each as `NAME=ENTRIES`.
fn accepted(fields: &Fields) -> Result<BTreeMap<String, usize>, Failure> {
    let read = |text: &str| {
        let (name, entries) = text.trim().rsplit_once('=')?;
        Some((name.to_owned(), entries.parse().ok()?))
    };
    let sources = fields.get("accept").lines().filter(|line| !line.trim().is_empty());
    let accepted = sources.map(|line| {
        read(line).ok_or_else(|| {
            Failure::invalid(format!("invalid source \"{}\": expected NAME=ENTRIES", line.trim()))
        })
    });
    accepted.collect()
}
