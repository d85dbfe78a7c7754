//! How many removals need no number that accepts them.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// How many may be removed without being asked for by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxRemove {
    /// At most so many percent, of groups with at least `min_size` members.
    #[serde(default = "percent")]
    #[schemars(range(max = 100))]
    pub percent: u8,
    /// At most so many people.
    #[serde(default = "count")]
    pub count: u64,
    /// In smaller groups a percentage says nothing.
    #[serde(default = "min_size")]
    pub min_size: u64,
}

/// The fields of [`MaxRemove`]. People write a bare number, which would say nothing of what it counts.
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
    /// What both allow.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self {
            percent: self.percent.min(other.percent),
            count: self.count.min(other.count),
            min_size: self.min_size.min(other.min_size),
        }
    }

    /// What holds for a group when nobody says otherwise.
    pub const OF_GROUP: Self = Self { percent: 20, count: 25, min_size: 10 };
    /// What holds for all groups together when nobody says otherwise.
    pub const OF_ORGANIZATION: Self = Self { percent: 20, count: 100, min_size: 100 };
}
