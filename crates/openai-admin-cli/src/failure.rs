//! Errors of commands: a message and hints for people, and an exit code for scripts.

use std::{error::Error as StdError, fmt::Write as _, io};

use openai_admin::ErrorKind;
use openai_admin_store as store;
use openai_admin_sync::visible::visible;
use serde::Serialize;

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitStatus {
    /// Everything was done.
    Done = 0,
    /// Any failure without a more specific code.
    Failed = 1,
    /// Something differs from the file.
    Difference = 2,
    /// Some of it was done; run the same command again to do the rest.
    Partial = 3,
    /// No key, a wrong key, or a key without the scope.
    Key = 4,
    /// A limit blocks it; nothing has been written.
    Guard = 5,
    /// Nothing or more than one thing matches.
    NotFound = 6,
    /// The service's rate limit stopped it; run the same command later to do the rest.
    RateLimited = 7,
    /// The plan does not match the current state.
    Stale = 8,
    /// Another run works on the organization.
    Locked = 9,
    /// The command line is wrong.
    Usage = 64,
    /// The input file is invalid.
    BadInput = 65,
    /// Ctrl-C stopped it before it wrote anything; the code is the shells' own for Ctrl-C.
    Stopped = 130,
}

/// Where a key comes from.
pub(crate) const KEY_ORIGIN: &str = "at OpenAI an owner of the organization creates one: Settings, Admin keys; on your own \
     server: `openai-admin keys create --name NAME`";

/// An error message, its exit code, and hints about the next step.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: ExitStatus,
    /// One line: the action, its object, and the service's message. Empty if the command has printed everything.
    pub(crate) message: String,
    /// The service's answer, if it refused a request.
    pub(crate) answer: Option<Box<RefusedRequest>>,
    /// What to do next, one line each.
    pub(crate) hints: Vec<Hint>,
}

/// The fields of an error answer, for programs.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct RefusedRequest {
    /// The error code.
    code: Option<String>,
    /// The parameter that the service refused.
    parameter: Option<String>,
    /// The service's id of the request.
    request_id: Option<String>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Hint {
    /// Plain text.
    Text(String),
    /// A command of this program, and its effect. The options that select the data are put before it.
    Command { arguments: String, effect: &'static str },
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(status: ExitStatus, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), answer: None, hints: Vec::new() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Usage, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::NotFound, message)
    }

    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::BadInput, message)
    }

    /// Ends the program with this status and prints nothing more.
    pub(crate) fn silent(status: ExitStatus) -> Self {
        Self::new(status, "")
    }

    /// An error of the parser. Its tips and the usage are next steps.
    pub(crate) fn of_command_line(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let mut parts = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        let message = parts.next().unwrap_or_default();
        let failure = Self::usage(message.trim_start_matches("error: "));
        parts.filter(|part| !part.is_empty()).fold(failure, Self::hint)
    }

    /// The system refused to start another thread.
    pub(crate) fn no_thread(error: &io::Error) -> Self {
        Self::new(ExitStatus::Failed, format!("cannot start a thread: {}", causes(error))).hint(
            "give the process more memory (ulimit -v, MemoryMax=) or more threads (ulimit -u, TasksMax=)",
        )
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(Hint::Text(hint.into()));
        self
    }

    /// Suggests a command: its arguments, and its effect.
    pub(crate) fn suggest(mut self, arguments: impl Into<String>, effect: &'static str) -> Self {
        self.hints.push(Hint::Command { arguments: arguments.into(), effect });
        self
    }
}

/// Adds what the command was doing to an error.
pub(crate) trait Doing<T> {
    /// `doing` completes "cannot …", such as "list the groups".
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Failure>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| {
            let mut failure = error.into();
            if !failure.message.is_empty() {
                failure.message = format!("cannot {}: {}", doing(), failure.message);
            }
            failure
        })
    }
}

