//! Explanations of the refusals in `rules.rs`: the meaning, who can fix it, and the next step.
//!
//! Code supplies the facts: status, code, evidence and answer come from the error itself, and the operations from their
//! declarations. The texts are in `explanations/rows.rs`.

mod row;
mod rows;

use serde::Serialize;
use serde_json::Value;

pub use self::row::Blame;
use self::row::{AnsweredBy, Described, Request, Row};
use crate::{
    answer::{
        published::PublishedOperation,
        routes::operations,
        rules::{Evidence, NotFound},
    },
    describe::coverage::Coverage,
};

/// A refusal of the API. Refusals with the same code differ in the next step.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The status of the answer.
    pub status: u16,
    /// The `code` of the answer, if the API gives one.
    pub code: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
    /// Who can fix it.
    #[serde(rename = "fault")]
    pub blame: Blame,
    /// The next step.
    pub next: &'static str,
    /// Whether the real service is known to answer so.
    pub evidence: Evidence,
    /// The day of the report that confirmed it at the real service, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_on: Option<&'static str>,
    /// The operations that answer so, in words.
    pub answered_by: &'static str,
    /// The ids of the operations that answer so, in the order of the documentation. Empty if the server refuses
    /// before it selects an operation.
    pub operations: Vec<&'static str>,
    /// A request that is answered so, if a fixed one exists.
    pub example: Option<Example>,
}

/// A request and its answer. The ids are those of `examples/acme/organization.yaml`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Example {
    /// The method.
    pub method: &'static str,
    /// The path and the query.
    pub path: String,
    /// The body, if it has one. `…` abbreviates a long text.
    pub body: Option<&'static str>,
    /// A condition that the request itself does not show.
    pub given: Option<&'static str>,
    /// The body of the answer.
    pub answer: Value,
}

impl Evidence {
    /// `seen`, `assumed`, `confirmed` or `ours`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Assumed => "assumed",
            Self::Confirmed => "confirmed",
            Self::Ours => "ours",
        }
    }

    /// What the evidence says about the real service.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Seen => "published, or recorded from the real service",
            Self::Assumed => "the real service's answer has not been recorded in public",
            Self::Confirmed => "confirmed by a report of `openai-admin verify-service` from the real service",
            Self::Ours => "a feature or an error that only this server has",
        }
    }
}

impl Explanation {
    /// All explanations, ordered by status.
    pub fn all() -> Vec<Self> {
        let described = described();
        let mut all: Vec<Self> = rows::rows().into_iter().map(|row| explain(row, &described)).collect();
        // The rows of a status keep their order.
        all.sort_by_key(|explanation| explanation.status);
        all
    }

    /// The explanations of a code, or of a status such as `404`.
    pub fn of(word: &str) -> Vec<Self> {
        let is_meant = |it: &Self| it.code == Some(word) || it.status.to_string() == word;
        Self::all().into_iter().filter(is_meant).collect()
    }
}

fn explain(row: Row, described: &[Described]) -> Explanation {
    let Row { error, blame, meaning, next, answered_by, request } = row;
    let rule = error.rule();
    let ids = |is_meant: &dyn Fn(&Described) -> bool| {
        described.iter().filter(|operation| is_meant(operation)).map(|operation| operation.facts.id).collect()
    };
    let (answered_by, operations) = match answered_by {
        AnsweredBy::Every => ("every operation", ids(&|_| true)),
        AnsweredBy::NotServed => ("every operation that is not supported yet", not_served()),
        AnsweredBy::Matching(words, is_meant) => (words, ids(&is_meant)),
        AnsweredBy::Identifying(NotFound { param, other_param, operations, .. }) => {
            let is_other = |it: &Described| other_param.is_some_and(|other| it.names_in_path(other));
            (operations.as_str(), ids(&|it| it.looks_up(param) || is_other(it)))
        }
        AnsweredBy::NoOperation(words) => (words, Vec::new()),
    };
    let example = request.map(|Request { method, path, body, given }| {
        let answer = serde_json::from_slice(&error.body()).unwrap_or_default();
        Example { method, path, body, given, answer }
    });
    Explanation {
        status: rule.status,
        code: rule.code,
        meaning,
        blame,
        next,
        evidence: rule.evidence(),
        confirmed_on: rule.confirmed_on(),
        answered_by,
        operations,
        example,
    }
}

fn not_served() -> Vec<&'static str> {
    let all = Coverage::of_all().into_iter();
    all.filter(|(_, coverage)| *coverage == Coverage::NotYet)
        .map(|(PublishedOperation { id, .. }, _)| id)
        .collect()
}

fn described() -> Vec<Described> {
    operations().into_iter().map(|facts| Described { fields: facts.fields(), facts }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use openai_admin::ViolationCode;
    use openai_admin_store::Refusal;

    use super::*;
    use crate::answer::rules;

    type Answered = BTreeSet<(u16, Option<&'static str>, &'static str)>;

    fn rules() -> Answered {
        let violations = ViolationCode::ALL.into_iter().map(|code| rules::violation(Some(code)));
        let of_kinds = rules::of_kinds().iter().map(NotFound::rule);
        let refusals = Refusal::ALL.iter().copied().map(rules::refused);
        let all = rules::ALL.iter().copied().chain(violations).chain(of_kinds).chain(refusals);
        // No operation has this rule if all are served.
        let applies = |rule: &rules::Rule| rule.code != rules::NOT_SERVED.code || !not_served().is_empty();
        all.filter(applies).map(|rule| (rule.status, rule.code, rule.evidence().as_str())).collect()
    }

    #[test]
    fn every_rule_is_explained_and_nothing_else() {
        let explained: Answered =
            Explanation::all().iter().map(|it| (it.status, it.code, it.evidence.as_str())).collect();
        assert_eq!(explained, rules());
        assert_eq!(Explanation::all().len(), explained.len(), "a rule is explained twice");
    }

    #[test]
    fn every_explanation_is_complete() {
        for Explanation { status, code, meaning, next, answered_by, operations, example, .. } in
            Explanation::all()
        {
            let name = code.map_or_else(|| status.to_string(), str::to_owned);
            for sentence in [meaning, next] {
                assert!(
                    sentence.ends_with('.') && sentence.starts_with(|c: char| c.is_uppercase() || c == '`')
                );
            }
            assert!(!answered_by.is_empty() && !answered_by.ends_with('.'), "{name}");
            let Some(example) = example else {
                // A kind without a retrieve operation has no example.
                let is_of_kind = rules::of_kinds().iter().any(|kind| kind.rule().code == code);
                assert!(
                    operations.is_empty() || is_of_kind,
                    "{name} is answered by operations, and has no example"
                );
                continue;
            };
            let error = &example.answer["error"];
            assert!(error.is_string() || error["code"].as_str() == code, "{name}: {error}");
        }
    }

    #[test]
    fn the_id_of_a_resource_may_be_in_a_list_of_a_body() {
        let operations = |code| Explanation::of(code).remove(0).operations;
        assert!(operations("user_not_found").contains(&"x-check-access"));
        assert!(operations("project_not_found").contains(&"x-list-permission-users"));
        assert!(!operations("project_not_found").contains(&"x-create-usage-batch"));
    }

    #[test]
    fn a_word_is_a_code_or_a_status() {
        let statuses = |word| Explanation::of(word).iter().map(|it| it.status).collect::<Vec<_>>();
        assert_eq!(statuses("invalid_value"), [400, 400, 400]);
        assert_eq!(statuses("405"), [405]);
        assert!(statuses("404").len() > 4);
        assert!(statuses("").is_empty() && statuses("nothing").is_empty());
    }
}
