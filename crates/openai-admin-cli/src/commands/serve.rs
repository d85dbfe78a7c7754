//! `openai-admin serve`: serves the API from a database until a signal stops it.

mod certificate;
mod database_wait;
mod exposure;
mod first_key;
mod messages;
mod open_files;
mod service_manager;
pub(super) mod signals;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use openai_admin_console::{Console, Pages, Router};
use openai_admin_server::{Config, Minter, Server, Tls, browser::AllowedHosts, limits::Limits};
use openai_admin_store::{DatabaseUrl, Organization, Store};
use openai_admin_sync::Policy;
use tokio::net::TcpListener;

use self::{first_key::FirstKey, messages::Messages, service_manager::ServiceManager};
use crate::{
    arguments::{GlobalArguments, ServeArguments},
    config::{self, Database, Environment, Key},
    database,
    failure::{Doing as _, Failure, Result},
    log,
    output::Output,
    target,
};

/// How often expired idempotent responses are deleted, even on an idle server.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(10 * 60);

pub(super) async fn run(
    arguments: ServeArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let _log = log::start(&arguments.log, arguments.log_format, global.color, environment)?;
    // Watch for signals before anything reports that the server runs, so that no early signal kills it.
    let stop = signals::Stop::watch(ServiceManager::new(environment))?;
    let hangups = signals::Hangups::watch()?;
    let messages = Messages { output, format: arguments.log_format };
    let served = start(&arguments, global, environment, messages, stop, hangups).await;
    served.map_err(|failure| messages.log_failure(failure))
}

async fn start(
    arguments: &ServeArguments,
    global: &GlobalArguments,
    environment: &Environment,
    messages: Messages<'_>,
    stop: signals::Stop,
    hangups: signals::Hangups,
) -> Result<()> {
    exposure::check_address(arguments)?;
    check_admin_address(arguments)?;
    let limits = open_files::limits()?;
    let database = config::database("serve", global, environment)?;
    let key = config::key(global, environment)?;
    let minter = Minter::system();
    let tls = certificate::open(arguments, &minter).await?;
    certificate::reload_at(hangups, tls.clone(), minter.clone());
    exposure::check_given_key(arguments, key.as_ref())?;
    let replicas = replicas(arguments, &database)?;
    let mut stop = stop;
    tokio::select! {
        () = database_wait::until_it_answers(&database.url, arguments.wait_for_database) => {}
        () = &mut stop.first => return Ok(()),
    }
    let (store, organization) = database::open(&database, true, &minter).await?;
    if !replicas.is_empty() {
        store.read_from(&replicas).await.doing(|| "read from replicas".to_owned())?;
    }
    let opened = OpenServer {
        arguments,
        database: &database.url,
        store: &store,
        organization: &organization,
        minter: &minter,
        limits,
        messages,
        runs: target::runs_of_database(&database.url, environment),
        policy: config::policy(global, environment)?,
    };
    let served = opened.serve(key, tls, stop).await;
    store.close().await;
    served
}

/// The parts of a server once its database is open.
struct OpenServer<'a> {
    arguments: &'a ServeArguments,
    database: &'a DatabaseUrl,
    store: &'a Store,
    organization: &'a Organization,
    minter: &'a Minter,
    limits: Limits,
    messages: Messages<'a>,
    /// The folder of the runs that the web console applies.
    runs: Option<PathBuf>,
    policy: Policy,
}

/// The replicas that pages may be read from.
fn replicas(arguments: &ServeArguments, database: &Database) -> Result<Vec<DatabaseUrl>> {
    let is_postgres = |url: &DatabaseUrl| matches!(url, DatabaseUrl::Postgres(_));
    let replicas: Vec<DatabaseUrl> = arguments
        .database_read
        .iter()
        .map(|url| url.parse().doing(|| "read --database-read".to_owned()))
        .collect::<Result<_>>()?;
    let mut databases = std::iter::once(&database.url).chain(&replicas);
    if !replicas.is_empty() && !databases.all(is_postgres) {
        return Err(Failure::usage("--database-read names a replica of a PostgreSQL database")
            .hint("use postgres://user@host/database for both; SQLite has no replicas"));
    }
    Ok(replicas)
}

