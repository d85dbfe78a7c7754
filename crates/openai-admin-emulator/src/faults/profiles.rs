use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    latency::Latency,
    rule::{Fault, FaultBody, FaultRule, ResetTiming, WaitHint},
};

/// A named set of fault rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Like the real service, as recorded: about seven requests a minute for each operation, then 429 without a time to
    /// wait, and a delay of each response.
    ProductionLike,
    /// One request in five fails, in every possible way.
    Flaky,
    /// Responses are slow, and some are very slow.
    Slow,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::ProductionLike, Self::Flaky, Self::Slow];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProductionLike => "production-like",
            Self::Flaky => "flaky",
            Self::Slow => "slow",
        }
    }

    /// The rules.
    pub fn rules(self) -> Vec<FaultRule> {
        match self {
            Self::ProductionLike => vec![
                FaultRule {
                    latency: Some(Latency::LogNormal { median_ms: 80, p99_ms: 400 }),
                    ..FaultRule::named("latency")
                },
                FaultRule {
                    fault: Some(Fault::Budget { requests_per_minute: 7, told: WaitHint::Nowhere }),
                    ..FaultRule::named("budget")
                },
            ],
            Self::Flaky => vec![
                sometimes(
                    "rate-limited",
                    0.05,
                    Fault::RateLimited { wait_seconds: 1.0, told: WaitHint::Header },
                ),
                sometimes("error", 0.04, status(500, FaultBody::Json)),
                sometimes("bad-gateway", 0.03, status(502, FaultBody::Html)),
                sometimes("unavailable", 0.03, status(503, FaultBody::Json)),
                sometimes("reset-before", 0.02, Fault::Reset { when: ResetTiming::Before }),
                sometimes("reset-after", 0.02, Fault::Reset { when: ResetTiming::After }),
                sometimes("truncated", 0.02, Fault::Truncated { bytes: None }),
            ],
            Self::Slow => vec![FaultRule {
                latency: Some(Latency::LogNormal { median_ms: 400, p99_ms: 3_000 }),
                ..FaultRule::named("latency")
            }],
        }
    }
}

fn sometimes(name: &str, probability: f64, fault: Fault) -> FaultRule {
    FaultRule { probability: Some(probability), fault: Some(fault), ..FaultRule::named(name) }
}

fn status(status: u16, body: FaultBody) -> Fault {
    Fault::Status { status, body, retry_after_seconds: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FaultPlan;

    #[test]
    fn every_profile_is_a_valid_plan() {
        for profile in Profile::ALL {
            let plan = FaultPlan { rules: profile.rules(), ..FaultPlan::default() };
            assert_eq!(plan.check(), Ok(()), "{}", profile.name());
        }
    }
}
