use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::Latency;
use crate::operations::check_id;

/// How many steps a sequence has at most.
const SEQUENCE_LENGTH_MAX: usize = 10_000;
/// How long a name may be, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// For which requests, how often, and what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// A name to find it by in the journal, and to remove it; numbered when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the operation that it is about, such as `add-group-user`; every one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// For how many of its requests nothing happens at first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// How often the fault happens at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How likely the fault is, from 0 to 1; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Instead of one fault: what each request gets in turn, where null is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<Option<Fault>>,
    /// Whether the sequence begins again at its end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeat: bool,
    /// How long the answer is held back, with or without a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429; nothing was done.
    RateLimited {
        /// How long the client is asked to wait, in seconds.
        #[serde(default = "one_second")]
        wait_seconds: f64,
        /// Where it is said.
        #[serde(default)]
        told: Told,
    },
    /// 429 to who sends more than this; counted for each operation by itself.
    Budget {
        /// How many requests are answered in a minute, and how many at once after a pause.
        requests_per_minute: u32,
        /// Where the wait is said.
        #[serde(default)]
        told: Told,
    },
    /// An error; nothing was done.
    Status {
        /// From 400 to 599.
        status: u16,
        /// What the body looks like.
        #[serde(default)]
        body: FaultBody,
        /// The header `Retry-After`, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    /// The connection is reset instead of an answer.
    Reset {
        /// Before the request is looked at, or after it was done.
        when: Moment,
    },
    /// The request is done, and the connection ends in the middle of the answer's body.
    Truncated {
        /// How much of the body is sent; half of it when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u32>,
    },
}

/// Where a 429 says how long to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// In the header `Retry-After`, in whole seconds.
    #[default]
    Header,
    /// Only in the message of the body, as the real service has been seen to do.
    Message,
    /// Nowhere.
    Nowhere,
}

/// What the body of an error looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// The API's own.
    #[default]
    Json,
    /// A page, as proxies answer.
    Html,
    /// A line of text.
    Text,
    /// None at all.
    Empty,
}

/// On which side of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Nothing was done.
    Before,
    /// It was done, and nobody is told.
    After,
}

impl Fault {
    /// All kinds, as they are written.
    pub const KINDS: [&'static str; 5] = ["rate_limited", "budget", "status", "reset", "truncated"];

    /// Its kind, as it is written.
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
                Err(format!("'wait_seconds' is {wait_seconds}, and must be from 0 to 86400"))
            }
            Self::Budget { requests_per_minute: 0, .. } => {
                Err("'requests_per_minute' is 0, and must be at least 1".to_owned())
            }
            Self::Status { status, .. } if !(400..=599).contains(&status) => {
                Err(format!("'status' is {status}, and must be an error, from 400 to 599"))
            }
            _ => Ok(()),
        }
    }
}

impl FaultRule {
    pub(super) fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    pub(super) fn is_about(&self, operation: &str) -> bool {
        self.operation.as_deref().is_none_or(|own| own == operation)
    }

    /// Whether it can be followed.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn check(&self) -> Result<(), String> {
        if let Some(operation) = &self.operation {
            check_id(operation)?;
        }
        if let Some(probability) = self.probability.filter(|probability| !(0.0..=1.0).contains(probability)) {
            return Err(format!("'probability' is {probability}, and must be from 0 to 1"));
        }
        if let Some(name) = self.name.as_ref().filter(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
            return Err(format!("'name' has {} bytes, and must have 1 to {NAME_BYTES_MAX}", name.len()));
        }
        let has_sequence = !self.sequence.is_empty();
        if has_sequence && self.fault.is_some() {
            return Err("'fault' and 'sequence' cannot both be given".to_owned());
        }
        if has_sequence && (self.count.is_some() || self.probability.is_some()) {
            return Err("'count' and 'probability' are about 'fault', and not about 'sequence'".to_owned());
        }
        if !has_sequence && self.repeat {
            return Err("'repeat' is about 'sequence', which is missing".to_owned());
        }
        if !has_sequence && self.fault.is_none() && self.latency.is_none() {
            return Err("a rule needs a 'fault', a 'sequence' or a 'latency'".to_owned());
        }
        if self.sequence.len() > SEQUENCE_LENGTH_MAX {
            let length = self.sequence.len();
            return Err(format!("'sequence' has {length} steps, and may have {SEQUENCE_LENGTH_MAX}"));
        }
        if self.sequence.iter().flatten().any(|fault| matches!(fault, Fault::Budget { .. })) {
            return Err("a 'budget' counts by itself, and cannot be a step of 'sequence'".to_owned());
        }
        self.fault.iter().chain(self.sequence.iter().flatten()).try_for_each(Fault::check)?;
        self.latency.as_ref().map_or(Ok(()), Latency::check)
    }
}

fn one_second() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(truth: &bool) -> bool {
    !truth
}
