//! `openai-admin keys`: manages the keys of your server.

use openai_admin::Timestamp;
use openai_admin_server::{Minter, api_keys};
use openai_admin_store::{ApiKey, Organization, Stamp, Store};
use serde::Serialize;

use crate::{
    arguments::{CreateKeyArguments, ExpiryArguments, KeysCommand, RotateKeyArguments},
    config::{Database, KEY_VARIABLE},
    database,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, Record, moment, visible},
    prompt::Consent,
    resolve::ambiguous,
};

const KEEP_IT: &str = "store the key safely: it is not saved and will not be shown again";

/// A new key. This is the only time that it is shown.
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
    if let KeysCommand::Create(CreateKeyArguments { expiry, .. })
    | KeysCommand::Rotate(RotateKeyArguments { expiry, .. }) = &command
    {
        check_expiry(expiry, &minter)?;
        check_output()?;
    }
    let consent = match &command {
        KeysCommand::Revoke { removal, .. } => Consent::of_removal(removal, "revoking a key")?,
        _ => Consent::Given,
    };
    let (store, organization) = database::open(database, creates, &minter).await?;
    let context = KeyContext {
        store: &store,
        organization: &organization,
        minter: &minter,
        actor: &database.actor,
        output,
    };
    let done = match command {
        KeysCommand::Create(arguments) => create(&context, arguments).await,
        KeysCommand::List => list(&context).await,
        KeysCommand::Rotate(arguments) => rotate(&context, &arguments).await,
        KeysCommand::Revoke { key, .. } => revoke(&context, &key, consent).await,
    };
    store.close().await;
    done
}

async fn create(context: &KeyContext<'_>, arguments: CreateKeyArguments) -> Result<()> {
    let KeyContext { store, organization, minter, output, .. } = context;
    let CreateKeyArguments { name, mut scopes, read_only, expiry } = arguments;
    if scopes.is_empty() {
        scopes = api_keys::all_scopes();
        scopes.retain(|scope| !read_only || scope.ends_with(".read"));
    }
    let (key, new) = api_keys::mint(minter, &name, scopes, expires_at(&expiry, minter));
    let stored = store.create_api_key(organization.org, context.stamp(), new).await;
    let stored = stored.doing(|| format!("create key '{name}'"))?;
    context.print(MintedKey { key, stored }).await?;
    output.note(KEEP_IT);
    Ok(())
}

/// The database of the keys, and the output.
struct KeyContext<'a> {
    store: &'a Store,
    organization: &'a Organization,
    minter: &'a Minter,
    /// The actor of changes.
    actor: &'a str,
    output: &'a Output,
}

impl KeyContext<'_> {
    fn stamp(&self) -> Stamp {
        self.minter.stamp(self.actor)
    }

    /// Prints the new key, or revokes it: a key that could not be printed must not stay valid.
    async fn print(&self, minted: MintedKey) -> Result<()> {
        let Err(unwritten) = self.output.item(&minted) else { return Ok(()) };
        let MintedKey { stored, .. } = minted;
        let why = if unwritten.message.is_empty() { "it is closed".to_owned() } else { unwritten.message };
        let stamp = self.stamp();
        let revoked = self.store.revoke_api_key(self.organization.org, stamp, stored.id.clone()).await;
        let message = format!("the new key could not be written to standard output: {why}");
        Err(match revoked {
            Ok(()) => Failure::new(ExitStatus::Failed, format!("{message}; it has been revoked")),
            Err(error) => {
                Failure::new(ExitStatus::Failed, format!("{message}; it is still valid, because {error}"))
                    .suggest(format!("keys revoke {}", stored.id), "revokes it")
            }
        })
    }
}

/// Whether standard output is /dev/null. The runtime opens it in place of a closed standard output.
#[cfg(unix)]
fn is_output_discarded() -> bool {
    use std::os::{fd::AsFd as _, unix::fs::MetadataExt as _};
    let device = |file: std::fs::File| file.metadata().map(|it| (it.mode(), it.rdev()));
    let output = std::io::stdout().as_fd().try_clone_to_owned().and_then(|output| device(output.into()));
    let nothing = std::fs::metadata("/dev/null").map(|it| (it.mode(), it.rdev()));
    matches!((output, nothing), (Ok(output), Ok(nothing)) if output == nothing)
}

#[cfg(not(unix))]
fn is_output_discarded() -> bool {
    false
}

/// Runs before anything is stored.
fn check_output() -> Result<()> {
    if !is_output_discarded() {
        return Ok(());
    }
    Err(Failure::new(
        ExitStatus::Failed,
        "standard output is closed or /dev/null, so the new key would be lost",
    )
    .hint("write to a terminal, a pipe or a file; no key was created"))
}

