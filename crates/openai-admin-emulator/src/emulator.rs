use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use axum::{body::HttpBody, http::Request, response::Response};
use bytes::Bytes;
use openai_admin::{Client, Error as ClientError};
use openai_admin_server::{
    Minter, api_keys,
    browser::{AllowedHosts, is_host_name},
};
use openai_admin_store::{DatabaseUrl, Directory, Store};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use crate::{
    bodies::BODIES_BYTES_MAX,
    clock::{Clock, ClockStart},
    connections,
    error::{Error, Result},
    faults::FaultPlan,
    keys::Keys,
    memory::Budget,
    namespace::{Beginning, Namespace, Room},
    paths,
    randomness::{self, Randomness},
    service::{self, Reset},
    shared::{self, DEFAULT, Makes, RUNNING_MAX, Shared},
};

/// Where a clock stands when there is a seed and no time: 2026-01-01T00:00:00Z.
const SEEDED_CLOCK_MS: i64 = 1_767_225_600_000;
/// The title of an organization that has no fixtures.
const TITLE: &str = "emulated";
/// The key of the emulator's own clients.
const KEY: &str = "sk-admin-emulator";

/// An organization to test on. It ends, with all that is in it, when it is dropped.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use openai_admin::models::CreateGroupUserBody;
/// use openai_admin_emulator::Emulator;
///
/// let fixtures = serde_json::json!({
///     "users": [{ "id": "user_ada", "email": "ada@example.com" }],
///     "groups": [{ "id": "group_support", "name": "Support" }],
/// });
/// let emulator = Emulator::builder().fixtures(serde_json::from_value(fixtures)?).start().await?;
///
/// // Any program, in any language, finds the API here, with any key:
/// println!("{}", emulator.url());
///
/// let client = emulator.client()?;
/// let ada = CreateGroupUserBody::new("user_ada".parse()?);
/// client.group_users().add_group_user("group_support", ada).await?;
/// assert_eq!(client.group_users().list_group_users("group_support").await?.data.len(), 1);
///
/// emulator.namespace().reset().await?;
/// assert!(client.group_users().list_group_users("group_support").await?.data.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Says how an emulator begins and behaves.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct EmulatorBuilder {
    fixtures: Directory,
    database: Option<DatabaseUrl>,
    keys: Vec<String>,
    seed: Option<u64>,
    clock: Option<ClockStart>,
    faults: FaultPlan,
    hosts: Vec<String>,
    isolates_by_key: bool,
    is_strict: bool,
    is_loose: bool,
}

impl EmulatorBuilder {
    /// The users and groups that every namespace begins with.
    pub fn fixtures(self, fixtures: Directory) -> Self {
        Self { fixtures, ..self }
    }

    /// Keeps the default namespace in an SQLite file instead of in memory. The fixtures are loaded into it.
    pub fn database(self, database: DatabaseUrl) -> Self {
        Self { database: Some(database), ..self }
    }

    /// Takes this key, and no others but those that are given in the same way. Without any, every key is taken.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// Answers requests for this host name, too: `localhost`, its names, and the address of the listener need none. Other
    /// names are refused, so that no web page reaches the emulator by a name of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when it is no name, or has a port.
    pub fn allow_host(mut self, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if !is_host_name(&name) {
            return Err(Error::invalid(format!(
                "'{name}' is no name of a host: write one without a port, such as emulator.example"
            )));
        }
        self.hosts.push(name);
        Ok(self)
    }

    /// Makes ids and chance the same in every run. The clock stands at 2026-01-01T00:00:00Z unless it is set.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Where the clocks begin; with the machine's time by default.
    pub fn clock(self, clock: ClockStart) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// What goes wrong from the start.
    pub fn faults(self, faults: FaultPlan) -> Self {
        Self { faults, ..self }
    }

    /// Gives every key a namespace of its own.
    pub fn isolate_by_key(self, isolates_by_key: bool) -> Self {
        Self { isolates_by_key, ..self }
    }

    /// Refuses parameters that an operation does not have; otherwise a header of the answer names them.
    pub fn strict(self, is_strict: bool) -> Self {
        Self { is_strict, ..self }
    }

    /// Takes placeholders, such as the role "role", for values that the API has.
    pub fn loose(self, is_loose: bool) -> Self {
        Self { is_loose, ..self }
    }

