//! The refusals of the API: one row for each rule, with its evidence.
//!
//! Rules without a public recording are marked as assumed. A recording changes a row here and no logic.
//!
//! Also assumed: adding a member again changes nothing; two groups may have the same name; `limit=0`
//! returns an empty page before the cursor is checked; deleting a group or a user deletes its memberships; users are
//! listed oldest first; the id of any user of the organization is a valid cursor in the list of a group's users;
//! `before` in the audit log returns the page of the next newer events; an unpublished event type is refused; an API
//! key without an owner is an actor with only an id.
//!
//! Ours, since the published list has no event for them: adding a user to a group and removing one are
//! `group.user.added` and `group.user.removed` in the audit log, and creating an organization is
//! `organization.created`. A change from the command line of the server's machine is by a `session` of a user whose id
//! is the name of the command, such as `load`.

use std::sync::LazyLock;

use openai_admin::ViolationCode;
use openai_admin_store::{Kind, Refusal};
use serde::Serialize;

/// The source of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Seen in public records of the real service, or published.
    Seen,
    /// Not recorded in public.
    Assumed,
    /// Confirmed by a report of `openai-admin verify-service` from the real service.
    Confirmed,
    /// A feature that the real service does not have.
    Ours,
}

/// A status and a code, with their evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) status: u16,
    pub(crate) code: Option<&'static str>,
    /// For explanations only: no code branches on it.
    pub(crate) evidence: Evidence,
    /// Whether the body is `{"error": "…"}`, as in the real service's 403 responses of administration endpoints.
    pub(crate) bare_body: bool,
    /// Whether a client must not retry: the request would fail in the same way (official clients retry a 409
    /// otherwise), or would repeat a change.
    pub(crate) is_final: bool,
}

const fn rule(status: u16, code: &'static str, evidence: Evidence) -> Rule {
    Rule { code: Some(code), ..without_code(status, evidence) }
}

/// Refusals are final. Timeouts, rate limits and failures are temporary.
const fn without_code(status: u16, evidence: Evidence) -> Rule {
    let is_final = status < 500 && status != 408 && status != 429;
    Rule { status, code: None, evidence, bare_body: false, is_final }
}

impl Rule {
    const fn with_bare_body(self) -> Self {
        Self { bare_body: true, ..self }
    }

    /// The evidence, after the reports of `openai-admin verify-service`.
    pub(crate) fn evidence(&self) -> Evidence {
        match self.confirmed_on() {
            Some(_) => Evidence::Confirmed,
            None => self.evidence,
        }
    }

    /// The day of the report that confirmed the rule, if there is one.
    pub(crate) fn confirmed_on(&self) -> Option<&'static str> {
        self.code.and_then(openai_admin_store::Rule::named)?.confirmed_on()
    }

    const fn and_final(self) -> Self {
        Self { is_final: true, ..self }
    }
}

use Evidence::{Assumed, Ours, Seen};

/// Declares the rules and their list, [`ALL`].
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $rule:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: Rule = $rule;)*

        /// Every rule that is a row of this table. [`of_kinds`], [`refused`] and [`violation`] give the others.
        #[cfg(test)]
        pub(crate) const ALL: &[Rule] = &[$($name),*];
    };
}