impl From<openai_admin::Error> for Failure {
    fn from(error: openai_admin::Error) -> Self {
        let mut message = one_line(error.message().trim_end_matches('.'));
        // The message of a certificate error is complete.
        if let Some(cause) = root_cause(&error).filter(|_| !error.is_untrusted_certificate()) {
            let _ = write!(message, ": {}", one_line(&cause.to_string()));
        }
        let answer: Vec<String> = [
            error.status().map(|status| status.as_u16().to_string()),
            error.request_id().map(|request_id| format!("request {request_id}")),
            (error.attempts() > 1).then(|| format!("{} attempts", error.attempts())),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !answer.is_empty() {
            let _ = write!(message, " ({})", answer.join(", "));
        }
        let failure = Self {
            answer: Some(Box::new(RefusedRequest {
                code: error.code().map(str::to_owned),
                parameter: error.param().map(str::to_owned),
                request_id: error.request_id().map(str::to_owned),
            })),
            ..Self::new(status_of(&error), message)
        };
        match hint_for(&error) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn status_of(error: &openai_admin::Error) -> ExitStatus {
    match error.kind() {
        ErrorKind::InvalidRequest => ExitStatus::Usage,
        ErrorKind::Refused if error.is_unauthorized() => ExitStatus::Key,
        // If something else manages the group, every key is refused: another key would not help.
        ErrorKind::Refused if error.is_permission_denied() && error.code().is_none() => ExitStatus::Key,
        ErrorKind::Refused if error.is_not_found() => ExitStatus::NotFound,
        ErrorKind::Refused if error.is_rate_limited() => ExitStatus::RateLimited,
        _ => ExitStatus::Failed,
    }
}

fn hint_for(error: &openai_admin::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::Transport if root_cause(error).is_some_and(speaks_no_tls) => {
            Some("the server uses http, not https: check --base-url".to_owned())
        }
        ErrorKind::Transport if error.is_untrusted_certificate() => Some(certificate_hint(error.message())),
        ErrorKind::Transport if root_cause(error).is_some_and(is_unknown_host) => {
            Some("check your network connection, your proxy settings and --base-url".to_owned())
        }
        ErrorKind::Transport if !error.was_sent() => {
            Some("check that the server is running and that --base-url is right".to_owned())
        }
        ErrorKind::Timeout | ErrorKind::Transport => {
            Some("the change may have been applied: check before you retry".to_owned())
        }
        ErrorKind::Refused if error.code() == Some("mismatched_organization") => {
            Some("unset OPENAI_ORG_ID, or use a key of that organization".to_owned())
        }
        ErrorKind::Refused if error.is_unauthorized() => {
            Some(format!("use a valid admin key (sk-admin-…) of this service: {KEY_ORIGIN}"))
        }
        ErrorKind::Refused if error.is_permission_denied() => {
            let (_, scopes) = error.message().split_once("Missing scopes: ")?;
            let scopes = scopes.split(". ").next()?;
            Some(format!(
                "use a key with {scopes}; on your own server `openai-admin keys create --name NAME` creates one"
            ))
        }
        ErrorKind::Refused if error.is_rate_limited() => Some(match error.retry_after() {
            Some(wait) => format!("retry in {} s", wait.as_secs()),
            None => "retry in a minute".to_owned(),
        }),
        ErrorKind::Refused if error.is_unknown_url() => {
            Some("the base URL of the API ends in /v1; check --base-url".to_owned())
        }
        ErrorKind::UnreadableAnswer => {
            Some("check that --base-url is the address of the API, not of a web page".to_owned())
        }
        _ => None,
    }
}

/// The next step after a certificate error.
fn certificate_hint(message: &str) -> String {
    if message.contains("CA:TRUE") {
        return "make the server's certificate with `openssl req -x509 … -addext basicConstraints=critical,CA:FALSE`"
            .to_owned();
    }
    if message.contains("issuer") {
        return "to trust it, pass the certificate of its issuer: --ca-file FILE".to_owned();
    }
    "renew the server's certificate, or use a host name from it in --base-url".to_owned()
}

impl From<openai_admin_sync::InputError> for Failure {
    fn from(error: openai_admin_sync::InputError) -> Self {
        let failure = Self::bad_input(error.to_string());
        error.hint.into_iter().fold(failure, Self::hint)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        let status = match &error {
            store::Error::NotFound { .. }
            | store::Error::NotMember { .. }
            | store::Error::NotInProject { .. } => ExitStatus::NotFound,
            store::Error::InvalidValue { .. } => ExitStatus::Usage,
            _ => ExitStatus::Failed,
        };
        Self::new(status, causes(&error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // The reader closed the pipe (`| head`): not a failure.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(ExitStatus::Done);
        }
        Self::new(ExitStatus::Failed, causes(&error))
    }
}

/// Whether this is the TLS error for an unencrypted response.
fn speaks_no_tls(cause: &dyn StdError) -> bool {
    cause.to_string().contains("InvalidContentType")
}

/// Whether the name of the host could not be resolved.
fn is_unknown_host(cause: &dyn StdError) -> bool {
    cause.to_string().contains("lookup address")
}

/// The innermost error, which names the problem; the errors in between only name layers.
fn root_cause(error: &dyn StdError) -> Option<&dyn StdError> {
    let mut cause = error.source()?;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Some(cause)
}

/// An error and all its sources, in one line.
fn causes(error: &dyn StdError) -> String {
    let mut last = one_line(&error.to_string());
    let mut text = last.clone();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = one_line(&cause.to_string());
        // Some libraries repeat their source's text, or their own in the source.
        if !last.contains(&cause_text) && !cause_text.contains(&last) {
            let _ = write!(text, ": {cause_text}");
            last = cause_text;
        }
        source = cause.source();
    }
    text
}

/// Makes a service's text safe for one line: escapes control characters and joins lines.
fn one_line(text: &str) -> String {
    visible(text.trim()).replace('\n', " ")
}
