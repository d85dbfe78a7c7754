use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::Latency;
use crate::operations::check_id;

/// The maximum number of steps in a sequence.
const SEQUENCE_LENGTH_MAX: usize = 10_000;
/// The maximum length of a name, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// A fault rule: the requests that it matches, and their fault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The name, for the journal and for removal. If omitted, the rule is numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the operation that it matches, such as `add-group-user`. If omitted, it matches every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The number of matching requests to skip first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// The maximum number of injected faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The probability of the fault, from 0 to 1. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Instead of `fault`: the fault of each request in turn. `null` injects none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<Option<Fault>>,
    /// Whether the sequence repeats.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeat: bool,
    /// The delay of the response, with or without a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A 429. The request has no effect.
    RateLimited {
        /// The time to wait, in seconds.
        #[serde(default = "one_second")]
        wait_seconds: f64,
        /// Where the response gives the time to wait.
        #[serde(default)]
        told: WaitHint,
    },
    /// A 429 above a request rate, counted separately for each operation.
    Budget {
        /// The rate of answered requests, and the burst after a pause.
        requests_per_minute: u32,
        /// Where the response gives the time to wait.
        #[serde(default)]
        told: WaitHint,
    },
    /// An error. The request has no effect.
    Status {
        /// From 400 to 599.
        status: u16,
        /// The format of the body.
        #[serde(default)]
        body: FaultBody,
        /// The header `Retry-After`, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    /// A reset of the connection instead of a response.
    Reset {
        /// Whether the reset happens before or after the request takes effect.
        when: ResetTiming,
    },
    /// The request takes effect, but the connection closes in the middle of the response's body.
    Truncated {
        /// The number of bytes of the body to send. Default: half of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u32>,
    },
}

/// Where a 429 gives the time to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitHint {
    /// In the header `Retry-After`, in whole seconds.
    #[default]
    Header,
    /// Only in the message of the body, as recorded from the real service.
    Message,
    /// Nowhere.
    Nowhere,
}

/// The format of an error's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// The API's JSON.
    #[default]
    Json,
    /// An HTML page, as from a proxy.
    Html,
    /// A line of text.
    Text,
    /// No body.
    Empty,
}

/// Before or after the request takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResetTiming {
    /// The request has no effect.
    Before,
    /// The request takes effect, but the client gets no response.
    After,
}

impl Fault {
    /// All kinds, as in JSON.
    pub const KINDS: [&'static str; 5] = ["rate_limited", "budget", "status", "reset", "truncated"];

    /// The kind, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => Self::KINDS[0],
            Self::Budget { .. } => Self::KINDS[1],
            Self::Status { .. } => Self::KINDS[2],
            Self::Reset { .. } => Self::KINDS[3],
            Self::Truncated { .. } => Self::KINDS[4],
        }
    }

    fn check(&self) -> Result<(), String> {
        match *self {
            Self::RateLimited { wait_seconds, .. } if !(0.0..=86_400.0).contains(&wait_seconds) => {
                Err(format!("'wait_seconds' is {wait_seconds}; expected 0 to 86400"))
            }
            Self::Budget { requests_per_minute: 0, .. } => {
                Err("'requests_per_minute' is 0; expected at least 1".to_owned())
            }
            Self::Status { status, .. } if !(400..=599).contains(&status) => {
                Err(format!("'status' is {status}; expected 400 to 599"))
            }
            _ => Ok(()),
        }
    }
}

impl FaultRule {
    pub(super) fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    pub(super) fn matches(&self, operation: &str) -> bool {
        self.operation.as_deref().is_none_or(|own| own == operation)
    }

    /// Checks the rule.
    ///
    /// # Errors
    ///
    /// A description of the first error.
    pub fn check(&self) -> Result<(), String> {
        if let Some(operation) = &self.operation {
            check_id(operation)?;
        }
        if let Some(probability) = self.probability.filter(|probability| !(0.0..=1.0).contains(probability)) {
            return Err(format!("'probability' is {probability}; expected 0 to 1"));
        }
        if let Some(name) = self.name.as_ref().filter(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
            return Err(format!("'name' has {} bytes; expected 1 to {NAME_BYTES_MAX}", name.len()));
        }
        let has_sequence = !self.sequence.is_empty();
        if has_sequence && self.fault.is_some() {
            return Err("'fault' and 'sequence' cannot both be given".to_owned());
        }
        if has_sequence && (self.count.is_some() || self.probability.is_some()) {
            return Err("'count' and 'probability' apply to 'fault', not to 'sequence'".to_owned());
        }
        if !has_sequence && self.repeat {
            return Err("'repeat' applies to 'sequence', which is missing".to_owned());
        }
        if !has_sequence && self.fault.is_none() && self.latency.is_none() {
            return Err("a rule needs a 'fault', a 'sequence' or a 'latency'".to_owned());
        }
        if self.sequence.len() > SEQUENCE_LENGTH_MAX {
            let length = self.sequence.len();
            return Err(format!("'sequence' has {length} steps; the limit is {SEQUENCE_LENGTH_MAX}"));
        }
        if self.sequence.iter().flatten().any(|fault| matches!(fault, Fault::Budget { .. })) {
            return Err("a 'budget' cannot be a step of 'sequence'".to_owned());
        }
        self.fault.iter().chain(self.sequence.iter().flatten()).try_for_each(Fault::check)?;
        self.latency.as_ref().map_or(Ok(()), Latency::check)
    }
}

fn one_second() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}
