//! Opens the database of a command, and the selected organization in it.

pub(crate) mod failure;

use openai_admin_server::Minter;
use openai_admin_store::{DatabaseUrl, Organization, SchemaVersion, Store};
use openai_admin_sync::render::shell_word;

use crate::{
    config::Database,
    failure::{ExitStatus, Failure, Result},
    target::LocalFile,
};

/// The database of a file of `--local`.
pub(crate) fn of_file(file: LocalFile) -> Database {
    let LocalFile { path, organization, actor } = file;
    let as_argument = format!("--local {}", shell_word(&path.display().to_string()));
    Database { url: DatabaseUrl::Sqlite(path), organization, as_argument, is_default: false, actor }
}

/// Opens a database and the selected organization without changes. Only in an empty database it creates an
/// organization.
pub(crate) async fn open_to_read(database: &Database, minter: &Minter) -> Result<(Store, Organization)> {
    failure::check_file(database, false)?;
    let not_opened = |error| failure::not_opened(error, database);
    let version = Store::schema_version(&database.url).await.map_err(not_opened)?;
    if version.applied == 0 {
        return open(database, false, minter).await;
    }
    check_schema(database, version)?;
    let store = Store::open_to_read(&database.url).await.map_err(not_opened)?;
    match store.organizations().await {
        Ok(held) if held.is_empty() => {
            store.close().await;
            open(database, false, minter).await
        }
        _ => choose_organization(store, database, minter).await,
    }
}

/// Opens a database and the selected organization.
pub(crate) async fn open(
    database: &Database,
    creates: bool,
    minter: &Minter,
) -> Result<(Store, Organization)> {
    choose_organization(open_store(database, creates).await?, database, minter).await
}

async fn choose_organization(
    store: Store,
    database: &Database,
    minter: &Minter,
) -> Result<(Store, Organization)> {
    let stamp = minter.stamp(&database.actor);
    match store.open_organization(stamp, database.organization.clone()).await {
        Ok(organization) => Ok((store, organization)),
        Err(error) => {
            let held = store.organizations().await.unwrap_or_default();
            store.close().await;
            Err(failure::no_organization(error, &held, database))
        }
    }
}

pub(crate) async fn open_store(database: &Database, creates: bool) -> Result<Store> {
    failure::check_file(database, creates)?;
    Store::open(&database.url).await.map_err(|error| failure::not_opened(error, database))
}

/// Refuses a database that needs a migration.
pub(crate) fn check_schema(database: &Database, version: SchemaVersion) -> Result<()> {
    let SchemaVersion { applied, newest, .. } = version;
    if applied == newest {
        return Ok(());
    }
    let message =
        format!("{} has schema version {applied}, and this program reads version {newest}", database.url);
    let failure = Failure::new(ExitStatus::Failed, message);
    Err(match applied < newest {
        true => failure.suggest("admin migrate", "upgrades it; so does the start of a server"),
        false => failure.hint("use a newer openai-admin"),
    })
}
