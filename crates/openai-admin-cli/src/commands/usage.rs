//! `openai-admin usage report` and `openai-admin costs`: the sums of a period, with totals and bars.

use std::collections::{BTreeMap, HashMap};

use openai_admin::{
    Client, Decimal, ListEndpoint, Page,
    operations::{
        ListProjects, UsageAudioSpeeches, UsageAudioTranscriptions, UsageCodeInterpreterSessions,
        UsageCompletions, UsageCosts, UsageDecisions, UsageEmbeddings, UsageFileSearchCalls, UsageImages,
        UsageModerations, UsageVectorStores, UsageWebSearchCalls,
    },
};
use openai_admin_server::Minter;
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{
    arguments::{CostsArguments, ReportArguments, UsageCommand, UsageKind},
    failure::{Doing as _, ExitStatus, Failure, Result},
    output::{Layout, Name, visible},
    session::Session,
};

const DAY: i64 = 24 * 60 * 60;
/// The days of a page, as many as all kinds of usage allow.
const PAGE_SIZE: i64 = 31;
/// The width of a table, in columns.
const WIDTH: usize = 80;
/// The width of the longest bar.
const BAR_WIDTH: usize = 10;
/// The gap between two columns.
const GAP: usize = 2;
/// The field that groups by day. The API has none, since buckets are days.
const BY_DAY: &str = "day";
/// The other fields of `--by`. Each kind of usage has some of them.
const FIELDS: [&str; 12] = [
    "project",
    "user",
    "api-key",
    "model",
    "batch",
    "tier",
    "api-source",
    "size",
    "source",
    "vector-store",
    "context-level",
    "line-item",
];

pub(super) async fn run(command: UsageCommand, session: &Session<'_>) -> Result<()> {
    let UsageCommand::Report(arguments) = command;
    let report = &arguments.report;
    let requests = "num_model_requests";
    match arguments.kind {
        UsageKind::AudioSpeeches => {
            print::<UsageAudioSpeeches>(session, report, &["characters", requests]).await
        }
        UsageKind::AudioTranscriptions => {
            print::<UsageAudioTranscriptions>(session, report, &["seconds", requests]).await
        }
        UsageKind::CodeInterpreterSessions => {
            print::<UsageCodeInterpreterSessions>(session, report, &["num_sessions"]).await
        }
        UsageKind::Completions => print::<UsageCompletions>(session, report, &TOKENS).await,
        UsageKind::Decisions => print::<UsageDecisions>(session, report, &TOKENS).await,
        UsageKind::Embeddings => print::<UsageEmbeddings>(session, report, &["input_tokens", requests]).await,
        UsageKind::FileSearchCalls => print::<UsageFileSearchCalls>(session, report, &["num_requests"]).await,
        UsageKind::Images => print::<UsageImages>(session, report, &["images", requests]).await,
        UsageKind::Moderations => {
            print::<UsageModerations>(session, report, &["input_tokens", requests]).await
        }
        UsageKind::VectorStores => print::<UsageVectorStores>(session, report, &["usage_bytes"]).await,
        UsageKind::WebSearchCalls => {
            print::<UsageWebSearchCalls>(session, report, &["num_requests", requests]).await
        }
    }
}

/// The numbers of completions that a report shows.
const TOKENS: [&str; 4] = ["input_tokens", "input_cached_tokens", "output_tokens", "num_model_requests"];

pub(super) async fn costs(arguments: CostsArguments, session: &Session<'_>) -> Result<()> {
    print::<UsageCosts>(session, &arguments.report, &["amount"]).await
}

/// The sums of a row, by the values of its fields.
type Rows = BTreeMap<Vec<String>, Vec<i128>>;

