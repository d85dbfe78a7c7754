//! Series: numbers that are summed in time buckets.
//!
//! A record counts for the minute of its time. Its numbers are added to the sums of that minute, hour and day in one
//! transaction, so a page reads as few rows as the width of its buckets allows.

use std::collections::{BTreeMap, HashMap};

use openai_admin::{
    Timestamp,
    models::{BucketWidth, UsageBucket, UsagePage},
};

use crate::{
    base::{
        error::{Error, Result},
        text::check_text,
        value::{Row, Value, values},
    },
    operation::{change::Change, tx::Tx},
    shapes::page_token::PageToken,
};

/// The widths of stored sums in seconds, shortest first.
pub(crate) const WIDTHS: [i64; 3] = [60, 60 * 60, 24 * 60 * 60];
/// The number of sum columns. A series uses as many as it declares.
pub(crate) const SUMS: usize = 16;
/// The maximum of a number in a record. With it, no sum of a day overflows an `i64` in practice.
const NUMBER_MAX: i64 = 1_000_000_000_000;

/// The sums of a row.
pub(crate) type Sums = [i64; SUMS];

/// The definition of a series: its number in the database, its dimensions and its sums.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) number: i64,
    /// In storage order. Add new ones at the end.
    pub(crate) dimensions: &'static [&'static str],
    /// In the order of the columns. Add new ones at the end.
    pub(crate) sums: &'static [&'static str],
}

/// One record: its time, the values of the dimensions and the numbers, in the order of the series.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) at: i64,
    pub(crate) dimensions: Vec<Option<String>>,
    pub(crate) numbers: Vec<u64>,
}

/// The parameters of a page.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) start: i64,
    /// Default: now.
    pub(crate) end: Option<i64>,
    pub(crate) width: BucketWidth,
    pub(crate) limit: Option<u16>,
    pub(crate) page: Option<String>,
    /// The names of the dimensions to group by.
    pub(crate) group_by: Vec<&'static str>,
    /// The allowed values of each dimension, in the order of the series. `None` allows all.
    pub(crate) filters: Vec<Option<Vec<String>>>,
    /// The request without `page`. Later pages must have the same parameters.
    pub(crate) parameters: String,
}

/// Adds records to a series. `field` is the name of their list in errors.
pub(crate) fn add(change: &mut Change<'_>, series: &Series, field: &str, samples: &[Sample]) -> Result<()> {
    let mut seqs = HashMap::new();
    let mut cells: BTreeMap<(i64, i64, i64), Sums> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        let numbers = check(series, sample, || format!("{field}[{index}]"))?;
        for (dimension, value) in series.dimensions.iter().zip(&sample.dimensions) {
            if let Some(text) = value.as_deref().filter(|text| text.contains('\0')) {
                check_text(&format!("{field}[{index}].{dimension}"), text)?;
            }
        }
        let seq = match seqs.get(&sample.dimensions) {
            Some(seq) => *seq,
            None => dimension_seq(change, series, &sample.dimensions)?,
        };
        seqs.insert(&sample.dimensions, seq);
        for width in WIDTHS {
            let cell = cells.entry((width, round_down(sample.at, width), seq)).or_default();
            add_to(cell, &numbers)?;
        }
    }
    let org = change.org();
    for ((width, begins_at, seq), sums) in cells {
        let key = [org.into(), series.number.into(), width.into(), begins_at.into(), seq.into()];
        let row: Vec<Value<'_>> = key.into_iter().chain(sums.map(Value::from)).collect();
        if change.execute(ADD, &row)? == 0 {
            let expected =
                format!("records whose sums stay at most {} in each minute, hour and day", i64::MAX);
            return Err(Error::invalid_value(field, expected));
        }
    }
    Ok(())
}

/// A page of buckets, requested at `now`. `result` creates a result from its group and sums.
pub(crate) fn page<T>(
    tx: &mut Tx<'_>,
    series: &Series,
    query: &Query,
    now: Timestamp,
    result: impl Fn(&[Option<&str>], &Sums) -> T,
) -> Result<UsagePage<T>> {
    let (default, max) = query.width.pages();
    let limit = query.limit.unwrap_or(default);
    if limit > max {
        let expected = format!("at most {max} with 'bucket_width' {}", query.width.as_str());
        return Err(Error::invalid_value("limit", expected));
    }
    if limit == 0 {
        return Ok(UsagePage::new(Vec::new(), None));
    }
    let token = PageToken::begin(query.page.as_deref(), &query.parameters, now.unix_seconds(), query.start)?;
    let end = query.end.unwrap_or(token.asked_at);
    let buckets = buckets(token.next, end, query.width.seconds(), limit);
    let next = buckets.last().map_or(end, |(_, end)| *end);
    let mut groups = sums(tx, series, query, token.next, next.min(end))?;
    let mut data = Vec::with_capacity(buckets.len());
    for (start, end) in buckets {
        let later = groups.split_off(&(end, Vec::new()));
        let results = groups.iter().map(|((_, group), sums)| {
            let group: Vec<Option<&str>> = group.iter().map(Option::as_deref).collect();
            result(&group, sums)
        });
        let time = Timestamp::from_unix_seconds;
        data.push(UsageBucket::new(time(start), time(end), results.collect()));
        groups = later;
    }
    let next_page = (next < end).then(|| token.write(next)).transpose()?;
    Ok(UsagePage::new(data, next_page))
}

