//! `openai-admin doctor`: checks the key, the service and the database, and suggests fixes.

mod scopes;

use std::time::Duration;

use openai_admin::{
    Endpoint as _, ListEndpoint, Scope,
    client::{ListCall, RateLimit},
    operations::ListGroups,
};
use openai_admin_server::Minter;
use openai_admin_store::Store;
use serde::Serialize;
use tokio::time::Instant;

use self::scopes::Found;
use super::admin;
use crate::{
    arguments::GlobalArguments,
    config::{Environment, Key},
    database,
    failure::{ExitStatus, Failure, Hint, KEY_ORIGIN, Result},
    output::{Output, Record, count, visible},
    target::{self, LocalFile, Service, Target, UnusedProfile},
};

/// The largest clock skew without a warning, in seconds.
const CLOCK_SKEW_SECONDS_MAX: u64 = 60;

/// The lists that are read: groups, users and the audit log.
const LISTS: usize = 3;
/// The beginning of admin keys.
const ADMIN_KEY: &str = "sk-admin-";
/// The beginnings of other keys of OpenAI, and their kinds.
const OTHER_KEYS: [(&str, &str); 3] = [
    ("sk-proj-", "a project key"),
    ("sk-svcacct-", "the key of a service account"),
    ("sk-None-", "a user key"),
];

/// A check and its result.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    status: Health,
    found: String,
    /// How to fix it.
    next: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Ok,
    Warn,
    Fail,
}

impl Record for Check {
    const FIELDS: &'static [&'static str] = &["check", "status", "found", "next"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("STATUS", "status"), ("CHECK", "check"), ("FOUND", "found"), ("NEXT", "next")];
}

pub(super) async fn run(global: &GlobalArguments, environment: &Environment, output: &Output) -> Result<()> {
    let mut report = Report { checks: Vec::new(), status: ExitStatus::Done, output };
    match target::target("doctor", global, environment) {
        Ok(Target::Local(file)) => examine_database(file, &mut report).await,
        Ok(Target::Remote(service)) => {
            proxies(&service.base_url, environment, &mut report);
            examine_service(&service, global, environment, &mut report).await;
        }
        Err(failure) if failure.status == ExitStatus::Key => {
            let is_unreadable = failure.hints.is_empty();
            let other = "put an admin key (sk-admin-…) in OPENAI_ADMIN_KEY or in a file for --key-file";
            let failure = if is_unreadable { failure.hint(other) } else { failure };
            report.fail("key", failure.hint(KEY_ORIGIN));
        }
        Err(failure) => return Err(failure),
    }
    output.wrapped_items(&report.checks, "no checks")?;
    match report.status {
        ExitStatus::Done => Ok(()),
        status => Err(Failure::silent(status)),
    }
}

/// The checks so far, and the resulting exit code.
struct Report<'a> {
    checks: Vec<Check>,
    status: ExitStatus,
    output: &'a Output,
}

impl Report<'_> {
    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.checks.push(Check { check, status: Health::Ok, found: found.into(), next: None });
    }

    fn warn(&mut self, check: &'static str, found: impl Into<String>, next: impl Into<String>) {
        let (found, next) = (found.into(), Some(next.into()));
        self.checks.push(Check { check, status: Health::Warn, found, next });
    }

    /// Adds a failure. A failure of the key determines the exit code.
    fn fail(&mut self, check: &'static str, failure: Failure) {
        let hints = failure.hints.iter().map(|hint| match hint {
            Hint::Text(text) => visible(text),
            Hint::Command { arguments, effect } => {
                format!("`{}` {effect}", self.output.command(arguments))
            }
        });
        let next = hints.collect::<Vec<_>>().join("; ");
        let next = (!next.is_empty()).then_some(next);
        self.checks.push(Check { check, status: Health::Fail, found: failure.message, next });
        self.status = match failure.status {
            ExitStatus::Key => ExitStatus::Key,
            _ if self.status == ExitStatus::Done => ExitStatus::Failed,
            _ => self.status,
        };
    }
}

/// Reports only the names of variables: a proxy's URL may contain a password.
fn proxies(base_url: &str, environment: &Environment, report: &mut Report<'_>) {
    let seen = environment.proxy_variables();
    let found = match seen.is_empty() {
        true => "no proxy variable is set".to_owned(),
        false if base_url.trim().starts_with("https:") => format!("set: {}", seen.join(", ")),
        false => format!("set: {}; not used for plain http", seen.join(", ")),
    };
    report.ok("proxy", found);
}

