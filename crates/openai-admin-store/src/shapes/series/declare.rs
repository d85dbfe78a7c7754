//! A macro that declares a series from the models of an operation, and the values of their fields.

use std::result::Result as StdResult;

use openai_admin::{ApiSource, Decimal, models::Cost};

use super::Sample;

/// The maximum of a number in a record. With it, no sum of a day overflows an `i64` in practice.
const NUMBER_MAX: i64 = 1_000_000_000_000;
/// The maximum amount of money in a record, in billionths.
const AMOUNT_MAX: i64 = 1_000_000 * 1_000_000_000;
/// The maximum quantity in a record of costs, in millionths.
const QUANTITY_MAX: i64 = 1_000_000_000_000 * 1_000_000;

/// Declares the series of an operation: the fields of its records, filters and results, in storage order. `by` names
/// the request parameter that filters a dimension. `recorded` dimensions are in records only. Results that are grouped by
/// the first dimension of `together` are grouped by the second too. The `sums` are the arguments of the result's `new`,
/// and `more` sums are its other fields.
macro_rules! series {
    (
        $(#[$doc:meta])*
        $series:ident = $number:literal $kind:ident $list:ident of $request:ident, $record:ident, $result:ident;
        $(recorded: $recorded:ident;)?
        dimensions: $($dimension:ident $(by $filter:ident)?),*;
        $(together: $first:ident $second:ident;)?
        sums: $($sum:ident)*;
        $(more: $($more:ident)*;)?
        $(finish: $finish:expr;)?
    ) => {
        $(#[$doc])*
        pub(crate) static $series: $crate::shapes::series::Series = $crate::shapes::series::Series {
            number: $number,
            list: stringify!($list),
            kind: $crate::shapes::series::SeriesKind::$kind,
            dimensions: &[$(stringify!($recorded),)? $(stringify!($dimension)),*],
            sums: &[$(stringify!($sum),)* $($(stringify!($more)),*)?],
        };

        impl $crate::shapes::series::declare::Counted for $record {
            fn sample(&self) -> $crate::shapes::series::Sample {
                use $crate::shapes::series::declare::{DimensionValue, Number};
                $crate::shapes::series::Sample {
                    at: self.time.unix_seconds(),
                    dimensions: vec![
                        $(self.$recorded.as_ref().map(DimensionValue::text),)?
                        $(self.$dimension.as_ref().map(DimensionValue::text)),*
                    ],
                    numbers: vec![$(self.$sum.number(),)* $($(self.$more.number()),*)?],
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
                #[allow(unused_imports, reason = "not every series has filters")]
                use $crate::shapes::series::{Query, Width, declare::{DimensionValue, Filter, Number}, page};
                let width = self.bucket_width.unwrap_or_default();
                #[allow(unused_mut, reason = "few series have dimensions that are grouped together")]
                let mut group_by: Vec<&'static str> = self.group_by.iter().flatten().map(|by| by.as_str()).collect();
                $(if group_by.contains(&stringify!($first)) {
                    group_by.push(stringify!($second));
                })?
                let mut first = self.clone();
                first.page = None;
                let query = Query {
                    start: self.start_time.unix_seconds(),
                    end: self.end_time.map(openai_admin::Timestamp::unix_seconds),
                    width: Width { name: width.as_str(), seconds: width.seconds(), pages: width.pages() },
                    limit: self.limit.map(openai_admin::Limit::get),
                    page: self.page.as_ref().map(|page| page.as_str().to_owned()),
                    group_by,
                    filters: vec![$($crate::shapes::series::declare::series!(@none $recorded),)? $($crate::shapes::series::declare::series!(@filter self $($filter)?)),*],
                    parameters: serde_json::to_string(&first).map_err($crate::base::error::Error::internal)?,
                };
                let now = tx.at();
                page(tx, &$series, &query, now, |group, sums| {
                    let mut sums = sums.iter().copied();
                    #[allow(unused_mut, reason = "not every series has more sums")]
                    let mut result = $result::new($($crate::shapes::series::declare::series!(@next sums $sum)),*);
                    $($(result.$more = $crate::shapes::series::declare::series!(@next sums $more);)*)?
                    let mut group = group.iter();
                    $($crate::shapes::series::declare::series!(@skip group $recorded);)?
                    $(result.$dimension = group.next().and_then(|value| value.and_then(DimensionValue::from_text));)*
                    $($finish(&mut result);)?
                    result
                })
            }
        }
    };
    (@next $sums:ident $sum:ident) => { Number::from_number($sums.next().unwrap_or_default()) };
    (@skip $group:ident $recorded:ident) => { $group.next() };
    (@none $recorded:ident) => { None };
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

impl DimensionValue for ApiSource {
    fn text(&self) -> String {
        self.as_str().to_owned()
    }
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::from(text))
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
pub(crate) trait Number: Sized {
    /// The number as stored, or what it should be.
    fn number(&self) -> StdResult<i64, &'static str>;
    fn from_number(sum: i64) -> Self;
}

impl Number for u64 {
    fn number(&self) -> StdResult<i64, &'static str> {
        let number = i64::try_from(*self).ok().filter(|number| *number <= NUMBER_MAX);
        number.ok_or("a number of at most 1000000000000")
    }
    fn from_number(sum: i64) -> Self {
        sum.unsigned_abs()
    }
}

/// An amount of money.
impl Number for Decimal<9> {
    fn number(&self) -> StdResult<i64, &'static str> {
        let is_valid = (0..=AMOUNT_MAX).contains(&self.units());
        is_valid.then_some(self.units()).ok_or("an amount from 0 to 1000000")
    }
    fn from_number(sum: i64) -> Self {
        Self::from_units(sum)
    }
}

/// A quantity.
impl Number for Decimal<6> {
    fn number(&self) -> StdResult<i64, &'static str> {
        let is_valid = (0..=QUANTITY_MAX).contains(&self.units());
        is_valid.then_some(self.units()).ok_or("a quantity from 0 to 1000000000000")
    }
    fn from_number(sum: i64) -> Self {
        Self::from_units(sum)
    }
}

impl Number for Cost {
    fn number(&self) -> StdResult<i64, &'static str> {
        self.value.number()
    }
    fn from_number(sum: i64) -> Self {
        Self::new(Decimal::from_units(sum), "usd".to_owned())
    }
}

impl<T: Number> Number for Option<T> {
    fn number(&self) -> StdResult<i64, &'static str> {
        self.as_ref().map_or(Ok(0), Number::number)
    }
    fn from_number(sum: i64) -> Self {
        Some(T::from_number(sum))
    }
}
