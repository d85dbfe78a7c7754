//! A page of usage: buckets of time.

use serde::{Deserialize, Serialize};

use crate::{Cursor, Object, ObjectName, Page, Timestamp};

/// The `object` of a page of buckets.
#[derive(Clone, Debug)]
pub enum UsagePageObject {}

impl ObjectName for UsagePageObject {
    const NAME: &'static str = "page";
}

/// A page of buckets, in order of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "UsageResponse_{T}"))]
#[non_exhaustive]
pub struct UsagePage<T> {
    /// Always `page`.
    #[serde(default)]
    pub object: Object<UsagePageObject>,
    /// The buckets, including those without usage.
    pub data: Vec<UsageBucket<T>>,
    /// Whether there are buckets after this page.
    pub has_more: bool,
    /// The value of `page` for the next page; null at the end.
    #[serde(default)]
    pub next_page: Option<Cursor>,
}

impl<T> UsagePage<T> {
    /// A page of buckets. The cursor of the next page is `next_page`, if there is one.
    pub fn new(data: Vec<UsageBucket<T>>, next_page: Option<Cursor>) -> Self {
        Self { object: Object::new(), data, has_more: next_page.is_some(), next_page }
    }
}

impl<T: Send> Page for UsagePage<T> {
    type Item = UsageBucket<T>;

    fn items(&self) -> &[UsageBucket<T>] {
        &self.data
    }
    fn into_items(self) -> Vec<UsageBucket<T>> {
        self.data
    }
    fn has_more(&self) -> bool {
        self.has_more
    }
    fn next_cursor(&self) -> Option<Cursor> {
        self.next_page.clone().filter(|_| self.has_more)
    }
}

/// The `object` of a bucket.
#[derive(Clone, Debug)]
pub enum UsageBucketObject {}

impl ObjectName for UsageBucketObject {
    const NAME: &'static str = "bucket";
}

/// The usage in a period of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "UsageTimeBucket_{T}"))]
#[non_exhaustive]
pub struct UsageBucket<T> {
    /// Always `bucket`.
    #[serde(default)]
    pub object: Object<UsageBucketObject>,
    /// The start, inclusive.
    pub start_time: Timestamp,
    /// The end, exclusive.
    pub end_time: Timestamp,
    /// One result for each group. Empty without usage.
    pub results: Vec<T>,
}

impl<T> UsageBucket<T> {
    /// A bucket from `start_time` to `end_time`.
    pub fn new(start_time: Timestamp, end_time: Timestamp, results: Vec<T>) -> Self {
        Self { object: Object::new(), start_time, end_time, results }
    }
}