rules! {
    UNKNOWN_URL = without_code(404, Seen);
    /// The published API has the operation, but this server does not support it yet.
    NOT_SERVED = rule(501, "operation_not_served", Ours).and_final();
    METHOD_NOT_ALLOWED = without_code(405, Seen);
    NO_KEY = without_code(401, Seen);
    WRONG_KEY = rule(401, "invalid_api_key", Seen);
    /// `OpenAI-Organization` names another organization than the key's.
    MISMATCHED_ORGANIZATION = rule(401, "mismatched_organization", Seen);
    MISSING_SCOPE = without_code(403, Seen).with_bare_body();
    RATE_LIMITED = rule(429, "rate_limit_exceeded", Seen);
    /// Limits the peer, not the key.
    TOO_MANY_WRONG_KEYS = rule(429, "rate_limit_exceeded", Ours);
    /// Plain HTTP to a TLS port.
    NEEDS_TLS = rule(400, "https_required", Ours);
    /// The header `Host`, or the host in the target of a request.
    WRONG_HOST = rule(400, "invalid_host", Ours);
    MALFORMED_BODY = without_code(400, Seen);
    UNSUPPORTED_CONTENT_TYPE = rule(400, "unsupported_content_type", Seen);
    BODY_TOO_LARGE = rule(413, "request_too_large", Ours);
    BODY_TOO_SLOW = rule(408, "request_timeout", Ours);
    NOT_A_MEMBER = rule(404, "not_a_member", Assumed);
    NOT_IN_PROJECT = rule(404, "not_in_project", Assumed);
    UNKNOWN_CURSOR = rule(400, "invalid_value", Assumed);
    MANAGED_GROUP = rule(403, "scim_managed_group", Assumed);
    ALREADY_EXISTS = rule(409, "already_exists", Ours);
    INVALID_VALUE = rule(400, "invalid_value", Seen);
    /// The real service ignores the header. The status is from the IETF's draft on it.
    IDEMPOTENCY_KEY_REUSED = rule(422, "idempotency_key_reused", Ours);
    IDEMPOTENT_ANSWER_DELETED = rule(409, "idempotent_answer_deleted", Ours);
    IDEMPOTENT_ANSWER_SECRET = rule(409, "idempotent_answer_secret", Ours);
    INVALID_IDEMPOTENCY_KEY = rule(400, "invalid_value", Ours);
    UNAVAILABLE = rule(503, "service_unavailable", Ours);
    /// A 500, since a 503 promises that the request had no effect.
    OUTCOME_UNKNOWN = rule(500, "outcome_unknown", Ours).and_final();
    INTERNAL = rule(500, "internal_error", Ours);
}

/// The refusal of an unknown id, for one kind of resource.
#[derive(Debug)]
pub(crate) struct NotFound {
    pub(crate) kind: Kind,
    code: String,
    pub(crate) meaning: String,
    pub(crate) next: String,
    /// The parameter with the id.
    pub(crate) param: String,
    /// Another name of the parameter, in some paths.
    pub(crate) other_param: Option<&'static str>,
    /// The operations that answer so.
    pub(crate) operations: String,
}

impl NotFound {
    fn new(kind: Kind) -> Self {
        let (name, words) = (kind.name(), kind.as_str());
        let other_param = (kind == Kind::ApiKey).then_some("key_id");
        let or_other = other_param.map(|other| format!(" or `{other}`")).unwrap_or_default();
        Self {
            kind,
            code: format!("{name}_not_found"),
            meaning: match kind {
                Kind::Organization => "No organization has this id; it may have been deleted.".to_owned(),
                _ => format!("The key's organization has no {words} with this id; it may have been deleted."),
            },
            next: format!(
                "List the {words}s to check the id. If you were deleting the {words}, treat this answer as success."
            ),
            param: format!("{name}_id"),
            other_param,
            operations: format!("operations that take `{name}_id`{or_other}"),
        }
    }

    pub(crate) fn rule(&'static self) -> Rule {
        rule(404, &self.code, Assumed)
    }
}

/// One for each kind of resource, in the order of `Kind::ALL`, which is that of the declaration.
pub(crate) fn of_kinds() -> &'static [NotFound] {
    static OF_KINDS: LazyLock<Vec<NotFound>> =
        LazyLock::new(|| Kind::ALL.iter().copied().map(NotFound::new).collect());
    &OF_KINDS
}

/// The refusal of an unknown id of this kind.
pub(crate) fn not_found(kind: Kind) -> &'static NotFound {
    &of_kinds()[kind as usize]
}

/// A rule of the store that a well-formed request breaks.
pub(crate) const fn refused(refusal: Refusal) -> Rule {
    match refusal {
        _ if refusal.is_absence() => rule(404, refusal.code(), Assumed),
        // A retry cannot help: this server never connects to another cloud.
        _ if refusal.is_unreachable_cloud() => rule(503, refusal.code(), Ours).and_final(),
        _ => rule(400, refusal.code(), Assumed),
    }
}

/// Every violation of a parameter's rules answers 400 with its own code.
pub(crate) fn violation(code: Option<ViolationCode>) -> Rule {
    match code {
        Some(code) => rule(400, code.as_str(), Seen),
        None => MALFORMED_BODY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_code_and_parameter() {
        for kind in Kind::ALL {
            let found = not_found(*kind);
            assert_eq!(found.kind, *kind);
            let code = format!("{}_not_found", kind.name());
            assert_eq!((found.rule().status, found.rule().code), (404, Some(code.as_str())));
            assert_eq!(found.param, format!("{}_id", kind.name()));
        }
    }
}