/// Refuses an expiry in the past: it is probably a mistake.
fn check_expiry(expiry: &ExpiryArguments, minter: &Minter) -> Result<()> {
    match expiry.expires_at {
        Some(at) if at <= minter.now().unix_seconds() => {
            Err(Failure::usage("--expires-at is in the past").hint("pass a future date or time"))
        }
        _ => Ok(()),
    }
}

fn expires_at(expiry: &ExpiryArguments, minter: &Minter) -> Option<Timestamp> {
    let after = |seconds| in_seconds(minter, seconds);
    expiry.expires_at.map(Timestamp::from_unix_seconds).or_else(|| expiry.expires_in.map(after))
}

fn in_seconds(minter: &Minter, seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(minter.now().unix_seconds().saturating_add(seconds))
}

async fn rotate(context: &KeyContext<'_>, arguments: &RotateKeyArguments) -> Result<()> {
    let KeyContext { store, organization, minter, output, .. } = context;
    let RotateKeyArguments { key: text, overlap, expiry } = arguments;
    let keys = store.list_api_keys(organization.org).await.doing(|| "list the keys".to_owned())?;
    let old = find_current(keys, text, minter.now())?;
    // A key with a lifetime is replaced by one with the same lifetime.
    let lifetime = old.expires_at.map(|at| at.unix_seconds() - old.created_at.unix_seconds());
    let expires_at =
        expires_at(expiry, minter).or_else(|| lifetime.map(|lifetime| in_seconds(minter, lifetime)));
    let (key, new) = api_keys::mint(minter, &old.name, old.scopes.clone(), expires_at);
    let old_expires_at = in_seconds(minter, *overlap);
    let stamp = context.stamp();
    let rotated = store.rotate_api_key(organization.org, stamp, old.id.clone(), new, old_expires_at).await;
    let rotated = rotated.doing(|| format!("rotate key '{text}'"))?;
    let until = rotated.old.expires_at.map(|at| moment(at.unix_seconds())).unwrap_or_default();
    let old_id = rotated.old.id;
    let shown = context.print(MintedKey { key, stored: rotated.new }).await;
    shown.map_err(|failure| failure.hint(format!("the old key ({old_id}) is valid until {until} UTC")))?;
    output.note(&format!(
        "the old key ({old_id}) is valid until {until} UTC: replace it in all clients by then"
    ));
    output.note(&format!(
        "if `serve` starts with the old key, put the new one in its --key-file or {KEY_VARIABLE}: it does not start \
         with an expired key"
    ));
    output.note(KEEP_IT);
    Ok(())
}

async fn list(context: &KeyContext<'_>) -> Result<()> {
    let KeyContext { store, organization, output, .. } = context;
    let keys = store.list_api_keys(organization.org).await.doing(|| "list the keys".to_owned())?;
    let create = output.command("keys create --name NAME");
    output.items(&keys, &format!("no keys; `{create}` creates one"))
}

async fn revoke(context: &KeyContext<'_>, text: &str, consent: Consent) -> Result<()> {
    let KeyContext { store, organization, output, .. } = context;
    let keys = store.list_api_keys(organization.org).await.doing(|| "list the keys".to_owned())?;
    let key = find(keys, text)?;
    let question = format!("revoke key '{}' ({}, {}) permanently?", key.name, key.id, key.redacted_value);
    consent.ask(&question, output)?;
    let revoked = store.revoke_api_key(organization.org, context.stamp(), key.id.clone()).await;
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

/// The key to rotate. After a rotation two keys have the same name: this finds the one that is newer and expires later.
fn find_current(keys: Vec<ApiKey>, text: &str, now: Timestamp) -> Result<ApiKey> {
    let works = |key: &&ApiKey| key.expires_at.is_none_or(|at| at > now);
    let named: Vec<&ApiKey> = keys.iter().filter(|key| key.name == text).filter(works).collect();
    let follows = |later: &ApiKey, key: &ApiKey| {
        let outlives = match (later.expires_at, key.expires_at) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(later), Some(end)) => later > end,
        };
        key.id == later.id || later.created_at >= key.created_at && outlives
    };
    match named.iter().find(|later| named.iter().all(|key| follows(later, key))) {
        Some(current) if keys.iter().all(|key| key.id != text) => Ok((*current).clone()),
        _ => find(keys, text),
    }
}

/// The key with this id, or else with exactly this name.
fn find(keys: Vec<ApiKey>, text: &str) -> Result<ApiKey> {
    if let Some(key) = keys.iter().find(|key| key.id == text) {
        return Ok(key.clone());
    }
    let mut named: Vec<ApiKey> = keys.into_iter().filter(|key| key.name == text).collect();
    match named.len() {
        0 => Err(Failure::not_found(format!("no key has the id or name '{text}'"))
            .suggest("keys list", "lists the valid keys")),
        1 => Ok(named.remove(0)),
        several => {
            let message = format!("{several} keys have the name '{text}'");
            Err(ambiguous(message, named.iter().map(|key| key.id.clone())))
        }
    }
}
