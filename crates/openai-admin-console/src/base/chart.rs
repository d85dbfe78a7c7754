//! Bar charts as SVG. A chart is always shown with a table of the same numbers.

use askama::Template;

/// The size of a chart in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 160.0;
/// The part of a bar's space that the bar fills.
const FILLED: f64 = 0.7;

/// A value of a chart, such as the costs of a day.
pub(crate) struct Amount {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The value as text.
    pub(crate) shown: String,
}

/// A bar.
struct Bar {
    x: String,
    y: String,
    width: String,
    height: String,
    title: String,
}

/// A bar chart with a title, a description, and its numbers as a table.
#[derive(Template)]
#[template(path = "chart.html")]
pub(crate) struct Chart {
    /// The name of the chart in the page, for the ids of its parts.
    name: &'static str,
    title: &'static str,
    description: String,
    /// The heading of the values.
    unit: &'static str,
    bars: Vec<Bar>,
    amounts: Vec<Amount>,
    width: f64,
    height: f64,
}

impl Chart {
    pub(crate) fn new(
        name: &'static str,
        title: &'static str,
        unit: &'static str,
        amounts: Vec<Amount>,
    ) -> Self {
        let highest = amounts.iter().map(|amount| amount.value).fold(0.0, f64::max);
        let space = WIDTH / amounts.len().max(1) as f64;
        let bars = amounts.iter().enumerate().map(|(index, amount)| {
            let height = if highest > 0.0 { amount.value / highest * HEIGHT } else { 0.0 };
            Bar {
                x: format!("{:.1}", (index as f64 + (1.0 - FILLED) / 2.0) * space),
                y: format!("{:.1}", HEIGHT - height),
                width: format!("{:.1}", space * FILLED),
                height: format!("{height:.1}"),
                title: format!("{}: {} {unit}", amount.label, amount.shown),
            }
        });
        let peak = amounts.iter().max_by(|one, other| one.value.total_cmp(&other.value));
        let description = match peak.filter(|peak| peak.value > 0.0) {
            Some(peak) => format!("Highest: {} {unit}, {}.", peak.shown, peak.label),
            None => "No data in this time.".to_owned(),
        };
        Self { name, title, description, unit, bars: bars.collect(), amounts, width: WIDTH, height: HEIGHT }
    }

    /// Whether all values are 0.
    pub(crate) fn is_empty(&self) -> bool {
        self.amounts.iter().all(|amount| amount.value <= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_title_a_description_and_a_table_with_its_numbers() {
        let amount =
            |label: &str, value: f64| Amount { label: label.to_owned(), value, shown: value.to_string() };
        let chart = Chart::new("costs", "Costs", "USD", vec![amount("1 Jan", 2.0), amount("2 Jan", 4.0)]);
        let html = chart.render().expect("a chart");
        insta::assert_snapshot!(html);
    }
}
