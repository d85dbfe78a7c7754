//! The report: for each rule the assumption, the observation and the request ids.

use std::fmt::Write as _;

use openai_admin::{Error, ErrorKind};
use openai_admin_store::Rule;
use serde::Serialize;

use crate::output::Record;

/// The most characters of a code in the report.
const CODE_LENGTH_MAX: usize = 64;

/// The answer to a request, without data of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Answer {
    pub(super) fn of(error: &Error) -> Self {
        let is_word = |code: &&str| {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            code.len() <= CODE_LENGTH_MAX && code.chars().all(is_plain)
        };
        Self {
            status: error
                .status()
                .map(|status| status.as_u16())
                .filter(|_| error.kind() == ErrorKind::Refused),
            // A code could hold other text, and the report must not show it.
            code: error.code().filter(is_word).map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
        }
    }

    /// Whether the service refused the request itself, and not its key, rate or route.
    fn is_about_the_request(&self) -> bool {
        self.status
            .is_some_and(|status| (400..500).contains(&status) && ![401, 405, 408, 429].contains(&status))
            && !(self.status == Some(403) && self.code.is_none())
            && !(self.status == Some(404) && self.code.is_none())
    }

    fn text(&self) -> String {
        match (self.status, &self.code) {
            (Some(status), Some(code)) => format!("{status} {code}"),
            (Some(status), None) => format!("{status} without a code"),
            (None, _) => "no usable answer".to_owned(),
        }
    }
}

/// The result of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// The service keeps the rule and answers as assumed.
    Same,
    /// The service keeps the rule, with another status or code.
    OtherAnswer,
    /// The service does not keep the rule.
    Different,
    /// The trial has no result.
    Unclear,
    NotTried,
}

/// The observation of a trial.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    verdict: Verdict,
    text: String,
    request_ids: Vec<String>,
}

impl Seen {
    pub(super) fn new(verdict: Verdict, text: impl Into<String>, request_id: Option<&str>) -> Self {
        Self { verdict, text: text.into(), request_ids: request_id.map(str::to_owned).into_iter().collect() }
    }

    /// The request that the rule refuses was accepted.
    pub(super) fn accepted(status: u16, request_id: Option<&str>) -> Self {
        Self::new(Verdict::Different, format!("{status} accepted"), request_id)
    }

    /// The request that the rule refuses was refused.
    pub(super) fn refused(error: &Error, (status, code): (u16, &str)) -> Self {
        let answer = Answer::of(error);
        let verdict = match answer.is_about_the_request() {
            _ if (answer.status, answer.code.as_deref()) == (Some(status), Some(code)) => Verdict::Same,
            true => Verdict::OtherAnswer,
            false => Verdict::Unclear,
        };
        Self::new(verdict, answer.text(), answer.request_id.as_deref())
    }

    /// A request that the trial needs was refused.
    pub(super) fn unclear(request: &str, error: &Error) -> Self {
        let answer = Answer::of(error);
        Self::new(Verdict::Unclear, format!("{request}: {}", answer.text()), answer.request_id.as_deref())
    }
}

/// A row of the report.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    rule: &'static str,
    /// The day of the report that confirmed the rule; null if it is assumed.
    confirmed_on: Option<&'static str>,
    result: Verdict,
    /// The rule, as a sentence.
    assumed: &'static str,
    /// The assumed answer to the trial; null if there is no trial.
    assumed_answer: Option<String>,
    /// The answer to the trial, or the reason why there is none.
    seen: String,
    request_ids: Vec<String>,
}

impl Record for Row {
    const FIELDS: &'static [&'static str] =
        &["rule", "confirmed_on", "result", "assumed", "assumed_answer", "seen", "request_ids"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("RESULT", "result"), ("RULE", "rule"), ("ASSUMED", "assumed_answer"), ("SEEN", "seen")];
}

impl Row {
    pub(super) fn tried(rule: Rule, assumed_answer: String, seen: Seen) -> Self {
        let Seen { verdict, text, request_ids } = seen;
        Self {
            result: verdict,
            assumed_answer: Some(assumed_answer),
            seen: text,
            request_ids,
            ..Self::not_tried(rule, "")
        }
    }

    pub(super) fn not_tried(rule: Rule, reason: &str) -> Self {
        Self {
            rule: rule.name(),
            confirmed_on: rule.confirmed_on(),
            result: Verdict::NotTried,
            assumed: rule.assumption(),
            assumed_answer: None,
            seen: reason.to_owned(),
            request_ids: Vec::new(),
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.result
    }
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::OtherAnswer => "other answer",
            Self::Different => "different",
            Self::Unclear => "unclear",
            Self::NotTried => "not tried",
        }
    }
}

/// The report as a page. `day` is the day of the verification.
pub(super) fn markdown(rows: &[Row], day: &str) -> String {
    let mut page = format!(
        "# Rules of the service, {day}\n\nWritten by openai-admin {} with `verify-service`.\n\n\
         | Result | Rule | Assumed | Assumed answer | Seen | Request ids |\n|---|---|---|---|---|---|\n",
        env!("CARGO_PKG_VERSION")
    );
    for row in rows {
        let _ = writeln!(
            page,
            "| {} | `{}` | {} | {} | {} | {} |",
            row.result.words(),
            row.rule,
            row.assumed,
            row.assumed_answer.as_deref().unwrap_or("-"),
            row.seen,
            row.request_ids.join(", ")
        );
    }
    page
}

/// The counts of the results, in one line.
pub(super) fn summary(rows: &[Row]) -> String {
    let count = |verdict| rows.iter().filter(|row| row.result == verdict).count();
    let all = [Verdict::Same, Verdict::OtherAnswer, Verdict::Different, Verdict::Unclear, Verdict::NotTried];
    let counts = all.into_iter().filter(|verdict| count(*verdict) > 0);
    counts.map(|verdict| format!("{} {}", count(verdict), verdict.words())).collect::<Vec<_>>().join(", ")
}
