//! `openai-admin emulate`: an organization to test on, until it is told to stop.

use std::path::Path;

use openai_admin_emulator::{
    Emulator, EmulatorBuilder, Error,
    clock::ClockStart,
    faults::{FaultPlan, Profile},
};
use openai_admin_store::{DatabaseUrl, Directory, Error as StoreError};
use openai_admin_sync::yaml;
use tokio::net::TcpListener;

use super::{load, serve::signals::Signals};
use crate::{
    arguments::{EmulateArguments, GlobalArguments, LogFormat, ProfileChoice},
    config::{self, Environment},
    directory_file,
    failure::{Failure, Result, While as _},
    log,
    output::{Output, file_name},
};

/// What an emulator logs unless the environment says otherwise: what goes wrong by itself, and not on purpose.
const LOG_LEVEL: &str = "error";

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
            Failure::from(error).hint("choose another address with --listen; port 0 is a free one")
        })
        .doing(|| format!("listen on {address}"))?;
    let emulator = builder.listen(listener).await.map_err(|error| failure(error, fixtures.as_ref()))?;
    // Programs that start an emulator wait for this line.
    let line = serde_json::json!({ "url": emulator.url(), "controls": emulator.control_url() });
    output.data(&format!("{line}\n"))?;
    tokio::select! {
        () = signals.next() => {}
        () = hangup => {}
    }
    Ok(())
}

fn check_exposure(arguments: &EmulateArguments) -> Result<()> {
    let address = arguments.address();
    if !arguments.require_key.is_empty() {
        return Err(Failure::usage(
            "--require-key takes a key from the arguments, which every user of the machine can read",
        )
        .hint("put the keys into a file, one on each line: --require-key-file FILE")
        .hint(format!("or into the environment, separated by spaces: {}", config::REQUIRED_KEYS)));
    }
    if address.ip().is_loopback() || arguments.allow_remote {
        return Ok(());
    }
    let message = format!("other machines can reach {address}, and the emulator's controls need no key");
    Err(Failure::usage(message)
        .hint("for this machine alone: --listen 127.0.0.1:8080")
        .hint("in a container, or in a network of your own: --allow-remote")
        .hint("to serve an organization to others, use `openai-admin serve`"))
}

/// Ends when the terminal of the emulator is closed. It never ends when SIGHUP was ignored at the start, as nohup does.
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

/// As Linux tells it. Elsewhere nothing tells without unsafe code.
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
}

impl Fixtures {
    fn read(file: &Path) -> Result<Self> {
        let name = file_name(file);
        let text = load::read(file).doing(|| format!("read {name}"))?;
        let directory = directory_file::parse(&text, &name)?;
        Ok(Self { name, text, directory })
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
        .loose(arguments.loose)
        .faults(faults(arguments)?);
    if let Some(fixtures) = fixtures {
        builder = builder.fixtures(fixtures.directory.clone());
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
    // Only what is typed: the database of the environment is one that people work on.
    if global.local.is_some() || global.database.is_some() {
        let url = config::database("emulate", global, environment)?.url;
        if let DatabaseUrl::Postgres(_) = url {
            return Err(Failure::usage(
                "an emulator keeps its organization in SQLite, since it goes back in time",
            )
            .hint("leave --database out for one in memory, or name a file with --local FILE"));
        }
        builder = builder.database(url);
    }
    Ok(builder)
}

fn faults(arguments: &EmulateArguments) -> Result<FaultPlan> {
    let mut plan = match &arguments.faults {
        None => FaultPlan::default(),
        Some(file) => {
            let name = file_name(file);
            let text = load::read(file).doing(|| format!("read {name}"))?;
            let plan: FaultPlan = yaml::read(&text, &name).map_err(|fault| {
                let failure = fault_file(fault.to_string());
                fault.hint.into_iter().fold(failure, Failure::hint)
            })?;
            plan.check().map_err(|problem| fault_file(format!("{name}: {problem}")))?;
            plan
        }
    };
    if let Some(choice) = arguments.profile {
        plan.profile = Some(match choice {
            ProfileChoice::ProductionLike => Profile::ProductionLike,
            ProfileChoice::Flaky => Profile::Flaky,
            ProfileChoice::Slow => Profile::Slow,
        });
    }
    Ok(plan)
}

fn fault_file(problem: String) -> Failure {
    Failure::bad_input(problem).hint("docs/emulator.md describes faults, with an example of each")
}

fn failure(error: Error, fixtures: Option<&Fixtures>) -> Failure {
    match (error, fixtures) {
        (Error::Store(StoreError::InvalidValue { field, expected }), Some(fixtures)) => {
            directory_file::fault_at(&fixtures.text, &fixtures.name, &field, &expected)
        }
        (Error::Store(error), _) => Failure::from(error),
        (Error::Io(error), _) => Failure::from(error),
        (error, _) => Failure::usage(error.to_string()),
    }
}
