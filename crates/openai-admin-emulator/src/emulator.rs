use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use axum::{Router, body::HttpBody, http::Request, response::Response};
use bytes::Bytes;
use openai_admin::{
    Client, Error as ClientError,
    operations::{CreateUsageBatch, ListProjects},
};
use openai_admin_server::{
    Minter, api_keys,
    browser::{AllowedHosts, is_host_name},
};
use openai_admin_store::{DatabaseUrl, Directory, Rules, Store};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use crate::{
    bodies::BODIES_BYTES_MAX,
    clock::{Clock, ClockStart},
    connections,
    error::{Error, Result},
    faults::FaultPlan,
    fixtures::FixtureRequest,
    keys::{Keys, router},
    memory::Budget,
    namespace::{InitialState, MemoryBudgets, Namespace},
    paths,
    randomness::{self, Randomness},
    service::{self, Recording, Reset},
    shared::{self, DEFAULT, OnMissing, RUNNING_MAX, Shared},
    usage,
};

/// The time of the clock with a seed and without a start time: 2026-01-01T00:00:00Z.
const SEEDED_CLOCK_MS: i64 = 1_767_225_600_000;
/// The title of an organization without fixtures.
const TITLE: &str = "emulated";
/// The key of [`Emulator::client`].
const KEY: &str = "sk-admin-emulator";

/// An organization for tests. Dropping the emulator deletes it.
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
/// // Any program can use the API at this URL, with any key:
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

/// Configures an emulator.
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
    rules: Rules,
    requests: Vec<FixtureRequest>,
    has_demo_usage: bool,
}

impl EmulatorBuilder {
    /// Sets the initial users and groups of every namespace.
    pub fn fixtures(self, fixtures: Directory) -> Self {
        Self { fixtures, ..self }
    }

    /// Stores the default namespace in an SQLite file instead of in memory. The fixtures are loaded into it.
    pub fn database(self, database: DatabaseUrl) -> Self {
        Self { database: Some(database), ..self }
    }

    /// Accepts this key. Call it again for more keys. Without a key, any key is accepted.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// Accepts requests for this host name, in addition to `localhost`, its subdomains and the address of the listener.
    /// Other names are refused, so that a web page cannot reach the emulator by DNS rebinding.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the name is invalid or has a port.
    pub fn allow_host(mut self, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if !is_host_name(&name) {
            return Err(Error::invalid(format!(
                "invalid host name '{name}': use a name without a port, such as emulator.example"
            )));
        }
        self.hosts.push(name);
        Ok(self)
    }

    /// Makes ids and random faults the same in every run. The clock is stopped at 2026-01-01T00:00:00Z unless it is
    /// set.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Sets the start of the clocks. Default: the machine's time.
    pub fn clock(self, clock: ClockStart) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Sets the initial faults.
    pub fn faults(self, faults: FaultPlan) -> Self {
        Self { faults, ..self }
    }

    /// Gives each key a separate namespace.
    pub fn isolate_by_key(self, isolates_by_key: bool) -> Self {
        Self { isolates_by_key, ..self }
    }

    /// Refuses unknown parameters. Otherwise a header of the response lists them.
    pub fn strict(self, is_strict: bool) -> Self {
        Self { is_strict, ..self }
    }

    /// Sets the initial rules of every namespace. Default: all apply, as in the server. Generated test suites need
    /// [`Rules::loose`].
    pub fn rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Sends requests to every new namespace after its directory is loaded. A file of
    /// [`database`](Self::database) that contains an organization does not get them again.
    pub fn requests(self, requests: Vec<FixtureRequest>) -> Self {
        Self { requests, ..self }
    }

    /// Gives every new namespace usage and costs of the year before the start of its clock, in up to four of its projects.
    /// They are the same for the same [`seed`](Self::seed).
    pub fn demo_usage(self, has_demo_usage: bool) -> Self {
        Self { has_demo_usage, ..self }
    }

