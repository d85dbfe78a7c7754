//! The audit log: sentences with filters, and the same events as CSV.

use askama::Template;
use axum::{http::header, response::IntoResponse};
use openai_admin::{
    AuditLogEventType, Error, Timestamp,
    models::{AuditLog, TimeRange},
};
use openai_admin_sync::render::shell_word;

use crate::{
    base::{
        csv,
        failure::Failure,
        fields::{Fields, link},
        frame::{Frame, Section},
        lists,
        moment::{Moment, start_of_day, usual_periods},
        page::{Answer, page},
    },
    nouns::{
        emulator,
        sentence::{Sentence, sentences},
    },
    visit::Visit,
};

/// Events of a page.
const PAGE_SIZE: i64 = 50;
/// Events of a CSV file at most.
const CSV_EVENTS_MAX: usize = 100_000;
/// Events that one request for a CSV file reads.
const CSV_PAGE_SIZE: i64 = 100;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The filters of the log.
struct Filters {
    actor: String,
    kind: String,
    resource: String,
    from: String,
    until: String,
}

impl Filters {
    fn of(query: &Fields) -> Self {
        let field = |name| query.get(name).to_owned();
        Self {
            actor: field("actor"),
            kind: field("type"),
            resource: field("resource"),
            from: field("from"),
            until: field("to"),
        }
    }

    fn is_empty(&self) -> bool {
        self.fields().iter().all(|(_, value)| value.is_empty())
    }

