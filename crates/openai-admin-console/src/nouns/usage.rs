//! Usage and costs of the last days, as charts with their numbers.

use askama::Template;
use openai_admin::Timestamp;

use crate::{
    base::{
        chart::{Amount, Chart},
        frame::{Frame, Section},
        moment::Moment,
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
        let number: u64 = day.results.iter().map(|result| result.num_model_requests).sum();
        amount(day.start_time, number as f64, with_commas(number))
    });
    let tokens = completions.data.iter().map(|day| {
        let number: u64 =
            day.results.iter().map(|result| result.input_tokens.saturating_add(result.output_tokens)).sum();
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

/// A number with its digits in groups of three: `30,009`.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(|group| std::str::from_utf8(group).unwrap_or_default());
    let head = Some(head).filter(|head| !head.is_empty());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(
            [0, 12, 999, 1000, 34_063_464].map(with_commas),
            ["0", "12", "999", "1,000", "34,063,464"]
        );
    }
}