/// The sums by the start of a bucket and the values of the grouped dimensions (null for all others).
type Groups = BTreeMap<(i64, Vec<Option<String>>), Sums>;

fn sums(tx: &mut Tx<'_>, series: &Series, query: &Query, from: i64, to: i64) -> Result<Groups> {
    let (org, width) = (tx.org(), query.width.seconds());
    let groups = groups(tx, series, query)?;
    let mut found: HashMap<(i64, usize), Sums> = HashMap::new();
    for span in spans(from, to, width) {
        tx.query(READ, values![org, series.number, span.width, span.from, span.to], |row| {
            let Some(group) = groups.of.get(&row.integer(1)?) else { return Ok(()) };
            let bucket = round_down(row.integer(0)?, width).max(from);
            add_to(found.entry((bucket, *group)).or_default(), &read_sums(series, row)?)
        })?;
    }
    let named =
        |((bucket, group), sums): ((i64, usize), Sums)| ((bucket, groups.values[group].clone()), sums);
    Ok(found.into_iter().map(named).collect())
}

/// The group of each dimension. Dimensions that a filter excludes have no group.
struct GroupsOfDimensions {
    values: Vec<Vec<Option<String>>>,
    of: HashMap<i64, usize>,
}

fn groups(tx: &mut Tx<'_>, series: &Series, query: &Query) -> Result<GroupsOfDimensions> {
    let org = tx.org();
    let mut groups = GroupsOfDimensions { values: Vec::new(), of: HashMap::new() };
    let mut numbers: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    tx.query(
        "select seq, dimensions from usage_dimensions where org = $1 and series = $2",
        values![org, series.number],
        |row| {
            let mut dimensions = read_dimensions(series, row.text(1)?)?;
            if !passes(query, &dimensions) {
                return Ok(());
            }
            for (value, name) in dimensions.iter_mut().zip(series.dimensions) {
                if !query.group_by.contains(name) {
                    *value = None;
                }
            }
            let next = numbers.len();
            let number = *numbers.entry(dimensions.clone()).or_insert(next);
            if number == next {
                groups.values.push(dimensions);
            }
            groups.of.insert(row.integer(0)?, number);
            Ok(())
        },
    )?;
    Ok(groups)
}

/// Dimensions that were added to the series later have no value.
fn read_dimensions(series: &Series, text: &str) -> Result<Vec<Option<String>>> {
    let mut dimensions: Vec<Option<String>> = serde_json::from_str(text).map_err(Error::internal)?;
    dimensions.resize(series.dimensions.len(), None);
    Ok(dimensions)
}

fn passes(query: &Query, dimensions: &[Option<String>]) -> bool {
    dimensions.iter().zip(&query.filters).all(|(value, allowed)| match (value, allowed) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(value), Some(allowed)) => allowed.contains(value),
    })
}

fn read_sums(series: &Series, row: &Row<'_>) -> Result<Sums> {
    let mut sums = Sums::default();
    for (index, sum) in sums.iter_mut().enumerate().take(series.sums.len()) {
        *sum = row.integer(index + 2)?;
    }
    Ok(sums)
}

fn dimension_seq(change: &mut Change<'_>, series: &Series, dimensions: &[Option<String>]) -> Result<i64> {
    let org = change.org();
    // Without trailing nulls, so that adding a dimension to the series does not change the text.
    let given = dimensions.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let text = serde_json::to_string(&dimensions[..given]).map_err(Error::internal)?;
    let found = change.query_one(
        "select seq from usage_dimensions where org = $1 and series = $2 and dimensions = $3",
        values![org, series.number, text.as_str()],
        |row| row.integer(0),
    )?;
    if let Some(seq) = found {
        return Ok(seq);
    }
    let last = change.query_one(
        "select seq from usage_dimensions where org = $1 and series = $2 order by seq desc limit 1",
        values![org, series.number],
        |row| row.integer(0),
    )?;
    let seq = last.unwrap_or(0) + 1;
    change.execute(
        "insert into usage_dimensions (org, series, seq, dimensions) values ($1, $2, $3, $4)",
        values![org, series.number, seq, text.as_str()],
    )?;
    Ok(seq)
}

