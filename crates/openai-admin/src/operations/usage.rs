//! Usage of the organization in buckets of time: `/organization/usage`, and our extension that records it.

mod choice;
mod costs;
mod declare;
mod lines;
mod page;
mod width;

pub use costs::{
    Cost, CostsBucketWidth, CostsGroupBy, CostsLimit, CostsResult, CostsUsageRecord, UsageCosts,
};
pub use lines::UsageLine;
pub use page::{UsageBucket, UsagePage};
pub use width::{BucketWidth, UsageLabel, UsageLimit};

use choice::choice;
use declare::usage;

use super::record::record;
use crate::{BoundedText, Timestamp, endpoint::endpoint};

const TAG: &str = "Usage";

/// The id of a batch of usage, chosen by its sender.
pub type UsageBatchId = BoundedText<1, 255>;

/// Declares an operation that shows usage of tokens.
macro_rules! usage_of_tokens {
    ($($head:tt)*) => {
        usage! {
            $($head)*
            numbers {
                /// Input tokens, including cached tokens and those written to the cache.
                input_tokens,
                /// Output tokens.
                output_tokens,
                /// Requests to the model.
                num_model_requests,
            }
            optional numbers {
                /// Input tokens that were cached.
                input_cached_tokens,
                /// Input tokens that were written to the cache.
                input_cache_write_tokens,
                /// Uncached input tokens of text.
                input_text_tokens,
                /// Output tokens of text.
                output_text_tokens,
                /// Cached input tokens of text.
                input_cached_text_tokens,
                /// Uncached input tokens of audio.
                input_audio_tokens,
                /// Cached input tokens of audio.
                input_cached_audio_tokens,
                /// Output tokens of audio.
                output_audio_tokens,
                /// Uncached input tokens of images.
                input_image_tokens,
                /// Cached input tokens of images.
                input_cached_image_tokens,
                /// Output tokens of images.
                output_image_tokens,
                /// Input tokens that were written to the cache for 30 minutes.
                input_cache_write_30m_tokens,
                /// Input tokens that were written to the cache for 12 hours.
                input_cache_write_12h_tokens,
            }
            computed numbers {
                /// Input tokens that were neither cached nor written to the cache.
                input_uncached_tokens,
            }
            dimensions {
                ProjectId project_id by project_ids: Vec<String>,
                UserId user_id by user_ids: Vec<String>,
                ApiKeyId api_key_id by api_key_ids: Vec<String>,
                Model model by models: Vec<String>,
                Batch batch by batch: bool,
                ServiceTier service_tier,
                ApiSource api_source,
            }
        }
    };
}

usage_of_tokens! {
    "usage-completions", "/organization/usage/completions", "completions";
    UsageCompletions by UsageCompletionsGroupBy -> UsageCompletionsResult as UsageCompletionsResultObject = "organization.usage.completions.result" of CompletionsUsageRecord;
}

usage_of_tokens! {
    "usage-decisions", "/organization/usage/decisions", "decisions";
    UsageDecisions by UsageDecisionsGroupBy -> UsageDecisionsResult as UsageDecisionsResultObject = "organization.usage.decisions.result" of DecisionsUsageRecord;
}

usage! {
    "usage-embeddings", "/organization/usage/embeddings", "embeddings";
    UsageEmbeddings by UsageEmbeddingsGroupBy -> UsageEmbeddingsResult as UsageEmbeddingsResultObject = "organization.usage.embeddings.result" of EmbeddingsUsageRecord;
    numbers {
        /// Input tokens.
        input_tokens,
        /// Requests to the model.
        num_model_requests,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
        UserId user_id by user_ids: Vec<String>,
        ApiKeyId api_key_id by api_key_ids: Vec<String>,
        Model model by models: Vec<String>,
    }
}

usage! {
    "usage-moderations", "/organization/usage/moderations", "moderations";
    UsageModerations by UsageModerationsGroupBy -> UsageModerationsResult as UsageModerationsResultObject = "organization.usage.moderations.result" of ModerationsUsageRecord;
    numbers {
        /// Input tokens.
        input_tokens,
        /// Requests to the model.
        num_model_requests,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
        UserId user_id by user_ids: Vec<String>,
        ApiKeyId api_key_id by api_key_ids: Vec<String>,
        Model model by models: Vec<String>,
    }
}

usage! {
    "usage-audio-speeches", "/organization/usage/audio_speeches", "audio speeches";
    UsageAudioSpeeches by UsageAudioSpeechesGroupBy -> UsageAudioSpeechesResult as UsageAudioSpeechesResultObject = "organization.usage.audio_speeches.result" of AudioSpeechesUsageRecord;
    numbers {
        /// Characters of the text.
        characters,
        /// Requests to the model.
        num_model_requests,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
        UserId user_id by user_ids: Vec<String>,
        ApiKeyId api_key_id by api_key_ids: Vec<String>,
        Model model by models: Vec<String>,
    }
}

usage! {
    "usage-audio-transcriptions", "/organization/usage/audio_transcriptions", "audio transcriptions";
    UsageAudioTranscriptions by UsageAudioTranscriptionsGroupBy -> UsageAudioTranscriptionsResult as UsageAudioTranscriptionsResultObject = "organization.usage.audio_transcriptions.result" of AudioTranscriptionsUsageRecord;
    numbers {
        /// Seconds of audio.
        seconds,
        /// Requests to the model.
        num_model_requests,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
        UserId user_id by user_ids: Vec<String>,
        ApiKeyId api_key_id by api_key_ids: Vec<String>,
        Model model by models: Vec<String>,
    }
}