    /// Starts the emulator on a free port of this machine.
    ///
    /// # Errors
    ///
    /// If the fixtures cannot be loaded (the error contains the position in them), or if there is no free port.
    pub async fn start(self) -> Result<Emulator> {
        self.listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?).await
    }

    /// Starts the emulator on a listener.
    ///
    /// # Errors
    ///
    /// If the fixtures cannot be loaded. The error contains the position in them.
    pub async fn listen(self, listener: TcpListener) -> Result<Emulator> {
        self.listen_with(listener, |_| None).await
    }

    /// Starts the emulator on a listener, with pages at `/console` and below. They get a service without faults, whose
    /// requests are not journaled.
    ///
    /// # Errors
    ///
    /// If the fixtures cannot be loaded. The error contains the position in them.
    pub async fn listen_with(
        self,
        listener: TcpListener,
        pages: impl FnOnce(EmulatorService) -> Option<Router>,
    ) -> Result<Emulator> {
        let address = listener.local_addr()?;
        let mut emulator = self.open_for(address.ip()).await?;
        // The task owns the pages: in the shared state they would keep it alive.
        let pages = pages(EmulatorService(Arc::clone(&emulator.shared), Recording::Off));
        let task = tokio::spawn(connections::run(listener, Arc::clone(&emulator.shared), pages));
        emulator.listening = Some(Listening { address, task });
        Ok(emulator)
    }

    /// Starts the emulator without a port, for clients in this process: see [`Emulator::client`] and
    /// [`Emulator::service`].
    ///
    /// # Errors
    ///
    /// If the fixtures cannot be loaded. The error contains the position in them.
    pub async fn open(self) -> Result<Emulator> {
        self.open_for(Ipv4Addr::LOCALHOST.into()).await
    }

    /// Opens an emulator for a listener at this address.
    async fn open_for(self, address: IpAddr) -> Result<Emulator> {
        self.faults.check().map_err(Error::Invalid)?;
        let seeded = self.seed.map(|_| ClockStart::Fixed(SEEDED_CLOCK_MS));
        let clock = self.clock.or(seeded).unwrap_or_default();
        let initial_state = InitialState {
            seed: self.seed,
            ids_seed: self.seed,
            clock,
            faults: self.faults.clone(),
            rules: self.rules,
            budgets: MemoryBudgets::default(),
        };
        let keys = if self.keys.is_empty() { Keys::Any } else { Keys::Stored };

        let template = Store::open_in_memory(None).await?;
        self.load(&template, &initial_state).await?;
        let fixtures = template.snapshot().await?;
        let default = match &self.database {
            None => Namespace::open(DEFAULT, template, fixtures.clone(), &initial_state, keys).await?,
            Some(url) => {
                let store = Store::open(url).await?;
                let initial_state = after_earlier_runs(&store, &initial_state).await?;
                self.load(&store, &initial_state).await?;
                let initial = store.snapshot().await?;
                Namespace::open(DEFAULT, store, initial, &initial_state, keys).await?
            }
        };
        let shared = Shared {
            hosts: AllowedHosts::of(address).with_names(self.hosts),
            bodies: Budget::of(BODIES_BYTES_MAX),
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            initial_state,
            keys,
            key_hashes: self.keys.iter().map(|key| shared::key_hash(key.as_bytes())).collect(),
            is_strict: self.is_strict,
            isolates_by_key: self.isolates_by_key,
            fixtures,
            default,
            namespaces: Mutex::default(),
        };
        Ok(Emulator { shared: Arc::new(shared), listening: None })
    }

    /// Loads the fixtures and the keys. Requests are sent to a new organization only.
    async fn load(&self, store: &Store, initial_state: &InitialState) -> Result<()> {
        let (clock, ids) =
            (Clock::new(initial_state.clock), Randomness::new(initial_state.ids_seed, "fixtures"));
        let rules = self.rules;
        let minter = Minter::new(move || clock.now_ms(), move || ids.bits()).with_rules(move || rules);
        let is_new = store.organizations().await?.is_empty();
        let organization = if self.fixtures == Directory::default() {
            store.open_organization(minter.stamp(TITLE), None).await?
        } else {
            store.load(minter.stamp(TITLE), self.fixtures.clone()).await?.organization
        };
        for (index, request) in self.requests.iter().enumerate().filter(|_| is_new) {
            let minter = minter.clone().with_ids(request.ids());
            let sent = request.send(router(store, &minter, &organization, Keys::Any)).await;
            sent.map_err(|error| Error::invalid(format!("requests[{index}]: {error}")))?;
        }
        if self.has_demo_usage && is_new {
            let projects = store.read(organization.org, minter.now(), ListProjects::new()).await?;
            let projects: Vec<String> = projects.data.iter().map(|project| project.id.to_string()).collect();
            for batch in usage::demo(initial_state.seed.unwrap_or_default(), minter.now(), &projects)? {
                store.change(organization.org, minter.stamp(TITLE), CreateUsageBatch::new(batch)).await?;
            }
        }
        for (number, key) in self.keys.iter().enumerate() {
            let key = api_keys::given(key, &format!("Key {}", number + 1), api_keys::all_scopes());
            if store.find_api_key(key.hash.clone()).await?.is_none() {
                store.create_api_key(organization.org, minter.stamp(TITLE), key).await?;
            }
        }
        Ok(())
    }
}