fn check(series: &Series, sample: &Sample, place: impl Fn() -> String) -> Result<Sums> {
    if sample.at < 0 {
        return Err(Error::invalid_value(format!("{}.time", place()), "a time since 1970, in Unix seconds"));
    }
    let mut numbers = Sums::default();
    for ((number, given), name) in numbers.iter_mut().zip(&sample.numbers).zip(series.sums) {
        *number = i64::try_from(*given).ok().filter(|given| *given <= NUMBER_MAX).ok_or_else(|| {
            Error::invalid_value(format!("{}.{name}", place()), format!("a number of at most {NUMBER_MAX}"))
        })?;
    }
    Ok(numbers)
}

fn add_to(sums: &mut Sums, numbers: &Sums) -> Result<()> {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum = sum.checked_add(*number).ok_or_else(|| Error::internal("a sum is too large"))?;
    }
    Ok(())
}

fn round_down(at: i64, width: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(width))
}

fn round_up(at: i64, width: i64) -> i64 {
    match at.rem_euclid(width) {
        0 => at,
        over => at.saturating_add(width - over),
    }
}

/// The first `limit` buckets. The first begins at `start`; all end at a multiple of their width.
fn buckets(start: i64, end: i64, width: i64, limit: u16) -> Vec<(i64, i64)> {
    let mut buckets = Vec::new();
    let mut from = start;
    while from < end && buckets.len() < usize::from(limit) {
        let to = round_down(from, width).saturating_add(width);
        buckets.push((from, to));
        from = to;
    }
    buckets
}

/// Rows of one width in a range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    width: i64,
    from: i64,
    to: i64,
}

/// The fewest rows that cover every minute which begins in this range, in order: long rows in the middle, shorter ones
/// at ends that are not a multiple of the longer width. No row is longer than a bucket.
fn spans(from: i64, to: i64, bucket: i64) -> Vec<Span> {
    let usable = WIDTHS.iter().filter(|width| **width <= bucket).count();
    let mut spans = Vec::new();
    cover(round_up(from, WIDTHS[0]), round_up(to, WIDTHS[0]), &WIDTHS[..usable], &mut spans);
    spans
}

fn cover(from: i64, to: i64, widths: &[i64], spans: &mut Vec<Span>) {
    let Some((&width, shorter)) = widths.split_last() else { return };
    let (first, last) = (round_up(from, width), round_down(to, width));
    if first >= last {
        return cover(from, to, shorter, spans);
    }
    cover(from, first, shorter, spans);
    spans.push(Span { width, from: first, to: last });
    cover(last, to, shorter, spans);
}

