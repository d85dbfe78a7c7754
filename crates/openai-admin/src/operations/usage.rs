//! Usage of the organization in buckets of time: `/organization/usage`, and the extension of our server that counts it.

use serde::{Deserialize, Serialize};

use super::record::record;
use crate::{
    BoundedText, Cursor, Limit, ListEndpoint, Object, ObjectName, Page, Timestamp, Violation,
    endpoint::endpoint, operations::audit_logs::seconds,
};

const TAG: &str = "Usage";

/// How many buckets a page holds: up to 31 days, 168 hours or 1440 minutes; 7, 24 or 60 when the request does not say.
pub type UsageLimit = Limit<0, 1440, 7>;
/// The id of a batch of usage, which its sender chooses.
pub type UsageBatchId = BoundedText<1, 255>;
/// What usage belongs to: an id, a model, a service tier.
pub type UsageLabel = BoundedText<1, 255>;

/// Declares an enum of values that a request may have.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The value as it travels.
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
    /// How long a bucket is.
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
    /// How many buckets of this width a page holds: when the request does not say, and at most.
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
    /// What the usage of completions is grouped by.
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
    /// Gets the usage of completions in the organization, in buckets of time. A request counts to the minute that it was made in.
    UsageCompletions {
        /// The beginning of the range of time, inclusive.
        #[serde(deserialize_with = "second")]
        start_time: Timestamp,
    }
    query {
        /// The end of the range of time, exclusive; now when absent.
        #[serde(default, deserialize_with = "seconds")]
        end_time: Timestamp,
        /// How long a bucket is: a day when absent.
        bucket_width: BucketWidth,
        /// Only usage of these projects.
        project_ids: Vec<String>,
        /// Only usage of these users.
        user_ids: Vec<String>,
        /// Only usage of these API keys.
        api_key_ids: Vec<String>,
        /// Only usage of these models.
        models: Vec<String>,
        /// Only batch jobs, or only what is no batch job; both when absent.
        batch: bool,
        /// What a bucket's results are grouped by; a bucket has at most one result when absent.
        group_by: Vec<UsageCompletionsGroupBy>,
        /// How many buckets to return: up to 31 days (7 when absent), 168 hours (24 when absent) or 1440 minutes (60 when absent).
        limit: UsageLimit,
        /// Where to go on: the `next_page` of the page before, asked for with the same parameters.
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
        /// Input tokens, cached ones and those written to the cache included.
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
        /// The project, where results are grouped by it.
        project_id: String,
        /// The user, where results are grouped by it.
        user_id: String,
        /// The API key, where results are grouped by it.
        api_key_id: String,
        /// The model, where results are grouped by it.
        model: String,
        /// Whether it was a batch job, where results are grouped by it.
        batch: bool,
        /// The service tier, where results are grouped by it.
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
    /// The buckets, with those in which nothing was used.
    pub data: Vec<UsageBucket<T>>,
    /// Whether there are buckets after this page.
    pub has_more: bool,
    /// What to send as `page` for the next page; null at the end.
    #[serde(default)]
    pub next_page: Option<Cursor>,
}

impl<T> UsagePage<T> {
    /// A page of buckets, which goes on at `next_page` if there is one.
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

/// What was used in a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "UsageTimeBucket_{T}"))]
#[non_exhaustive]
pub struct UsageBucket<T> {
    /// Always `bucket`.
    #[serde(default)]
    pub object: Object<UsageBucketObject>,
    /// Its beginning, inclusive.
    pub start_time: Timestamp,
    /// Its end, exclusive.
    pub end_time: Timestamp,
    /// One result for each group, and none where nothing was used.
    pub results: Vec<T>,
}

impl<T> UsageBucket<T> {
    /// A bucket from `start_time` to `end_time`.
    pub fn new(start_time: Timestamp, end_time: Timestamp, results: Vec<T>) -> Self {
        Self { object: Object::new(), start_time, end_time, results }
    }
}

record! {
    /// Extension: counts usage, so that a server that one runs oneself can answer it. A batch is counted once: sent again under the same id, it changes nothing.
    CreateUsageBatch {
        /// What is counted.
        body: CreateUsageBatchBody,
    }
}

endpoint!(CreateUsageBatch, "x-create-usage-batch", POST "/x/usage", USAGE_WRITE -> UsageBatch, idempotent);

record! {
    /// A batch of usage: at most 10,000 records.
    CreateUsageBatchBody {
        /// The ID of the batch. What was counted under an ID is not counted again.
        batch_id: UsageBatchId,
        /// Usage of completions.
        #[serde(default)]
        completions: Vec<CompletionsUsageRecord>,
    }
}

record! {
    /// Usage of completions. It is added to that of the same minute.
    CompletionsUsageRecord {
        /// When it was used.
        #[serde(deserialize_with = "second")]
        time: Timestamp,
        /// Input tokens, cached ones and those written to the cache included.
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
    /// A batch of usage that is counted.
    UsageBatch object UsageBatchObject = "x.usage.batch" {
        /// The ID of the batch.
        id: UsageBatchId,
        /// How many records it had when it was counted.
        records: u64,
        /// When it was counted.
        created_at: Timestamp,
        /// Whether this request counted it; an earlier one did otherwise.
        is_new: bool,
    }
}
