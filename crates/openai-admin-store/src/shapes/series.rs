//! Series: numbers that are summed in time buckets.
//!
//! A record counts for the minute of its time. Its numbers are added to the sums of that minute, hour and day in one
//! transaction, so a page reads as few rows as the width of its buckets allows.

pub(crate) mod declare;

use std::{
    collections::{BTreeMap, HashMap},
    result::Result as StdResult,
};

use openai_admin::{
    Timestamp,
    models::{UsageBucket, UsagePage},
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

/// The sums of a row.
pub(crate) type Sums = [i64; SUMS];

/// The definition of a series: its number in the database, its dimensions and its sums.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) number: i64,
    /// The list of its records in a batch.
    pub(crate) list: &'static str,
    pub(crate) kind: SeriesKind,
    /// In storage order. Add new ones at the end.
    pub(crate) dimensions: &'static [&'static str],
    /// In the order of the columns. Add new ones at the end.
    pub(crate) sums: &'static [&'static str],
}

/// How the records of a minute, an hour or a day are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeriesKind {
    /// Numbers are added.
    Sum,
    /// The last record of each combination of dimensions counts. Its time is the number after the declared ones.
    Level,
}

/// One record: its time, the values of the dimensions and the numbers, in the order of the series.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) at: i64,
    pub(crate) dimensions: Vec<Option<String>>,
    /// The numbers as stored, or what they should be.
    pub(crate) numbers: Vec<StdResult<i64, &'static str>>,
}

/// The parameters of a page.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) start: i64,
    /// Default: now.
    pub(crate) end: Option<i64>,
    pub(crate) width: Width,
    pub(crate) limit: Option<u16>,
    pub(crate) page: Option<String>,
    /// The names of the dimensions to group by.
    pub(crate) group_by: Vec<&'static str>,
    /// The allowed values of each dimension, in the order of the series. `None` allows all.
    pub(crate) filters: Vec<Option<Vec<String>>>,
    /// The request without `page`. Later pages must have the same parameters.
    pub(crate) parameters: String,
}

/// The width of the buckets of a page.
#[derive(Debug)]
pub(crate) struct Width {
    pub(crate) name: &'static str,
    pub(crate) seconds: i64,
    /// The default and the maximum number of buckets.
    pub(crate) pages: (u16, u16),
}

