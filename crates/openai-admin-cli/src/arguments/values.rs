//! Parsers of single values.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use clap::builder::PossibleValuesParser;
use openai_admin::{
    AuditLogEventType, InviteRole, Method, Scope, UserRole, likeness::most_like,
    operations::groups::GroupName,
};
use tracing_subscriber::filter::{LevelFilter, Targets};

pub(super) fn group_name(text: &str) -> Result<GroupName, String> {
    if text.is_empty() {
        return Err("expected a name, but got an empty string".to_owned());
    }
    GroupName::new(text).map_err(|violation| violation.to_string())
}

pub(super) fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a whole number of at least 1".to_owned()),
    }
}

/// Reads the number of removals to allow.
pub(super) fn removals(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected the number of removals, such as 12".to_owned())
}

pub(super) fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number of at least 1".to_owned())
}

pub(super) fn requests_per_minute(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| "expected a whole number of at least 1".to_owned())
}

/// Reads an http URL. Without the feature there is no exporter, so it refuses any.
pub(super) fn otlp_endpoint(text: &str) -> Result<String, String> {
    if cfg!(not(feature = "otel")) {
        return Err("this program was built without OpenTelemetry: build it with --features otel".to_owned());
    }
    match text.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => {
            Err("expected http://HOST:4318/v1/traces; for https, run a collector on this machine".to_owned())
        }
    }
}

/// Reads a level, or levels of single modules.
pub(super) fn log_level(text: &str) -> Result<String, String> {
    let problem =
        "expected error, warn, info, debug or trace, or several such as info,openai_admin_server=debug";
    match log_filter(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(problem.to_owned()),
    }
}

/// Parses a level such as `info`, or levels of single modules, into a filter.
pub(crate) fn log_filter(level: &str) -> Option<Targets> {
    // `Targets` would take a single unknown word for the name of a module.
    if !level.contains([',', '=']) && level.parse::<LevelFilter>().is_err() {
        return None;
    }
    level.parse().ok()
}

/// Reads a role of the API. The error names the two common ones: `member` is a synonym of `reader`.
pub(super) fn role(text: &str) -> Result<UserRole, String> {
    let is_known = UserRole::KNOWN.contains(&text);
    is_known.then(|| UserRole::from(text)).ok_or_else(|| "expected owner or reader".to_owned())
}

/// Reads a host name without a port.
pub(super) fn invite_role(text: &str) -> Result<InviteRole, String> {
    let is_known = InviteRole::KNOWN.contains(&text);
    is_known.then(|| InviteRole::from(text)).ok_or_else(|| "expected owner or reader".to_owned())
}

pub(super) fn host_name(text: &str) -> Result<String, String> {
    if openai_admin_server::browser::is_host_name(text) {
        return Ok(text.to_owned());
    }
    Err("expected a host name without a port, such as metrics.internal".to_owned())
}

pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let problem = |_| "expected ADDRESS:PORT, such as 127.0.0.1:8080".to_owned();
    address.as_deref().unwrap_or(text).parse().map_err(problem)
}

/// Reads a method of the API, in any letter case.
pub(super) fn method(text: &str) -> Result<Method, String> {
    let methods = [Method::Get, Method::Post, Method::Delete];
    let found = methods.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "expected GET, POST or DELETE".to_owned())
}

/// Reads `NAME=VALUE`.
pub(super) fn query_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as limit=5".to_owned()),
    }
}

pub(super) fn retries(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a whole number, such as 0 or 5".to_owned())
}

pub(super) fn scope() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str()))
}

/// The longest drain or wait: service managers kill a process that takes longer.
const GRACE_MAX: Duration = Duration::from_secs(600);

/// Reads `10s`, `500ms` or `1m`.
pub(super) fn grace(text: &str) -> Result<Duration, String> {
    let problem = || format!("expected a time such as 500ms, 10s or 2m, at most {} s", GRACE_MAX.as_secs());
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(problem)?;
    let (number, unit) = text.split_at(unit_at);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return Err(problem()),
    };
    let number: u32 = number.parse().map_err(|_| problem())?;
    let grace = Duration::from_millis(u64::from(number) * unit_ms);
    if grace > GRACE_MAX { Err(problem()) } else { Ok(grace) }
}

