//! Requirements before other machines can reach the server: encryption, and strong keys.

use openai_admin_server::{
    Minter,
    api_keys::{self, GIVEN_KEY_LENGTH_MIN},
};
use openai_admin_store::Store;

use crate::{
    arguments::ServeArguments,
    config::Key,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::visible,
};

/// Over http keys travel in clear text, so only loopback is allowed without https or a proxy that encrypts.
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
    let message = format!("other machines can reach {}, and keys would travel unencrypted", arguments.listen);
    Err(Failure::usage(message)
        .hint("for https: --tls-cert FILE --tls-key FILE")
        .hint("behind a proxy with https: --behind-proxy")
        .hint("on loopback only: --listen 127.0.0.1:8080"))
}

/// Whether the web console is served: always on loopback, elsewhere by choice. [`check_address`] has checked that
/// other machines use encryption.
pub(super) fn has_console(arguments: &ServeArguments) -> bool {
    arguments.console || !is_exposed(arguments)
}

/// Whether peer addresses do not identify clients, because all come from a proxy or from loopback.
pub(super) fn hides_peers(arguments: &ServeArguments) -> bool {
    arguments.behind_proxy || arguments.listen.ip().is_loopback()
}

fn is_exposed(arguments: &ServeArguments) -> bool {
    arguments.behind_proxy || !arguments.listen.ip().is_loopback()
}

/// Refuses a short key if other machines can reach the server, because it may be easy to guess.
pub(super) fn check_given_key(arguments: &ServeArguments, key: Option<&Key>) -> Result<()> {
    match key {
        Some(key) if is_exposed(arguments) && key.expose().len() < GIVEN_KEY_LENGTH_MIN => {
            let message = format!(
                "{}: a key of {} characters is too short for a server that other machines reach",
                key.source(),
                key.expose().len()
            );
            Err(Failure::new(ExitStatus::Key, message)
                .hint(format!("use a random key of at least {GIVEN_KEY_LENGTH_MIN} characters"))
                .hint("or omit it: the first start creates one, and `openai-admin keys create` creates more"))
        }
        _ => Ok(()),
    }
}

/// The same check for the stored keys of every organization.
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
            "the key '{}' ({}) of {} has fewer than {GIVEN_KEY_LENGTH_MIN} characters, which is too short for a server \
             that other machines reach",
            visible(&key.name),
            key.id,
            organization.id
        );
        return Err(Failure::new(ExitStatus::Key, message)
            .suggest(format!("keys revoke {}", key.id), "revokes it")
            .hint("or replace it with a longer one in OPENAI_ADMIN_KEY or --key-file"));
    }
    Ok(())
}
