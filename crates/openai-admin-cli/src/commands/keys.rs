//! `openai-admin keys`: the keys that one's own server accepts.

use openai_admin::Timestamp;
use openai_admin_server::{Minter, api_keys};
use openai_admin_store::{ApiKey, Organization, Store};
use serde::Serialize;

use super::open;
use crate::{
    arguments::{CreateKeyArguments, KeysCommand},
    config::Database,
    failure::{Failure, Result, While as _},
    output::{Output, Record, visible},
    prompt::Consent,
    resolve::ambiguous,
};

/// A key that was just minted: the only time that it is seen.
#[derive(Serialize)]
struct MintedKey {
    key: String,
    #[serde(flatten)]
    stored: ApiKey,
}

impl Record for MintedKey {
    const FIELDS: &'static [&'static str] =
        &["key", "id", "name", "redacted_value", "scopes", "created_at", "expires_at", "last_used_at"];
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("KEY", "key"),
        ("ID", "id"),
        ("NAME", "name"),
        ("SCOPES", "scopes"),
        ("EXPIRES (UTC)", "expires_at"),
    ];
}

pub(super) async fn run(command: KeysCommand, database: &Database, output: &Output) -> Result<()> {
    let minter = Minter::system();
    let creates = matches!(command, KeysCommand::Create(_));
    let consent = match &command {
        KeysCommand::Revoke { consent, .. } => Consent::of(consent, "revoking a key")?,
        _ => Consent::Given,
    };
    let (store, organization) = open(database, creates, &minter).await?;
    let done = match command {
        KeysCommand::Create(arguments) => create(&store, &organization, &minter, arguments, output).await,
        KeysCommand::List => list(&store, &organization, output).await,
        KeysCommand::Revoke { key, .. } => {
            revoke(&store, &organization, &minter, &key, consent, output).await
        }
    };
    store.close().await;
    done
}

async fn create(
    store: &Store,
    organization: &Organization,
    minter: &Minter,
    arguments: CreateKeyArguments,
    output: &Output,
) -> Result<()> {
    let CreateKeyArguments { name, mut scopes, read_only, expires_in } = arguments;
    if scopes.is_empty() {
        scopes = api_keys::all_scopes();
        scopes.retain(|scope| !read_only || scope.ends_with(".read"));
    }
    let expires_at = expires_in
        .map(|seconds| Timestamp::from_unix_seconds(minter.now().unix_seconds().saturating_add(seconds)));
    let (key, new) = api_keys::mint(minter, &name, scopes, expires_at);
    let stored = store.create_api_key(organization.org, minter.stamp("local"), new).await;
    let stored = stored.doing(|| format!("create key '{name}'"))?;
    output.item(&MintedKey { key, stored })?;
    output.note("keep the key somewhere safe: it is not stored and will not be shown again");
    Ok(())
}

async fn list(store: &Store, organization: &Organization, output: &Output) -> Result<()> {
    let keys = store.list_api_keys(organization.org).await.doing(|| "list the keys".to_owned())?;
    let create = output.command("keys create --name NAME");
    output.items(&keys, &format!("there are no keys; `{create}` makes one"))
}

async fn revoke(
    store: &Store,
    organization: &Organization,
    minter: &Minter,
    text: &str,
    consent: Consent,
    output: &Output,
) -> Result<()> {
    let keys = store.list_api_keys(organization.org).await.doing(|| "list the keys".to_owned())?;
    let key = find(keys, text)?;
    consent.ask(&format!("revoke key '{}' ({}, {}) for good?", key.name, key.id, key.redacted_value))?;
    let revoked = store.revoke_api_key(organization.org, minter.stamp("local"), key.id.clone()).await;
    revoked.doing(|| format!("revoke key '{text}'"))?;
    if output.is_for_people() {
        let name = visible(&key.name);
        output.note(&format!(
            "revoked key '{name}' ({}); a running server may accept it for 5 more seconds",
            key.id
        ));
        return Ok(());
    }
    output.item(&key)
}

/// The key with this id, or else with exactly this name.
fn find(keys: Vec<ApiKey>, text: &str) -> Result<ApiKey> {
    if let Some(key) = keys.iter().find(|key| key.id == text) {
        return Ok(key.clone());
    }
    let mut named: Vec<ApiKey> = keys.into_iter().filter(|key| key.name == text).collect();
    match named.len() {
        0 => Err(Failure::not_found(format!("there is no key with the id or name '{text}'"))
            .propose("keys list", "shows all keys that work")),
        1 => Ok(named.remove(0)),
        several => {
            let message = format!("{several} keys are called '{text}'");
            Err(ambiguous(message, named.iter().map(|key| key.id.clone())))
        }
    }
}
