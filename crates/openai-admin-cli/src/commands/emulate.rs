//! `openai-admin emulate`: an organization to test on, until it is told to stop.

use std::path::Path;

use openai_admin_emulator::{
    Emulator, EmulatorBuilder, Error,
    clock::ClockStart,
    faults::{FaultPlan, Profile},
};
use openai_admin_store::{DatabaseUrl, Directory, Error as StoreError};
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
    let address = arguments.listen;
    if !address.ip().is_loopback() {
        return Err(Failure::usage(format!(
            "{address} is reachable from other machines, and an emulator believes everybody"
        ))
        .hint("listen on 127.0.0.1; to serve others, use `openai-admin serve`"));
    }
    let level = environment.log.as_deref().unwrap_or(LOG_LEVEL);
    log::start(level, LogFormat::Human, global.color, environment)?;
    let mut signals = Signals::new()?;
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
    signals.next().await;
    Ok(())
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
    for key in &arguments.require_key {
        builder = builder.key(key);
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
            FaultPlan::from_text(&text).map_err(|problem| {
                Failure::bad_input(format!("{name}: {problem}"))
                    .hint("docs/emulator.md describes faults, with an example of each")
            })?
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
