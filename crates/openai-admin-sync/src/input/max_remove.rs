//! Limits on removals.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// The limit of removals in one run. A run with more removals needs an explicit approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxRemove {
    /// The most members to remove, in percent. Applies if there are at least `min_size` members.
    #[serde(default = "percent")]
    #[schemars(range(max = 100))]
    pub percent: u8,
    /// The most members to remove.
    #[serde(default = "count")]
    pub count: u64,
    /// The fewest members for which `percent` applies.
    #[serde(default = "min_size")]
    pub min_size: u64,
}

/// The fields of [`MaxRemove`], which refuses a bare number because its unit would be unclear.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaxRemoveFields {
    #[serde(default = "percent")]
    percent: u8,
    #[serde(default = "count")]
    count: u64,
    #[serde(default = "min_size")]
    min_size: u64,
}

impl<'de> Deserialize<'de> for MaxRemove {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MaxRemoveVisitor;
        impl<'de> de::Visitor<'de> for MaxRemoveVisitor {
            type Value = MaxRemove;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("limits in whole numbers, such as { percent: 20, count: 25 }")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<MaxRemove, A::Error> {
                let fields = MaxRemoveFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let MaxRemoveFields { percent, count, min_size } = fields;
                Ok(MaxRemove { percent, count, min_size })
            }
        }
        deserializer.deserialize_any(MaxRemoveVisitor)
    }
}

fn percent() -> u8 {
    20
}
fn count() -> u64 {
    25
}
fn min_size() -> u64 {
    10
}

impl MaxRemove {
    /// The stricter of both limits, field by field.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self {
            percent: self.percent.min(other.percent),
            count: self.count.min(other.count),
            min_size: self.min_size.min(other.min_size),
        }
    }

    /// The default limit for a group.
    pub const OF_GROUP: Self = Self { percent: 20, count: 25, min_size: 10 };
    /// The default limit for all groups together.
    pub const OF_ORGANIZATION: Self = Self { percent: 20, count: 100, min_size: 100 };
}
