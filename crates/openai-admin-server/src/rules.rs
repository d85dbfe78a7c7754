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

use openai_admin::ViolationCode;
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) status: u16,
    pub(crate) code: Option<&'static str>,
    /// For those who ask what an answer is worth: nothing is decided by it.
    pub(crate) evidence: Evidence,
}

const fn rule(status: u16, code: &'static str, evidence: Evidence) -> Rule {
    Rule { status, code: Some(code), evidence }
}

const fn without_code(status: u16, evidence: Evidence) -> Rule {
    Rule { status, code: None, evidence }
}

use Evidence::{Assumed, Ours, Seen};

pub(crate) const UNKNOWN_URL: Rule = without_code(404, Seen);
/// The published API has the operation, and this server does not yet.
pub(crate) const NOT_SERVED: Rule = rule(501, "operation_not_served", Ours);
pub(crate) const METHOD_NOT_ALLOWED: Rule = without_code(405, Seen);
pub(crate) const NO_KEY: Rule = without_code(401, Seen);
pub(crate) const WRONG_KEY: Rule = rule(401, "invalid_api_key", Seen);
/// `OpenAI-Organization` names another organization than the key's.
pub(crate) const MISMATCHED_ORGANIZATION: Rule = rule(401, "mismatched_organization", Seen);
/// The body of this one is a bare string.
pub(crate) const MISSING_SCOPE: Rule = without_code(403, Seen);
pub(crate) const RATE_LIMITED: Rule = rule(429, "rate_limit_exceeded", Seen);
/// About where a request comes from, and not about its key.
pub(crate) const TOO_MANY_WRONG_KEYS: Rule = rule(429, "rate_limit_exceeded", Ours);
/// Plain HTTP where TLS is spoken.
pub(crate) const NEEDS_TLS: Rule = rule(400, "https_required", Ours);
/// The header `Host`, or the host in the target of a request.
pub(crate) const WRONG_HOST: Rule = rule(400, "invalid_host", Ours);
pub(crate) const MALFORMED_BODY: Rule = without_code(400, Seen);
pub(crate) const UNSUPPORTED_CONTENT_TYPE: Rule = rule(400, "unsupported_content_type", Seen);
pub(crate) const BODY_TOO_LARGE: Rule = rule(413, "request_too_large", Ours);
pub(crate) const BODY_TOO_SLOW: Rule = rule(408, "request_timeout", Ours);
pub(crate) const GROUP_NOT_FOUND: Rule = rule(404, "group_not_found", Assumed);
pub(crate) const USER_NOT_FOUND: Rule = rule(404, "user_not_found", Assumed);
pub(crate) const ROLE_NOT_FOUND: Rule = rule(404, "role_not_found", Assumed);
pub(crate) const OTHER_NOT_FOUND: Rule = rule(404, "not_found", Ours);
pub(crate) const NOT_A_MEMBER: Rule = rule(404, "not_a_member", Assumed);
pub(crate) const UNKNOWN_CURSOR: Rule = rule(400, "invalid_value", Assumed);
pub(crate) const MANAGED_GROUP: Rule = rule(403, "scim_managed_group", Assumed);
pub(crate) const ALREADY_EXISTS: Rule = rule(409, "already_exists", Ours);
pub(crate) const INVALID_VALUE: Rule = rule(400, "invalid_value", Seen);
/// The real service takes no notice of the header. The status is that of the IETF's draft on it.
pub(crate) const IDEMPOTENCY_KEY_REUSED: Rule = rule(422, "idempotency_key_reused", Ours);
pub(crate) const IDEMPOTENT_ANSWER_DELETED: Rule = rule(409, "idempotent_answer_deleted", Ours);
pub(crate) const INVALID_IDEMPOTENCY_KEY: Rule = rule(400, "invalid_value", Ours);
pub(crate) const UNAVAILABLE: Rule = rule(503, "service_unavailable", Ours);
/// A 500, since a 503 promises that nothing has happened.
pub(crate) const OUTCOME_UNKNOWN: Rule = rule(500, "outcome_unknown", Ours);
pub(crate) const INTERNAL: Rule = rule(500, "internal_error", Ours);

/// Every violation of a parameter's rules answers 400 with its own code.
pub(crate) fn violation(code: Option<ViolationCode>) -> Rule {
    match code {
        Some(code) => rule(400, code.as_str(), Seen),
        None => MALFORMED_BODY,
    }
}