/// Adds records to a series.
pub(crate) fn add(change: &mut Change<'_>, series: &Series, samples: &[Sample]) -> Result<()> {
    let field = series.list;
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
            match series.kind {
                SeriesKind::Sum => add_to(cell, &numbers)?,
                SeriesKind::Level => keep_later(series, cell, &numbers),
            }
        }
    }
    let (org, statement) = (change.org(), series.kind.statement());
    for ((width, begins_at, seq), sums) in cells {
        let key = [org.into(), series.number.into(), width.into(), begins_at.into(), seq.into()];
        let row: Vec<Value<'_>> = key.into_iter().chain(sums.map(Value::from)).collect();
        if change.execute(statement, &row)? == 0 && series.kind == SeriesKind::Sum {
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
    let (default, max) = query.width.pages;
    let limit = query.limit.unwrap_or(default);
    if limit > max {
        let expected = format!("at most {max} with 'bucket_width' {}", query.width.name);
        return Err(Error::invalid_value("limit", expected));
    }
    if limit == 0 {
        return Ok(UsagePage::new(Vec::new(), None));
    }
    let token = PageToken::begin(query.page.as_deref(), &query.parameters, now.unix_seconds(), query.start)?;
    let end = query.end.unwrap_or(token.asked_at);
    let buckets = buckets(token.next, end, query.width.seconds, limit);
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
    let (org, width) = (tx.org(), query.width.seconds);
    let groups = groups(tx, series, query)?;
    let mut found: HashMap<(i64, usize), Sums> = HashMap::new();
    let mut levels: HashMap<(i64, i64), Sums> = HashMap::new();
    let mut spans = spans(from, to, width);
    spans.resize(SPANS_MAX, Span { width, from: 0, to: 0 });
    let spans = spans.into_iter().flat_map(|span| [span.width, span.from, span.to]).map(Value::from);
    let parameters: Vec<Value<'_>> = [org.into(), series.number.into()].into_iter().chain(spans).collect();
    tx.query(READ, &parameters, |row| {
        let seq = row.integer(1)?;
        let Some(group) = groups.of.get(&seq) else { return Ok(()) };
        let bucket = round_down(row.integer(0)?, width).max(from);
        let sums = read_sums(series, row)?;
        match series.kind {
            SeriesKind::Sum => return add_to_page(found.entry((bucket, *group)).or_default(), &sums),
            SeriesKind::Level => keep_later(series, levels.entry((bucket, seq)).or_default(), &sums),
        }
        Ok(())
    })?;
    for ((bucket, seq), sums) in levels {
        add_to_page(found.entry((bucket, groups.of[&seq])).or_default(), &sums)?;
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
    for (index, sum) in sums.iter_mut().enumerate().take(series.sums.len() + series.kind.extra()) {
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
        *number = given.map_err(|expected| Error::invalid_value(format!("{}.{name}", place()), expected))?;
    }
    if series.kind == SeriesKind::Level {
        numbers[series.sums.len()] = sample.at;
    }
    Ok(numbers)
}

impl SeriesKind {
    /// The number of columns after those of the declared numbers.
    const fn extra(self) -> usize {
        match self {
            Self::Sum => 0,
            Self::Level => 1,
        }
    }

    const fn statement(self) -> &'static str {
        match self {
            Self::Sum => ADD,
            Self::Level => KEEP_LATER,
        }
    }
}

/// Replaces a level by a later one.
fn keep_later(series: &Series, level: &mut Sums, other: &Sums) {
    let time = series.sums.len();
    if other[time] >= level[time] {
        *level = *other;
    }
}

/// A sum over dimensions, none of which is larger than an `i64`.
fn add_to_page(sums: &mut Sums, numbers: &Sums) -> Result<()> {
    add_to(sums, numbers).map_err(|_| {
        let expected = format!("values whose sums are at most {}: fewer dimensions per group", i64::MAX);
        Error::invalid_value("group_by", expected)
    })
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

/// The spans of a range: one of the longest width, and at each of its ends one of each shorter width.
const SPANS_MAX: usize = 2 * WIDTHS.len() - 1;

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

/// Reads a span, whose width, begin and end are these parameters.
macro_rules! read_span {
    ($width:literal $from:literal $to:literal) => {
        concat!(
            "select begins_at, dimension_seq, ",
            each_sum!("sum_"),
            " from usage_sums where org = $1 and series = $2 and width = $",
            $width,
            " and begins_at >= $",
            $from,
            " and begins_at < $",
            $to
        )
    };
}

/// Reads [`SPANS_MAX`] spans, of which some may be empty.
const READ: &str = concat!(
    read_span!(3 4 5),
    " union all ",
    read_span!(6 7 8),
    " union all ",
    read_span!(9 10 11),
    " union all ",
    read_span!(12 13 14),
    " union all ",
    read_span!(15 16 17),
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

/// Writes nothing if the stored level is later.
const KEEP_LATER: &str = concat!(
    "insert into usage_sums (org, series, width, begins_at, dimension_seq, ",
    each_sum!("sum_"),
    ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
     on conflict (org, series, width, begins_at, dimension_seq) do update set sum_0 = excluded.sum_0, sum_1 = excluded.sum_1
     where excluded.sum_1 >= usage_sums.sum_1"
);

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

    proptest::proptest! {
        #[test]
        fn a_statement_reads_the_spans_of_any_range(from in 0..3 * DAY, length in 0..5 * DAY, bucket in 0..WIDTHS.len()) {
            let spans = spans(from, from + length, WIDTHS[bucket]);
            proptest::prop_assert!(spans.len() <= SPANS_MAX, "{spans:?}");
        }
    }

    #[test]
    fn only_the_first_bucket_may_begin_between_multiples_of_the_width() {
        assert_eq!(buckets(100, 250, 60, 10), [(100, 120), (120, 180), (180, 240), (240, 300)]);
        assert_eq!(buckets(100, 250, 60, 1), [(100, 120)]);
        assert_eq!(buckets(100, 100, 60, 10), []);
        assert_eq!(buckets(i64::MAX - 1, i64::MAX, 60, 10), [(i64::MAX - 1, i64::MAX)]);
    }
}
