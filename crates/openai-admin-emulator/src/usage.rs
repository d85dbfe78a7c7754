//! Generated usage and costs of a year, for tests and demonstrations of reports.

use fastrand::Rng;
use openai_admin::{
    Decimal, Timestamp,
    models::{
        CompletionsUsageRecord, CostsUsageRecord, CreateUsageBatchBody, EmbeddingsUsageRecord,
        ImagesUsageRecord,
    },
    operations::usage::{UsageBatchId, UsageLabel},
};

use crate::{
    error::{Error, Result},
    randomness::mixed,
};

const DAY: i64 = 24 * 60 * 60;
const DAYS: i64 = 365;
/// The maximum number of projects with usage. With it, a year has at most 20,000 records.
const PROJECTS_MAX: usize = 4;
/// The working days of a batch: less than 10,000 records.
const DAYS_OF_A_BATCH: i64 = 73;
/// Usage grows to this percentage within the year.
const GROWTH_PERCENT: u64 = 300;
/// Usage on a Saturday or Sunday, as a percentage of a working day's.
const WEEKEND_PERCENT: u64 = 25;
/// The number of the first day of 1970, a Thursday, in a week that starts on Monday.
const FIRST_WEEKDAY: i64 = 3;
/// The tokens of a text for an embedding.
const EMBEDDED_TOKENS: u64 = 400;
/// Billionths of a dollar.
const EMBEDDED_TOKEN_NANOS: u64 = 20;
const IMAGE_NANOS: u64 = 40_000_000;

/// A model, its requests on the first working day, the tokens of a request and the prices of a token in billionths of a
/// dollar.
struct Model {
    name: &'static str,
    requests: u64,
    input_tokens: u64,
    output_tokens: u64,
    input_nanos: u64,
    output_nanos: u64,
}

const MODELS: [Model; 3] = [
    Model {
        name: "gpt-5",
        requests: 900,
        input_tokens: 1500,
        output_tokens: 400,
        input_nanos: 1250,
        output_nanos: 10_000,
    },
    Model {
        name: "gpt-5-mini",
        requests: 4000,
        input_tokens: 700,
        output_tokens: 180,
        input_nanos: 250,
        output_nanos: 2000,
    },
    Model {
        name: "o3",
        requests: 120,
        input_tokens: 3000,
        output_tokens: 2500,
        input_nanos: 2000,
        output_nanos: 8000,
    },
];

/// The usage and costs of the year before `end`, in these projects: the same for the same seed.
pub(crate) fn demo(seed: u64, end: Timestamp, projects: &[String]) -> Result<Vec<CreateUsageBatchBody>> {
    let mut rng = Rng::with_seed(mixed(seed, b"usage"));
    let today = end.unix_seconds().div_euclid(DAY);
    let days: Vec<i64> = (today - DAYS..today).filter(|day| *day >= 0).collect();
    let mut batches = Vec::new();
    for days in days.chunks(usize::try_from(DAYS_OF_A_BATCH).unwrap_or(usize::MAX)) {
        let id = label::<UsageBatchId>(&format!("demo of day {}", days[0]))?;
        let mut batch = CreateUsageBatchBody::new(id, Vec::new());
        for day in days {
            for (position, project) in (1..).zip(projects.iter().take(PROJECTS_MAX)) {
                let percent = percent_of_day(*day, DAYS - (today - day)) / position;
                add_project_day(&mut batch, &mut rng, *day, label(project)?, percent)?;
            }
        }
        batches.push(batch);
    }
    Ok(batches)
}

/// The usage of a day as a percentage of the first working day's.
fn percent_of_day(day: i64, day_of_year: i64) -> u64 {
    let grown = 100 + (GROWTH_PERCENT - 100) * day_of_year.unsigned_abs() / DAYS.unsigned_abs();
    let is_weekend = (day + FIRST_WEEKDAY).rem_euclid(7) >= 5;
    if is_weekend { grown * WEEKEND_PERCENT / 100 } else { grown }
}

