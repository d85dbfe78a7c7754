//! The audit log: the events that `audit_events.rs` recorded, newest first.
//!
//! No index supports a filter, because each index would make every change write more. So a filtered list scans the
//! events in windows. Each window takes a connection for milliseconds and then yields to other callers. A request scans
//! a limited number of windows. Its page may then hold fewer matching events than exist, or none, and contains the
//! cursor to continue from.

use std::{sync::Arc, time::Duration};

use openai_admin::{
    AuditLogEventType, AuditLogId, Cursor, GroupId, Order, Timestamp, UserId,
    models::{
        AuditLog, AuditLogActor, AuditLogCertificate, AuditLogDetail, AuditLogPayload, AuditLogProject,
        ListAuditLogsResponse,
    },
    operations::ListAuditLogs,
};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        org::Org,
        page::Range,
        value::{Row, values},
    },
    engines::transaction::Transaction,
    nouns::{audit_filter::Filter, federation_rules::rule_rows::PROVIDER_ID, roles},
    operation::audit_order,
    store::Store,
};

/// The limits of a filtered scan.
#[derive(Clone, Copy)]
struct ScanLimits {
    /// How many events a window holds.
    window_events: i64,
    /// How many windows a request scans before it returns the events found so far.
    windows: usize,
}

const SCAN_LIMITS: ScanLimits = ScanLimits { window_events: 10_000, windows: 50 };
/// How long a reader waits for transactions that may still write events before the newest one.
const SETTLING_MAX: Duration = Duration::from_secs(1);
/// The pause before the next check. It doubles each time, up to the maximum.
const SETTLING_PAUSE: Duration = Duration::from_millis(10);
const SETTLING_PAUSE_MAX: Duration = Duration::from_millis(160);
/// The prefix of an event's id.
const ID_PREFIX: &str = "audit_log-";
/// The prefix of a key's id. Other actors are commands.
const KEY_PREFIX: &str = "key_";

impl Store {
    /// Lists the audit events, newest first.
    ///
    /// The position of an event never changes, and no event is ever inserted between two listed ones: a reader that
    /// continues before the newest event it has seen misses none. On PostgreSQL, where changes run concurrently, an
    /// event is listed once every change that may precede it has ended. The call waits for that, for at most a second,
    /// and then lists the events before it. It needs a runtime with timers.
    ///
    /// With a filter, a page may hold fewer events than the limit, or none, although `has_more` is true. Then `last_id`
    /// (`first_id` of a page with `before`) is the cursor to continue from.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCursor`], [`Error::InvalidValue`].
    pub async fn list_audit_logs(&self, org: Org, request: ListAuditLogs) -> Result<ListAuditLogsResponse> {
        self.list_audit_logs_within(SCAN_LIMITS, org, request).await
    }

    async fn list_audit_logs_within(
        &self,
        limits: ScanLimits,
        org: Org,
        request: ListAuditLogs,
    ) -> Result<ListAuditLogsResponse> {
        let scan = Arc::new(Scan::new(limits, org, &request)?);
        let mut progress = self.start_scan(&scan, self.horizon_of(&scan).await?).await?;
        if let Some(hidden) = progress.hidden {
            let horizon = self.settle(org, hidden).await?;
            progress = self.start_scan(&scan, horizon).await?;
        }
        for _ in 1..limits.windows {
            if progress.is_complete() {
                break;
            }
            progress = self.continue_scan(&scan, progress).await?;
        }
        progress.into_page()
    }

    /// Events after a listed one are settled already, and all events on SQLite are.
    async fn horizon_of(&self, scan: &Scan) -> Result<i64> {
        if scan.after.is_some() || self.postgres().is_none() {
            return Ok(i64::MAX);
        }
        self.horizon(scan.org).await
    }

    async fn horizon(&self, org: Org) -> Result<i64> {
        self.query(move |transaction| audit_order::horizon(transaction, org)).await
    }

    async fn start_scan(&self, scan: &Arc<Scan>, horizon: i64) -> Result<Progress> {
        let scan = Arc::clone(scan);
        let (org, is_unfiltered) = (scan.org, scan.filter.matches_all());
        let body = move |transaction: &mut Transaction<'_>| scan.begin(transaction, horizon);
        // Without a filter, every scanned event is listed.
        if is_unfiltered { self.query(body).await } else { self.scan(org, body).await }
    }

