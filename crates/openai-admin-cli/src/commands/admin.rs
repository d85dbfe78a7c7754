//! `openai-admin admin`: the commands that operate a server.

use std::{io, net::SocketAddr, path::Path, time::Duration};

use openai_admin_store::{BackupProgress, Census, DatabaseUrl, Store};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};

use crate::{
    arguments::{AdminCommand, ConsentArguments},
    config::{Database, Environment},
    database,
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Output, count, file_name, visible},
    progress::Progress,
    prompt::Consent,
    settings,
};

/// The variable with a server's `--admin-listen` address.
const ADMIN_LISTEN: &str = "OPENAI_ADMIN_ADMIN_LISTEN";
/// Timeout of `ready`. The server's own timeout for its database is shorter.
const READY_TIMEOUT: Duration = Duration::from_secs(4);
/// The pause between two requests of `ready --wait`.
const READY_PAUSE: Duration = Duration::from_millis(200);
/// The longest response of `/ready` that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 4096;
/// The length of the progress bar before the number of steps is known: enough to draw one.
const STEPS_UNKNOWN: u64 = 1_000;

pub(super) async fn run(command: AdminCommand, database: &Database, output: &Output) -> Result<()> {
    match command {
        AdminCommand::Backup { file } => back_up(database, &file, output).await,
        AdminCommand::Restore { file, overwrite: true, dry_run: true, .. } => {
            preview_restore(database, &file, output).await
        }
        AdminCommand::Restore { dry_run: true, .. } => {
            Err(Failure::usage("--dry-run previews --overwrite: without it, nothing can be lost")
                .hint("pass both, or neither"))
        }
        AdminCommand::Restore { file, overwrite, consent, .. } => {
            restore(database, &file, overwrite, &consent, output).await
        }
        AdminCommand::Verify => verify(database, output).await,
        AdminCommand::Migrate { check } => migrate(database, check, output).await,
        // These need no database.
        AdminCommand::Ready { .. } | AdminCommand::Settings { .. } => Ok(()),
    }
}

pub(super) fn settings(toml: bool, output: &Output) -> Result<()> {
    if toml {
        return output.data(&settings::example());
    }
    output.wrapped_items(&settings::all(), "there are no settings")
}

/// Requests a server's `/ready`, for the health check of a container without another HTTP client. Repeats the request
/// until the server is ready or `wait` has passed.
pub(super) async fn ready(
    address: Option<SocketAddr>,
    wait: Duration,
    environment: &Environment,
    output: &Output,
) -> Result<()> {
    let address = match (address, environment.own(ADMIN_LISTEN)) {
        (Some(address), _) => address,
        (None, Some(text)) => text.parse().map_err(|_| {
            Failure::usage(format!("{ADMIN_LISTEN}: expected ADDRESS:PORT, such as 127.0.0.1:9090"))
        })?,
        (None, None) => return Err(Failure::usage("no address: pass the server's --admin-listen address")),
    };
    let mut last = check_ready(address).await;
    let waited = async {
        while last.is_err() {
            tokio::time::sleep(READY_PAUSE).await;
            last = check_ready(address).await;
        }
    };
    // After the deadline, the last failure says why.
    let _ = tokio::time::timeout(wait, waited).await;
    output.note(&last?);
    Ok(())
}

/// The word of a server that is ready.
async fn check_ready(address: SocketAddr) -> Result<String> {
    let answer = tokio::time::timeout(READY_TIMEOUT, ask_ready(address)).await;
    let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let answer = answer.doing(|| format!("connect to {address}"))?;
    let word = answer.rsplit("\r\n").next().unwrap_or_default().trim();
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(word.to_owned());
    }
    Err(Failure::new(ExitStatus::Failed, format!("{address} is not ready: {}", visible(word))))
}

