//! `openai-admin doctor`: whether key, service and database are as they should be, and what to do where they are not.

use std::time::Duration;

use openai_admin::{
    DEFAULT_BASE_URL, Endpoint as _, ListEndpoint, Scope,
    client::{ListCall, RateLimit},
    operations::ListGroups,
};
use openai_admin_server::Minter;
use openai_admin_store::Store;
use serde::Serialize;
use tokio::time::Instant;

use super::admin;
use crate::{
    arguments::GlobalArguments,
    config::{self, Environment, Key, LocalFile, Target},
    database,
    failure::{ExitStatus, Failure, Hint, Result},
    output::{Output, Record, count, visible},
};

/// How far the clocks may be apart before it is worth a word, in seconds.
const CLOCK_SKEW_SECONDS_MAX: u64 = 60;

/// What was looked at, and what came of it.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    status: Health,
    found: String,
    /// What to do about it.
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
    match config::target("doctor", global, environment) {
        Ok(Target::Local(file)) => examine_database(file, &mut report).await,
        Ok(Target::Remote { base_url, key }) => {
            proxies(&base_url, environment, &mut report);
            examine_service(&base_url, &key, global, environment, &mut report).await;
        }
        Err(failure) if failure.status == ExitStatus::Key => {
            let is_unreadable = failure.hints.is_empty();
            let other = "put an admin key (sk-admin-…) into OPENAI_ADMIN_KEY or a file for --key-file";
            report.fail("key", if is_unreadable { failure.hint(other) } else { failure });
        }
        Err(failure) => return Err(failure),
    }
    output.wrapped_items(&report.checks, "nothing was looked at")?;
    match report.status {
        ExitStatus::Done => Ok(()),
        status => Err(Failure::silent(status)),
    }
}

/// The checks so far, and the exit code that they mean.
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

    /// A failure as a command would tell it. What is wrong with the key goes before everything else.
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

/// Only their names: a proxy's URL may hold a password.
fn proxies(base_url: &str, environment: &Environment, report: &mut Report<'_>) {
    let seen = environment.proxy_variables();
    let found = match seen.is_empty() {
        true => "no variable for one is set".to_owned(),
        false if base_url.trim().starts_with("https:") => format!("seen: {}", seen.join(", ")),
        false => format!("seen: {}; plain http uses none", seen.join(", ")),
    };
    report.ok("proxy", found);
}

async fn examine_service(
    base_url: &str,
    key: &Key,
    global: &GlobalArguments,
    environment: &Environment,
    report: &mut Report<'_>,
) {
    report.ok("key", format!("found in {}", visible(key.source())));
    // Each request once: what a repetition hides is what is looked for.
    let client = environment.client(base_url, key, global);
    let client = match client.and_then(|client| Ok(client.retries(0).build()?)) {
        Ok(client) => client,
        Err(failure) => {
            return report
                .fail("base URL", failure.hint("write https://HOST/v1; http is for this machine alone"));
        }
    };
    let source = match &global.base_url {
        Some(_) => "--base-url",
        None if base_url == DEFAULT_BASE_URL => "the default",
        None => "OPENAI_BASE_URL",
    };
    report.ok("base URL", format!("{} ({source})", visible(base_url)));
    let is_encrypted = base_url.trim().starts_with("https:");
    let mut groups = ask(client.groups().list_groups()).await;
    if !reached(&mut groups, is_encrypted, report) {
        return;
    }
    match (groups.status, groups.failure.take()) {
        (Some(403), failure) => {
            report.ok("key accepted", "yes");
            groups.failure = failure;
        }
        (_, None) => report.ok("key accepted", "yes"),
        // Refused, or neither yes nor no; either way no other request would tell more.
        (_, Some(failure)) => {
            report.fail("key accepted", failure);
            clock(&groups, report);
            return rate_limit(&groups, report);
        }
    }
    match &groups.organization {
        Some(organization) => report.ok("organization", visible(organization)),
        None => report.warn("organization", "the service does not say", "look whether the groups are yours"),
    }
    clock(&groups, report);
    rate_limit(&groups, report);
    scope(groups, report);
    scope(ask(client.users().list_users()).await, report);
    scope(ask(client.audit_logs().list_audit_logs()).await, report);
}

