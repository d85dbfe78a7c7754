//! The assumed rules that the emulator can switch off: one row for each rule.

use std::fmt;

/// Declares [`Rule`]: for each rule its name, whether loose mode switches it off, and the effect of a rule that is off.
macro_rules! rules {
    ($(#[doc = $assumption:literal] $rule:ident = $name:literal, $loose:ident, $off:literal;)*) => {
        /// A rule that no public recording of the real service confirms; a report can. A store applies it, unless the
        /// [`Stamp`](crate::Stamp) of a change says otherwise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $assumption] $rule,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// The name, such as `already_in_project`. It is the code of the refusal, if that has its own code.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }

            /// The assumption, as a sentence.
            pub const fn assumption(self) -> &'static str {
                match self {
                    $(Self::$rule => $assumption.trim_ascii(),)*
                }
            }

            /// The effect of switching the rule off, as a sentence without a full stop.
            pub const fn effect_of_off(self) -> &'static str {
                match self {
                    $(Self::$rule => $off,)*
                }
            }

            /// Whether generated test suites need the rule to be off.
            pub const fn is_off_in_loose_mode(self) -> bool {
                match self {
                    $(Self::$rule => rules!(@$loose),)*
                }
            }
        }
    };
    (@loose) => { true };
    (@state) => { false };
}

rules! {
    /// A user of a project is not added again.
    AlreadyInProject = "already_in_project", loose,
        "adding a user who is in the project returns the user, unchanged";
    /// A group of a project is not added again.
    GroupAlreadyInProject = "group_already_in_project", loose,
        "adding a group that is in the project returns the group, unchanged";
    /// A certificate is one valid X.509 certificate in PEM format.
    InvalidCertificate = "invalid_certificate", loose,
        "any text is a certificate; one that cannot be read is valid for a year from its upload";
    /// An invited address has the form of an email address.
    InvalidEmail = "invalid_email", loose,
        "any text is the address of an invite or of an alert's recipient";
    /// The `limit` of a list whose pages have 1 to 100 items is at least 1.
    LimitOfZero = "limit_of_zero", loose,
        "a `limit` of 0 means the first page with the default limit, in lists whose minimum is 1";
    /// A request to add a user to a project names a user.
    MissingUser = "missing_user", loose,
        "a request without a user adds the oldest user of the organization to the project";
    /// The address of a request that also has a user id is the address of that user.
    MismatchedEmail = "mismatched_email", loose,
        "the id of the user takes precedence over the address";
    /// A request for the events of a tenant names no other event type.
    NotATenantEvent = "not_a_tenant_event", loose,
        "with `tenant_only`, event types that are not of a tenant are ignored";
    /// A permission starts with `api.` or `model.`.
    UnknownPermission = "unknown_permission", loose,
        "any text is a permission";
    /// The role of a user or of a member of a project exists.
    UnknownRole = "unknown_role", loose,
        "an unknown role means `reader` in the organization and `member` in a project";
    /// The audit log may contain events of types that the real service does not have.
    UnpublishedEvent = "unpublished_event", loose,
        "the audit log hides events of unpublished types, unless the request names the type";
    /// The external id or audience of an external key is the id of the organization or of one of its projects.
    UnknownExternalId = "unknown_external_id", loose,
        "any text is the external id or audience of an external key";
    /// Only an external key for `psp_decryption` has a version.
    ExternalKeyVersion = "external_key_version", loose,
        "an external key can have a version, whatever its purpose";
    /// No key service can be reached.
    KeyServiceUnreachable = "key_service_unreachable", loose,
        "validating an external key answers that it is valid";
    /// No external storage can be reached.
    StorageUnreachable = "storage_unreachable", loose,
        "validating an external storage sets its status to `validated`";
    /// The default service tier `fast` of a project is one of its enabled tiers.
    DefaultTierDisabled = "default_tier_disabled", state,
        "the default service tier of a project can be `fast`, whatever its enabled tiers";
    /// A workload identity provider with federation rules is not deleted.
    WorkloadIdentityProviderInUse = "workload_identity_provider_in_use", loose,
        "deleting a workload identity provider also deletes its federation rules";
    /// An external key that a project uses is not deleted.
    ExternalKeyInUse = "external_key_in_use", state,
        "deleting an external key ignores the projects that use it";
    /// The address of a user is not invited.
    AlreadyAMember = "already_a_member", state,
        "the address of a user can be invited";
    /// The address of a pending invite is not invited again.
    AlreadyInvited = "already_invited", state,
        "an address can have several pending invites";
    /// An active certificate is not deleted.
    CertificateActive = "certificate_active", state,
        "deleting an active certificate also deactivates it";
    /// An organization has at most 50 certificates.
    CertificateLimit = "certificate_limit", state,
        "an organization can have any number of certificates";
    /// An accepted invite is not deleted.
    InviteAccepted = "invite_accepted", state,
        "an accepted invite can be deleted; the user remains";
    /// Removing a user from a group requires that the user is a member.
    NotAMember = "not_a_member", state,
        "removing a user who is not in the group succeeds and changes nothing";
    /// Removing a user or group from a project requires that it is in the project.
    NotInProject = "not_in_project", state,
        "removing a user or group that is not in the project succeeds and changes nothing";
    /// The last user whose role is `owner` keeps it, and is not deleted.
    LastOwner = "last_owner", state,
        "the last owner can be deleted or get another role";
    /// Only the identity provider or the tenant changes its groups.
    ManagedGroup = "scim_managed_group", state,
        "the API can change groups of an identity provider or a tenant";
}

