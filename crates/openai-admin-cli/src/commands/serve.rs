//! `openai-admin serve`: the API from a database, until it is told to stop.

use std::{future::Future, net::SocketAddr};

use openai_admin_server::{Config, Minter, Server, api_keys};
use openai_admin_store::{ApiKey, Error as StoreError, Organization, Store};
use tokio::net::TcpListener;

use super::open;
use crate::{
    arguments::{ColorChoice, ServeArguments},
    config::{Database, Environment, Key},
    failure::{ExitStatus, Failure, Result, While as _},
    log,
    output::{Output, moment, visible},
};

pub(super) async fn run(
    arguments: ServeArguments,
    database: &Database,
    key: Option<Key>,
    color: ColorChoice,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    check_address(&arguments)?;
    let level = arguments.log.as_deref().or(environment.log.as_deref()).unwrap_or(log::SERVER_LEVEL);
    log::start(level, color, environment)?;
    // Registered before anybody can know that the server runs, so that no early signal kills it.
    let stop = stop_signal()?;
    let minter = Minter::system();
    let (store, organization) = open(database, true, &minter).await?;
    let served = serve(&arguments, &store, &organization, &minter, key, stop, output).await;
    store.close().await;
    served
}

/// Keys travel in clear text over http, so only this machine may be asked, unless something in front encrypts.
fn check_address(arguments: &ServeArguments) -> Result<()> {
    if arguments.listen.ip().is_loopback() || arguments.behind_proxy {
        return Ok(());
    }
    let message =
        format!("{} is reachable from other machines, and keys would travel unencrypted", arguments.listen);
    Err(Failure::usage(message)
        .hint("listen on 127.0.0.1, or add --behind-proxy when a proxy in front of it speaks https"))
}

async fn serve(
    arguments: &ServeArguments,
    store: &Store,
    organization: &Organization,
    minter: &Minter,
    key: Option<Key>,
    stop: impl Future<Output = ()> + Send + 'static,
    output: &Output,
) -> Result<()> {
    let listener = TcpListener::bind(arguments.listen).await;
    let listener = listener
        .map_err(|error| {
            Failure::from(error).hint("choose another address with --listen; port 0 is a free one")
        })
        .doing(|| format!("listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    provide_key(store, organization, minter, key, address, output).await?;

    let config = Config::default()
        .with_strict(arguments.strict)
        .with_requests_per_minute(arguments.requests_per_minute);
    let server = Server::new(store.clone(), minter.clone(), config);
    // Programs that start a server wait for this line; it stands alone and has no colour.
    output.line(&format!("listening on http://{address}"));
    server.run(listener, stop).await.doing(|| format!("serve on {address}"))?;
    tracing::info!("stopped");
    Ok(())
}

/// Without a key nobody could ask anything: the given one is made valid, or else the first one is minted and shown.
async fn provide_key(
    store: &Store,
    organization: &Organization,
    minter: &Minter,
    key: Option<Key>,
    address: SocketAddr,
    output: &Output,
) -> Result<()> {
    let org = organization.org;
    if let Some(key) = key {
        let new = api_keys::given(key.expose(), "bootstrap", api_keys::all_scopes());
        let stored = match store.set_bootstrap_api_key(org, minter.stamp("serve"), new).await {
            Err(StoreError::InvalidValue { expected, .. }) => {
                let message = format!("{}: expected {expected}", key.source());
                return Err(Failure::new(ExitStatus::Key, message)
                    .hint("`openai-admin keys create --name NAME` makes a new one"));
            }
            stored => stored.doing(|| "store the key".to_owned())?,
        };
        announce(&key, &stored, output);
        return Ok(());
    }
    let keys = store.list_api_keys(org).await.doing(|| "read the keys".to_owned())?;
    let works = |expires_at: Option<openai_admin::Timestamp>| expires_at.is_none_or(|at| at > minter.now());
    let working = keys.iter().filter(|key| works(key.expires_at)).count();
    if working > 0 {
        let keys = if working == 1 { "its key".to_owned() } else { format!("one of its {working} keys") };
        let create = output.command("keys create --name NAME");
        output.note(&format!("clients need {keys}; `{create}` makes another"));
        return Ok(());
    }
    let (key, new) = api_keys::mint(minter, "first", api_keys::all_scopes(), None);
    store.create_api_key(org, minter.stamp("serve"), new).await.doing(|| "store the key".to_owned())?;
    output.line(&format!(
        "{} ({}) had no key, so this one was made. It is shown only now; clients use it like this:\n  \
         export OPENAI_BASE_URL=http://{address}/v1 OPENAI_ADMIN_KEY={key}",
        visible(&organization.title),
        organization.id
    ));
    Ok(())
}

/// Says which key the given one is, unless it is only what it was given as: the key of this server, for everything.
fn announce(key: &Key, stored: &ApiKey, output: &Output) {
    if stored.scopes == api_keys::all_scopes() && stored.expires_at.is_none() {
        return;
    }
    let (name, scopes) = (visible(&stored.name), stored.scopes.join(" "));
    let until = stored.expires_at.map(|at| format!(", until {} UTC", moment(at.unix_seconds())));
    output.line(&format!(
        "{} is the key '{name}' ({}) with the scopes {scopes}{}",
        key.source(),
        stored.id,
        until.unwrap_or_default()
    ));
}

/// Ends with the first SIGTERM or Ctrl-C.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests that have begun are finished");
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        // An error means that there is no such signal; then nothing stops the server but its end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
