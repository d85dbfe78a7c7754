use super::{ListCall, api::api};
use crate::{
    Timestamp,
    models::{BucketWidth, CreateUsageBatchBody, UsageCompletionsGroupBy},
    operations::UsageCompletions,
};

api! {
    /// Usage of the organization, in buckets of time.
    UsageApi = usage;
    /// Lists the usage of completions from a time on. A page has 7 days by default.
    list usage_completions(start_time: Timestamp) -> UsageCompletions {
        /// use openai_admin::{Timestamp, models::{BucketWidth, UsageCompletionsGroupBy}};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let by_model = client.usage().usage_completions(from).group_by([UsageCompletionsGroupBy::Model]);
        /// let hours = by_model.bucket_width(BucketWidth::Hour).await?;
        /// assert_eq!(hours.data[0].end_time.unix_seconds(), 1_750_003_200);
    }
    /// Extension of our server: records usage. A batch is recorded once.
    call create_usage_batch(; body: CreateUsageBatchBody) -> CreateUsageBatch {
        /// use openai_admin::{Timestamp, models::{CompletionsUsageRecord, CreateUsageBatchBody}};
        /// let at = Timestamp::from_unix_seconds(1_749_999_960);
        /// let mut record = CompletionsUsageRecord::new(at, 1000, 200, 1);
        /// record.model = Some("gpt-5".try_into()?);
        /// let batch = CreateUsageBatchBody::new("2025-06-15/1".try_into()?, vec![record]);
        /// assert!(client.usage().create_usage_batch(batch.clone()).await?.is_new);
        /// assert!(!client.usage().create_usage_batch(batch).await?.is_new);
        /// let day = &client.usage().usage_completions(at).await?.data[0];
        /// assert_eq!(day.results[0].input_tokens, 1000);
    }
}

impl ListCall<'_, UsageCompletions> {
    /// The end, exclusive. Default: now.
    pub fn end_time(self, end_time: Timestamp) -> Self {
        self.with(|request| {
            request.end_time = Some(end_time);
            Ok(())
        })
    }

    /// Buckets of this width.
    pub fn bucket_width(self, bucket_width: BucketWidth) -> Self {
        self.with(|request| {
            request.bucket_width = Some(bucket_width);
            Ok(())
        })
    }

    /// Groups the results by these fields.
    pub fn group_by(self, group_by: impl IntoIterator<Item = UsageCompletionsGroupBy>) -> Self {
        self.with(|request| {
            request.group_by = Some(group_by.into_iter().collect());
            Ok(())
        })
    }
}
