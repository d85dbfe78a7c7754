//! How the API answers what it refuses: one row for each rule, with what is known of it.
//!
//! Rules that nobody has recorded in public are marked as assumed. A recording changes a row here and no logic.
//!
//! Assumed as well, of what is *not* refused: adding a member again succeeds and changes nothing; two groups may have
//! one name; `limit=0` is answered with an empty page before the cursor is looked at; deleting a group or a user takes
//! the memberships with it; users are listed oldest first; any user of the organization is a place in the list of a
//! group's users, member or not; `before` in the audit log gives the page that comes next towards the newest event; an
//! event type that nobody has published is refused; an API key that belongs to nobody is an actor with an id alone.
//!
//! Ours, since the published list has no event for it: users who are added to a group or removed from it are
//! `group.user.added` and `group.user.removed` in the audit log, an organization that is created is
//! `organization.created`, and who works at the command line of the server's machine is a `session` of a user whose id
//! is the name of the command, such as `load`.

use std::sync::LazyLock;

use openai_admin::ViolationCode;
use openai_admin_store::{Kind, Refusal};
use serde::Serialize;

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Seen in public records of the real service, or published.
    Seen,
    /// Nobody has recorded what the real service does.
    Assumed,
    /// About something that the real service does not have.
    Ours,
}

/// A status and a code, and where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) status: u16,
    pub(crate) code: Option<&'static str>,
    /// Explains what an answer is worth: no code decides by it.
    pub(crate) evidence: Evidence,
    /// Whether the body is `{"error": "…"}`, as the real service's administration endpoints answer a 403.
    pub(crate) bare_body: bool,
    /// Whether a program should not send the same request again: it would be answered in the same way (official
    /// clients retry a 409 otherwise), or it would do twice what is done already.
    pub(crate) is_final: bool,
}

const fn rule(status: u16, code: &'static str, evidence: Evidence) -> Rule {
    Rule { code: Some(code), ..without_code(status, evidence) }
}

/// Refusals are final. Timeouts, limits and failures pass.
const fn without_code(status: u16, evidence: Evidence) -> Rule {
    let is_final = status < 500 && status != 408 && status != 429;
    Rule { status, code: None, evidence, bare_body: false, is_final }
}

impl Rule {
    const fn with_bare_body(self) -> Self {
        Self { bare_body: true, ..self }
    }

    const fn and_final(self) -> Self {
        Self { is_final: true, ..self }
    }
}

use Evidence::{Assumed, Ours, Seen};

/// Declares the rules, and [`ALL`], the list of them.
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
    /// The published API has the operation, and this server does not yet.
    NOT_SERVED = rule(501, "operation_not_served", Ours).and_final();
    METHOD_NOT_ALLOWED = without_code(405, Seen);
    NO_KEY = without_code(401, Seen);
    WRONG_KEY = rule(401, "invalid_api_key", Seen);
    /// `OpenAI-Organization` names another organization than the key's.
    MISMATCHED_ORGANIZATION = rule(401, "mismatched_organization", Seen);
    MISSING_SCOPE = without_code(403, Seen).with_bare_body();
    RATE_LIMITED = rule(429, "rate_limit_exceeded", Seen);
    /// About where a request comes from, and not about its key.
    TOO_MANY_WRONG_KEYS = rule(429, "rate_limit_exceeded", Ours);
    /// Plain HTTP where TLS is spoken.
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
    /// The real service takes no notice of the header. The status is that of the IETF's draft on it.
    IDEMPOTENCY_KEY_REUSED = rule(422, "idempotency_key_reused", Ours);
    IDEMPOTENT_ANSWER_DELETED = rule(409, "idempotent_answer_deleted", Ours);
    IDEMPOTENT_ANSWER_SECRET = rule(409, "idempotent_answer_secret", Ours);
    INVALID_IDEMPOTENCY_KEY = rule(400, "invalid_value", Ours);
    UNAVAILABLE = rule(503, "service_unavailable", Ours);
    /// A 500, since a 503 promises that nothing has happened.
    OUTCOME_UNKNOWN = rule(500, "outcome_unknown", Ours).and_final();
    INTERNAL = rule(500, "internal_error", Ours);
}

/// The answer about a thing that is not there, by its kind.
#[derive(Debug)]
pub(crate) struct NotFound {
    pub(crate) kind: Kind,
    code: String,
    pub(crate) meaning: String,
    pub(crate) next: String,
    /// The parameter with the id.
    pub(crate) param: String,
    /// Which operations answer so.
    pub(crate) operations: String,
}

impl NotFound {
    fn new(kind: Kind) -> Self {
        let (name, words) = (kind.name(), kind.as_str());
        Self {
            kind,
            code: format!("{name}_not_found"),
            meaning: format!("No {words} that the key can reach has this id; it may have been deleted."),
            next: format!(
                "Compare the id with a list of the {words}s. If the request deletes it, treat this answer as success."
            ),
            param: format!("{name}_id"),
            operations: format!("operations that take `{name}_id`"),
        }
    }

    pub(crate) fn rule(&'static self) -> Rule {
        rule(404, &self.code, Assumed)
    }
}

/// One for each kind of thing, in the order of `Kind::ALL`, which is that of the declaration.
pub(crate) fn of_kinds() -> &'static [NotFound] {
    static OF_KINDS: LazyLock<Vec<NotFound>> =
        LazyLock::new(|| Kind::ALL.iter().copied().map(NotFound::new).collect());
    &OF_KINDS
}

/// The one of this kind.
pub(crate) fn not_found(kind: Kind) -> &'static NotFound {
    &of_kinds()[kind as usize]
}

/// A rule of the store that a well-formed request breaks.
pub(crate) const fn refused(refusal: Refusal) -> Rule {
    rule(400, refusal.code(), Assumed)
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
