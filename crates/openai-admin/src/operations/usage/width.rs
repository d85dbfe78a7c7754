//! The width of a bucket, and the numbers of buckets on a page.

use super::choice::choice;
use crate::{BoundedText, Limit};

/// The number of buckets on a page: up to 31 days, 168 hours or 1440 minutes; by default 7, 24 or 60.
pub type UsageLimit = Limit<0, 1440, 7>;
/// A label of usage: an id, a model or a service tier.
pub type UsageLabel = BoundedText<1, 255>;

choice! {
    /// The width of a bucket.
    #[derive(Default)]
    BucketWidth {
        /// A minute.
        Minute = "1m",
        /// An hour.
        Hour = "1h",
        /// A day, in UTC.
        #[default]
        Day = "1d",
    }
}

impl BucketWidth {
    /// The default and the maximum number of buckets of this width on a page.
    pub const fn pages(self) -> (u16, u16) {
        match self {
            Self::Minute => (60, 1440),
            Self::Hour => (24, 168),
            Self::Day => (7, 31),
        }
    }

    /// The width in seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }
}