    fn fields(&self) -> [(&'static str, &str); 5] {
        [
            ("actor", &self.actor),
            ("type", &self.kind),
            ("resource", &self.resource),
            ("from", &self.from),
            ("to", &self.until),
        ]
    }

    /// Links to usual times, with the other filters of the page.
    fn periods(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let of = |(name, from, until): (&'static str, String, String)| {
            let days = [("from", from.as_str()), ("to", until.as_str())];
            let others = self.fields().into_iter().filter(|(field, _)| *field != "from" && *field != "to");
            (name, link("/console/audit", &others.chain(days).collect::<Vec<_>>()))
        };
        usual_periods(now).into_iter().map(of).collect()
    }

    /// The whole days from `from` to `to`.
    fn range(&self) -> Result<TimeRange, Failure> {
        let day = |text: &str| match text {
            "" => Ok(None),
            _ => start_of_day(text)
                .map(Some)
                .ok_or_else(|| Failure::invalid(format!("invalid day \"{text}\": expected 2026-01-31"))),
        };
        let mut range = TimeRange::default();
        range.gte = day(&self.from)?;
        range.lt = day(&self.until)?.map(|at| Timestamp::from_unix_seconds(at.unix_seconds() + DAY_SECONDS));
        Ok(range)
    }

    /// The values of a filter. The list of the API refuses an empty one.
    fn values(text: &str) -> Vec<String> {
        text.split([',', ' ']).filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    /// A page of the events after a cursor, and the cursor of the next page.
    async fn read(
        &self,
        visit: &Visit,
        limit: i64,
        after: &str,
    ) -> Result<(Vec<AuditLog>, Option<String>), Failure> {
        let types = Self::values(&self.kind).into_iter().map(|kind| AuditLogEventType::from(kind.as_str()));
        let call = visit.client.audit_logs().list_audit_logs().limit(limit).effective_at(self.range()?);
        let call = call.event_types(types);
        let call = call.actor_ids(Self::values(&self.actor)).resource_ids(Self::values(&self.resource));
        let (read, next) = lists::read(call, after).await?;
        Ok((read.data, next))
    }
}

#[derive(Template)]
#[template(path = "audit_logs.html")]
struct AuditLogsPage {
    frame: Frame,
    filters: Filters,
    types: Vec<&'static str>,
    events: Vec<Sentence>,
    is_first: bool,
    next: Option<String>,
    csv: String,
    /// Names of usual times with links that keep the other filters.
    periods: Vec<(&'static str, String)>,
    command: String,
    /// Whether the page follows new events.
    is_live: bool,
    /// The same page that follows new events, or does not.
    toggle: String,
}

pub(crate) async fn list(visit: Visit) -> Answer {
    let filters = Filters::of(&visit.query);
    let after = visit.query.get("after").to_owned();
    let (events, next) = filters.read(&visit, PAGE_SIZE, &after).await?;
    let next = next.map(|next| {
        let fields: Vec<_> = filters.fields().into_iter().chain([("after", next.as_str())]).collect();
        link("/console/audit", &fields)
    });
    let types = AuditLogEventType::RECORDED.iter().map(|kind| kind.as_str());
    let is_live = after.is_empty() && visit.query.get("live") == "yes";
    let live = if is_live { "" } else { "yes" };
    let toggle: Vec<_> = filters.fields().into_iter().chain([("live", live)]).collect();
    page(&AuditLogsPage {
        frame: visit.frame(Section::AuditLogs, "Audit log"),
        is_live,
        toggle: link("/console/audit", &toggle),
        types: types.collect(),
        events: sentences(&visit.client, events).await,
        is_first: after.is_empty(),
        next,
        periods: filters.periods(emulator::now(&visit).await?),
        csv: link("/console/audit.csv", &filters.fields()),
        command: command(&filters, &filters.range()?),
        filters,
    })
}

/// The command that lists the same events.
fn command(filters: &Filters, range: &TimeRange) -> String {
    let option = |name: &str, value: &str| format!(" {name} {}", shell_word(value));
    let lists = [("--type", &filters.kind), ("--actor", &filters.actor), ("--resource", &filters.resource)];
    let listed = lists.into_iter().flat_map(|(name, values)| {
        Filters::values(values).into_iter().map(move |value| option(name, &value))
    });
    let times = [("--since", range.gte), ("--until", range.lt)];
    let times = times.into_iter().filter_map(|(name, at)| Some(option(name, &Moment::from(at?).iso())));
    let options: String = listed.chain(times).collect();
    format!("openai-admin audit-logs list{options}")
}

/// The last ten events.
pub(crate) async fn newest(visit: &Visit) -> Result<Vec<Sentence>, Error> {
    let read = visit.client.audit_logs().list_audit_logs().limit(10).await?;
    Ok(sentences(&visit.client, read.into_inner().data).await)
}

/// The events of the same filters as CSV.
pub(crate) async fn table(visit: Visit) -> Answer {
    let filters = Filters::of(&visit.query);
    let mut text = "id,effective_at,type,actor,detail\n".to_owned();
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let (events, next) = filters.read(&visit, CSV_PAGE_SIZE, &after).await?;
        count += events.len();
        for event in &events {
            text += &csv_line(event);
        }
        match next {
            Some(_) if count >= CSV_EVENTS_MAX => {
                let message = format!("more than {CSV_EVENTS_MAX} events match");
                return Err(Failure::invalid(message).hint("Choose a shorter time, or use the command line."));
            }
            Some(next) => after = next,
            None => break,
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit-log.csv\""),
    ];
    Ok((headers, text).into_response())
}

fn csv_line(event: &AuditLog) -> String {
    let actor = event.actor.as_ref().and_then(|actor| actor.id()).unwrap_or_default();
    let detail =
        event.detail.as_ref().and_then(|detail| serde_json::to_string(detail).ok()).unwrap_or_default();
    let at = Moment::from(event.effective_at).iso();
    csv::line(&[event.id.as_str(), &at, event.r#type.as_str(), actor, &detail])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_lists_the_events_of_the_page() {
        let query = b"type=user.added,user.deleted&actor=a$(b)&from=2026-01-30&to=2026-01-31";
        let filters = Filters::of(&Fields::parse(query));
        let range = filters.range().unwrap_or_default();
        assert_eq!(
            command(&filters, &range),
            "openai-admin audit-logs list --type user.added --type user.deleted --actor 'a$(b)' \
             --since 2026-01-30T00:00:00Z --until 2026-02-01T00:00:00Z"
        );
        let all = Filters::of(&Fields::default());
        assert_eq!(command(&all, &TimeRange::default()), "openai-admin audit-logs list");
    }
}
