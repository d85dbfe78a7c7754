//! `openai-admin emulate`: an organization for tests, until a signal stops it.

use std::{net::SocketAddr, path::Path};

use openai_admin::Client;
use openai_admin_console::{Console, Pages, Router};
use openai_admin_emulator::{
    Emulator, EmulatorBuilder, EmulatorService, Error, FixtureRequest,
    clock::ClockStart,
    faults::{FaultPlan, Profile},
    rules::RuleStates,
};
use openai_admin_server::{Minter, browser::AllowedHosts};
use openai_admin_store::{DatabaseUrl, Directory, Error as StoreError, Rules};
use openai_admin_sync::{Policy, yaml};
use tokio::net::TcpListener;

use super::{load, serve::signals::Signals};
use crate::{
    arguments::{EmulateArguments, GlobalArguments, LogFormat, ProfileChoice, UsageChoice},
    config::{self, Environment},
    directory_file,
    failure::{Doing as _, Failure, Result},
    log,
    output::{Output, file_name},
};

/// The default log level: real errors, but not injected faults.
const LOG_LEVEL: &str = "error";
/// The key and the URL of the web console's requests in process.
const CONSOLE_KEY: &str = "sk-admin-console";
const CONSOLE_URL: &str = "http://localhost/v1";
const CONTROLS_URL: &str = "http://localhost";

pub(super) async fn run(
    arguments: EmulateArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let address = arguments.address();
    check_exposure(&arguments)?;
    let level = environment.log.as_deref().unwrap_or(LOG_LEVEL);
    log::start(level, LogFormat::Human, global.color, environment)?;
    let mut signals = Signals::new()?;
    let hangup = hangup()?;
    let fixtures = arguments.fixtures.as_deref().map(Fixtures::read).transpose()?;
    let builder = builder(&arguments, global, environment, fixtures.as_ref())?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| {
            Failure::from(error).hint("pick another address with --listen; port 0 picks a free port")
        })
        .doing(|| format!("listen on {address}"))?;
    // The runs of the console end with the emulator.
    let runs = tempfile::tempdir().doing(|| "create a folder for runs".to_owned())?;
    let pages = console(&arguments, environment, address, runs.path())?;
    let emulator = builder.listen_with(listener, pages).await;
    let emulator = emulator.map_err(|error| failure(error, fixtures.as_ref()))?;
    // Programs that start an emulator wait for this line.
    let line = serde_json::json!({ "url": emulator.url(), "controls": emulator.control_url() });
    output.data(&format!("{line}\n"))?;
    tokio::select! {
        () = signals.next() => {}
        () = hangup => {}
    }
    Ok(())
}

/// The web console of the emulator, without sign-in.
fn console(
    arguments: &EmulateArguments,
    environment: &Environment,
    address: SocketAddr,
    runs: &Path,
) -> Result<impl FnOnce(EmulatorService) -> Option<Router>> {
    let keys = config::required_keys(arguments.require_key_file.as_deref(), environment)?;
    let key = keys.first().map_or(CONSOLE_KEY.to_owned(), |key| key.expose().to_owned());
    let hosts = AllowedHosts::of(address.ip()).with_names(arguments.allow_host.iter().cloned());
    let runs = Some(runs.to_owned());
    let pages = Pages { hosts, is_secure: false, runs, command: None, policy: Policy::default() };
    Ok(move |service: EmulatorService| {
        let client_of =
            |url| Client::builder().base_url(url).key(&key).retries(0).service(service.clone()).build();
        let (client, controls) = (client_of(CONSOLE_URL).ok()?, client_of(CONTROLS_URL).ok()?);
        Some(Console::open(client, controls, Minter::system(), pages).router())
    })
}

fn check_exposure(arguments: &EmulateArguments) -> Result<()> {
    let address = arguments.address();
    if !arguments.require_key.is_empty() {
        return Err(Failure::usage(
            "--require-key exposes the key: every user of the machine can read arguments",
        )
        .hint("put the keys in a file, one per line: --require-key-file FILE")
        .hint(format!("or in the environment, separated by spaces: {}", config::REQUIRED_KEYS)));
    }
    if address.ip().is_loopback() || arguments.allow_remote {
        return Ok(());
    }
    let message = format!("other machines can reach {address}, and the emulator's controls need no key");
    Err(Failure::usage(message)
        .hint("on loopback only: --listen 127.0.0.1:8080")
        .hint("in a container or a private network: --allow-remote")
        .hint("to serve an organization to others, use `openai-admin serve`"))
}