    async fn continue_scan(&self, scan: &Arc<Scan>, progress: Progress) -> Result<Progress> {
        let (org, scan) = (scan.org, Arc::clone(scan));
        self.scan(org, move |transaction| scan.scan_window(transaction, progress.clone())).await
    }

    /// Waits until the event at this position is settled, for at most a second, and returns the horizon.
    async fn settle(&self, org: Org, place: i64) -> Result<i64> {
        let (mut pause, mut waited) = (SETTLING_PAUSE, Duration::ZERO);
        loop {
            tokio::time::sleep(pause).await;
            waited += pause;
            let horizon = self.horizon(org).await?;
            if horizon > place || waited >= SETTLING_MAX {
                return Ok(horizon);
            }
            pause = (pause * 2).min(SETTLING_PAUSE_MAX);
        }
    }
}

/// The parsed request.
struct Scan {
    limits: ScanLimits,
    org: Org,
    after: Option<Cursor>,
    before: Option<Cursor>,
    limit: usize,
    filter: Filter,
}

/// The events found so far, and where to continue.
#[derive(Clone)]
struct Progress {
    logs: Vec<AuditLog>,
    span: Span,
    /// The position of the newest event that is not listed yet, because others may still precede it.
    hidden: Option<i64>,
    remainder: Remainder,
}

/// What remains after the events found so far.
#[derive(Clone)]
enum Remainder {
    None,
    /// There are more matching events after the last one found.
    Matches,
    /// All events up to this one were scanned.
    After(Position),
}

/// The events that remain to be scanned: those between these two positions.
#[derive(Clone)]
struct Span {
    lower: Position,
    upper: Position,
    order: Order,
}

impl Progress {
    fn is_complete(&self) -> bool {
        !matches!(self.remainder, Remainder::After(_))
    }

    fn into_page(mut self) -> Result<ListAuditLogsResponse> {
        let is_backwards = self.span.order == Order::Asc;
        if is_backwards {
            self.logs.reverse();
        }
        let mut page = ListAuditLogsResponse::new(self.logs, !matches!(self.remainder, Remainder::None));
        if let Remainder::After(place) = self.remainder {
            let cursor = Some(Cursor::from(&place.id()?));
            match is_backwards {
                true => page.first_id = cursor,
                false => page.last_id = cursor,
            }
        }
        Ok(page)
    }
}

macro_rules! select_places {
    ($order:literal) => {
        concat!(
            "select a.place, a.change, a.item from audit_events a
             where a.org = $1 and (a.place, a.change, a.item) < ($2, $3, $4)
               and (a.place, a.change, a.item) > ($5, $6, $7) ",
            $order
        )
    };
}
/// A list of values is a JSON array. Each engine has its own function for it.
macro_rules! list_in_sqlite {
    ($list:literal) => {
        concat!("json_each(", $list, ")")
    };
}
macro_rules! list_in_postgres {
    ($list:literal) => {
        concat!("jsonb_array_elements_text(cast(cast(", $list, " as text) as jsonb)) listed(value)")
    };
}

