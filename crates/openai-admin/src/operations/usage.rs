//! Usage of the organization in buckets of time: `/organization/usage`, and our extension that records it.

use serde::{Deserialize, Serialize};

use super::record::record;
use crate::{
    BoundedText, Cursor, Limit, ListEndpoint, Object, ObjectName, Page, Timestamp, Violation,
    endpoint::endpoint, operations::audit_logs::seconds,
};

const TAG: &str = "Usage";

/// The number of buckets on a page: up to 31 days, 168 hours or 1440 minutes; by default 7, 24 or 60.
pub type UsageLimit = Limit<0, 1440, 7>;
/// The id of a batch of usage, chosen by its sender.
pub type UsageBatchId = BoundedText<1, 255>;
/// A label of usage: an id, a model or a service tier.
pub type UsageLabel = BoundedText<1, 255>;

/// Declares an enum of values for requests.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The value, as sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($text),*] })
            }
        }
    };
}

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

/// Implements [`ListEndpoint`] for a request of usage, whose cursor is `page`.
macro_rules! usage_list {
    ($request:ident) => {
        impl ListEndpoint for $request {
            fn set_after(&mut self, after: Cursor) {
                self.page = Some(after);
            }
            fn after(&self) -> Option<&Cursor> {
                self.page.as_ref()
            }
            fn set_limit(&mut self, limit: i64) -> Result<(), Violation> {
                self.limit = Some(Limit::new(limit)?);
                Ok(())
            }
            fn limit(&self) -> u16 {
                self.limit.map_or_else(|| self.bucket_width.unwrap_or_default().pages().0, Limit::get)
            }
        }
    };
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

choice! {
    /// The fields that group the usage of completions.
    UsageCompletionsGroupBy {
        /// The project.
        ProjectId = "project_id",
        /// The user.
        UserId = "user_id",
        /// The API key.
        ApiKeyId = "api_key_id",
        /// The model.
        Model = "model",
        /// Whether it was a batch job.
        Batch = "batch",
        /// The service tier.
        ServiceTier = "service_tier",
    }
}

record! {
    /// Shows the usage of completions in the organization, in buckets of time. A request counts toward the minute in which it was made.
    UsageCompletions {
        /// The start of the range of time, inclusive.
        #[serde(deserialize_with = "second")]
        start_time: Timestamp,
    }
    query {
        /// The end of the range of time, exclusive; now by default.
        #[serde(default, deserialize_with = "seconds")]
        end_time: Timestamp,
        /// The width of a bucket; a day by default.
        bucket_width: BucketWidth,
        /// Only usage of these projects.
        project_ids: Vec<String>,
        /// Only usage of these users.
        user_ids: Vec<String>,
        /// Only usage of these API keys.
        api_key_ids: Vec<String>,
        /// Only usage of these models.
        models: Vec<String>,
        /// Only batch jobs, or only other requests; both by default.
        batch: bool,
        /// The fields to group the results by. By default a bucket has at most one result.
        group_by: Vec<UsageCompletionsGroupBy>,
        /// How many buckets to return: up to 31 days (default: 7), 168 hours (default: 24) or 1440 minutes (default: 60).
        limit: UsageLimit,
        /// The cursor: the `next_page` of the previous page. The other parameters must be the same.
        page: Cursor,
    }
}

endpoint!(UsageCompletions, "usage-completions", GET "/organization/usage/completions", USAGE_READ -> UsagePage<UsageCompletionsResult>);

usage_list!(UsageCompletions);

fn second<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Ok(Timestamp::from_unix_seconds(i64::deserialize(deserializer)?))
}