    /// Starts it on a free port of this machine.
    ///
    /// # Errors
    ///
    /// When the fixtures cannot be loaded, which names the place in them, or when there is no free port.
    pub async fn start(self) -> Result<Emulator> {
        self.listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?).await
    }

    /// Starts it on a listener.
    ///
    /// # Errors
    ///
    /// When the fixtures cannot be loaded, which names the place in them.
    pub async fn listen(self, listener: TcpListener) -> Result<Emulator> {
        let address = listener.local_addr()?;
        let mut emulator = self.open_for(address.ip()).await?;
        let task = tokio::spawn(connections::run(listener, Arc::clone(&emulator.shared)));
        emulator.listening = Some(Listening { address, task });
        Ok(emulator)
    }

    /// Starts it without a port, for clients in this process: see [`Emulator::client`] and [`Emulator::service`].
    ///
    /// # Errors
    ///
    /// When the fixtures cannot be loaded, which names the place in them.
    pub async fn open(self) -> Result<Emulator> {
        self.open_for(Ipv4Addr::LOCALHOST.into()).await
    }

    /// Opens one that listens on this address.
    async fn open_for(self, address: IpAddr) -> Result<Emulator> {
        self.faults.check().map_err(Error::Invalid)?;
        let seeded = self.seed.map(|_| ClockStart::Fixed(SEEDED_CLOCK_MS));
        let clock = self.clock.or(seeded).unwrap_or_default();
        let beginning = Beginning {
            seed: self.seed,
            ids_seed: self.seed,
            clock,
            faults: self.faults.clone(),
            room: Room::default(),
        };
        let keys = if self.keys.is_empty() { Keys::Any } else { Keys::Stored };

        let template = Store::open_in_memory(None).await?;
        self.load(&template, &beginning).await?;
        let fixtures = template.snapshot().await?;
        let default = match &self.database {
            None => Namespace::open(DEFAULT, template, fixtures.clone(), &beginning, keys).await?,
            Some(url) => {
                let store = Store::open(url).await?;
                let beginning = after_earlier_runs(&store, &beginning).await?;
                self.load(&store, &beginning).await?;
                let begun = store.snapshot().await?;
                Namespace::open(DEFAULT, store, begun, &beginning, keys).await?
            }
        };
        let shared = Shared {
            hosts: AllowedHosts::of(address).with_names(self.hosts),
            bodies: Budget::of(BODIES_BYTES_MAX),
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            beginning,
            keys,
            key_hashes: self.keys.iter().map(|key| shared::key_hash(key.as_bytes())).collect(),
            is_strict: self.is_strict,
            is_loose: self.is_loose,
            isolates_by_key: self.isolates_by_key,
            fixtures,
            default,
            namespaces: Mutex::default(),
        };
        Ok(Emulator { shared: Arc::new(shared), listening: None })
    }

    /// Loads the fixtures and the keys.
    async fn load(&self, store: &Store, beginning: &Beginning) -> Result<()> {
        let (clock, ids) = (Clock::new(beginning.clock), Randomness::new(beginning.ids_seed, "fixtures"));
        let minter = Minter::new(move || clock.now_ms(), move || ids.bits());
        let organization = if self.fixtures == Directory::default() {
            store.open_organization(minter.stamp(TITLE), None).await?
        } else {
            store.load(minter.stamp(TITLE), self.fixtures.clone()).await?.organization
        };
        for (number, key) in self.keys.iter().enumerate() {
            let key = api_keys::given(key, &format!("Key {}", number + 1), api_keys::all_scopes());
            if store.find_api_key(key.hash.clone()).await?.is_none() {
                store.create_api_key(organization.org, minter.stamp(TITLE), key).await?;
            }
        }
        Ok(())
    }
}

/// The same beginning, with ids that no earlier run with the same seed has put into the database.
async fn after_earlier_runs(store: &Store, beginning: &Beginning) -> Result<Beginning> {
    let mut beginning = beginning.clone();
    if let Some(seed) = beginning.seed
        && !store.organizations().await?.is_empty()
    {
        beginning.ids_seed = Some(randomness::mixed(seed, store.snapshot().await?.as_bytes()));
    }
    Ok(beginning)
}

impl Emulator {
    /// One with an empty organization, on a free port of this machine.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// To say more about it.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// The base URL of the API, such as `http://127.0.0.1:43210/v1`. Without a port it leads nowhere outside of
    /// [`service`](Self::service).
    pub fn url(&self) -> String {
        format!("{}/v1", self.root())
    }

    /// The base URL of the controls.
    pub fn control_url(&self) -> String {
        format!("{}{}", self.root(), paths::CONTROLS_PREFIX)
    }

    fn root(&self) -> String {
        match &self.listening {
            Some(Listening { address, .. }) if address.ip().is_unspecified() => {
                // It is no address to ask.
                let loopback: IpAddr = match address.ip() {
                    IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                };
                format!("http://{}", SocketAddr::new(loopback, address.port()))
            }
            Some(listening) => format!("http://{}", listening.address),
            None => "http://localhost".to_owned(),
        }
    }

    /// A client of the API, over the port if there is one, and in process otherwise.
    ///
    /// # Errors
    ///
    /// Hardly any.
    pub fn client(&self) -> Result<Client, ClientError> {
        let builder = Client::builder().base_url(self.url()).key(KEY);
        match self.listening {
            Some(_) => builder.build(),
            None => builder.service(self.service()).build(),
        }
    }

    /// The service that answers the API and the controls, in process. Its error is a connection that a fault has reset.
    pub fn service(&self) -> EmulatorService {
        EmulatorService(Arc::clone(&self.shared))
    }

    /// The default namespace: the organization of requests that name none.
    pub fn namespace(&self) -> &Namespace {
        &self.shared.default
    }

    /// The namespace of this name, at `/_ns/NAME/v1`; made from the fixtures if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the name is none, or when there are too many.
    pub async fn namespace_named(&self, name: &str) -> Result<Namespace> {
        shared::check_name(name)?;
        self.shared.namespace(name, Makes::Kept).await
    }

    /// The namespace of a key, where every key has its own.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when there are too many.
    pub async fn namespace_of_key(&self, key: &str) -> Result<Namespace> {
        let name = shared::name_of_key(format!("Bearer {key}").as_bytes());
        self.shared.namespace(&name, Makes::Kept).await
    }
}

/// The emulator as a service, for clients in the same process. Cheap to clone; it keeps the emulator alive.
#[derive(Clone, Debug)]
pub struct EmulatorService(Arc<Shared>);

impl<B> tower_service::Service<Request<B>> for EmulatorService
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Reset;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Reset>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Reset>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { service::route(&shared, request).await })
    }
}
