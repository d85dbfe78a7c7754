use super::{ListCall, api::api};
use crate::{
    Timestamp,
    models::{
        BucketWidth, CostsBucketWidth, CostsGroupBy, CreateUsageBatchBody, UsageAudioSpeechesGroupBy,
        UsageAudioTranscriptionsGroupBy, UsageCodeInterpreterSessionsGroupBy, UsageCompletionsGroupBy,
        UsageDecisionsGroupBy, UsageEmbeddingsGroupBy, UsageFileSearchCallsGroupBy, UsageImagesGroupBy,
        UsageModerationsGroupBy, UsageVectorStoresGroupBy, UsageWebSearchCallsGroupBy,
    },
    operations::{
        UsageAudioSpeeches, UsageAudioTranscriptions, UsageCodeInterpreterSessions, UsageCompletions,
        UsageCosts, UsageDecisions, UsageEmbeddings, UsageFileSearchCalls, UsageImages, UsageModerations,
        UsageVectorStores, UsageWebSearchCalls,
    },
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
    /// Lists the usage of audio speeches from a time on. A page has 7 days by default.
    list usage_audio_speeches(start_time: Timestamp) -> UsageAudioSpeeches {
        /// use openai_admin::{Timestamp, models::UsageAudioSpeechesGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_audio_speeches(from).group_by([UsageAudioSpeechesGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of audio transcriptions from a time on. A page has 7 days by default.
    list usage_audio_transcriptions(start_time: Timestamp) -> UsageAudioTranscriptions {
        /// use openai_admin::{Timestamp, models::UsageAudioTranscriptionsGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_audio_transcriptions(from).group_by([UsageAudioTranscriptionsGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of code interpreter sessions from a time on. A page has 7 days by default.
    list usage_code_interpreter_sessions(start_time: Timestamp) -> UsageCodeInterpreterSessions {
        /// use openai_admin::{Timestamp, models::UsageCodeInterpreterSessionsGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_code_interpreter_sessions(from).group_by([UsageCodeInterpreterSessionsGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the costs from a time on. A page has 7 days by default.
    list usage_costs(start_time: Timestamp) -> UsageCosts {
        /// use openai_admin::{Timestamp, models::{CostsUsageRecord, CreateUsageBatchBody}};
        /// let at = Timestamp::from_unix_seconds(1_749_945_600);
        /// let mut batch = CreateUsageBatchBody::new("costs of 2025-06-15".try_into()?, vec![]);
        /// batch.costs = Some(vec![CostsUsageRecord::new(at, "0.06".parse()?)]);
        /// client.usage().create_usage_batch(batch).await?;
        /// let day = &client.usage().usage_costs(at).await?.data[0];
        /// assert_eq!(day.results[0].amount.as_ref().unwrap().value.to_string(), "0.06");
    }
    /// Lists the usage of decisions from a time on. A page has 7 days by default.
    list usage_decisions(start_time: Timestamp) -> UsageDecisions {
        /// use openai_admin::{Timestamp, models::UsageDecisionsGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_decisions(from).group_by([UsageDecisionsGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of embeddings from a time on. A page has 7 days by default.
    list usage_embeddings(start_time: Timestamp) -> UsageEmbeddings {
        /// use openai_admin::{Timestamp, models::UsageEmbeddingsGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_embeddings(from).group_by([UsageEmbeddingsGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of file search calls from a time on. A page has 7 days by default.
    list usage_file_search_calls(start_time: Timestamp) -> UsageFileSearchCalls {
        /// use openai_admin::{Timestamp, models::UsageFileSearchCallsGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_file_search_calls(from).group_by([UsageFileSearchCallsGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of images from a time on. A page has 7 days by default.
    list usage_images(start_time: Timestamp) -> UsageImages {
        /// use openai_admin::{Timestamp, models::UsageImagesGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_images(from).group_by([UsageImagesGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of moderations from a time on. A page has 7 days by default.
    list usage_moderations(start_time: Timestamp) -> UsageModerations {
        /// use openai_admin::{Timestamp, models::UsageModerationsGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_moderations(from).group_by([UsageModerationsGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of vector stores from a time on. A page has 7 days by default.
    list usage_vector_stores(start_time: Timestamp) -> UsageVectorStores {
        /// use openai_admin::{Timestamp, models::UsageVectorStoresGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_vector_stores(from).group_by([UsageVectorStoresGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
    }
    /// Lists the usage of web search calls from a time on. A page has 7 days by default.
    list usage_web_search_calls(start_time: Timestamp) -> UsageWebSearchCalls {
        /// use openai_admin::{Timestamp, models::UsageWebSearchCallsGroupBy};
        /// let from = Timestamp::from_unix_seconds(1_750_000_000);
        /// let usage = client.usage().usage_web_search_calls(from).group_by([UsageWebSearchCallsGroupBy::ProjectId]).await?;
        /// assert!(usage.data[0].results.is_empty());
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

/// Declares the options of lists of usage.
macro_rules! options {
    ($($request:ident $width:ident $group_by:ident,)*) => {$(
        impl ListCall<'_, $request> {
            /// The end, exclusive. Default: now.
            pub fn end_time(self, end_time: Timestamp) -> Self {
                self.with(|request| {
                    request.end_time = Some(end_time);
                    Ok(())
                })
            }

            /// Buckets of this width.
            pub fn bucket_width(self, bucket_width: $width) -> Self {
                self.with(|request| {
                    request.bucket_width = Some(bucket_width);
                    Ok(())
                })
            }

            /// Groups the results by these fields.
            pub fn group_by(self, group_by: impl IntoIterator<Item = $group_by>) -> Self {
                self.with(|request| {
                    request.group_by = Some(group_by.into_iter().collect());
                    Ok(())
                })
            }
        }
    )*};
}

options! {
    UsageAudioSpeeches BucketWidth UsageAudioSpeechesGroupBy,
    UsageAudioTranscriptions BucketWidth UsageAudioTranscriptionsGroupBy,
    UsageCodeInterpreterSessions BucketWidth UsageCodeInterpreterSessionsGroupBy,
    UsageCompletions BucketWidth UsageCompletionsGroupBy,
    UsageCosts CostsBucketWidth CostsGroupBy,
    UsageDecisions BucketWidth UsageDecisionsGroupBy,
    UsageEmbeddings BucketWidth UsageEmbeddingsGroupBy,
    UsageFileSearchCalls BucketWidth UsageFileSearchCallsGroupBy,
    UsageImages BucketWidth UsageImagesGroupBy,
    UsageModerations BucketWidth UsageModerationsGroupBy,
    UsageVectorStores BucketWidth UsageVectorStoresGroupBy,
    UsageWebSearchCalls BucketWidth UsageWebSearchCallsGroupBy,
}
