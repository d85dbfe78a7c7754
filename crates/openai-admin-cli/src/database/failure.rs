//! Failures to open a database, with hints.

use std::{fs::File, io::Read as _, path::Path};

use openai_admin_store::{DatabaseUrl, Error as StoreError, Organization};
use openai_admin_sync::render::shell_word;

use crate::{
    config::Database,
    failure::{Failure, Result},
    output::{count, file_name, visible},
};

/// The first bytes of every SQLite file.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Checks the path of a SQLite file. If `creates`, the file may be missing.
pub(crate) fn check_file(database: &Database, creates: bool) -> Result<()> {
    let DatabaseUrl::Sqlite(file) = &database.url else { return Ok(()) };
    let name = file_name(file);
    if file.is_dir() {
        let example = file.join("openai-admin.db");
        return Err(Failure::usage(format!("{name} is a directory"))
            .hint(format!("pass a file in it: {}", file_name(&example))));
    }
    if let Some(folder) = missing_folder(file) {
        let make_folder = format!("mkdir -p {}", shell_word(&folder.display().to_string()));
        let (message, hint) = match creates {
            true => (
                format!("cannot create {name}: the folder {} does not exist", file_name(folder)),
                make_folder,
            ),
            false => (
                format!("{name} and its folder do not exist"),
                format!("check the path, or create the folder: {make_folder}"),
            ),
        };
        return Err(Failure::not_found(message).hint(hint));
    }
    if creates || database.missing_file().is_none() {
        return Ok(());
    }
    let argument = &database.as_argument;
    let mut failure = Failure::not_found(format!("{name} does not exist"));
    if database.is_default {
        failure = failure.hint(format!(
            "{name} is the default; pass another database with --local FILE or --database URL"
        ));
    }
    Err(failure
        .hint(format!("`openai-admin {argument} load FILE` creates it from a YAML or JSON file"))
        .hint(format!("`openai-admin {argument} groups create NAME` creates it with one group")))
}

fn missing_folder(file: &Path) -> Option<&Path> {
    file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
}

/// The failure for a database that exists, or should exist, but cannot be used.
pub(crate) fn not_opened(error: StoreError, database: &Database) -> Failure {
    let failure = cannot_open(error, database);
    let hint = match &database.url {
        DatabaseUrl::Sqlite(file) if is_something_else(file) => {
            Some(format!("{} is not a SQLite file; `load` reads YAML and JSON", file_name(file)))
        }
        DatabaseUrl::Sqlite(_) => None,
        DatabaseUrl::Postgres(_) => postgres_hint(&failure.message),
    };
    hint.into_iter().fold(failure, Failure::hint)
}

fn cannot_open(error: StoreError, database: &Database) -> Failure {
    let failure = Failure::from(error);
    Failure { message: format!("cannot open {}: {}", database.url, failure.message), ..failure }
}

/// Hints by message, because the driver distinguishes these errors only in its text.
fn postgres_hint(message: &str) -> Option<String> {
    if message.contains("error connecting") {
        return Some("check that PostgreSQL is running there".to_owned());
    }
    if message.contains("invalid peer certificate") {
        let hint = "its certificate must match the host of the URL; for a private authority, put sslrootcert=FILE in the \
                    URL";
        return Some(hint.to_owned());
    }
    let (_, database) = message.split_once("database \"")?;
    let (name, _) = database.split_once("\" does not exist")?;
    Some(format!("createdb {}", shell_word(name)))
}

/// Whether a file has content that is not SQLite's.
fn is_something_else(file: &Path) -> bool {
    let mut magic = Vec::new();
    let read = File::open(file).and_then(|file| file.take(SQLITE_MAGIC.len() as u64).read_to_end(&mut magic));
    read.is_ok() && !magic.is_empty() && magic != SQLITE_MAGIC
}

/// The failure if the database does not have the selected organization, or has several and none is selected.
pub(crate) fn no_organization(error: StoreError, held: &[Organization], database: &Database) -> Failure {
    let choices: Vec<String> = held.iter().map(organization_option).collect();
    if let (StoreError::InvalidValue { .. }, [_, _, ..]) = (&error, held) {
        let message = format!("{} holds {}", database.url, count(held.len(), "organization"));
        return Failure::usage(message).hint(format!("pass {}", choices.join(" or ")));
    }
    let failure = cannot_open(error, database);
    match choices.is_empty() {
        true => failure.hint("the database is empty: `load` a file with this id, or omit --organization"),
        false => failure.hint(format!("it has others: {}", choices.join(" or "))),
    }
}

/// An organization as an option, with its title in brackets.
pub(crate) fn organization_option(organization: &Organization) -> String {
    let id = shell_word(organization.id.as_str());
    match visible(&organization.title) {
        title if title.is_empty() => format!("--organization {id}"),
        title => format!("--organization {id} ({title})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_database_gets_a_hint_and_a_missing_role_does_not() {
        let hint =
            postgres_hint("cannot open postgres://db/x: db error: FATAL: database \"x\" does not exist");
        assert_eq!(hint.as_deref(), Some("createdb x"));
        assert_eq!(postgres_hint("db error: FATAL: role \"ada\" does not exist"), None);
        let certificate = "error performing TLS handshake: invalid peer certificate: UnknownIssuer";
        assert!(postgres_hint(certificate).is_some_and(|hint| hint.contains("sslrootcert=FILE")));
    }
}