/// The rules that a report of `openai-admin verify-service` confirmed at the real service, each with the day of the
/// report, such as `2026-01-31`. All others are assumed.
const CONFIRMED: &[(Rule, &str)] = &[];

impl Rule {
    /// The day of the report that confirmed the rule at the real service. None: the rule is assumed.
    pub fn confirmed_on(self) -> Option<&'static str> {
        CONFIRMED.iter().find(|(rule, _)| *rule == self).map(|(_, day)| *day)
    }

    /// The rule of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rules that apply to a change. By default all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// One bit for each rule that is off.
    off: u32,
}

impl Rules {
    /// The rules of loose mode, which generated test suites pass.
    pub fn loose() -> Self {
        let off = Rule::ALL.iter().filter(|rule| rule.is_off_in_loose_mode());
        off.fold(Self::default(), |rules, rule| rules.with(*rule, false))
    }

    /// The same rules, with one switched on or off.
    #[must_use]
    pub const fn with(self, rule: Rule, is_on: bool) -> Self {
        let off = if is_on { self.off & !rule.bit() } else { self.off | rule.bit() };
        Self { off }
    }

    /// Whether a rule applies.
    pub const fn has(self, rule: Rule) -> bool {
        self.off & rule.bit() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::refusal::Refusal;

    #[test]
    fn each_rule_has_its_own_bit_and_name() {
        let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            let rules = Rules::default().with(*rule, false);
            let off = Rule::ALL.iter().filter(|other| !rules.has(**other));
            assert_eq!(off.collect::<Vec<_>>(), [rule]);
            assert_eq!(rules.with(*rule, true), Rules::default());
            assert_eq!(Rule::named(rule.name()), Some(*rule));
        }
    }

    /// Refusals without a switch, and why.
    const FIXED: [(&str, &str); 12] = [
        ("project_archived", "an archived project has no members, which the database relies on"),
        ("default_project", "the default project is not a row that could change"),
        ("service_account_user", "a service account without a user is invalid"),
        ("revoked_api_key", "security"),
        ("api_key_expired", "security"),
        ("invite_expired", "the emulator's clock can be set back"),
        ("rate_limit_does_not_exist_for_org_and_model", "recorded at the real service"),
        ("rate_limit_not_updatable", "recorded at the real service"),
        ("invalid_rate_limit_type", "recorded at the real service"),
        ("organization_rate_limit_exceeded", "recorded at the real service"),
        ("spend_limit_not_set", "without the rule there is no answer"),
        ("model_permissions_not_set", "without the rule there is no answer"),
    ];

    #[test]
    fn each_refusal_is_a_rule_or_has_a_reason() {
        for refusal in Refusal::ALL {
            let is_fixed = FIXED.iter().any(|(code, _)| *code == refusal.code());
            assert_ne!(Rule::named(refusal.code()).is_some(), is_fixed, "{}", refusal.code());
        }
        for (code, _) in FIXED {
            assert!(
                Refusal::ALL.iter().any(|refusal| refusal.code() == code),
                "{code} is no longer a refusal"
            );
        }
    }
}