/// Ends when the emulator's terminal closes. Never ends if SIGHUP was ignored at the start, as under nohup.
#[cfg(unix)]
fn hangup() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let signal = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async {
        match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    })
}

#[cfg(not(unix))]
fn hangup() -> Result<impl Future<Output = ()>> {
    Ok(std::future::pending())
}

/// Reads it from Linux's /proc. Other systems need unsafe code for it.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    // SIGHUP is signal 1, the lowest bit.
    mask & 1 == 1
}

/// The file of `--fixtures`.
struct Fixtures {
    name: String,
    text: String,
    directory: Directory,
    requests: Vec<FixtureRequest>,
}

impl Fixtures {
    fn read(file: &Path) -> Result<Self> {
        let name = file_name(file);
        let text = load::read(file).doing(|| format!("read {name}"))?;
        let fixtures: openai_admin_emulator::Fixtures = directory_file::parse(&text, &name)?;
        let (directory, requests) = fixtures.into_parts();
        Ok(Self { name, text, directory, requests })
    }
}

fn builder(
    arguments: &EmulateArguments,
    global: &GlobalArguments,
    environment: &Environment,
    fixtures: Option<&Fixtures>,
) -> Result<EmulatorBuilder> {
    let mut builder = Emulator::builder()
        .isolate_by_key(arguments.isolate_by_key)
        .strict(arguments.strict)
        .demo_usage(arguments.usage == Some(UsageChoice::Demo))
        .rules(rules(arguments)?)
        .faults(faults(arguments)?);
    if let Some(fixtures) = fixtures {
        builder = builder.fixtures(fixtures.directory.clone()).requests(fixtures.requests.clone());
    }
    for key in config::required_keys(arguments.require_key_file.as_deref(), environment)? {
        builder = builder.key(key.expose());
    }
    for name in &arguments.allow_host {
        builder =
            builder.allow_host(name).map_err(|error| Failure::usage(format!("--allow-host: {error}")))?;
    }
    if let Some(seed) = arguments.seed {
        builder = builder.seed(seed);
    }
    if let Some(clock) = arguments.clock {
        builder = builder.clock(ClockStart::Fixed(clock));
    }
    // Ignores the variable OPENAI_ADMIN_DATABASE: it may name a database in real use.
    if global.local.is_some() || global.database.is_some() {
        let url = config::database("emulate", global, environment)?.url;
        if let DatabaseUrl::Postgres(_) = url {
            return Err(Failure::usage("the emulator needs SQLite for its snapshots, not PostgreSQL")
                .hint("omit --database to use memory, or pass a file with --local FILE"));
        }
        builder = builder.database(url);
    }
    Ok(builder)
}

fn rules(arguments: &EmulateArguments) -> Result<Rules> {
    let initial = if arguments.loose { Rules::loose() } else { Rules::default() };
    arguments.rule.iter().try_fold(initial, |rules, switch| {
        let states = switch.parse::<RuleStates>().and_then(|states| states.applied_to(rules));
        states.map_err(|error| Failure::usage(format!("--rule: {error}")))
    })
}

fn faults(arguments: &EmulateArguments) -> Result<FaultPlan> {
    let mut plan = match &arguments.faults {
        None => FaultPlan::default(),
        Some(file) => {
            let name = file_name(file);
            let text = load::read(file).doing(|| format!("read {name}"))?;
            let plan: FaultPlan = yaml::read(&text, &name).map_err(|error| {
                let failure = bad_fault_file(error.to_string());
                error.hint.into_iter().fold(failure, Failure::hint)
            })?;
            plan.check().map_err(|problem| bad_fault_file(format!("{name}: {problem}")))?;
            plan
        }
    };
    if let Some(choice) = arguments.faults_of_profile().map_err(Failure::usage)? {
        plan.profile = Some(match choice {
            ProfileChoice::ProductionLike => Profile::ProductionLike,
            ProfileChoice::Flaky => Profile::Flaky,
            ProfileChoice::Slow => Profile::Slow,
        });
    }
    Ok(plan)
}

fn bad_fault_file(problem: String) -> Failure {
    Failure::bad_input(problem).hint("docs/emulator.md describes faults, with an example of each")
}

fn failure(error: Error, fixtures: Option<&Fixtures>) -> Failure {
    match (error, fixtures) {
        (Error::Store(StoreError::InvalidValue { field, expected }), Some(fixtures)) => {
            directory_file::error_at(&fixtures.text, &fixtures.name, &field, &expected)
        }
        (Error::Store(error), _) => Failure::from(error),
        (Error::Io(error), _) => Failure::from(error),
        (error, _) => Failure::usage(error.to_string()),
    }
}
