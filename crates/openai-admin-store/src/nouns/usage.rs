//! Usage of the organization: records, and their sums in time buckets.

use openai_admin::{
    Timestamp,
    models::{
        AudioSpeechesUsageRecord, AudioTranscriptionsUsageRecord, CodeInterpreterSessionsUsageRecord,
        CompletionsUsageRecord, CostsResult, CostsUsageRecord, CreateUsageBatchBody, DecisionsUsageRecord,
        EmbeddingsUsageRecord, FileSearchCallsUsageRecord, ImageSize, ImageSource, ImagesUsageRecord,
        ModerationsUsageRecord, SearchContextLevel, UsageAudioSpeechesResult, UsageAudioTranscriptionsResult,
        UsageBatch, UsageCodeInterpreterSessionsResult, UsageCompletionsResult, UsageDecisionsResult,
        UsageEmbeddingsResult, UsageFileSearchCallsResult, UsageImagesResult, UsageModerationsResult,
        UsageVectorStoresResult, UsageWebSearchCallsResult, VectorStoresUsageRecord,
        WebSearchCallsUsageRecord,
    },
    operations::{
        CreateUsageBatch, UsageAudioSpeeches, UsageAudioTranscriptions, UsageCodeInterpreterSessions,
        UsageCompletions, UsageCosts, UsageDecisions, UsageEmbeddings, UsageFileSearchCalls, UsageImages,
        UsageModerations, UsageVectorStores, UsageWebSearchCalls, usage::UsageLabel,
    },
};

use crate::{
    base::{
        error::{Error, Result},
        text::check_text,
        value::values,
    },
    operation::{Changes, change::Change},
    shapes::series::{
        self, Sample, Series,
        declare::{Counted, DimensionValue, Filter, series},
    },
};

