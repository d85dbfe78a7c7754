//! The audit log: what `audit_events.rs` has recorded, newest first.

use std::time::Duration;

use openai_admin::{
    AuditLogEventType, AuditLogId, Cursor, GroupId, Timestamp, UserId,
    models::{AuditLog, AuditLogActor, AuditLogDetail, ListAuditLogsResponse, TimeRange},
    operations::ListAuditLogs,
};

use crate::{
    error::{Error, Result},
    groups,
    organizations::Org,
    page::Range,
    store::Store,
    transaction::{Row, Transaction, values},
    users,
};

/// How many values a filter may have.
const FILTER_VALUES_MAX: usize = 100;
/// How long a reader waits for transactions that may come before the newest event, and how often it looks again.
const SETTLING_PAUSE: Duration = Duration::from_millis(10);
const SETTLING_PAUSES_MAX: u32 = 100;
/// What the id of an event begins with.
const ID_PREFIX: &str = "audit_log-";
/// What the ids of keys begin with. Other actors are commands.
const KEY_PREFIX: &str = "key_";

impl Store {
    /// Lists what happened, newest first.
    ///
    /// An event never changes its place, and none ever comes between two that were listed: whoever goes on before the
    /// newest event that they saw misses none. On PostgreSQL, where changes are made side by side, an event is listed
    /// once every change that may come before it has ended. The call waits for that, for a second at most, and then
    /// lists what comes before. It needs a runtime with timers.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCursor`], [`Error::InvalidValue`].
    pub async fn list_audit_logs(&self, org: Org, request: ListAuditLogs) -> Result<ListAuditLogsResponse> {
        let mut pauses = 0;
        loop {
            let request = request.clone();
            let (page, is_settled) = self.read(move |transaction| list(transaction, org, &request)).await?;
            if is_settled || pauses == SETTLING_PAUSES_MAX {
                return Ok(page);
            }
            pauses += 1;
            tokio::time::sleep(SETTLING_PAUSE).await;
        }
    }
}

/// Where an event stands among those of its organization.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    place: i64,
    change: String,
    item: i64,
}

impl Place {
    /// Before every event with this place.
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
        // A number may be written in several ways, and only one of them is the id.
        (place.id().ok()? == id).then_some(place)
    }
}

/// A list of values is one text, in which each stands between slashes: no id has one.
macro_rules! select_events {
    ($order:literal) => {
        concat!(
            "select a.place, a.change, a.item, a.recorded_at, a.actor, a.event, a.detail, a.payload,
                    (select g.id from groups g where g.org = a.org and g.seq = a.group_seq),
                    (select u.id from users u where u.org = a.org and u.seq = a.user_seq)
             from audit_events a
             where a.org = $1 and (a.place, a.change, a.item) < ($2, $3, $4)
               and (a.place, a.change, a.item) > ($5, $6, $7) and a.recorded_at >= $8 and a.recorded_at <= $9
               and (cast($10 as text) is null or replace($10, '/' || a.event || '/', '') <> $10)
               and (cast($11 as text) is null or replace($11, '/' || a.actor || '/', '') <> $11)
               and (cast($12 as text) is null
                    or replace($12, '/' || cast(a.group_seq as text) || '/', '') <> $12
                    or replace($13, '/' || cast(a.user_seq as text) || '/', '') <> $13
                    or replace($14, '/' || a.detail || '/', '') <> $14) ",
            $order
        )
    };
}
/// The page, and whether it holds everything that was there.
fn list(
    transaction: &mut Transaction<'_>,
    org: Org,
    request: &ListAuditLogs,
) -> Result<(ListAuditLogsResponse, bool)> {
    let after = place_of(transaction, org, request.after.as_ref())?;
    let after = after.map_err(Error::UnknownCursor)?;
    let before = place_of(transaction, org, request.before.as_ref())?;
    let before = before.map_err(|_| Error::invalid_value("before", "the id of an event of this log"))?;
    let horizon = horizon(transaction)?;
    let is_settled = after.is_some() || is_settled(transaction, org, horizon)?;
    let Some(filter) = Filter::new(transaction, org, request)? else {
        return Ok((ListAuditLogsResponse::new(Vec::new(), false), true));
    };

    let horizon = Place::before_all_of(horizon);
    let upper = after.filter(|after| *after < horizon).unwrap_or(horizon);
    let is_backwards = before.is_some();
    let lower = before.unwrap_or(Place::before_all_of(-1));
    let order = if is_backwards { openai_admin::Order::Asc } else { openai_admin::Order::Desc };
    let range = Range::new(order, None, request.limit.unwrap_or_default().get());
    let sql = range.choose(
        select_events!("order by a.place, a.change, a.item limit $15"),
        select_events!("order by a.place desc, a.change desc, a.item desc limit $15"),
    );
    let values = values![
        org.seq(),
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
        filter.groups.as_deref(),
        filter.users.as_deref(),
        filter.others.as_deref(),
        range.rows()
    ];
    let rows = transaction.query(sql, values, from_row)?;
    let (mut logs, has_more) = range.cut(rows);
    if is_backwards {
        logs.reverse();
    }
    Ok((ListAuditLogsResponse::new(logs, has_more), is_settled))
}