async fn ask_ready(address: SocketAddr) -> io::Result<String> {
    let connection = TcpStream::connect(address).await;
    let mut stream = connection.map_err(|error| io::Error::from(error.kind()))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn back_up(database: &Database, file: &Path, output: &Output) -> Result<()> {
    database::failure::check_file(database, false)?;
    let (report, progress) = progress_channel();
    let copying = Store::back_up(&database.url, file, report);
    let census = watched(copying, progress, output).await;
    let census = census.doing(|| format!("back up {} to {}", database.url, file_name(file)))?;
    let census = census_text(&census);
    output.note(&format!("backed up {} to {}: {census}; verified", database.url, file_name(file)));
    Ok(())
}

/// Asks before a PostgreSQL database is overwritten: unlike with a SQLite file, it is unknown whether a server uses it.
async fn confirm_overwrite(database: &Database, consent: &ConsentArguments, output: &Output) -> Result<()> {
    let consent = Consent::of(consent, "overwriting a PostgreSQL database")?;
    let census = Store::census_of(&database.url).await.doing(|| format!("open {}", database.url))?;
    let census = census.as_ref().map_or_else(|| "everything in it".to_owned(), census_text);
    let question = format!(
        "Replace {} with the backup, even if a server uses it? You will lose {census}.",
        database.url
    );
    consent.ask_aside(&question, output).await
}

/// Shows what `restore --overwrite` would restore, and what would be lost.
async fn preview_restore(database: &Database, file: &Path, output: &Output) -> Result<()> {
    check_backup(file)?;
    let backup = DatabaseUrl::Sqlite(file.to_owned());
    let restored = Store::census_of(&backup).await.doing(|| format!("open {}", file_name(file)))?;
    let restored = restored.ok_or_else(|| {
        Failure::bad_input(format!("{} is not a backup of this version", file_name(file)))
            .hint(format!("openai-admin --local {} admin migrate --check", file_name(file)))
    })?;
    let lost = match database.missing_file() {
        Some(_) => "nothing".to_owned(),
        None => {
            let census = Store::census_of(&database.url).await.doing(|| format!("open {}", database.url))?;
            census.as_ref().map_or_else(|| "everything in it".to_owned(), census_text)
        }
    };
    let restored = census_text(&restored);
    let would =
        format!("replace {} with {}: {restored}. You would lose {lost}.", database.url, file_name(file));
    Consent::DryRun.ask(&would, output)
}

fn check_backup(file: &Path) -> Result<()> {
    if file.is_file() {
        return Ok(());
    }
    Err(Failure::not_found(format!("{} does not exist", file_name(file))))
}

async fn restore(
    database: &Database,
    file: &Path,
    overwrite: bool,
    consent: &ConsentArguments,
    output: &Output,
) -> Result<()> {
    database::failure::check_file(database, true)?;
    check_backup(file)?;
    if let (true, DatabaseUrl::Postgres(_)) = (overwrite, &database.url) {
        confirm_overwrite(database, consent, output).await?;
    }
    let (report, progress) = progress_channel();
    let copying = Store::restore(file, &database.url, overwrite, report);
    let census = watched(copying, progress, output).await.map_err(|error| {
        let is_not_empty = error.to_string().contains("but this one holds data");
        let failure = Failure::from(error);
        if is_not_empty { failure.hint("pass --overwrite to replace its contents") } else { failure }
    });
    let census = census.doing(|| format!("restore {} from {}", database.url, file_name(file)))?;
    output.note(&format!("restored {} from {}: {}", database.url, file_name(file), census_text(&census)));
    Ok(())
}

async fn verify(database: &Database, output: &Output) -> Result<()> {
    database::failure::check_file(database, false)?;
    let version = Store::schema_version(&database.url).await.doing(|| format!("open {}", database.url))?;
    if version.applied == 0 {
        let message = format!("{} is empty, or not a database of openai-admin", database.url);
        return Err(Failure::new(ExitStatus::Failed, message)
            .hint("if this is a backup, it was truncated or replaced: verify another one"));
    }
    database::check_schema(database, version)?;
    let store = Store::open_to_read(&database.url).await.doing(|| format!("open {}", database.url))?;
    for line in store.duplicate_addresses().await.doing(|| format!("verify {}", database.url))? {
        output.note(&format!("note: {}", visible(&line)));
    }
    let (problems, census) = (store.verify().await, store.census().await);
    store.close().await;
    let problems = problems.doing(|| format!("verify {}", database.url))?;
    let census = census.doing(|| format!("verify {}", database.url))?;
    output.note(&format!("checked {}: {}", database.url, census_text(&census)));
    for problem in &problems {
        output.line(problem);
    }
    match problems.len() {
        0 => {
            output.note(&format!("{} hold", count(Store::invariants(), "invariant")));
            Ok(())
        }
        problems => Err(Failure::new(ExitStatus::Failed, format!("{} found", count(problems, "problem")))
            .hint("restore an earlier backup, and report this as a bug")),
    }
}

async fn migrate(database: &Database, check: bool, output: &Output) -> Result<()> {
    database::failure::check_file(database, false)?;
    let version = Store::schema_version(&database.url).await.doing(|| format!("open {}", database.url))?;
    let (applied, newest) = (version.applied, version.newest);
    if applied == newest {
        output.note(&format!("{} is up to date: schema version {newest}", database.url));
        return Ok(());
    }
    if check && applied < newest {
        let message = format!("{} has schema version {applied}; this program needs {newest}", database.url);
        return Err(Failure::new(ExitStatus::Failed, message).suggest("admin migrate", "upgrades it"));
    }
    let store = database::open_store(database, false).await?;
    store.close().await;
    output.note(&format!("migrated {} from schema version {applied} to {newest}", database.url));
    Ok(())
}

/// A callback that reports progress, and the receiver that reads it.
fn progress_channel() -> (impl FnMut(BackupProgress) + Send + 'static, watch::Receiver<Option<BackupProgress>>)
{
    let (sender, receiver) = watch::channel(None);
    let report = move |now| {
        // The receiver may be gone.
        let _ = sender.send(Some(now));
    };
    (report, receiver)
}

/// Shows the progress of a copy until it is done.
async fn watched<T>(
    copying: impl Future<Output = T>,
    mut reported: watch::Receiver<Option<BackupProgress>>,
    output: &Output,
) -> T {
    let mut progress = Progress::new(output, STEPS_UNKNOWN);
    let mut copying = std::pin::pin!(copying);
    loop {
        tokio::select! {
            done = &mut copying => return done,
            Ok(()) = reported.changed() => {
                if let Some(BackupProgress { done, total, .. }) = *reported.borrow_and_update() {
                    progress.set(done, total);
                }
            }
            () = progress.tick() => progress.line(),
        }
    }
}

/// `1 organization, 14 users`: what a database contains, without what it does not contain.
pub(super) fn census_text(census: &Census) -> String {
    let numbers = census.counts().iter().filter(|(_, number)| *number > 0);
    let words: Vec<_> =
        numbers.map(|(name, number)| count(usize::try_from(*number).unwrap_or(usize::MAX), name)).collect();
    if words.is_empty() { "empty".to_owned() } else { words.join(", ") }
}