record! {
    /// The usage of completions in a bucket of time.
    UsageCompletionsResult object UsageCompletionsResultObject = "organization.usage.completions.result" {
        /// Input tokens, including cached tokens and those written to the cache.
        input_tokens: u64,
        /// Output tokens.
        output_tokens: u64,
        /// Requests to the model.
        num_model_requests: u64,
    }
    optional {
        /// Input tokens that were cached.
        input_cached_tokens: u64,
        /// Input tokens that were written to the cache.
        input_cache_write_tokens: u64,
        /// Input tokens that were neither cached nor written to the cache.
        input_uncached_tokens: u64,
        /// Uncached input tokens of text.
        input_text_tokens: u64,
        /// Output tokens of text.
        output_text_tokens: u64,
        /// Cached input tokens of text.
        input_cached_text_tokens: u64,
        /// Uncached input tokens of audio.
        input_audio_tokens: u64,
        /// Cached input tokens of audio.
        input_cached_audio_tokens: u64,
        /// Output tokens of audio.
        output_audio_tokens: u64,
        /// Uncached input tokens of images.
        input_image_tokens: u64,
        /// Cached input tokens of images.
        input_cached_image_tokens: u64,
        /// Output tokens of images.
        output_image_tokens: u64,
    }
    nullable {
        /// The project, if results are grouped by it.
        project_id: String,
        /// The user, if results are grouped by it.
        user_id: String,
        /// The API key, if results are grouped by it.
        api_key_id: String,
        /// The model, if results are grouped by it.
        model: String,
        /// Whether it was a batch job, if results are grouped by it.
        batch: bool,
        /// The service tier, if results are grouped by it.
        service_tier: String,
    }
}

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

record! {
    /// Extension: records usage, for self-hosted servers. A batch is recorded once: sending it again with the same id changes nothing.
    CreateUsageBatch {
        /// The usage to record.
        body: CreateUsageBatchBody,
    }
}

endpoint!(CreateUsageBatch, "x-create-usage-batch", POST "/x/usage", USAGE_WRITE -> UsageBatch, idempotent);

record! {
    /// A batch of usage: at most 10,000 records.
    CreateUsageBatchBody {
        /// The ID of the batch. Each ID is recorded only once.
        batch_id: UsageBatchId,
        /// Usage of completions.
        #[serde(default)]
        completions: Vec<CompletionsUsageRecord>,
    }
}

record! {
    /// Usage of completions. It is added to the usage of its minute.
    CompletionsUsageRecord {
        /// The time of the usage.
        #[serde(deserialize_with = "second")]
        time: Timestamp,
        /// Input tokens, including cached tokens and those written to the cache.
        input_tokens: u64,
        /// Output tokens.
        output_tokens: u64,
        /// Requests to the model.
        num_model_requests: u64,
    }
    optional {
        /// The project.
        project_id: UsageLabel,
        /// The user.
        user_id: UsageLabel,
        /// The API key.
        api_key_id: UsageLabel,
        /// The model.
        model: UsageLabel,
        /// Whether it was a batch job.
        batch: bool,
        /// The service tier.
        service_tier: UsageLabel,
        /// Input tokens that were cached.
        input_cached_tokens: u64,
        /// Input tokens that were written to the cache.
        input_cache_write_tokens: u64,
        /// Uncached input tokens of text.
        input_text_tokens: u64,
        /// Output tokens of text.
        output_text_tokens: u64,
        /// Cached input tokens of text.
        input_cached_text_tokens: u64,
        /// Uncached input tokens of audio.
        input_audio_tokens: u64,
        /// Cached input tokens of audio.
        input_cached_audio_tokens: u64,
        /// Output tokens of audio.
        output_audio_tokens: u64,
        /// Uncached input tokens of images.
        input_image_tokens: u64,
        /// Cached input tokens of images.
        input_cached_image_tokens: u64,
        /// Output tokens of images.
        output_image_tokens: u64,
    }
}

record! {
    /// A recorded batch of usage.
    UsageBatch object UsageBatchObject = "x.usage.batch" {
        /// The ID of the batch.
        id: UsageBatchId,
        /// The number of its records.
        records: u64,
        /// The time of recording.
        created_at: Timestamp,
        /// Whether this request recorded it. False if an earlier one did.
        is_new: bool,
    }
}
