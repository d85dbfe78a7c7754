use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::randomness::Randomness;

/// The longest delay, in milliseconds. Clients time out sooner.
pub(super) const MS_MAX: u32 = 120_000;
/// The distance of the 99th percentile of a normal distribution from its mean, in standard deviations.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

/// The delay of a response, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    /// A constant delay.
    Fixed {
        /// The delay.
        ms: u32,
    },
    /// A delay between two bounds, all equally likely.
    Uniform {
        /// The minimum.
        min_ms: u32,
        /// The maximum.
        max_ms: u32,
    },
    /// Mostly short delays, like the time between independent events.
    Exponential {
        /// The mean.
        mean_ms: u32,
    },
    /// Like a real service: most delays are near the median, and a few are long.
    LogNormal {
        /// The median.
        median_ms: u32,
        /// The 99th percentile.
        p99_ms: u32,
    },
}

impl Latency {
    /// A description of the first error.
    pub(super) fn check(&self) -> Result<(), String> {
        let (least, most) = match *self {
            Self::Fixed { ms } => (0, ms),
            Self::Uniform { min_ms, max_ms } => (min_ms, max_ms),
            Self::Exponential { mean_ms } => (0, mean_ms),
            Self::LogNormal { median_ms, p99_ms } => (median_ms.max(1), p99_ms),
        };
        if least > most {
            return Err(format!("'latency': {least} ms is more than {most} ms"));
        }
        if most > MS_MAX {
            return Err(format!("'latency': {most} ms is more than {MS_MAX} ms"));
        }
        Ok(())
    }

    /// Draws the next delay.
    pub(super) fn draw(&self, randomness: &Randomness) -> u32 {
        let ms = match *self {
            Self::Fixed { ms } => f64::from(ms),
            Self::Uniform { min_ms, max_ms } => {
                f64::from(min_ms) + randomness.fraction() * f64::from(max_ms - min_ms)
            }
            Self::Exponential { mean_ms } => -(1.0 - randomness.fraction()).ln() * f64::from(mean_ms),
            Self::LogNormal { median_ms, p99_ms } => {
                let median = f64::from(median_ms.max(1));
                let deviation = (f64::from(p99_ms) / median).ln() / NORMAL_P99;
                median * (normal(randomness) * deviation).exp()
            }
        };
        // The cast saturates.
        (ms.round() as u32).min(MS_MAX)
    }
}

/// A number from the standard normal distribution, by the Box-Muller transform.
fn normal(randomness: &Randomness) -> f64 {
    let (radius, angle) = (1.0 - randomness.fraction(), randomness.fraction());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The median and the 99th percentile of many delays.
    fn drawn(latency: &Latency) -> (u32, u32) {
        let randomness = Randomness::new(Some(3), "latency");
        let mut drawn: Vec<u32> = (0..20_000).map(|_| latency.draw(&randomness)).collect();
        drawn.sort_unstable();
        (drawn[10_000], drawn[19_800])
    }

    #[test]
    fn each_distribution_has_its_median_and_its_99th_percentile() {
        for (latency, median, p99) in [
            (Latency::Fixed { ms: 20 }, 20, 20),
            (Latency::Uniform { min_ms: 100, max_ms: 300 }, 200, 298),
            (Latency::Exponential { mean_ms: 100 }, 69, 460),
            (Latency::LogNormal { median_ms: 100, p99_ms: 900 }, 100, 900),
        ] {
            latency.check().expect("valid");
            let drawn = drawn(&latency);
            let is_near = |got: u32, wanted: u32| got.abs_diff(wanted) * 10 <= wanted;
            assert!(is_near(drawn.0, median) && is_near(drawn.1, p99), "{latency:?} gave {drawn:?}");
        }
    }

    #[test]
    fn an_invalid_latency_is_refused() {
        for latency in [
            Latency::Uniform { min_ms: 2, max_ms: 1 },
            Latency::LogNormal { median_ms: 100, p99_ms: 50 },
            Latency::Fixed { ms: MS_MAX + 1 },
        ] {
            latency.check().expect_err("invalid");
        }
    }
}
