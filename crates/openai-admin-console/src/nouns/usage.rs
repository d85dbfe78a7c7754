//! Usage and costs of the last days, as charts with their numbers.

use std::collections::BTreeMap;

use askama::Template;
use openai_admin::{
    Timestamp,
    models::{CostsResult, UsageCompletionsResult},
    operations::usage::{CostsGroupBy, UsageCompletionsGroupBy},
};

use crate::{
    base::{
        chart::{Amount, Chart},
        frame::{Frame, Section},
        moment::Moment,
        numbers::with_commas,
        page::{Answer, page},
    },
    nouns::emulator,
    visit::Visit,
};

/// The days of a chart.
const DAYS: i64 = 30;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Rows of a table.
const ROWS_MAX: usize = 50;

/// Numbers of the whole time by one dimension, such as the model.
struct Breakdown {
    title: &'static str,
    unit: &'static str,
    /// The path before the value, if the values have pages.
    path: Option<&'static str>,
    rows: Vec<(String, String)>,
    hidden: usize,
}

impl Breakdown {
    /// The values with the highest numbers first.
    fn new(
        title: &'static str,
        unit: &'static str,
        path: Option<&'static str>,
        numbers: impl Iterator<Item = (Option<String>, f64)>,
        shown: impl Fn(f64) -> String,
    ) -> Self {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for (value, number) in numbers {
            *sums.entry(value.unwrap_or_default()).or_default() += number;
        }
        let mut sums: Vec<(String, f64)> = sums.into_iter().filter(|(_, sum)| *sum > 0.0).collect();
        sums.sort_by(|one, other| other.1.total_cmp(&one.1));
        let hidden = sums.len().saturating_sub(ROWS_MAX);
        let rows = sums.into_iter().take(ROWS_MAX).map(|(value, sum)| (value, shown(sum))).collect();
        Self { title, unit, path, rows, hidden }
    }
}

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage {
    frame: Frame,
    charts: Vec<Chart>,
    breakdowns: Vec<Breakdown>,
}

pub(crate) async fn show(visit: Visit) -> Answer {
    let today = emulator::now(&visit).await?.unix_seconds().div_euclid(DAY_SECONDS);
    let start = Timestamp::from_unix_seconds((today - DAYS + 1) * DAY_SECONDS);
    let usage = visit.client.usage();
    let by = [UsageCompletionsGroupBy::Model, UsageCompletionsGroupBy::ProjectId];
    let costs = usage.usage_costs(start).limit(DAYS).group_by([CostsGroupBy::ProjectId]).await?.into_inner();
    let completions = usage.usage_completions(start).limit(DAYS).group_by(by).await?.into_inner();
    let days = costs.data.iter().map(|day| {
        let value: f64 = day.results.iter().map(spent).sum();
        amount(day.start_time, value, format!("{value:.2}"))
    });
    let requests = completions.data.iter().map(|day| {
        let number = total(day.results.iter().map(|result| result.num_model_requests));
        amount(day.start_time, number as f64, with_commas(number))
    });
    let tokens = completions.data.iter().map(|day| {
        let number = total(day.results.iter().flat_map(|result| [result.input_tokens, result.output_tokens]));
        amount(day.start_time, number as f64, with_commas(number))
    });
    let charts = [
        Chart::new("costs", "Costs", "USD", days.collect()),
        Chart::new("requests", "Requests for completions", "requests", requests.collect()),
        Chart::new("tokens", "Tokens of completions, in and out", "tokens", tokens.collect()),
    ];
    page(&UsagePage {
        frame: visit.frame(Section::Usage, "Usage and costs"),
        charts: charts.into_iter().filter(|chart| !chart.is_empty()).collect(),
        breakdowns: breakdowns(
            completions.data.iter().flat_map(|day| &day.results).collect(),
            costs.data.iter().flat_map(|day| &day.results).collect(),
        ),
    })
}

/// Tokens by model and by project, and costs by project.
fn breakdowns(tokens: Vec<&UsageCompletionsResult>, costs: Vec<&CostsResult>) -> Vec<Breakdown> {
    let sum =
        |result: &UsageCompletionsResult| result.input_tokens.saturating_add(result.output_tokens) as f64;
    let models =
        tokens.iter().map(|result| (result.model.clone().map(|model| model.to_string()), sum(result)));
    let projects =
        tokens.iter().map(|result| (result.project_id.clone().map(|id| id.to_string()), sum(result)));
    let spent =
        costs.iter().map(|result| (result.project_id.clone().map(|id| id.to_string()), spent(result)));
    let (number, money) = (|sum: f64| with_commas(sum as u64), |sum: f64| format!("{sum:.2}"));
    let path = Some("/console/projects/");
    let all = [
        Breakdown::new("Tokens of completions by model", "tokens", None, models, number),
        Breakdown::new("Tokens of completions by project", "tokens", path, projects, number),
        Breakdown::new("Costs by project", "USD", path, spent, money),
    ];
    all.into_iter().filter(|one| !one.rows.is_empty()).collect()
}

fn spent(result: &CostsResult) -> f64 {
    let amount = result.amount.as_ref();
    amount.and_then(|cost| cost.value.to_string().parse().ok()).unwrap_or_default()
}

fn amount(day: Timestamp, value: f64, shown: String) -> Amount {
    Amount { label: Moment::from(day).day(), value, shown }
}

fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}