fn from_row(row: &Row<'_>) -> Result<AuditLog> {
    let place = Place { place: row.integer(0)?, change: row.text(1)?.to_owned(), item: row.integer(2)? };
    let r#type = AuditLogEventType::from(row.text(5)?);
    let mut detail = AuditLogDetail::default();
    let (group, user) = (row.optional_text(8)?, row.optional_text(9)?);
    match (group, user) {
        (Some(group), Some(user)) => {
            detail.group_id = Some(GroupId::new(group).map_err(Error::internal)?);
            detail.user_id = Some(UserId::new(user).map_err(Error::internal)?);
        }
        (group, user) => detail.id = group.or(user).or(row.optional_text(6)?).map(str::to_owned),
    }
    let payload = row.optional_text(7)?.map(serde_json::from_str).transpose().map_err(Error::internal)?;
    match r#type.as_str().ends_with(".updated") {
        true => detail.changes_requested = payload,
        false => detail.data = payload,
    }
    let mut log = AuditLog::new(place.id()?, r#type, Timestamp::from_unix_seconds(row.integer(3)?));
    let actor = row.text(4)?;
    log.actor = Some(match actor.starts_with(KEY_PREFIX) {
        true => AuditLogActor::api_key(actor),
        // The operator of the machine, at its command line.
        false => AuditLogActor::session(actor),
    });
    log.detail = Some(detail);
    Ok(log)
}

/// The place of a cursor, or the cursor itself when it is no event of the organization.
fn place_of(
    transaction: &mut Transaction<'_>,
    org: Org,
    cursor: Option<&Cursor>,
) -> Result<std::result::Result<Option<Place>, Cursor>> {
    let Some(cursor) = cursor else { return Ok(Ok(None)) };
    let Some(place) = Place::parse(cursor.as_str()) else { return Ok(Err(cursor.clone())) };
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

/// The place that every event with a lower one has been written by a transaction that has ended, so that none will
/// come before it any more.
///
/// That is the lowest number of a transaction that the snapshot of this one sees under way. PostgreSQL numbers those of
/// all databases of a server; one that is known to be of another database does not count.
fn horizon(transaction: &mut Transaction<'_>) -> Result<i64> {
    if let Transaction::Sqlite(_) = transaction {
        return Ok(i64::MAX);
    }
    let sql = "select least(pg_snapshot_xmax(snapshot)::text::bigint,
                 (select min(number::text::bigint) from pg_snapshot_xip(snapshot) number
                  where not exists (
                     select 1 from pg_locks held join pg_stat_activity holder on holder.pid = held.pid
                     where held.locktype = 'transactionid' and held.transactionid = number::xid and held.granted
                       and holder.datname <> current_database())))
               + (select added from audit_clock)
               from pg_current_snapshot() snapshot";
    transaction
        .query_one(sql, values![], |row| row.integer(0))?
        .ok_or_else(|| Error::internal("there is no snapshot"))
}

/// Whether there is no event that the horizon hides.
fn is_settled(transaction: &mut Transaction<'_>, org: Org, horizon: i64) -> Result<bool> {
    if let Transaction::Sqlite(_) = transaction {
        return Ok(true);
    }
    let hidden = "select 1 from audit_events where org = $1 and place >= $2 order by place desc limit 1";
    Ok(transaction.query_one(hidden, values![org.seq(), horizon], |_| Ok(()))?.is_none())
}

/// Which events are asked for, as the statement takes it.
struct Filter {
    from: i64,
    to: i64,
    types: Option<String>,
    actors: Option<String>,
    groups: Option<String>,
    users: Option<String>,
    others: Option<String>,
}