/// What a harmless request was answered.
struct Answer {
    /// What the request asks of the key.
    scope: Scope,
    latency: Duration,
    /// None when there was no answer.
    status: Option<u16>,
    failure: Option<Failure>,
    date: Option<String>,
    organization: Option<String>,
    rate_limit: Option<RateLimit>,
}

/// Reads one item of a list, which changes nothing.
#[expect(clippy::disallowed_methods, reason = "a latency is what is measured here")]
async fn ask<E: ListEndpoint>(call: ListCall<'_, E>) -> Answer {
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

/// Whether there was an answer at all, and how safe its way was.
fn reached(answer: &mut Answer, is_encrypted: bool, report: &mut Report<'_>) -> bool {
    if answer.status.is_none() {
        if let Some(failure) = answer.failure.take() {
            // rustls names what it found wrong; what comes before a connection has no such words.
            let is_of_tls = is_encrypted
                && ["certificate", "InvalidContentType"].iter().any(|word| failure.message.contains(word));
            report.fail(if is_of_tls { "TLS" } else { "reachable" }, failure);
        }
        return false;
    }
    report.ok("reachable", format!("answers in {} ms", answer.latency.as_millis()));
    match is_encrypted {
        true => report.ok("TLS", "the certificate is trusted"),
        false => report.ok("TLS", "none: plain http, which stays on this machine"),
    }
    true
}

/// Whether the key may do what was asked, as far as reading tells.
fn scope(answer: Answer, report: &mut Report<'_>) {
    let Answer { scope, status, failure, .. } = answer;
    match failure {
        None => report.ok(scope.as_str(), "granted"),
        // Without it no group can be named, and hardly a command works.
        Some(failure) if status == Some(403) && scope == ListGroups::SCOPE => {
            report.fail(scope.as_str(), failure);
        }
        Some(failure) if status == Some(403) => {
            let next = format!("if the key is to do more than now: use one with {scope}");
            report.warn(scope.as_str(), failure.message, next);
        }
        Some(failure) => report.fail(scope.as_str(), failure),
    }
}

fn clock(answer: &Answer, report: &mut Report<'_>) {
    let ours = Minter::system().now().unix_seconds();
    let theirs = answer.date.as_deref().and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(theirs) = theirs else {
        return report.ok("clock", "the service does not say what time it is");
    };
    let apart = ours.abs_diff(theirs.timestamp().as_second());
    if apart <= CLOCK_SKEW_SECONDS_MAX {
        report.ok("clock", format!("within {CLOCK_SKEW_SECONDS_MAX} s of the service's"));
    } else {
        let found = format!("{apart} s away from the service's");
        report.warn("clock", found, "set this machine's clock: expiry dates are judged by it");
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
        found += &format!(", anew in {} s", resets_in.as_secs());
    }
    match remaining {
        Some(0) => report.warn("rate limit", found, "wait before the next command"),
        _ => report.ok("rate limit", found),
    }
}

async fn examine_database(file: LocalFile, report: &mut Report<'_>) {
    report.ok("key", "none is needed for a file");
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
    // Opening it would bring it up to date, and a look changes nothing.
    if version.applied != version.newest {
        let message = format!("its schema version is {}, this program's {}", version.applied, version.newest);
        let failure = Failure::new(ExitStatus::Failed, message);
        return report
            .fail("database file", failure.propose("admin migrate", "brings an older one up to date"));
    }
    report.ok("database file", format!("{}, schema version {}", database.url, version.applied));
    let store = match database::open_store(&database, false).await {
        Ok(store) => store,
        Err(failure) => return report.fail("database file", failure),
    };
    match store.verify().await {
        Ok(problems) if problems.is_empty() => {
            report.ok("invariants", format!("all of {} hold", count(Store::invariants(), "invariant")));
        }
        Ok(problems) => report.fail(
            "invariants",
            Failure::new(ExitStatus::Failed, problems.join("; "))
                .hint("restore a backup from before, or tell the authors: this must not happen"),
        ),
        Err(error) => report.fail("invariants", Failure::from(error)),
    }
    match store.census().await {
        Ok(held) => report.ok("contents", admin::words(&held)),
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