async fn examine_service(
    service: &Service,
    global: &GlobalArguments,
    environment: &Environment,
    report: &mut Report<'_>,
) {
    let Service { base_url, source, key, unused_profile, .. } = service;
    key_kind(key, unused_profile.as_ref(), report);
    // Without retries, because they would hide the failures that this command reports.
    let client = environment.client(base_url, key, global);
    let client = match client.and_then(|client| Ok(client.retries(0).build()?)) {
        Ok(client) => client,
        Err(failure) => {
            return report.fail("base URL", failure.hint("use https://HOST/v1; http is for loopback only"));
        }
    };
    report.ok("base URL", format!("{} ({source})", visible(base_url)));
    let is_encrypted = base_url.trim().starts_with("https:");
    let requests = LISTS + scopes::REQUESTS_MAX;
    report.output.note(&format!("doctor sends at most {requests} requests, which change nothing"));
    let mut groups = probe(client.groups().list_groups()).await;
    if !reached(&mut groups, is_encrypted, report) {
        return;
    }
    match (groups.status, groups.failure.take()) {
        (Some(403), failure) => {
            report.ok("key accepted", "yes");
            groups.failure = failure;
        }
        (_, None) => report.ok("key accepted", "yes"),
        // Refused, or no usable response. Further requests would tell nothing more.
        (_, Some(failure)) => {
            report.fail("key accepted", failure);
            clock(&groups, report);
            return rate_limit(&groups, report);
        }
    }
    match &groups.organization {
        Some(organization) => report.ok("organization", visible(organization)),
        None => report.warn("organization", "the service does not say", "check that the groups are yours"),
    }
    clock(&groups, report);
    rate_limit(&groups, report);
    scope(groups, report);
    scope(probe(client.users().list_users()).await, report);
    scope(probe(client.audit_logs().list_audit_logs()).await, report);
    for (tested, found) in scopes::test(&client, Minter::system().now()).await {
        match found {
            Found::Granted => report.ok(tested.as_str(), "granted"),
            Found::NotServed => report.ok(tested.as_str(), "the service does not have it"),
            Found::NotTested => report.ok(tested.as_str(), "not tested: only a change would show it"),
            Found::Missing(error) => missing(tested, Failure::from(*error), report),
            Found::Failed(error) => report.fail(tested.as_str(), Failure::from(*error)),
        }
    }
}

/// Where the key is, whether it is an admin key, and which profile it precedes.
fn key_kind(key: &Key, unused_profile: Option<&UnusedProfile>, report: &mut Report<'_>) {
    let not_used = match unused_profile {
        Some(unused) => format!("; profile '{}' is not used", visible(&unused.name)),
        None => String::new(),
    };
    let source = visible(key.source());
    let other = OTHER_KEYS.iter().find(|(prefix, _)| key.expose().starts_with(prefix));
    match other {
        _ if key.expose().starts_with(ADMIN_KEY) => {
            report.ok("key", format!("found in {source}: an admin key{not_used}"));
        }
        Some((prefix, kind)) => {
            let kind = format!("{kind} ({prefix}…), not an admin key ({ADMIN_KEY}…)");
            report.warn("key", format!("found in {source}: {kind}{not_used}"), KEY_ORIGIN);
        }
        None => report.ok("key", format!("found in {source}{not_used}")),
    }
}

/// The response to a read-only request.
struct Answer {
    /// The scope that the request needs.
    scope: Scope,
    latency: Duration,
    /// None without a response.
    status: Option<u16>,
    failure: Option<Failure>,
    date: Option<String>,
    organization: Option<String>,
    rate_limit: Option<RateLimit>,
}

/// Reads one item of a list, which changes nothing.
#[expect(clippy::disallowed_methods, reason = "it measures a latency")]
async fn probe<E: ListEndpoint>(call: ListCall<'_, E>) -> Answer {
    let begun = Instant::now();
    let answered = call.limit(1).await;
    let latency = begun.elapsed();
    let headers = match &answered {
        Ok(answer) => Some(answer.headers()),
        Err(error) => error.headers(),
    };
    let text = |name: &str| Some(headers?.get(name)?.to_str().ok()?.to_owned());
    let (date, organization) = (text("date"), text("openai-organization"));
    let (status, rate_limit, failure) = match answered {
        Ok(answer) => (Some(answer.status().as_u16()), Some(answer.rate_limit()), None),
        Err(error) => (error.status().map(|status| status.as_u16()), None, Some(Failure::from(error))),
    };
    Answer { scope: E::SCOPE, latency, status, failure, date, organization, rate_limit }
}

