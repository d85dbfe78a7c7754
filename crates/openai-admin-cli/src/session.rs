//! A client of an API, or of a SQLite file through the server's router.

use std::path::PathBuf;

use openai_admin::Client;
use openai_admin_server::{Caller, Config, Minter, Server};
use openai_admin_store::Store;
use openai_admin_sync::{Policy, holdings::OwnKey};

use crate::{
    arguments::{GlobalArguments, LogFormat},
    config::{self, Environment},
    database,
    failure::Result,
    log::{self, Log},
    output::Output,
    target::{self, LocalFile, Service, Target},
};

/// A client, and the resources to close after it.
pub(crate) struct Session<'a> {
    pub(crate) client: Client,
    pub(crate) output: &'a Output,
    /// The database behind the client, for `--local`.
    store: Option<Store>,
    /// The local policy.
    pub(crate) policy: Policy,
    /// The folder with the runs of the service; none if there is no folder for runs.
    pub(crate) service: Option<PathBuf>,
    /// The key of the client, which an offboarding keeps.
    pub(crate) own_key: OwnKey,
    /// The operating system's name of the user, if known.
    pub(crate) user_name: Option<String>,
    /// Dropped last.
    _log: Option<Log>,
}

impl<'a> Session<'a> {
    /// Opens the target of `command`.
    pub(crate) async fn open(
        access: Access,
        command: &str,
        global: &GlobalArguments,
        environment: &Environment,
        output: &'a Output,
    ) -> Result<Self> {
        let policy = config::policy(global, environment)?;
        let service = target::state_of_service(global, environment).ok();
        let user_name = environment.user_name.clone();
        match target::target(command, global, environment)? {
            Target::Remote(Service { base_url, key, label, unused_profile, .. }) => {
                if let Some(unused) = unused_profile.filter(|unused| unused.is_named) {
                    let source = key.source();
                    output.note(&format!("profile '{}' is not used, because {source} is set", unused.name));
                }
                output.name_service(label);
                let client = environment.client(&base_url, &key, global)?.retries(global.retries).build()?;
                let own_key = OwnKey::Value(key.expose().to_owned());
                Ok(Self { client, output, store: None, policy, service, own_key, user_name, _log: None })
            }
            Target::Local(file) => {
                let level = environment.log.as_deref().unwrap_or(log::LOCAL_LEVEL);
                let log = log::start(level, LogFormat::Human, global.color, environment)?;
                let (client, store) = local_client(file, access).await?;
                let own_key = OwnKey::Unknown;
                let store = Some(store);
                Ok(Self { client, output, store, policy, service, own_key, user_name, _log: Some(log) })
            }
        }
    }

    /// A session with an open client.
    #[cfg(test)]
    pub(crate) fn with_client(client: Client, output: &'a Output) -> Self {
        let (policy, own_key) = (Policy::default(), OwnKey::Unknown);
        Self { client, output, store: None, policy, service: None, own_key, user_name: None, _log: None }
    }

    pub(crate) async fn close(self) {
        if let Some(store) = self.store {
            store.close().await;
        }
    }
}

/// The shared context of commands.
pub(crate) struct Context<'a> {
    pub(crate) global: &'a GlobalArguments,
    pub(crate) environment: &'a Environment,
    pub(crate) output: &'a Output,
}

impl Context<'_> {
    /// Opens a session for the command `name`, runs it, and closes the session.
    pub(crate) async fn with_session(
        &self,
        access: Access,
        name: &str,
        run: impl AsyncFnOnce(&Session<'_>) -> Result<()>,
    ) -> Result<()> {
        let session = Session::open(access, name, self.global, self.environment, self.output).await?;
        let done = Box::pin(run(&session)).await;
        session.close().await;
        done
    }
}

/// A client that calls the server's router in this process, so that it behaves as over the network.
async fn local_client(file: LocalFile, access: Access) -> Result<(Client, Store)> {
    let actor = file.actor.clone();
    let database = database::of_file(file);
    let minter = Minter::system();
    let (store, organization) = match access {
        Access::Reads => database::open_to_read(&database, &minter).await?,
        Access::Changes | Access::Creates => {
            database::open(&database, access == Access::Creates, &minter).await?
        }
    };
    let server = Server::new(store.clone(), minter, Config::default());
    let router = server.router_as(Caller::local(&organization).with_actor(actor));
    let client = Client::builder().base_url("http://localhost/v1").service(router).build()?;
    Ok((client, store))
}

/// How a command uses a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Reads,
    Changes,
    /// Changes it, and creates the file if it is missing.
    Creates,
}