/// Reads any published type, tenant events included, or one of this program.
pub(super) fn event_type(text: &str) -> Result<AuditLogEventType, String> {
    let r#type = AuditLogEventType::from(text);
    if matches!(r#type, AuditLogEventType::Other(_)) && !r#type.is_of_tenant() {
        let recorded: Vec<&str> = AuditLogEventType::RECORDED.iter().map(AuditLogEventType::as_str).collect();
        let like = most_like(text, recorded.iter().copied());
        let like = like.map(|like| format!(" (did you mean {like}?)")).unwrap_or_default();
        return Err(format!("unknown event type{like}; your own server records {}", recorded.join(", ")));
    }
    Ok(r#type)
}

/// Reads a duration such as `90d` in seconds, and refuses 0.
pub(super) fn duration_seconds(text: &str) -> Result<i64, String> {
    match seconds(text)? {
        0 => Err("expected a time longer than 0".to_owned()),
        seconds => Ok(seconds),
    }
}

/// Reads `90d` as seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    const SECONDS_MAX: i64 = 100 * 366 * 24 * 3600;
    let problem = || format!("invalid time \"{text}\": write 30m, 12h, 90d or 2w");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(problem)?;
    let unit_seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(problem()),
    };
    let number: u32 = number.parse().map_err(|_| problem())?;
    match i64::from(number) * unit_seconds {
        seconds if seconds > SECONDS_MAX => Err("expected at most 36600d".to_owned()),
        seconds => Ok(seconds),
    }
}

/// Reads `2030-01-31` or `2030-01-31T12:00:00Z` as unix seconds.
pub(super) fn moment_seconds(text: &str) -> Result<i64, String> {
    let problem = || format!("invalid date \"{text}\": write 2030-01-31 or 2030-01-31T12:00:00Z");
    moment(text).map(jiff::Timestamp::as_second).ok_or_else(problem)
}

/// Reads unix seconds, or a moment.
pub(crate) fn unix_seconds(text: &str) -> Result<i64, String> {
    text.parse().or_else(|_| moment_seconds(text))
}

/// Reads a moment in milliseconds.
pub(super) fn clock(text: &str) -> Result<i64, String> {
    openai_admin_emulator::clock::parse(text)
}

/// Reads a day (as its first moment) or a moment. The default time zone is UTC, as in every table.
pub(super) fn moment(text: &str) -> Option<jiff::Timestamp> {
    // Every date has a hyphen, and no duration does.
    if !text.contains('-') {
        return None;
    }
    let with_zone = text.parse().ok();
    with_zone.or_else(|| {
        let date: jiff::civil::DateTime = text.parse().ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

/// Reads the delimiter of a table, by name or as the character.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "," | "comma" => Ok(b','),
        ";" | "semicolon" => Ok(b';'),
        "\t" | "\\t" | "tab" => Ok(b'\t'),
        "|" | "bar" | "pipe" => Ok(b'|'),
        _ => Err("expected comma, semicolon, tab or bar; omit it to detect the delimiter".to_owned()),
    }
}

/// Reads a text that is not blank.
pub(super) fn text(text: &str) -> Result<String, String> {
    if openai_admin::identity::is_blank(text) {
        Err("expected a text".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Reads `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let problem = || format!("invalid filter \"{text}\": expected COLUMN=VALUE");
    let (name, value) = text.split_once('=').ok_or_else(problem)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads `NAME=NUMBER`; the name may contain `=`.
pub(super) fn source(text: &str) -> Result<(String, usize), String> {
    let problem = || format!("invalid source \"{text}\": expected NAME=NUMBER");
    let (name, number) = text.rsplit_once('=').ok_or_else(problem)?;
    Ok((name.to_owned(), number.parse().map_err(|_| problem())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_has_a_unit_and_a_maximum() {
        assert_eq!(grace("0s"), Ok(Duration::ZERO));
        assert_eq!(grace("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(grace("10m"), Ok(GRACE_MAX));
        for wrong in ["", "s", "10", "-1s", "1.5s", "601s", "11m", "9999999999s", "1h"] {
            assert!(grace(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_duration_has_a_unit_and_a_maximum() {
        assert_eq!(duration_seconds("90d"), Ok(90 * 86_400));
        assert_eq!(duration_seconds("2w"), Ok(14 * 86_400));
        assert_eq!(duration_seconds("36600d"), Ok(36_600 * 86_400));
        for wrong in ["", "d", "90", "90 d", "-1d", "1.5h", "0d", "36601d", "9999999999d", "1é"] {
            assert!(duration_seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_starts_at_midnight_utc_and_a_moment_may_have_an_offset() {
        assert_eq!(moment_seconds("2030-01-31"), Ok(1_896_048_000));
        assert_eq!(moment_seconds("2030-01-31T12:00:00Z"), Ok(1_896_091_200));
        assert_eq!(moment_seconds("2030-01-31T12:00"), Ok(1_896_091_200));
        assert_eq!(moment_seconds("2030-01-31T12:00:00+02:00"), Ok(1_896_084_000));
        for wrong in ["", "tomorrow", "2030-13-01", "2030-02-30", "31.1.2030", "1896048000", "90d"] {
            assert!(moment_seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_type_is_a_published_one_or_ours() {
        for known in ["group.created", "group.user.added", "login.failed", "tenant.user.added"] {
            assert_eq!(event_type(known).map(|r#type| r#type.to_string()), Ok(known.to_owned()));
        }
        assert!(event_type("explosion").is_err_and(|problem| problem.contains("group.user.added, ")));
        let problem = event_type("group.users.added").expect_err("no such event");
        assert!(problem.starts_with("unknown event type (did you mean group.user.added?); "), "{problem}");
    }
}
