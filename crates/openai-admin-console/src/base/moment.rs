//! Times on pages.

use std::fmt;

use jiff::ToSpan as _;
use openai_admin::Timestamp;

/// A time in UTC, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(Timestamp);

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Moment {
    /// The format of the attribute `datetime`.
    pub(crate) fn iso(self) -> String {
        self.formatted("%Y-%m-%dT%H:%M:%SZ")
    }

    /// The day, such as `3 Jan 2026`.
    pub(crate) fn day(self) -> String {
        self.formatted("%-d %b %Y")
    }

    /// The time of the day, such as `14:05 UTC`.
    pub(crate) fn clock(self) -> String {
        self.formatted("%H:%M UTC")
    }

    fn formatted(self, format: &str) -> String {
        let seconds = self.0.unix_seconds();
        let time = jiff::Timestamp::from_second(seconds);
        time.map_or_else(|_| seconds.to_string(), |time| time.strftime(format).to_string())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.formatted("%-d %b %Y, %H:%M UTC"))
    }
}

/// Midnight of a day in UTC, such as `2026-01-31`.
pub(crate) fn start_of_day(text: &str) -> Option<Timestamp> {
    let day: jiff::civil::Date = text.parse().ok()?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_unix_seconds(start.timestamp().as_second()))
}

/// The day of a time in UTC.
pub(crate) fn day_of(at: Timestamp) -> jiff::civil::Date {
    let at = jiff::Timestamp::from_second(at.unix_seconds()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Usual times of a report: name, first day and last day.
pub(crate) fn usual_periods(now: Timestamp) -> Vec<(&'static str, String, String)> {
    let today = day_of(now);
    let week = today.saturating_sub(6.days());
    let last_month = today.first_of_month().saturating_sub(1.day());
    let periods = [
        ("Today", today, today),
        ("Last 7 days", week, today),
        ("This month", today.first_of_month(), today),
        ("Last month", last_month.first_of_month(), last_month),
    ];
    periods.into_iter().map(|(name, from, to)| (name, from.to_string(), to.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_month_ends_before_this_month() {
        let january = Timestamp::from_unix_seconds(1_767_452_700);
        let days = |name| usual_periods(january).into_iter().find(|period| period.0 == name);
        let expected = ("Last month", "2025-12-01".to_owned(), "2025-12-31".to_owned());
        assert_eq!(days("Last month"), Some(expected));
        let expected = ("Last 7 days", "2025-12-28".to_owned(), "2026-01-03".to_owned());
        assert_eq!(days("Last 7 days"), Some(expected));
    }

    #[test]
    fn a_time_is_shown_in_utc() {
        let moment = Moment(Timestamp::from_unix_seconds(1_767_452_700));
        assert_eq!(moment.to_string(), "3 Jan 2026, 15:05 UTC");
        assert_eq!((moment.iso().as_str(), moment.day().as_str()), ("2026-01-03T15:05:00Z", "3 Jan 2026"));
        assert_eq!(start_of_day("2026-01-03").map(Timestamp::unix_seconds), Some(1_767_398_400));
        assert_eq!(start_of_day("soon"), None);
    }
}