/// Declares a series of tokens.
macro_rules! series_of_tokens {
    ($(#[$doc:meta])* $series:ident = $number:literal $list:ident of $request:ident, $record:ident, $result:ident;) => {
        series! {
            $(#[$doc])*
            $series = $number Sum $list of $request, $record, $result;
            dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models,
                batch by batch, service_tier, api_source;
            sums: input_tokens output_tokens num_model_requests;
            more: input_cached_tokens input_cache_write_tokens input_text_tokens output_text_tokens
                input_cached_text_tokens input_audio_tokens input_cached_audio_tokens output_audio_tokens
                input_image_tokens input_cached_image_tokens output_image_tokens input_cache_write_30m_tokens
                input_cache_write_12h_tokens;
            finish: |result: &mut $result| {
                let cached = [result.input_cached_tokens, result.input_cache_write_tokens];
                result.input_uncached_tokens = uncached(result.input_tokens, cached);
            };
        }
    };
}

series_of_tokens! {
    /// Usage of completions.
    COMPLETIONS = 1 completions of UsageCompletions, CompletionsUsageRecord, UsageCompletionsResult;
}

series_of_tokens! {
    /// Usage of decisions.
    DECISIONS = 2 decisions of UsageDecisions, DecisionsUsageRecord, UsageDecisionsResult;
}

series! {
    /// Usage of embeddings.
    EMBEDDINGS = 3 Sum embeddings of UsageEmbeddings, EmbeddingsUsageRecord, UsageEmbeddingsResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models;
    sums: input_tokens num_model_requests;
}

series! {
    /// Usage of moderations.
    MODERATIONS = 4 Sum moderations of UsageModerations, ModerationsUsageRecord, UsageModerationsResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models;
    sums: input_tokens num_model_requests;
}

series! {
    /// Usage of audio speeches.
    AUDIO_SPEECHES = 5 Sum audio_speeches of UsageAudioSpeeches, AudioSpeechesUsageRecord, UsageAudioSpeechesResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models;
    sums: characters num_model_requests;
}

series! {
    /// Usage of audio transcriptions.
    AUDIO_TRANSCRIPTIONS = 6 Sum audio_transcriptions of UsageAudioTranscriptions, AudioTranscriptionsUsageRecord, UsageAudioTranscriptionsResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models;
    sums: seconds num_model_requests;
}

series! {
    /// Usage of images.
    IMAGES = 7 Sum images of UsageImages, ImagesUsageRecord, UsageImagesResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models,
        size by sizes, source by sources;
    sums: images num_model_requests;
}

series! {
    /// Usage of code interpreter sessions.
    CODE_INTERPRETER_SESSIONS = 8 Sum code_interpreter_sessions of UsageCodeInterpreterSessions, CodeInterpreterSessionsUsageRecord, UsageCodeInterpreterSessionsResult;
    dimensions: project_id by project_ids;
    sums: num_sessions;
}

series! {
    /// Usage of vector stores.
    VECTOR_STORES = 9 Level vector_stores of UsageVectorStores, VectorStoresUsageRecord, UsageVectorStoresResult;
    recorded: vector_store_id;
    dimensions: project_id by project_ids;
    sums: usage_bytes;
}

series! {
    /// Usage of file search calls.
    FILE_SEARCH_CALLS = 10 Sum file_search_calls of UsageFileSearchCalls, FileSearchCallsUsageRecord, UsageFileSearchCallsResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids,
        vector_store_id by vector_store_ids;
    sums: num_requests;
}

series! {
    /// Usage of web search calls.
    WEB_SEARCH_CALLS = 11 Sum web_search_calls of UsageWebSearchCalls, WebSearchCallsUsageRecord, UsageWebSearchCallsResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models,
        context_level by context_levels, api_source;
    sums: num_model_requests num_requests;
}

series! {
    /// Costs.
    COSTS = 12 Sum costs of UsageCosts, CostsUsageRecord, CostsResult;
    dimensions: project_id by project_ids, line_item by line_items, api_key_id by api_key_ids, user_id, api_source, quantity_unit;
    together: line_item quantity_unit;
    sums:;
    more: amount quantity;
    finish: |result: &mut CostsResult| {
        if result.quantity_unit.is_none() {
            result.quantity = None;
        }
    };
}

/// Input tokens that were neither cached nor written to the cache.
fn uncached(input_tokens: u64, [cached, written]: [Option<u64>; 2]) -> Option<u64> {
    Some(input_tokens.saturating_sub(cached? + written?))
}

/// A batch that was already counted is not counted again.
impl Changes for CreateUsageBatch {
    fn change(&self, change: &mut Change<'_>) -> Result<UsageBatch> {
        check_text("batch_id", &self.body.batch_id)?;
        if let Some(counted) = find(change, self)? {
            return Ok(counted);
        }
        let records = count(&self.body)?;
        check_inputs(&self.body)?;
        for (series, samples) in &samples(&self.body) {
            series::add(change, series, samples)?;
        }
        insert(change, self, records)
    }
}

fn find(change: &mut Change<'_>, request: &CreateUsageBatch) -> Result<Option<UsageBatch>> {
    let (org, id) = (change.org(), &request.body.batch_id);
    change.query_one(
        "select records, recorded_at from usage_batches where org = $1 and id = $2",
        values![org, &**id],
        |row| {
            let created_at = Timestamp::from_unix_seconds(row.integer(1)?);
            Ok(UsageBatch::new(id.clone(), row.integer(0)?.unsigned_abs(), created_at, false))
        },
    )
}

fn insert(change: &mut Change<'_>, request: &CreateUsageBatch, records: usize) -> Result<UsageBatch> {
    let (org, id, created_at) = (change.org(), &request.body.batch_id, change.stamp().at());
    let records = i64::try_from(records).map_err(Error::internal)?;
    change.execute(
        "insert into usage_batches (org, id, records, recorded_at) values ($1, $2, $3, $4)",
        values![org, &**id, records, created_at.unix_seconds()],
    )?;
    Ok(UsageBatch::new(id.clone(), records.unsigned_abs(), created_at, true))
}

/// The number of records. The refused list is the first that exceeds the bound.
fn count(body: &CreateUsageBatchBody) -> Result<usize> {
    let mut records = 0;
    for (list, more) in body.lists() {
        records += more;
        if records > CreateUsageBatchBody::RECORDS_MAX {
            let bound = format!("at most {} records", CreateUsageBatchBody::RECORDS_MAX);
            return Err(Error::invalid_value(list, bound));
        }
    }
    Ok(records)
}

/// The records of a batch, by series.
fn samples(body: &CreateUsageBatchBody) -> Vec<(&'static Series, Vec<Sample>)> {
    fn of<T: Counted>(records: &Option<Vec<T>>) -> Vec<Sample> {
        records.iter().flatten().map(Counted::sample).collect()
    }
    vec![
        (&COMPLETIONS, body.completions.iter().map(Counted::sample).collect()),
        (&DECISIONS, of(&body.decisions)),
        (&EMBEDDINGS, of(&body.embeddings)),
        (&MODERATIONS, of(&body.moderations)),
        (&AUDIO_SPEECHES, of(&body.audio_speeches)),
        (&AUDIO_TRANSCRIPTIONS, of(&body.audio_transcriptions)),
        (&IMAGES, of(&body.images)),
        (&CODE_INTERPRETER_SESSIONS, of(&body.code_interpreter_sessions)),
        (&VECTOR_STORES, of(&body.vector_stores)),
        (&FILE_SEARCH_CALLS, of(&body.file_search_calls)),
        (&WEB_SEARCH_CALLS, of(&body.web_search_calls)),
        (&COSTS, of(&body.costs)),
    ]
}

/// Input tokens include cached tokens and tokens written to the cache.
fn check_inputs(body: &CreateUsageBatchBody) -> Result<()> {
    for (index, record) in body.completions.iter().enumerate() {
        let cached = [record.input_cached_tokens, record.input_cache_write_tokens];
        check_input("completions", index, record.input_tokens, cached)?;
    }
    for (index, record) in body.decisions.iter().flatten().enumerate() {
        let cached = [record.input_cached_tokens, record.input_cache_write_tokens];
        check_input("decisions", index, record.input_tokens, cached)?;
    }
    Ok(())
}

fn check_input(list: &str, index: usize, input_tokens: u64, cached: [Option<u64>; 2]) -> Result<()> {
    let cached = cached.into_iter().flatten().fold(0, u64::saturating_add);
    if cached > input_tokens {
        return Err(Error::invalid_value(
            format!("{list}[{index}].input_tokens"),
            "at least 'input_cached_tokens' and 'input_cache_write_tokens' together",
        ));
    }
    Ok(())
}

/// Lists of choices filter by their values.
macro_rules! filter_by_choice {
    ($($choice:ident)*) => {$(
        impl Filter for Vec<$choice> {
            fn values(&self) -> Vec<String> {
                self.iter().map(|choice| choice.as_str().to_owned()).collect()
            }
        }
    )*};
}
filter_by_choice!(ImageSize ImageSource SearchContextLevel);

impl DimensionValue for UsageLabel {
    fn text(&self) -> String {
        self.to_string()
    }
    fn from_text(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}
