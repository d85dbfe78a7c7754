//! The service tiers of a project: `/organization/projects/{project_id}/service_tier_settings`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::record::record;
use crate::{
    DefaultServiceTier, ProjectId, ProjectOptionalServiceTier,
    endpoint::endpoint,
    violation::{Violation, ViolationCode},
};

const TAG: &str = "Service tiers";

record! {
    /// Retrieves the service tiers of a project.
    RetrieveProjectServiceTierSettings {
        /// The ID of the project.
        project_id: ProjectId,
    }
}

endpoint!(RetrieveProjectServiceTierSettings, "retrieve-project-service-tier-settings", GET "/organization/projects/{project_id}/service_tier_settings", MANAGEMENT_READ -> ProjectServiceTierSettings);

record! {
    /// Updates the service tiers of a project.
    UpdateProjectServiceTierSettings {
        /// The ID of the project.
        project_id: ProjectId,
        /// The values to change.
        body: UpdateProjectServiceTierSettingsBody,
    }
}

endpoint!(UpdateProjectServiceTierSettings, "update-project-service-tier-settings", POST RetrieveProjectServiceTierSettings::PATH, MANAGEMENT_WRITE -> ProjectServiceTierSettings, idempotent);

record! {
    /// The service tiers to change: at least one of the two. An absent value does not change.
    #[derive(Default)]
    #[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1)))]
    UpdateProjectServiceTierSettingsBody {}
    optional {
        /// The tier of requests without a tier, or with `auto`.
        default: DefaultServiceTier,
        /// The tiers that the project has besides the standard one.
        enabled_tiers: EnabledServiceTiers,
    }
}

record! {
    /// The service tiers of a project.
    ProjectServiceTierSettings object ProjectServiceTierSettingsObject = "project.service_tier_settings" {
        /// The tier of requests without a tier, or with `auto`.
        default: DefaultServiceTier,
        /// The tiers that the project has besides the standard one.
        enabled_tiers: EnabledServiceTiers,
    }
}

/// The tiers that a project has besides the standard one: `"all"` in JSON, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnabledServiceTiers {
    /// All tiers, including future ones.
    All,
    /// Only these tiers. Empty: only the standard tier.
    Only(Vec<ProjectOptionalServiceTier>),
}

/// All tiers, in JSON.
const ALL: &str = "all";

impl Serialize for EnabledServiceTiers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str(ALL),
            Self::Only(tiers) => tiers.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for EnabledServiceTiers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tiers)
    }
}

struct Tiers;

impl<'de> de::Visitor<'de> for Tiers {
    type Value = EnabledServiceTiers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("'all' or an array of tiers")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EnabledServiceTiers, E> {
        match text {
            ALL => Ok(EnabledServiceTiers::All),
            _ => Err(E::custom(Violation::new(
                ViolationCode::InvalidValue,
                "expected 'all' or an array of tiers.".to_owned(),
            ))),
        }
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<EnabledServiceTiers, A::Error> {
        Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(EnabledServiceTiers::Only)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EnabledServiceTiers {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EnabledServiceTiers".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let tier = generator.subschema_for::<ProjectOptionalServiceTier>();
        schemars::json_schema!({
            "anyOf": [{ "type": "string", "enum": [ALL] }, { "type": "array", "items": tier }]
        })
    }
}
