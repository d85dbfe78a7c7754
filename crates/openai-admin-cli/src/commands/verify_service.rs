//! `openai-admin verify-service`: tries the assumed rules at a service, and removes everything it created.

mod journal;
mod report;
mod service;
mod things;
mod trials;

use std::path::Path;

use openai_admin_sync::{
    lock::{Lock, LockError},
    private,
};

use self::{
    journal::Journal,
    report::{Row, Verdict},
    service::Service,
    things::Things,
};
use super::memberships::{interrupted, now};
use crate::{
    arguments::{GlobalArguments, VerifyServiceArguments},
    config::Environment,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, count},
    prompt::Consent,
    session::{Access, Session},
    target,
};

/// The folder of journals, in the folder with the runs of a service.
const FOLDER: &str = "verify";
/// The prefix of the names of all resources.
const PREFIX: &str = "openai-admin-verify";

pub(super) async fn run(
    arguments: VerifyServiceArguments,
    global: &GlobalArguments,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let consent = Consent::of(&arguments.consent, "verifying a service")?;
    let folder = target::state_of_service(global, environment)?.join(FOLDER);
    private::create_folder(&folder).doing(|| "create the folder of journals".to_owned())?;
    let _lock = lock(&folder)?;
    let session = Session::open(Access::Changes, "verify-service", global, environment, output).await?;
    let service = Service::new(&session.client, arguments.max_rpm);
    let done = Box::pin(verify(&arguments, &consent, &folder, &service, output)).await;
    session.close().await;
    done
}

/// Only one verification of a service runs at a time, because each removes what earlier ones left.
fn lock(folder: &Path) -> Result<Lock> {
    let holder = format!("process {}", std::process::id());
    Lock::take(&folder.join("lock"), &holder).map_err(|error| match error {
        LockError::Held(holder) => {
            Failure::new(ExitStatus::Locked, format!("another verification of this service runs: {holder}"))
                .hint("retry when it ends")
        }
        LockError::Io(error) => error.into(),
    })
}

async fn verify(
    arguments: &VerifyServiceArguments,
    consent: &Consent,
    folder: &Path,
    service: &Service,
    output: &Output,
) -> Result<()> {
    let names = Journal::names(folder).doing(|| "read the journals".to_owned())?;
    if arguments.clean_up {
        let left = count(names.len(), "earlier verification");
        consent.ask_aside(&format!("remove the resources of {left}?"), output).await?;
        clean_up(&names, folder, service).await?;
        output.note(&format!("Removed: the resources of {left}."));
        return Ok(());
    }
    output.note(&announcement(names.len()));
    consent.ask_aside("continue?", output).await?;
    clean_up(&names, folder, service).await?;
    let now = now();
    let tag = format!("{PREFIX}-{:x}-{:x}", now.as_second(), std::process::id());
    let journal = Journal::open(folder, &tag).doing(|| "create the journal".to_owned())?;
    let mut things = Things::new(service, journal);
    let mut rows = Vec::new();
    let tried = tokio::select! {
        biased;
        () = interrupted() => Err(Failure::new(ExitStatus::Stopped, "stopped; everything was removed")),
        tried = trials::run(&mut things, &tag, &mut rows) => tried,
    };
    let removed = things.remove_all().await;
    if tried.is_ok() {
        print(arguments, &rows, &now.strftime("%Y-%m-%d").to_string(), output)?;
        output.note(&format!("{}; {}", report::summary(&rows), count(service.requests(), "request")));
    }
    removed?;
    tried?;
    let differs = |row: &Row| matches!(row.verdict(), Verdict::Different | Verdict::OtherAnswer);
    match rows.iter().any(differs) {
        true => Err(Failure::silent(ExitStatus::Difference)),
        false => Ok(()),
    }
}

/// What the command does, before it asks.
fn announcement(earlier: usize) -> String {
    let mut text = format!(
        "Tries {} with at most {}, one at a time.\n\
         Creates a project, a group, a role, a certificate and an invite to example.invalid, and more roles, \
         certificates and invites if the service accepts what it should refuse. Their names start with {PREFIX}.\n\
         Adds one user of the organization to this project and this group.\n\
         Removes everything at the end. The project is archived, because the API cannot delete it. The audit log keeps \
         its events.",
        count(trials::tried_count(), "rule"),
        count(trials::requests_max(), "request"),
    );
    if earlier > 0 {
        text += &format!("\nFirst removes what {} left.", count(earlier, "earlier verification"));
    }
    text
}

async fn clean_up(names: &[String], folder: &Path, service: &Service) -> Result<()> {
    for name in names {
        let journal = Journal::open(folder, name).doing(|| format!("read the journal {name}"))?;
        Things::new(service, journal).remove_all().await?;
    }
    Ok(())
}

fn print(arguments: &VerifyServiceArguments, rows: &[Row], day: &str, output: &Output) -> Result<()> {
    match arguments.markdown {
        true => output.data(&report::markdown(rows, day)),
        false => output.items(rows, "no rules"),
    }
}