async fn print<E>(session: &Session<'_>, report: &ReportArguments, numbers: &[&str]) -> Result<()>
where
    E: ListEndpoint + DeserializeOwned,
    <E::Response as Page>::Item: Serialize,
{
    let by: Vec<String> = report.by.iter().map(|field| api_field(field)).collect();
    let rows = read::<E>(session, report, &by, numbers).await?;
    if session.output.is_for_people() {
        let names = project_names(&session.client, &by).await;
        return print_table(session, &by, numbers, rows, &names);
    }
    let names: Vec<Name> = by.iter().map(String::as_str).chain(numbers.iter().copied()).map(owned).collect();
    let layout = Layout { names, columns: vec![], details: vec![], fields: |row: &Value| Ok(row.clone()) };
    let row = |(labels, sums): (Vec<String>, Vec<i128>)| {
        let labels = by.iter().cloned().zip(labels.into_iter().map(Value::from));
        let sums = numbers.iter().zip(sums).map(|(name, sum)| Ok(((*name).to_owned(), exact(name, sum)?)));
        Ok(Value::Object(labels.map(Ok).chain(sums).collect::<Result<Map<String, Value>>>()?))
    };
    session.output.items_as(&layout, &rows.into_iter().map(row).collect::<Result<Vec<Value>>>()?, "")
}

fn owned(text: &str) -> Name {
    Name::from(text.to_owned())
}

/// The API's name of a field: `project` is `project_id`.
fn api_field(typed: &str) -> String {
    match typed {
        "project" | "user" | "api-key" | "vector-store" => typed.replace('-', "_") + "_id",
        "key" => "api_key_id".to_owned(),
        "tier" => "service_tier".to_owned(),
        _ => typed.replace('-', "_"),
    }
}

async fn read<E>(
    session: &Session<'_>,
    report: &ReportArguments,
    by: &[String],
    numbers: &[&str],
) -> Result<Rows>
where
    E: ListEndpoint + DeserializeOwned,
    <E::Response as Page>::Item: Serialize,
{
    let is_repeated = |(at, field): &(usize, &String)| by[..*at].contains(field);
    if let Some((at, _)) = by.iter().enumerate().find(is_repeated) {
        let message = format!("--by: duplicate field '{}'; pass each field once", visible(&report.by[at]));
        return Err(Failure::usage(message));
    }
    let now = Minter::system().now().unix_seconds();
    let start = now.saturating_sub(report.last).max(0);
    let request = |group_by: &[&str]| {
        serde_json::from_value::<E>(json!({
            "start_time": start - start % DAY, "end_time": now + 1, "group_by": group_by, "limit": PAGE_SIZE,
        }))
    };
    for (typed, field) in report.by.iter().zip(by).filter(|(_, field)| *field != BY_DAY) {
        if request(&[field]).is_err() {
            let known = FIELDS.into_iter().filter(|known| request(&[&api_field(known)]).is_ok());
            let known: Vec<&str> = [BY_DAY].into_iter().chain(known).collect();
            let message = format!("--by: unknown field '{}'; use {}", visible(typed), known.join(", "));
            return Err(Failure::usage(message));
        }
    }
    let group_by: Vec<&str> = by.iter().map(String::as_str).filter(|field| *field != BY_DAY).collect();
    let request = request(&group_by).map_err(|error| Failure::new(ExitStatus::Failed, error.to_string()))?;
    let mut rows = Rows::new();
    let mut pages = session.client.list(request).pages();
    while let Some(page) = pages.next().await {
        for bucket in page.doing(|| format!("read {}", E::ID))?.items() {
            let bucket = serde_json::to_value(bucket)
                .map_err(|error| Failure::new(ExitStatus::Failed, error.to_string()))?;
            add_bucket(&mut rows, &bucket, by, numbers);
        }
    }
    Ok(rows)
}

fn add_bucket(rows: &mut Rows, bucket: &Value, by: &[String], numbers: &[&str]) {
    let day = bucket["start_time"].as_i64().and_then(|at| jiff::Timestamp::from_second(at).ok());
    let day = day.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    for result in bucket["results"].as_array().into_iter().flatten() {
        let labels = by.iter().map(|field| match &result[field] {
            _ if field == BY_DAY => day.clone(),
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let sums = rows.entry(labels.collect()).or_insert_with(|| vec![0; numbers.len()]);
        for (sum, name) in sums.iter_mut().zip(numbers) {
            let number = units(&result[*name]);
            *sum = if is_level(name) { number } else { *sum + number };
        }
    }
}

/// A number, or an amount of money in billionths.
fn units(value: &Value) -> i128 {
    match value.get("value") {
        Some(amount) => Decimal::<9>::deserialize(amount).map_or(0, |amount| i128::from(amount.units())),
        None => i128::from(value.as_u64().unwrap_or_default()),
    }
}

/// Whether a number is a size at the end of a bucket. The last one counts, not the sum over days.
fn is_level(name: &str) -> bool {
    name == "usage_bytes"
}

fn is_money(name: &str) -> bool {
    name == "amount"
}

/// A sum as it is. One that JSON cannot hold exactly is refused.
fn exact(name: &str, sum: i128) -> Result<Value> {
    let sum = i64::try_from(sum).map_err(|_| {
        let message = format!("a sum of {name} is too large to be exact");
        Failure::new(ExitStatus::Failed, message).hint("pass a shorter --last, or more fields in --by")
    })?;
    Ok(if is_money(name) { json!(Decimal::<9>::from_units(sum)) } else { json!(sum) })
}

/// A sum for people: `$12.50`, `987` or `1.2M`.
fn rounded(name: &str, sum: i128) -> String {
    if is_money(name) {
        let sign = if sum < 0 { "-" } else { "" };
        let cents = (sum.unsigned_abs() + 5_000_000) / 10_000_000;
        return format!("{sign}${}.{:02}", with_commas(cents / 100), cents % 100);
    }
    for (unit, size) in [("T", 1_000_000_000_000), ("B", 1_000_000_000), ("M", 1_000_000), ("k", 1000)] {
        if sum >= size {
            let tenths = sum * 10 / size;
            return format!("{}.{}{unit}", tenths / 10, tenths % 10);
        }
    }
    sum.to_string()
}

fn with_commas(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The names of the projects by id. Empty if the key may not list them: the table then shows ids.
async fn project_names(client: &Client, by: &[String]) -> HashMap<String, String> {
    let mut names = HashMap::new();
    if !by.iter().any(|field| field == "project_id") {
        return names;
    }
    let mut request = ListProjects::new();
    request.include_archived = Some(true);
    let mut pages = client.list(request).limit(100).pages();
    while let Some(Ok(page)) = pages.next().await {
        names.extend(
            page.data
                .iter()
                .filter_map(|project| Some((project.id.to_string(), project.name.as_deref()?.to_owned()))),
        );
    }
    names
}

fn print_table(
    session: &Session<'_>,
    by: &[String],
    numbers: &[&str],
    rows: Rows,
    names: &HashMap<String, String>,
) -> Result<()> {
    if rows.is_empty() {
        session.output.note("no usage in this period");
        return Ok(());
    }
    let mut rows: Vec<(Vec<String>, Vec<i128>)> = rows.into_iter().collect();
    let is_by_day = by.iter().any(|field| field == BY_DAY);
    if !is_by_day {
        rows.sort_by_key(|(_, sums)| std::cmp::Reverse(sums[0]));
    }
    let largest = rows.iter().map(|(_, sums)| sums[0]).max().unwrap_or_default().max(1);
    let totals: Vec<i128> =
        (0..numbers.len()).map(|at| rows.iter().map(|(_, sums)| sums[at]).sum()).collect();
    let texts = |sums: &[i128]| -> Vec<String> {
        numbers.iter().zip(sums).map(|(name, sum)| rounded(name, *sum)).collect()
    };
    let mut lines = vec![heading(by, numbers)];
    for (labels, sums) in &rows {
        let labels = by.iter().zip(labels).map(|(field, label)| label_of(field, label, names));
        lines.push((labels.collect(), texts(sums), bar(sums[0], largest)));
    }
    // Sizes of different days have no total.
    if !(is_by_day && is_level(numbers[0])) {
        let mut total = vec![String::new(); by.len()];
        total[0] = "Total".to_owned();
        lines.push((total, texts(&totals), String::new()));
    }
    session.output.data(&aligned(&lines))
}

/// The labels, numbers and bar of a line.
type Line = (Vec<String>, Vec<String>, String);

fn heading(by: &[String], numbers: &[&str]) -> Line {
    let title = |name: &str| {
        let name = name.trim_end_matches("_id").trim_start_matches("num_").replace('_', " ");
        let name = name
            .replace("model requests", "requests")
            .replace(" tokens", "")
            .replace("input cached", "cached");
        name.to_uppercase()
    };
    (
        by.iter().map(|name| title(name)).collect(),
        numbers.iter().map(|name| title(name)).collect(),
        String::new(),
    )
}

fn label_of(field: &str, label: &str, names: &HashMap<String, String>) -> String {
    let label = match names.get(label) {
        Some(name) if field == "project_id" => name,
        _ if label.is_empty() => "-",
        _ => label,
    };
    visible(label)
}

/// At least one mark for a number above 0.
fn bar(number: i128, largest: i128) -> String {
    let width = (number * BAR_WIDTH as i128 + largest - 1) / largest;
    "█".repeat(usize::try_from(width).unwrap_or_default().min(BAR_WIDTH))
}

/// Aligns columns within 80 columns: long labels are cut.
fn aligned(lines: &[Line]) -> String {
    let width = |cells: &dyn Fn(&Line) -> usize| lines.iter().map(cells).max().unwrap_or_default();
    let numbers: Vec<usize> =
        (0..lines[0].1.len()).map(|at| width(&|line: &Line| line.1[at].chars().count())).collect();
    let taken = numbers.iter().map(|width| width + GAP).sum::<usize>() + BAR_WIDTH + GAP;
    let columns = lines[0].0.len();
    let room = (WIDTH.saturating_sub(taken) / columns).saturating_sub(GAP).max(6);
    let labels: Vec<usize> =
        (0..columns).map(|at| width(&|line: &Line| line.0[at].chars().count()).min(room)).collect();
    let gap = " ".repeat(GAP);
    let mut text = String::new();
    for (names, sums, bar) in lines {
        let names = names.iter().zip(&labels).map(|(name, width)| format!("{:width$}", cut(name, *width)));
        let sums = sums.iter().zip(&numbers).map(|(sum, width)| format!("{sum:>width$}"));
        let cells: Vec<String> = names.chain(sums).chain([bar.clone()]).collect();
        text.push_str(cells.join(&gap).trim_end());
        text.push('\n');
    }
    text
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_for_people_and_exact_for_programs() {
        assert_eq!(rounded("amount", 1_234_567_895_000_000), "$1,234,567.90");
        assert_eq!(rounded("amount", 1), "$0.00");
        assert_eq!(rounded("amount", -1_500_000_000), "-$1.50");
        assert_eq!(exact("amount", 1_500_000_001).unwrap().to_string(), "1.500000001");
        assert_eq!([999, 1000, 1_250_000].map(|sum| rounded("images", sum)), ["999", "1.0k", "1.2M"]);
        assert_eq!(exact("images", 1_250_000).unwrap(), json!(1_250_000));
        assert_eq!(exact("images", i64::MAX.into()).unwrap(), json!(i64::MAX));
        let refused = exact("images", i128::from(i64::MAX) + 1).unwrap_err();
        assert!(format!("{refused:?}").contains("a sum of images is too large to be exact"), "{refused:?}");
    }

    #[test]
    fn numbers_of_days_are_added_and_the_last_size_counts() {
        let bucket = |number: u64| {
            json!({ "start_time": 0, "results": [
                { "project_id": "proj_1", "usage_bytes": number, "num_requests": number },
            ] })
        };
        let mut rows = Rows::new();
        for number in [7, 5] {
            let by = ["project_id".to_owned()];
            add_bucket(&mut rows, &bucket(number), &by, &["usage_bytes", "num_requests"]);
        }
        assert_eq!(rows, Rows::from([(vec!["proj_1".to_owned()], vec![5, 12])]));
    }

    #[test]
    fn a_line_has_at_most_80_columns() {
        let long = "x".repeat(90);
        let line = |bar: &str| (vec![long.clone(), long.clone()], vec!["1.0k".to_owned(); 4], bar.to_owned());
        let text = aligned(&[line(""), line(&bar(7, 7))]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(bar(1, 1_000_000), "█");
        assert_eq!(bar(0, 7), "");
    }
}