fn add_project_day(
    batch: &mut CreateUsageBatchBody,
    rng: &mut Rng,
    day: i64,
    project: UsageLabel,
    percent: u64,
) -> Result<()> {
    let at = |rng: &mut Rng| Timestamp::from_unix_seconds(day * DAY + 60 * rng.i64(8 * 60..18 * 60));
    for model in &MODELS {
        let requests = varied(rng, model.requests * percent / 100);
        let (input, output) = (requests * model.input_tokens, varied(rng, requests * model.output_tokens));
        let mut record = CompletionsUsageRecord::new(at(rng), input, output, requests);
        record.project_id = Some(project.clone());
        record.model = Some(label(model.name)?);
        record.input_cached_tokens = Some(input * rng.u64(20..50) / 100);
        batch.completions.push(record);
        add_cost(batch, day, &project, &format!("{}, input", model.name), input, model.input_nanos)?;
        add_cost(batch, day, &project, &format!("{}, output", model.name), output, model.output_nanos)?;
    }
    let texts = varied(rng, 2000 * percent / 100);
    let mut record = EmbeddingsUsageRecord::new(at(rng), texts * EMBEDDED_TOKENS, texts);
    record.project_id = Some(project.clone());
    record.model = Some(label("text-embedding-3-small")?);
    batch.embeddings.get_or_insert_default().push(record);
    let tokens = texts * EMBEDDED_TOKENS;
    add_cost(batch, day, &project, "text-embedding-3-small, input", tokens, EMBEDDED_TOKEN_NANOS)?;
    let images = varied(rng, 40 * percent / 100);
    if images > 0 {
        let mut record = ImagesUsageRecord::new(at(rng), images, images);
        record.project_id = Some(project.clone());
        record.model = Some(label("gpt-image-1")?);
        record.size = Some(label("1024x1024")?);
        record.source = Some(label("image.generation")?);
        batch.images.get_or_insert_default().push(record);
        add_cost(batch, day, &project, "gpt-image-1, image", images, IMAGE_NANOS)?;
    }
    Ok(())
}

/// A number that differs from this one by up to 20 percent.
fn varied(rng: &mut Rng, number: u64) -> u64 {
    number * rng.u64(80..=120) / 100
}

fn add_cost(
    batch: &mut CreateUsageBatchBody,
    day: i64,
    project: &UsageLabel,
    line_item: &str,
    quantity: u64,
    price_nanos: u64,
) -> Result<()> {
    let units = |number: u64| i64::try_from(number).map_err(|error| Error::invalid(error.to_string()));
    let amount = Decimal::from_units(units(quantity * price_nanos)?);
    let mut cost = CostsUsageRecord::new(Timestamp::from_unix_seconds(day * DAY), amount);
    cost.project_id = Some(project.clone());
    cost.line_item = Some(label(line_item)?);
    cost.quantity = Some(Decimal::from_units(units(quantity * 1_000_000)?));
    cost.quantity_unit = Some(label(if line_item.ends_with("image") { "images" } else { "tokens" })?);
    batch.costs.get_or_insert_default().push(cost);
    Ok(())
}

fn label<T: for<'a> TryFrom<&'a str, Error = openai_admin::Violation>>(text: &str) -> Result<T> {
    T::try_from(text).map_err(|violation| Error::invalid(violation.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(batch: &CreateUsageBatchBody) -> usize {
        let lists = [
            batch.embeddings.as_ref().map_or(0, Vec::len),
            batch.images.as_ref().map_or(0, Vec::len),
            batch.costs.as_ref().map_or(0, Vec::len),
        ];
        batch.completions.len() + lists.iter().sum::<usize>()
    }

    #[test]
    fn a_seed_gives_the_same_bounded_year() {
        let projects: Vec<String> = (0..10).map(|number| format!("proj_{number}")).collect();
        let end = Timestamp::from_unix_seconds(1_767_225_600);
        let year = demo(7, end, &projects).expect("a year");
        assert_eq!(year, demo(7, end, &projects).expect("the same year"));
        assert_ne!(year, demo(8, end, &projects).expect("another year"));
        assert!(year.iter().map(records).sum::<usize>() <= 20_000);
        assert!(year.iter().all(|batch| records(batch) <= 10_000));
    }

    #[test]
    fn usage_grows_and_is_lower_on_weekends() {
        let monday = 20_094;
        assert!(percent_of_day(monday, 360) > 2 * percent_of_day(monday, 1));
        assert!(percent_of_day(monday + 5, 1) < percent_of_day(monday + 4, 1) / 2);
        assert!(percent_of_day(monday + 6, 1) < percent_of_day(monday + 7, 1) / 2);
    }
}