/// The default project, number -1, has no row: see `projects.rs`. Each resource is looked up in a subquery: with a
/// join, PostgreSQL would read every user. The conditions are combined in `coalesce`, for which PostgreSQL estimates
/// that half of the events match. With separate conditions, it expects so few events that it sorts them all instead of
/// reading them in order up to the limit.
macro_rules! select_events {
    ($list:ident, $order:literal) => {
        concat!(
            "select a.place, a.change, a.item, a.recorded_at, a.actor, a.event, a.detail, a.payload,
                    (select g.id from groups g where g.org = a.org and g.seq = a.group_seq),
                    (select u.id from users u where u.org = a.org and u.seq = a.user_seq), a.subject_kind,
                    (select o.id from organizations o where o.org = a.org),
                    case a.project_seq
                    when -1 then (select 'proj_default_' || o.id from organizations o where o.org = a.org)
                    else (select p.id from projects p where p.org = a.org and p.seq = a.project_seq) end,
                    case a.project_seq
                    when -1 then 'Default project'
                    else (select p.name from projects p where p.org = a.org and p.seq = a.project_seq) end,
                    a.subject_seq
             from audit_events a
             where a.org = $1 and (a.place, a.change, a.item) < ($2, $3, $4)
               and (a.place, a.change, a.item) > ($5, $6, $7) and a.recorded_at >= $8 and a.recorded_at <= $9
               and coalesce((cast($10 as text) is null or a.event in (select value from ",
            $list!("$10"),
            ")) and (cast($11 as text) is null or a.actor in (select value from ",
            $list!("$11"),
            ")) and (cast($12 as text) is null
                     or a.group_seq in (select (select g.seq from groups g where g.org = $1 and g.id = value) from ",
            $list!("$12"),
            ") or a.user_seq in (select (select u.seq from users u where u.org = $1 and u.id = value) from ",
            $list!("$12"),
            ") or a.detail in (select value from ",
            $list!("$12"),
            ")) and (cast($13 as text) is null
                     or a.project_seq in (select case value
                                          when (select 'proj_default_' || o.id from organizations o where o.org = $1)
                                          then -1
                                          else (select p.seq from projects p where p.org = $1 and p.id = value) end from ",
            $list!("$13"),
            ")), false) ",
            $order
        )
    };
}

impl Scan {
    fn new(limits: ScanLimits, org: Org, request: &ListAuditLogs) -> Result<Self> {
        Ok(Self {
            limits,
            org,
            after: request.after.clone(),
            before: request.before.clone(),
            limit: usize::from(request.limit.unwrap_or_default().get()),
            filter: Filter::new(request)?,
        })
    }

    /// Determines where to scan, and scans the first window.
    fn begin(&self, transaction: &mut Transaction<'_>, horizon: i64) -> Result<Progress> {
        let after = position_of(transaction, self.org, self.after.as_ref())?.map_err(Error::UnknownCursor)?;
        let before = position_of(transaction, self.org, self.before.as_ref())?
            .map_err(|_| Error::invalid_value("before", "the id of an event of this log"))?;
        let hidden = match horizon {
            i64::MAX => None,
            _ => hidden(transaction, self.org, horizon)?,
        };
        let span = Span {
            order: if before.is_some() { Order::Asc } else { Order::Desc },
            upper: after.unwrap_or(Position::before_all_of(horizon)),
            lower: before.unwrap_or(Position::before_all_of(-1)),
        };
        let progress = Progress { logs: Vec::new(), span, hidden, remainder: Remainder::None };
        if self.filter.matches_nothing() {
            return Ok(Progress { hidden: None, ..progress });
        }
        self.scan_window(transaction, progress)
    }

    /// Scans the next window.
    fn scan_window(&self, transaction: &mut Transaction<'_>, mut progress: Progress) -> Result<Progress> {
        let end = if self.filter.matches_all() { None } else { self.end(transaction, &progress.span)? };
        let mut window = progress.span.clone();
        if let Some(End { beyond, .. }) = &end {
            match window.order {
                Order::Asc => window.upper = beyond.clone(),
                Order::Desc => window.lower = beyond.clone(),
            }
        }
        let range = Range { order: window.order, after: 0, limit: self.limit - progress.logs.len() };
        let (logs, has_more) = range.cut(self.matching(transaction, &window, &range)?);
        progress.logs.extend(logs);
        progress.remainder = match end {
            _ if has_more => Remainder::Matches,
            None => Remainder::None,
            Some(End { last, .. }) => {
                match window.order {
                    Order::Asc => progress.span.lower = last.clone(),
                    Order::Desc => progress.span.upper = last.clone(),
                }
                Remainder::After(last)
            }
        };
        Ok(progress)
    }

    /// The end of the next window, or `None` if it reaches the end of the span.
    fn end(&self, transaction: &mut Transaction<'_>, span: &Span) -> Result<Option<End>> {
        let range = Range { order: span.order, after: 0, limit: 1 };
        let sql = range.choose(
            select_places!("order by a.place, a.change, a.item limit 2 offset $8"),
            select_places!("order by a.place desc, a.change desc, a.item desc limit 2 offset $8"),
        );
        let Span { lower, upper, .. } = span;
        let values = values![
            self.org.seq(),
            upper.place,
            upper.change.as_str(),
            upper.item,
            lower.place,
            lower.change.as_str(),
            lower.item,
            self.limits.window_events - 1
        ];
        let mut places = transaction.query(sql, values, position_from_row)?.into_iter();
        Ok(places.next().zip(places.next()).map(|(last, beyond)| End { last, beyond }))
    }

    /// The matching events of a window.
    fn matching(
        &self,
        transaction: &mut Transaction<'_>,
        window: &Span,
        range: &Range,
    ) -> Result<Vec<AuditLog>> {
        let sql = range.choose(
            transaction.choose(
                select_events!(list_in_sqlite, "order by a.place, a.change, a.item limit $14"),
                select_events!(list_in_postgres, "order by a.place, a.change, a.item limit $14"),
            ),
            transaction.choose(
                select_events!(list_in_sqlite, "order by a.place desc, a.change desc, a.item desc limit $14"),
                select_events!(
                    list_in_postgres,
                    "order by a.place desc, a.change desc, a.item desc limit $14"
                ),
            ),
        );
        let (Span { lower, upper, .. }, filter) = (window, &self.filter);
        let values = values![
            self.org.seq(),
            upper.place,
            upper.change.as_str(),
            upper.item,
            lower.place,
            lower.change.as_str(),
            lower.item,
            filter.from,
            filter.to,
            filter.types.as_deref(),
            filter.actors.as_deref(),
            filter.resources.as_deref(),
            filter.projects.as_deref(),
            range.rows()
        ];
        transaction.query(sql, values, from_row)
    }
}

/// The end of a window.
struct End {
    /// Its last event.
    last: Position,
    /// The first event behind it.
    beyond: Position,
}

/// The position of an event among those of its organization.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    place: i64,
    change: String,
    item: i64,
}

impl Position {
    /// Before every event with this `place`.
    fn before_all_of(place: i64) -> Self {
        Self { place, change: String::new(), item: 0 }
    }

    fn id(&self) -> Result<AuditLogId> {
        let Self { place, change, item } = self;
        AuditLogId::new(format!("{ID_PREFIX}{change}_{place}_{item}")).map_err(Error::internal)
    }

    fn parse(id: &str) -> Option<Self> {
        let (change, rest) = id.strip_prefix(ID_PREFIX)?.split_once('_')?;
        let (place, item) = rest.split_once('_')?;
        let place = Self { place: place.parse().ok()?, change: change.to_owned(), item: item.parse().ok()? };
        // A number has several notations, but only one of them is the id.
        (place.id().ok()? == id).then_some(place)
    }
}

fn position_from_row(row: &Row<'_>) -> Result<Position> {
    Ok(Position { place: row.integer(0)?, change: row.text(1)?.to_owned(), item: row.integer(2)? })
}

fn from_row(row: &Row<'_>) -> Result<AuditLog> {
    let place = position_from_row(row)?;
    let r#type = AuditLogEventType::from(row.text(5)?);
    let mut detail = AuditLogDetail::default();
    let (group, user) = (row.optional_text(8)?, row.optional_text(9)?);
    let payload: Option<AuditLogPayload> =
        row.optional_text(7)?.map(serde_json::from_str).transpose().map_err(Error::internal)?;
    match (group, user) {
        (group, user) if row.optional_text(10)? == Some("role") => {
            return log(row, place, r#type, of_role(row, group, user, payload)?);
        }
        _ if row.optional_text(10)? == Some(Kind::Certificate.name()) => {
            let detail = of_certificate(&r#type, row.optional_text(6)?, payload);
            return log(row, place, r#type, detail);
        }
        (Some(group), Some(user)) => {
            detail.group_id = Some(GroupId::new(group).map_err(Error::internal)?);
            detail.user_id = Some(UserId::new(user).map_err(Error::internal)?);
        }
        (None, Some(user)) if row.optional_text(12)?.is_some() => {
            detail.user_id = Some(UserId::new(user).map_err(Error::internal)?);
        }
        (Some(group), None) if row.optional_text(12)?.is_some() => {
            detail.group_id = Some(GroupId::new(group).map_err(Error::internal)?);
        }
        (group, user) => detail.id = group.or(user).or(row.optional_text(6)?).map(str::to_owned),
    }
    if r#type == AuditLogEventType::LoginFailed {
        detail.other = payload.map(|payload| payload.other).unwrap_or_default();
        return log(row, place, r#type, detail);
    }
    let payload = payload.map(|payload| with_provider(&mut detail, payload));
    match r#type.as_str().ends_with(".updated") {
        true => detail.changes_requested = payload,
        false => detail.data = payload,
    }
    log(row, place, r#type, detail)
}

/// Moves the provider of a federation rule from the payload to the detail, as published.
fn with_provider(detail: &mut AuditLogDetail, mut payload: AuditLogPayload) -> AuditLogPayload {
    let provider = payload.other.0.remove_entry(PROVIDER_ID);
    detail.other.0.extend(provider);
    payload
}

fn log(
    row: &Row<'_>,
    place: Position,
    r#type: AuditLogEventType,
    detail: AuditLogDetail,
) -> Result<AuditLog> {
    let mut log = AuditLog::new(place.id()?, r#type, Timestamp::from_unix_seconds(row.integer(3)?));
    let actor = row.text(4)?;
    log.actor = Some(match actor.starts_with(KEY_PREFIX) {
        true => AuditLogActor::api_key(actor),
        // A command: the operator of the machine.
        false => AuditLogActor::session(actor),
    });
    log.project = row.optional_text(12)?.map(|id| project(id, row.optional_text(13))).transpose()?;
    log.detail = Some(detail);
    Ok(log)
}

fn project(id: &str, name: Result<Option<&str>>) -> Result<AuditLogProject> {
    let mut project = AuditLogProject::default();
    (project.id, project.name) = (Some(id.to_owned()), name?.map(str::to_owned));
    Ok(project)
}

/// The detail of an event about a certificate, or about its state in the organization or a project.
fn of_certificate(
    r#type: &AuditLogEventType,
    id: Option<&str>,
    payload: Option<AuditLogPayload>,
) -> AuditLogDetail {
    let (id, name) = (id.map(str::to_owned), payload.and_then(|payload| payload.name));
    let mut detail = AuditLogDetail::default();
    match r#type {
        AuditLogEventType::CertificatesActivated | AuditLogEventType::CertificatesDeactivated => {
            let mut certificate = AuditLogCertificate::new();
            (certificate.id, certificate.name) = (id, name);
            detail.certificates = Some(vec![certificate]);
        }
        _ => (detail.id, detail.name) = (id, name),
    }
    detail
}

/// The detail of an event about a role, or about its assignment to a group or a user.
fn of_role(
    row: &Row<'_>,
    group: Option<&str>,
    user: Option<&str>,
    payload: Option<AuditLogPayload>,
) -> Result<AuditLogDetail> {
    let mut detail = AuditLogDetail::default();
    let (organization_id, project_id) = (row.text(11)?, row.optional_text(12)?);
    let role_id = match (row.optional_text(6)?, row.optional_integer(14)?) {
        // An edge that ends with a thing does not have the ids of predefined roles, which have no row.
        (None, Some(seq)) => roles::predefined_id(seq, organization_id, project_id),
        (id, _) => id.map(str::to_owned),
    };
    let principal = group.map(|id| ("group", id)).or(user.map(|id| ("user", id)));
    if let Some((r#type, id)) = principal {
        detail.id = role_id.map(|role_id| format!("role_assignment_{role_id}_{id}"));
        (detail.principal_type, detail.principal_id) = (Some(r#type.to_owned()), Some(id.to_owned()));
    } else {
        detail.id = role_id;
    }
    match (row.text(5)?, payload) {
        ("role.created", Some(payload)) => {
            (detail.role_name, detail.permissions) = (payload.role_name, payload.permissions);
        }
        (_, payload) => detail.changes_requested = payload,
    }
    if !matches!(row.text(5)?, "role.updated" | "role.deleted") {
        let r#type = if project_id.is_some() { "api.project" } else { "api.organization" };
        detail.resource_type = Some(r#type.to_owned());
        detail.resource_id = Some(project_id.unwrap_or(organization_id).to_owned());
    }
    Ok(detail)
}

/// The position of a cursor, or the cursor itself if it is not an event of the organization.
fn position_of(
    transaction: &mut Transaction<'_>,
    org: Org,
    cursor: Option<&Cursor>,
) -> Result<std::result::Result<Option<Position>, Cursor>> {
    let Some(cursor) = cursor else { return Ok(Ok(None)) };
    let Some(place) = Position::parse(cursor.as_str()) else { return Ok(Err(cursor.clone())) };
    let found = transaction.query_one(
        "select 1 from audit_events where org = $1 and place = $2 and change = $3 and item = $4",
        values![org.seq(), place.place, place.change.as_str(), place.item],
        |_| Ok(()),
    )?;
    Ok(match found {
        Some(()) => Ok(Some(place)),
        None => Err(cursor.clone()),
    })
}

/// The position of the newest event that the horizon hides.
fn hidden(transaction: &mut Transaction<'_>, org: Org, horizon: i64) -> Result<Option<i64>> {
    let newest = "select place from audit_events where org = $1 and place >= $2 order by place desc limit 1";
    transaction.query_one(newest, values![org.seq(), horizon], |row| row.integer(0))
}

#[cfg(test)]
mod tests;