/// The same initial state, with a seed for ids that no earlier run with this database has used.
async fn after_earlier_runs(store: &Store, initial_state: &InitialState) -> Result<InitialState> {
    let mut initial_state = initial_state.clone();
    if let Some(seed) = initial_state.seed
        && !store.organizations().await?.is_empty()
    {
        initial_state.ids_seed = Some(randomness::mixed(seed, store.snapshot().await?.as_bytes()));
    }
    Ok(initial_state)
}

impl Emulator {
    /// Starts an emulator with an empty organization on a free port of this machine.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// The base URL of the API, such as `http://127.0.0.1:43210/v1`. Without a port, only [`service`](Self::service)
    /// answers it.
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
                // Clients cannot connect to the unspecified address.
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

    /// A client of the API, over the port or in process.
    ///
    /// # Errors
    ///
    /// If the client cannot be built.
    pub fn client(&self) -> Result<Client, ClientError> {
        let builder = Client::builder().base_url(self.url()).key(KEY);
        match self.listening {
            Some(_) => builder.build(),
            None => builder.service(self.service()).build(),
        }
    }

    /// The in-process service of the API and the controls. It fails if a fault resets the connection.
    pub fn service(&self) -> EmulatorService {
        EmulatorService(Arc::clone(&self.shared), Recording::On)
    }

    /// The default namespace, for requests that select none.
    pub fn namespace(&self) -> &Namespace {
        &self.shared.default
    }

    /// The namespace of this name, at `/_ns/NAME/v1`. Created from the fixtures if it does not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the name is invalid, or if there are too many namespaces.
    pub async fn namespace_named(&self, name: &str) -> Result<Namespace> {
        shared::check_name(name)?;
        self.shared.namespace(name, OnMissing::Create).await
    }

    /// The namespace of a key, if every key has a separate one.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there are too many namespaces.
    pub async fn namespace_of_key(&self, key: &str) -> Result<Namespace> {
        let name = shared::name_of_key(format!("Bearer {key}").as_bytes());
        self.shared.namespace(&name, OnMissing::Create).await
    }
}

/// The emulator as an in-process service. Cheap to clone. Keeps the emulator alive.
#[derive(Clone, Debug)]
pub struct EmulatorService(Arc<Shared>, Recording);

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
        let (shared, recording) = (Arc::clone(&self.0), self.1);
        Box::pin(async move { service::route(&shared, request, recording).await })
    }
}