impl Filter {
    /// None when no event of ours can match: there are no projects, no tenants, and no actors with an address.
    fn new(transaction: &mut Transaction<'_>, org: Org, request: &ListAuditLogs) -> Result<Option<Self>> {
        check(request)?;
        let is_foreign = !request.project_ids.is_empty() || !request.actor_emails.is_empty();
        if is_foreign || request.tenant_only == Some(true) {
            return Ok(None);
        }
        let (from, to) = bounds(request.effective_at);
        let types: Vec<&str> = request.event_types.iter().map(AuditLogEventType::as_str).collect();
        let actors: Vec<&str> = request.actor_ids.iter().map(String::as_str).collect();
        let resources: Vec<&str> = request.resource_ids.iter().map(String::as_str).collect();
        let (mut groups, mut users) = (Vec::new(), Vec::new());
        for resource in &resources {
            // What is no cursor is no id either.
            let Ok(cursor) = Cursor::new(resource) else { continue };
            groups.extend(known(groups::place_of(transaction, org, Some(&cursor)))?);
            users.extend(known(users::place_of(transaction, org, Some(&cursor)))?);
        }
        let numbers = |numbers: Vec<i64>| numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (groups, users) = (numbers(groups), numbers(users));
        let of_resources = |list: String| (!resources.is_empty()).then_some(list);
        Ok(Some(Self {
            from,
            to,
            types: (!types.is_empty()).then(|| between_slashes(&types)),
            actors: (!actors.is_empty()).then(|| between_slashes(&actors)),
            groups: of_resources(between_slashes(&groups)),
            users: of_resources(between_slashes(&users)),
            others: of_resources(between_slashes(&resources)),
        }))
    }
}

/// A place, if the thing was ever there.
fn known(place: Result<Option<i64>>) -> Result<Option<i64>> {
    match place {
        Err(Error::UnknownCursor(_)) => Ok(None),
        place => place,
    }
}

/// Refuses what can only be a mistake.
fn check(request: &ListAuditLogs) -> Result<()> {
    for (field, count) in [
        ("project_ids[]", request.project_ids.len()),
        ("event_types[]", request.event_types.len()),
        ("actor_ids[]", request.actor_ids.len()),
        ("actor_emails[]", request.actor_emails.len()),
        ("resource_ids[]", request.resource_ids.len()),
    ] {
        if count > FILTER_VALUES_MAX {
            let expected = format!("at most {FILTER_VALUES_MAX} values, but got {count}");
            return Err(Error::invalid_value(field, expected));
        }
    }
    for r#type in &request.event_types {
        let is_of_tenant = r#type.is_of_tenant();
        if matches!(r#type, AuditLogEventType::Other(_)) && !is_of_tenant {
            let expected = format!("types of events, such as 'group.created', but got '{type}'");
            return Err(Error::invalid_value("event_types[]", expected));
        }
        if request.tenant_only == Some(true) && !is_of_tenant {
            let expected = format!("types of a tenant's events with tenant_only, but got '{type}'");
            return Err(Error::invalid_value("event_types[]", expected));
        }
    }
    Ok(())
}

/// The first and the last second of a range.
fn bounds(range: TimeRange) -> (i64, i64) {
    let seconds = |moment: Option<Timestamp>| moment.map(Timestamp::unix_seconds);
    let after = seconds(range.gt).map(|second| second.saturating_add(1));
    let before = seconds(range.lt).map(|second| second.saturating_sub(1));
    let from = after.max(seconds(range.gte)).unwrap_or(i64::MIN);
    let to = before.into_iter().chain(seconds(range.lte)).min().unwrap_or(i64::MAX);
    (from, to)
}

/// A list as one text. What holds a slash is the id of nothing.
fn between_slashes(values: &[impl AsRef<str>]) -> String {
    let values =
        values.iter().map(AsRef::as_ref).filter(|value| !value.contains('/') && !value.contains('\0'));
    values.fold("/".to_owned(), |list, value| format!("{list}{value}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_unix_seconds(seconds))
    }

    #[test]
    fn a_range_of_time_has_the_narrower_of_its_bounds() {
        let mut range = TimeRange::default();
        assert_eq!(bounds(range), (i64::MIN, i64::MAX));
        (range.gt, range.lt) = (at(10), at(20));
        assert_eq!(bounds(range), (11, 19));
        (range.gte, range.lte) = (at(12), at(15));
        assert_eq!(bounds(range), (12, 15));
        (range.gte, range.lte) = (at(3), at(40));
        assert_eq!(bounds(range), (11, 19));
        (range.gt, range.lt) = (at(i64::MAX), at(i64::MIN));
        assert_eq!(bounds(range), (i64::MAX, i64::MIN));
    }

    #[test]
    fn an_id_has_one_form() {
        let place = Place { place: 12, change: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), item: 3 };
        let id = place.id().expect("an id");
        assert_eq!(id, "audit_log-01ARZ3NDEKTSV4RRFFQ69G5FAV_12_3");
        assert_eq!(Place::parse(id.as_str()), Some(place));
        for other in
            ["", "audit_log-", "audit_log-01_1", "audit_log-01_+1_2", "audit_log-01_1_02", "user_1_2_3"]
        {
            assert_eq!(Place::parse(other), None, "{other}");
        }
    }
}
