//! Usage and costs of the last days, as charts with their numbers.

use askama::Template;
use openai_admin::Timestamp;

use crate::{
    base::{
        chart::{Amount, Chart},
        frame::{Frame, Section},
        moment::Moment,
        numbers::with_commas,
        page::{Answer, page},
    },
    visit::Visit,
};

/// The days of a chart.
const DAYS: i64 = 30;
const DAY_SECONDS: i64 = 24 * 60 * 60;

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage {
    frame: Frame,
    charts: Vec<Chart>,
}

pub(crate) async fn show(visit: Visit) -> Answer {
    let today = visit.state.minter.now().unix_seconds().div_euclid(DAY_SECONDS);
    let start = Timestamp::from_unix_seconds((today - DAYS + 1) * DAY_SECONDS);
    let costs = visit.client.usage().usage_costs(start).limit(DAYS).await?.into_inner();
    let completions = visit.client.usage().usage_completions(start).limit(DAYS).await?.into_inner();
    let costs = costs.data.into_iter().map(|day| {
        let amounts = day.results.into_iter().filter_map(|result| result.amount);
        let value: f64 = amounts.filter_map(|cost| cost.value.to_string().parse::<f64>().ok()).sum();
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
        Chart::new("costs", "Costs", "USD", costs.collect()),
        Chart::new("requests", "Requests for completions", "requests", requests.collect()),
        Chart::new("tokens", "Tokens of completions, in and out", "tokens", tokens.collect()),
    ];
    page(&UsagePage {
        frame: visit.frame(Section::Usage, "Usage and costs"),
        charts: charts.into_iter().filter(|chart| !chart.is_empty()).collect(),
    })
}

fn amount(day: Timestamp, value: f64, shown: String) -> Amount {
    Amount { label: Moment::from(day).day(), value, shown }
}

fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}
