//! What must hold before other machines reach the server: encryption, and keys that nobody guesses.

use openai_admin_server::{
    Minter,
    api_keys::{self, GIVEN_KEY_LENGTH_MIN},
};
use openai_admin_store::Store;

use crate::{
    arguments::ServeArguments,
    config::Key,
    failure::{ExitStatus, Failure, Result, While as _},
    output::visible,
};

/// Keys travel in clear text over http, so only this machine may be asked, unless somebody encrypts.
pub(super) fn check_address(arguments: &ServeArguments) -> Result<()> {
    match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(_), None) => {
            return Err(Failure::usage("--tls-cert needs --tls-key, the file with its private key"));
        }
        (None, Some(_)) => {
            return Err(Failure::usage("--tls-key needs --tls-cert, the file with its certificate"));
        }
        (Some(_), Some(_)) => return Ok(()),
        (None, None) => {}
    }
    if arguments.listen.ip().is_loopback() || arguments.behind_proxy {
        return Ok(());
    }
    let message =
        format!("{} is reachable from other machines, and keys would travel unencrypted", arguments.listen);
    Err(Failure::usage(message)
        .hint("to speak https yourself: --tls-cert FILE --tls-key FILE")
        .hint("when a proxy in front of it speaks https: --behind-proxy")
        .hint("for this machine alone: --listen 127.0.0.1:8080"))
}

/// Whether the address that a connection comes from says nothing about who asks: all are a proxy's, or this machine's.
pub(super) fn hides_peers(arguments: &ServeArguments) -> bool {
    arguments.behind_proxy || arguments.listen.ip().is_loopback()
}

fn is_exposed(arguments: &ServeArguments) -> bool {
    arguments.behind_proxy || !arguments.listen.ip().is_loopback()
}

/// A key that somebody thought up must be long enough before others can try theirs.
pub(super) fn check_given_key(arguments: &ServeArguments, key: Option<&Key>) -> Result<()> {
    match key {
        Some(key) if is_exposed(arguments) && key.expose().len() < GIVEN_KEY_LENGTH_MIN => {
            let message = format!(
                "{}: a key of {} characters is too short for a server that other machines reach",
                key.source(),
                key.expose().len()
            );
            Err(Failure::new(ExitStatus::Key, message)
                .hint(format!("take one of {GIVEN_KEY_LENGTH_MIN} characters or more that nobody guesses"))
                .hint("or give none: the first start makes one, and `openai-admin keys create` makes more"))
        }
        _ => Ok(()),
    }
}

/// The same for the keys that were given before, to every organization that is served.
pub(super) async fn check_stored_keys(
    arguments: &ServeArguments,
    store: &Store,
    minter: &Minter,
) -> Result<()> {
    if !is_exposed(arguments) {
        return Ok(());
    }
    for organization in store.organizations().await.doing(|| "list the organizations".to_owned())? {
        let keys = store.list_api_keys(organization.org).await.doing(|| "read the keys".to_owned())?;
        let works = |at: Option<openai_admin::Timestamp>| at.is_none_or(|at| at > minter.now());
        let Some(key) = keys.iter().find(|key| api_keys::is_short(key) && works(key.expires_at)) else {
            continue;
        };
        let message = format!(
            "the key '{}' ({}) of {} has less than {GIVEN_KEY_LENGTH_MIN} characters, which is too short for a server \
             that other machines reach",
            visible(&key.name),
            key.id,
            organization.id
        );
        return Err(Failure::new(ExitStatus::Key, message)
            .propose(format!("keys revoke {}", key.id), "revokes it")
            .hint("or give a longer one in OPENAI_ADMIN_KEY or --key-file, which takes its place"));
    }
    Ok(())
}