/// Repeats the parts for each sum, with its number between them and at the end, separated by commas or `and`.
macro_rules! each_sum {
    (@ $separator:literal $parts:tt $first:literal $($n:literal)*) => {
        concat!(each_sum!(% $first $parts) $(, $separator, each_sum!(% $n $parts))*)
    };
    (% $n:literal [$($part:literal)+]) => {
        concat!($($part, $n),+)
    };
    (and $($part:literal)+) => {
        each_sum!(@ " and " [$($part)+] 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($($part:literal)+) => {
        each_sum!(@ ", " [$($part)+] 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
}

const READ: &str = concat!(
    "select begins_at, dimension_seq, ",
    each_sum!("sum_"),
    " from usage_sums where org = $1 and series = $2 and width = $3 and begins_at >= $4 and begins_at < $5"
);

/// Writes nothing if a sum would be larger than an `i64`.
const ADD: &str = concat!(
    "insert into usage_sums (org, series, width, begins_at, dimension_seq, ",
    each_sum!("sum_"),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
     on conflict (org, series, width, begins_at, dimension_seq) do update set ",
    each_sum!("sum_" " = usage_sums.sum_" " + excluded.sum_"),
    " where ",
    each_sum!(and "usage_sums.sum_" " <= 9223372036854775807 - excluded.sum_"),
);

/// Declares the series of an operation: the fields of its records, filters and results, in storage order. `by` names
/// the request parameter that filters a dimension.
macro_rules! series {
    (
        $(#[$doc:meta])* $series:ident = $number:literal of $request:ident, $record:ident, $result:ident;
        dimensions: $($dimension:ident $(by $filter:ident)?),*;
        sums: $($sum:ident)*;
        $(finish: $finish:expr;)?
    ) => {
        $(#[$doc])*
        pub(crate) static $series: $crate::shapes::series::Series = $crate::shapes::series::Series {
            number: $number,
            dimensions: &[$(stringify!($dimension)),*],
            sums: &[$(stringify!($sum)),*],
        };

        impl $crate::shapes::series::Counted for $record {
            fn sample(&self) -> $crate::shapes::series::Sample {
                use $crate::shapes::series::{DimensionValue, Number};
                $crate::shapes::series::Sample {
                    at: self.time.unix_seconds(),
                    dimensions: vec![$(self.$dimension.as_ref().map(DimensionValue::text)),*],
                    numbers: vec![$(self.$sum.number()),*],
                }
            }
        }

        /// A page without an end ends at the time of the request.
        impl $crate::operation::Reads for $request {
            fn lane(&self) -> $crate::engines::lanes::Lane {
                $crate::engines::lanes::Lane::Scan
            }

            fn read(
                &self,
                tx: &mut $crate::operation::reading::Reading<'_>,
            ) -> $crate::base::error::Result<Self::Response> {
                use $crate::shapes::series::{DimensionValue, Filter, Number, Query, page};
                let mut first = self.clone();
                first.page = None;
                let query = Query {
                    start: self.start_time.unix_seconds(),
                    end: self.end_time.map(openai_admin::Timestamp::unix_seconds),
                    width: self.bucket_width.unwrap_or_default(),
                    limit: self.limit.map(openai_admin::Limit::get),
                    page: self.page.as_ref().map(|page| page.as_str().to_owned()),
                    group_by: self.group_by.iter().flatten().map(|by| by.as_str()).collect(),
                    filters: vec![$($crate::shapes::series::series!(@filter self $($filter)?)),*],
                    parameters: serde_json::to_string(&first).map_err($crate::base::error::Error::internal)?,
                };
                let now = tx.at();
                page(tx, &$series, &query, now, |group, sums| {
                    let mut result = $result::new(0, 0, 0);
                    let mut group = group.iter();
                    $(result.$dimension = group.next().and_then(|value| value.and_then(DimensionValue::from_text));)*
                    let mut sums = sums.iter();
                    $(result.$sum = Number::from_number(sums.next().copied().unwrap_or_default());)*
                    $($finish(&mut result);)?
                    result
                })
            }
        }
    };
    (@filter $request:ident) => { None };
    (@filter $request:ident $filter:ident) => { $request.$filter.as_ref().map(Filter::values) };
}
pub(crate) use series;

/// A record of a series.
pub(crate) trait Counted {
    fn sample(&self) -> Sample;
}

/// A value of a dimension, as a text.
pub(crate) trait DimensionValue: Sized {
    fn text(&self) -> String;
    /// `None` if the text does not represent a value.
    fn from_text(text: &str) -> Option<Self>;
}

impl DimensionValue for String {
    fn text(&self) -> String {
        self.clone()
    }
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl DimensionValue for bool {
    fn text(&self) -> String {
        self.to_string()
    }
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The values that a parameter allows.
pub(crate) trait Filter {
    fn values(&self) -> Vec<String>;
}

impl Filter for Vec<String> {
    fn values(&self) -> Vec<String> {
        self.clone()
    }
}

impl Filter for bool {
    fn values(&self) -> Vec<String> {
        vec![self.to_string()]
    }
}

/// A number in a record or a result. An absent number of a record counts as 0.
pub(crate) trait Number {
    fn number(&self) -> u64;
    fn from_number(sum: i64) -> Self;
}

impl Number for u64 {
    fn number(&self) -> u64 {
        *self
    }
    fn from_number(sum: i64) -> Self {
        sum.unsigned_abs()
    }
}

impl Number for Option<u64> {
    fn number(&self) -> u64 {
        self.unwrap_or(0)
    }
    fn from_number(sum: i64) -> Self {
        Some(sum.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    #[test]
    fn a_range_is_covered_by_the_longest_rows_that_fit() {
        let span = |width, from, to| Span { width, from, to };
        assert_eq!(spans(0, 7 * DAY, DAY), [span(DAY, 0, 7 * DAY)]);
        assert_eq!(
            spans(DAY - 3661, 2 * DAY + 3661, DAY),
            [
                span(60, DAY - 3660, DAY - 3600),
                span(3600, DAY - 3600, DAY),
                span(DAY, DAY, 2 * DAY),
                span(3600, 2 * DAY, 2 * DAY + 3600),
                span(60, 2 * DAY + 3600, 2 * DAY + 3720),
            ]
        );
        assert_eq!(spans(0, DAY, 3600), [span(3600, 0, DAY)]);
        assert_eq!(spans(30, 90, DAY), [span(60, 60, 120)]);
        assert_eq!(spans(1, 1, DAY), []);
    }

    #[test]
    fn only_the_first_bucket_may_begin_between_multiples_of_the_width() {
        assert_eq!(buckets(100, 250, 60, 10), [(100, 120), (120, 180), (180, 240), (240, 300)]);
        assert_eq!(buckets(100, 250, 60, 1), [(100, 120)]);
        assert_eq!(buckets(100, 100, 60, 10), []);
        assert_eq!(buckets(i64::MAX - 1, i64::MAX, 60, 10), [(i64::MAX - 1, i64::MAX)]);
    }
}