choice! {
    /// A kind of request for images.
    ImageSource {
        /// New images.
        Generation = "image.generation",
        /// Changed images.
        Edit = "image.edit",
        /// Variations of an image.
        Variation = "image.variation",
    }
}

choice! {
    /// The size of an image, in pixels.
    ImageSize {
        /// 256 by 256.
        Square256 = "256x256",
        /// 512 by 512.
        Square512 = "512x512",
        /// 1024 by 1024.
        Square1024 = "1024x1024",
        /// 1792 by 1792.
        Square1792 = "1792x1792",
        /// 1024 by 1792.
        Portrait = "1024x1792",
    }
}

usage! {
    "usage-images", "/organization/usage/images", "images";
    UsageImages by UsageImagesGroupBy -> UsageImagesResult as UsageImagesResultObject = "organization.usage.images.result" of ImagesUsageRecord;
    numbers {
        /// Images.
        images,
        /// Requests to the model.
        num_model_requests,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
        UserId user_id by user_ids: Vec<String>,
        ApiKeyId api_key_id by api_key_ids: Vec<String>,
        Model model by models: Vec<String>,
        Size size by sizes: Vec<ImageSize>,
        Source source by sources: Vec<ImageSource>,
    }
}

usage! {
    "usage-code-interpreter-sessions", "/organization/usage/code_interpreter_sessions", "code interpreter sessions";
    UsageCodeInterpreterSessions by UsageCodeInterpreterSessionsGroupBy -> UsageCodeInterpreterSessionsResult as UsageCodeInterpreterSessionsResultObject = "organization.usage.code_interpreter_sessions.result" of CodeInterpreterSessionsUsageRecord;
    numbers {
        /// Sessions.
        num_sessions,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
    }
}

usage! {
    "usage-vector-stores", "/organization/usage/vector_stores", "vector stores";
    UsageVectorStores by UsageVectorStoresGroupBy -> UsageVectorStoresResult as UsageVectorStoresResultObject = "organization.usage.vector_stores.result" of VectorStoresUsageRecord;
    numbers {
        /// Bytes in vector stores: the last record of each store in the bucket.
        usage_bytes,
    }
    recorded dimensions {
        /// The vector store.
        vector_store_id,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
    }
}

usage! {
    "usage-file-search-calls", "/organization/usage/file_search_calls", "file search calls";
    UsageFileSearchCalls by UsageFileSearchCallsGroupBy -> UsageFileSearchCallsResult as UsageFileSearchCallsResultObject = "organization.usage.file_searches.result" of FileSearchCallsUsageRecord;
    numbers {
        /// Calls.
        num_requests,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
        UserId user_id by user_ids: Vec<String>,
        ApiKeyId api_key_id by api_key_ids: Vec<String>,
        VectorStoreId vector_store_id by vector_store_ids: Vec<String>,
    }
}

choice! {
    /// The size of the search context.
    SearchContextLevel {
        /// Small.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// Large.
        High = "high",
    }
}

usage! {
    "usage-web-search-calls", "/organization/usage/web_search_calls", "web search calls";
    UsageWebSearchCalls by UsageWebSearchCallsGroupBy -> UsageWebSearchCallsResult as UsageWebSearchCallsResultObject = "organization.usage.web_searches.result" of WebSearchCallsUsageRecord;
    numbers {
        /// Requests to the model.
        num_model_requests,
        /// Calls.
        num_requests,
    }
    dimensions {
        ProjectId project_id by project_ids: Vec<String>,
        UserId user_id by user_ids: Vec<String>,
        ApiKeyId api_key_id by api_key_ids: Vec<String>,
        Model model by models: Vec<String>,
        ContextLevel context_level by context_levels: Vec<SearchContextLevel>,
        ApiSource api_source,
    }
}

record! {
    /// Extension: records usage, for self-hosted servers. A batch is recorded once: sending it again with the same id changes nothing. The body may also be JSON lines: the id of the batch, then one record a line.
    CreateUsageBatch {
        /// The usage to record.
        body: CreateUsageBatchBody,
    }
}

endpoint!(CreateUsageBatch, "x-create-usage-batch", POST "/x/usage", USAGE_WRITE -> UsageBatch, idempotent);

record! {
    /// A batch of usage: at most 10,000 records in all lists.
    CreateUsageBatchBody {
        /// The ID of the batch. Each ID is recorded only once.
        batch_id: UsageBatchId,
        /// Usage of completions.
        #[serde(default)]
        completions: Vec<CompletionsUsageRecord>,
    }
    optional {
        /// Usage of decisions.
        decisions: Vec<DecisionsUsageRecord>,
        /// Usage of embeddings.
        embeddings: Vec<EmbeddingsUsageRecord>,
        /// Usage of moderations.
        moderations: Vec<ModerationsUsageRecord>,
        /// Usage of audio speeches.
        audio_speeches: Vec<AudioSpeechesUsageRecord>,
        /// Usage of audio transcriptions.
        audio_transcriptions: Vec<AudioTranscriptionsUsageRecord>,
        /// Usage of images.
        images: Vec<ImagesUsageRecord>,
        /// Usage of code interpreter sessions.
        code_interpreter_sessions: Vec<CodeInterpreterSessionsUsageRecord>,
        /// Usage of vector stores.
        vector_stores: Vec<VectorStoresUsageRecord>,
        /// Usage of file search calls.
        file_search_calls: Vec<FileSearchCallsUsageRecord>,
        /// Usage of web search calls.
        web_search_calls: Vec<WebSearchCallsUsageRecord>,
        /// Costs.
        costs: Vec<CostsUsageRecord>,
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
