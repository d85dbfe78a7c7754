//! A point in time on the command line: a moment, a day, or a duration before now.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use super::values::{moment, seconds};

/// A point in time. Days are days in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointInTime {
    /// A moment.
    Moment(Timestamp),
    /// A day.
    Day(Date),
    /// Today is 0, and yesterday is 1.
    DaysAgo(i64),
    /// A duration before now.
    SecondsAgo(i64),
}

impl PointInTime {
    /// Unix seconds of the moment, or of the first second of the day.
    pub(crate) fn start(self, now: Timestamp) -> i64 {
        match self {
            Self::Moment(moment) => moment.as_second(),
            Self::Day(day) => midnight(day),
            Self::DaysAgo(days) => midnight(day_before(now, days)),
            Self::SecondsAgo(seconds) => now.as_second().saturating_sub(seconds),
        }
    }

    /// Unix seconds of the moment, or of the last second of the day.
    pub(crate) fn end(self, now: Timestamp) -> i64 {
        match self {
            Self::Day(day) => last_second(day),
            Self::DaysAgo(days) => last_second(day_before(now, days)),
            Self::Moment(_) | Self::SecondsAgo(_) => self.start(now),
        }
    }
}

fn day_before(now: Timestamp, days: i64) -> Date {
    now.to_zoned(TimeZone::UTC).date().saturating_sub(days.days())
}

fn midnight(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(i64::MIN, |midnight| midnight.timestamp().as_second())
}

fn last_second(day: Date) -> i64 {
    midnight(day.saturating_add(1.day())).saturating_sub(1)
}

/// Reads a moment, a day, `today`, `yesterday`, or a duration before now.
pub(super) fn point_in_time(text: &str) -> Result<PointInTime, String> {
    match text.to_ascii_lowercase().as_str() {
        "today" => return Ok(PointInTime::DaysAgo(0)),
        "yesterday" => return Ok(PointInTime::DaysAgo(1)),
        _ => {}
    }
    if let Some(day) = day(text) {
        return Ok(PointInTime::Day(day));
    }
    if let Some(moment) = moment(text) {
        return Ok(PointInTime::Moment(moment));
    }
    seconds(text).map(PointInTime::SecondsAgo).map_err(|_| {
        format!(
            "invalid time \"{text}\": write 30m, 12h, 7d, 2w, today, yesterday, 2026-01-31 or 2026-01-31T12:00:00Z"
        )
    })
}

/// A date without a time.
fn day(text: &str) -> Option<Date> {
    let is_date = text.contains('-') && text.chars().all(|c| c.is_ascii_digit() || c == '-');
    if is_date { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    /// 2026-01-31T00:00:00Z.
    const MIDNIGHT: i64 = 1_769_817_600;

    #[test]
    fn a_point_in_time_is_a_day_a_moment_or_a_duration() {
        let now = Timestamp::from_second(MIDNIGHT + DAY / 2).expect("a time");
        for (text, start, end) in [
            ("2026-01-31", MIDNIGHT, MIDNIGHT + DAY - 1),
            ("2026-01-31T12:00", MIDNIGHT + 43_200, MIDNIGHT + 43_200),
            ("2026-01-31T12:00:00Z", MIDNIGHT + 43_200, MIDNIGHT + 43_200),
            ("2026-01-31T12:00:00+01:00", MIDNIGHT + 39_600, MIDNIGHT + 39_600),
            ("today", MIDNIGHT, MIDNIGHT + DAY - 1),
            ("Yesterday", MIDNIGHT - DAY, MIDNIGHT - 1),
            ("12h", MIDNIGHT, MIDNIGHT),
            ("7d", MIDNIGHT + DAY / 2 - 7 * DAY, MIDNIGHT + DAY / 2 - 7 * DAY),
        ] {
            let point = point_in_time(text).expect(text);
            assert_eq!((point.start(now), point.end(now)), (start, end), "{text}");
        }
        for wrong in ["", "tomorrow", "2026-13-01", "2026", "-1h", "12"] {
            assert!(point_in_time(wrong).is_err(), "{wrong}");
        }
    }
}