/// Metrics contain no secrets, but they need no key, so anyone who can connect can read them.
fn check_admin_address(arguments: &ServeArguments) -> Result<()> {
    match arguments.admin_listen {
        Some(address) if !address.ip().is_loopback() && !arguments.admin_public => {
            let message = format!("other machines can reach {address}, and /metrics needs no key");
            Err(Failure::usage(message)
                .hint("listen on 127.0.0.1, or pass --admin-public in a trusted network"))
        }
        _ => Ok(()),
    }
}

impl OpenServer<'_> {
    /// Serves until a signal stops it.
    async fn serve(self, key: Option<Key>, tls: Option<Tls>, stop: signals::Stop) -> Result<()> {
        let Self { arguments, database, store, organization, minter, limits, messages, runs, policy } = self;
        let listener = listen(arguments.listen, "--listen").await?;
        let address = listener.local_addr()?;
        let admin = match arguments.admin_listen {
            Some(address) => Some(listen(address, "--admin-listen").await?),
            None => None,
        };
        let url = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
        FirstKey { store, organization, database, minter, url: &url, messages }.provide(key).await?;
        exposure::check_stored_keys(arguments, store, minter).await?;

        let config = Config::default()
            .with_strict(arguments.strict)
            .with_requests_per_minute(arguments.requests_per_minute)
            .with_behind_proxy(exposure::hides_peers(arguments))
            .with_drain_grace(arguments.drain_grace)
            .with_admin_hosts(arguments.admin_allow_host.clone())
            .with_backups(arguments.backups.clone())
            .with_limits(limits);
        #[cfg(feature = "otel")]
        let traces = traces(arguments)?;
        #[cfg(feature = "otel")]
        let config = config.with_traces(traces.clone());
        let server = Server::new(store.clone(), minter.clone(), config);
        let pages = match exposure::has_console(arguments) {
            true => {
                let hosts =
                    AllowedHosts::of(address.ip()).with_names(arguments.console_allow_host.iter().cloned());
                let is_secure = tls.is_some() || arguments.behind_proxy;
                if messages.are_transient() {
                    messages.note(&format!("web console: {url}/console"));
                }
                let command = target::command_of_database(database);
                let pages = Pages { hosts, is_secure, runs, command, policy };
                Console::of_server(&server, minter.clone(), pages).router()
            }
            false => Router::new(),
        };
        if let Some(admin) = &admin {
            messages.line(&format!("Admin endpoints: http://{}", admin.local_addr()?));
        }
        // Programs that start a server wait for this line; it has a line to itself and no colour.
        messages.line(&format!("listening on {url}"));
        let signals::Stop { first, second, manager } = stop;
        tokio::spawn(async move { manager.ready().await });
        let admin = async {
            match admin {
                Some(admin) => server.run_admin(admin).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = server.run_with(pages, listener, tls, first) => ended.doing(|| format!("serve on {address}"))?,
            ended = admin => ended.doing(|| "serve the admin endpoints".to_owned())?,
            () = delete_expired_responses(store, minter) => {}
            () = second => tracing::warn!("second signal: aborting requests in flight"),
        }
        #[cfg(feature = "otel")]
        if let Some(traces) = traces {
            traces.close().await;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Deletes expired idempotent responses until the server ends.
async fn delete_expired_responses(store: &Store, minter: &Minter) {
    loop {
        tokio::time::sleep(CLEANUP_INTERVAL).await;
        if let Err(error) = store.delete_expired_answers(minter.now()).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot delete expired idempotent responses yet"
            );
        }
    }
}

#[cfg(feature = "otel")]
fn traces(arguments: &ServeArguments) -> Result<Option<openai_admin_server::Traces>> {
    let endpoint = arguments.otlp_endpoint.as_deref();
    let traces = endpoint.map(openai_admin_server::Traces::export_to).transpose();
    traces.map_err(|error| Failure::usage(format!("--otlp-endpoint: {error}")))
}

async fn listen(address: SocketAddr, option: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| {
            Failure::from(error).hint(format!("pick another address with {option}; port 0 picks a free port"))
        })
        .doing(|| format!("listen on {address}"))
}