/// Whether there was a response, and how the connection was secured.
fn reached(answer: &mut Answer, is_encrypted: bool, report: &mut Report<'_>) -> bool {
    if answer.status.is_none() {
        if let Some(failure) = answer.failure.take() {
            // rustls names the problem; failures before the handshake have no such words.
            let is_of_tls = is_encrypted
                && ["certificate", "InvalidContentType"].iter().any(|word| failure.message.contains(word));
            report.fail(if is_of_tls { "TLS" } else { "reachable" }, failure);
        }
        return false;
    }
    report.ok("reachable", format!("answers in {} ms", answer.latency.as_millis()));
    match is_encrypted {
        true => report.ok("TLS", "the certificate is trusted"),
        false => report.ok("TLS", "none: plain http on loopback"),
    }
    true
}

/// Whether the key has the scope of the request.
fn scope(answer: Answer, report: &mut Report<'_>) {
    let Answer { scope, status, failure, .. } = answer;
    match failure {
        None => report.ok(scope.as_str(), "granted"),
        // Without this scope hardly any command works.
        Some(failure) if status == Some(403) && scope == ListGroups::SCOPE => {
            report.fail(scope.as_str(), failure);
        }
        Some(failure) if status == Some(403) => missing(scope, failure, report),
        Some(failure) => report.fail(scope.as_str(), failure),
    }
}

/// A scope that the key does not have.
fn missing(scope: Scope, failure: Failure, report: &mut Report<'_>) {
    report.warn(scope.as_str(), failure.message, format!("if you need it, use a key with {scope}"));
}

fn clock(answer: &Answer, report: &mut Report<'_>) {
    let ours = Minter::system().now().unix_seconds();
    let theirs = answer.date.as_deref().and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(theirs) = theirs else {
        return report.ok("clock", "the service sends no date");
    };
    let apart = ours.abs_diff(theirs.timestamp().as_second());
    if apart <= CLOCK_SKEW_SECONDS_MAX {
        report.ok("clock", format!("within {CLOCK_SKEW_SECONDS_MAX} s of the service's"));
    } else {
        let found = format!("{apart} s off the service's");
        report.warn("clock", found, "set this machine's clock: the expiry of keys depends on it");
    }
}

fn rate_limit(answer: &Answer, report: &mut Report<'_>) {
    let Some(RateLimit { limit: Some(limit), remaining, resets_in, .. }) = answer.rate_limit else {
        return report.ok("rate limit", "the service sends no figures");
    };
    let mut found = format!("{limit} requests");
    if let Some(remaining) = remaining {
        found += &format!(", {remaining} left");
    }
    if let Some(resets_in) = resets_in {
        found += &format!(", resets in {} s", resets_in.as_secs());
    }
    match remaining {
        Some(0) => report.warn("rate limit", found, "wait before the next command"),
        _ => report.ok("rate limit", found),
    }
}

async fn examine_database(file: LocalFile, report: &mut Report<'_>) {
    report.ok("key", "not needed for a file");
    let database = database::of_file(file);
    if let Err(failure) = database::failure::check_file(&database, false) {
        return report.fail("database file", failure);
    }
    let version = match Store::schema_version(&database.url).await {
        Ok(version) => version,
        Err(error) => {
            return report.fail("database file", database::failure::not_opened(error, &database));
        }
    };
    // Opening would migrate it, but this command changes nothing.
    if version.applied != version.newest {
        let message = format!("schema version {}, but this program has {}", version.applied, version.newest);
        let failure = Failure::new(ExitStatus::Failed, message);
        return report.fail("database file", failure.suggest("admin migrate", "upgrades an older one"));
    }
    report.ok("database file", format!("{}, schema version {}", database.url, version.applied));
    let store = match database::open_store(&database, false).await {
        Ok(store) => store,
        Err(failure) => return report.fail("database file", failure),
    };
    match store.verify().await {
        Ok(problems) if problems.is_empty() => {
            report.ok("invariants", format!("{} hold", count(Store::invariants(), "invariant")));
        }
        Ok(problems) => report.fail(
            "invariants",
            Failure::new(ExitStatus::Failed, problems.join("; "))
                .hint("restore an earlier backup, and report this as a bug"),
        ),
        Err(error) => report.fail("invariants", Failure::from(error)),
    }
    match store.census().await {
        Ok(census) => report.ok("contents", admin::census_text(&census)),
        Err(error) => report.fail("contents", Failure::from(error)),
    }
    store.close().await;
    match database::open(&database, false, &Minter::system()).await {
        Ok((store, organization)) => {
            report.ok("organization", organization.id.as_str());
            store.close().await;
        }
        Err(failure) => report.fail("organization", failure),
    }
}
