//! Usage of the organization: records, and their sums in time buckets.

use openai_admin::{
    Timestamp,
    models::{CompletionsUsageRecord, UsageBatch, UsageCompletionsResult},
    operations::{CreateUsageBatch, UsageCompletions, usage::UsageLabel},
};

use crate::{
    base::{
        error::{Error, Result},
        text::check_text,
        value::values,
    },
    operation::{Changes, change::Change},
    shapes::series::{self, Counted, DimensionValue, Sample, series},
};

/// The maximum number of records in a batch.
const RECORDS_MAX: usize = 10_000;

series! {
    /// Usage of completions.
    COMPLETIONS = 1 of UsageCompletions, CompletionsUsageRecord, UsageCompletionsResult;
    dimensions: project_id by project_ids, user_id by user_ids, api_key_id by api_key_ids, model by models,
        batch by batch, service_tier;
    sums: input_tokens output_tokens num_model_requests input_cached_tokens input_cache_write_tokens input_text_tokens
        output_text_tokens input_cached_text_tokens input_audio_tokens input_cached_audio_tokens output_audio_tokens
        input_image_tokens input_cached_image_tokens output_image_tokens;
    finish: |result: &mut UsageCompletionsResult| result.input_uncached_tokens = uncached(result);
}

/// Input tokens that were neither cached nor written to the cache.
fn uncached(result: &UsageCompletionsResult) -> Option<u64> {
    let cached = result.input_cached_tokens? + result.input_cache_write_tokens?;
    Some(result.input_tokens.saturating_sub(cached))
}

/// A batch that was already counted is not counted again.
impl Changes for CreateUsageBatch {
    fn change(&self, change: &mut Change<'_>) -> Result<UsageBatch> {
        check_text("batch_id", &self.body.batch_id)?;
        if let Some(counted) = find(change, self)? {
            return Ok(counted);
        }
        let completions = &self.body.completions;
        if completions.len() > RECORDS_MAX {
            return Err(Error::invalid_value("completions", format!("at most {RECORDS_MAX} records")));
        }
        check_inputs(completions)?;
        let samples: Vec<Sample> = completions.iter().map(Counted::sample).collect();
        series::add(change, &COMPLETIONS, "completions", &samples)?;
        insert(change, self, completions.len())
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

/// Input tokens include cached tokens and tokens written to the cache.
fn check_inputs(records: &[CompletionsUsageRecord]) -> Result<()> {
    for (index, record) in records.iter().enumerate() {
        let cached = record.input_cached_tokens.unwrap_or(0);
        if cached.saturating_add(record.input_cache_write_tokens.unwrap_or(0)) > record.input_tokens {
            return Err(Error::invalid_value(
                format!("completions[{index}].input_tokens"),
                "at least 'input_cached_tokens' and 'input_cache_write_tokens' together",
            ));
        }
    }
    Ok(())
}

impl DimensionValue for UsageLabel {
    fn text(&self) -> String {
        self.to_string()
    }
    fn from_text(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}
