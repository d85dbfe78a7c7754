//! The invariants of a database. Most of them derive from the tables of resources and edges, so a new table is checked
//! without a change here.

use std::sync::LazyLock;

use crate::{
    base::{events::RATE_LIMIT_UPDATED, kind::Kind},
    keeping::tables::{SETTINGS, TABLES},
    nouns::usage::VECTOR_STORES,
    shapes::{
        edges::{EDGES, Edge},
        series::{SUMS, WIDTHS},
        setting::Setting,
        table::{Numbers, Table},
    },
};

/// A statement about a database, and the query for its violations: rows of an organization and a number in it.
pub(crate) struct Invariant {
    pub(crate) states: String,
    pub(crate) sqlite: String,
    pub(crate) postgres: String,
}

impl Invariant {
    fn new(states: impl Into<String>, sql: impl Into<String>) -> Self {
        let sql = sql.into();
        Self { states: states.into(), sqlite: sql.clone(), postgres: sql }
    }
}

pub(crate) static INVARIANTS: LazyLock<Vec<Invariant>> = LazyLock::new(|| {
    let things = TABLES.into_iter().flat_map(of_things);
    let edges = EDGES.iter().flat_map(of_edges);
    let settings = SETTINGS.into_iter().map(of_setting);
    things
        .chain(edges)
        .chain(settings)
        .chain([owners_of_settings(), owners_of_rate_limits(), of_rate_limits(), of_federation_rules()])
        .chain(of_events())
        .chain(of_api_keys())
        .chain(of_series())
        .chain(of_projects())
        .collect()
});

fn of_things(table: &Table) -> Vec<Invariant> {
    let mut invariants =
        vec![assigned_numbers(table), all_numbers(table), answers(table), life(table), recorded_value(table)];
    if !table.erased.is_empty() {
        invariants.push(erased(table));
    }
    invariants
}

/// The join to the last number of a kind, and the expression for that number.
fn last_number(table: &Table) -> (String, String) {
    match table.numbers {
        Numbers::Column { column, .. } => (String::new(), format!("o.{column}")),
        Numbers::Sequence => (
            format!(" left join sequences s on s.org = o.org and s.kind = '{}'", table.kind.name()),
            "coalesce(s.last, 0)".to_owned(),
        ),
    }
}

fn assigned_numbers(table: &Table) -> Invariant {
    let (join, last) = last_number(table);
    Invariant::new(
        format!(
            "a {} belongs to an organization and has a number that the organization assigned",
            table.kind.as_str()
        ),
        format!(
            "select t.org, t.seq from {} t left join organizations o on o.org = t.org{join}
             where o.org is null or t.seq < 1 or t.seq > {last}",
            table.name
        ),
    )
}

fn all_numbers(table: &Table) -> Invariant {
    let (join, last) = last_number(table);
    Invariant::new(
        format!("every assigned number is a {} or a tombstone", table.kind.as_str()),
        format!(
            "select o.org, {last} from organizations o{join}
             where {last} <> (select count(*) from {} t where t.org = o.org)",
            table.name
        ),
    )
}

fn erased(table: &Table) -> Invariant {
    let columns: Vec<String> =
        table.erased.iter().map(|column| format!("coalesce({column}, '') <> ''")).collect();
    Invariant::new(
        format!("a deleted {} keeps no personal data and no name", table.kind.as_str()),
        format!(
            "select org, seq from {} where removed_at is not null and ({})",
            table.name,
            columns.join(" or ")
        ),
    )
}

fn answers(table: &Table) -> Invariant {
    let created = match table.kind {
        Kind::Group => "k.group_seq = t.seq".to_owned(),
        Kind::User => "k.user_seq = t.seq".to_owned(),
        kind => format!("k.created_kind = '{}' and k.created_seq = t.seq", kind.name()),
    };
    Invariant::new(
        format!("no stored answer is about a deleted {}", table.kind.as_str()),
        format!(
            "select k.org, k.seq from idempotency_keys k join {} t on t.org = k.org and {created}
             where k.answer is not null and t.removed_at is not null",
            table.name
        ),
    )
}

/// The events of the table's resources, as a condition on `audit_events a`.
fn events_of(table: &Table) -> String {
    match table.kind {
        Kind::Group | Kind::User => "true".to_owned(),
        kind => format!("a.subject_kind = '{}'", kind.name()),
    }
}

fn life(table: &Table) -> Invariant {
    let Table { name, created, deleted, .. } = table;
    Invariant::new(
        format!("the audit events of a {} match its state", table.kind.as_str()),
        format!(
            "select t.org, t.seq from {name} t
             left join (select a.org, a.{seq} as seq, sum(case a.event when '{created}' then 1 else -1 end) as present
                        from audit_events a where a.event in ('{created}', '{deleted}') and {events}
                        group by a.org, a.{seq}) told
                 on told.org = t.org and told.seq = t.seq
             where coalesce(told.present, -1) <> case when t.removed_at is null then 1 else 0 end",
            seq = table.audit_column(),
            events = events_of(table),
        ),
    )
}

/// The last event that records a column matches its value. Events of the first versions record no values.
fn recorded_value(table: &Table) -> Invariant {
    let Table { name, created, updated, recorded: (column, field), .. } = table;
    let sql = |value: &str| {
        format!(
            "select t.org, t.seq
             from (select a.org, a.{seq} as seq, {value} as told,
                          row_number() over (partition by a.org, a.{seq}
                                             order by a.place desc, a.change desc, a.item desc) as recent
                   from audit_events a
                   where a.event in ('{created}', '{updated}') and {events} and {value} is not null) last
             join {name} t on t.org = last.org and t.seq = last.seq
             where last.recent = 1 and t.removed_at is null
               and cast(t.{column} as text) <> cast(last.told as text)",
            seq = table.audit_column(),
            events = events_of(table),
        )
    };
    Invariant {
        states: format!("the last audit event with the {column} of a {} matches it", table.kind.as_str()),
        sqlite: sql(&format!("json_extract(a.payload, '$.{field}')")),
        postgres: sql(&format!("(a.payload::jsonb ->> '{field}')")),
    }
}

fn of_edges(edge: &Edge) -> Vec<Invariant> {
    let mut invariants: Vec<Invariant> =
        edge.ends.iter().filter_map(|end| end_exists(edge, end.kind, end.column)).collect();
    invariants.push(edge_events(edge));
    invariants.push(edge_has_event(edge));
    invariants
}

fn end_exists(edge: &Edge, kind: Kind, column: &str) -> Option<Invariant> {
    let table = TABLES.iter().find(|table| table.kind == kind)?;
    Some(Invariant::new(
        format!("each row of {} refers to a {} that exists", edge.table, kind.as_str()),
        format!(
            "select m.org, m.{column} from {} m left join {} t on t.org = m.org and t.seq = m.{column}
             where m.{column} > 0 and (t.seq is null or t.removed_at is not null)",
            edge.table, table.name
        ),
    ))
}

/// For each edge, the number of its additions minus its removals in the audit events.
fn edge_counts(edge: &Edge) -> String {
    let Edge { added, ended, columns, .. } = edge;
    let selected: Vec<String> =
        columns.iter().map(|(column, audit)| format!("coalesce({audit}, 0) as {column}")).collect();
    let grouped: Vec<&str> = columns.iter().map(|(_, audit)| *audit).collect();
    format!(
        "select org, {}, sum(case event when '{added}' then 1 else -1 end) as present
         from audit_events where event in ('{added}', '{ended}') group by org, {}",
        selected.join(", "),
        grouped.join(", ")
    )
}

fn same_edge(edge: &Edge) -> String {
    let same: Vec<String> =
        edge.columns.iter().map(|(column, _)| format!("m.{column} = told.{column}")).collect();
    format!("m.org = told.org and {}", same.join(" and "))
}

fn edge_events(edge: &Edge) -> Invariant {
    Invariant::new(
        format!("the audit events of each row of {} match its state", edge.table),
        format!(
            "select told.org, told.{} from ({}) told
             where told.present <> (select count(*) from {} m where {})",
            edge.columns[0].0,
            edge_counts(edge),
            edge.table,
            same_edge(edge)
        ),
    )
}

fn edge_has_event(edge: &Edge) -> Invariant {
    let Edge { table, added, columns, .. } = edge;
    let here: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
    let recorded: Vec<String> = columns.iter().map(|(_, audit)| format!("coalesce({audit}, 0)")).collect();
    Invariant::new(
        format!("each row of {table} has an audit event"),
        format!(
            "select org, {} from {table} except select org, {} from audit_events where event = '{added}'",
            here.join(", "),
            recorded.join(", ")
        ),
    )
}

/// The last event of each owner tells the value that is stored.
fn of_setting(setting: &Setting) -> Invariant {
    let Setting { name, set, cleared, .. } = setting;
    let events = cleared.map_or(format!("'{set}'"), |cleared| format!("'{set}', '{cleared}'"));
    Invariant::new(
        format!("the last audit event of each {name} tells its value"),
        format!(
            "with events as (
                 select org, coalesce(project_seq, 0) as project_seq, event, payload,
                        row_number() over (partition by org, coalesce(project_seq, 0)
                                           order by place desc, change desc, item desc) as recent
                 from audit_events where event in ({events})
             ), told as (
                 select org, project_seq, payload as value from events where recent = 1 and event = '{set}'
             ), found as (
                 select org, project_seq, value from settings where setting = '{name}'
             )
             select org, project_seq from (select * from told except select * from found) missing
             union
             select org, project_seq from (select * from found except select * from told) untold"
        ),
    )
}

fn owners_of_settings() -> Invariant {
    let names: Vec<String> = SETTINGS.iter().map(|setting| format!("'{}'", setting.name)).collect();
    Invariant::new(
        "a setting is a known one and belongs to an organization or a project",
        format!(
            "select s.org, s.project_seq from settings s
             left join organizations o on o.org = s.org
             left join projects p on p.org = s.org and p.seq = s.project_seq
             where o.org is null or (s.project_seq > 0 and p.seq is null) or s.setting not in ({})",
            names.join(", ")
        ),
    )
}

fn owners_of_rate_limits() -> Invariant {
    Invariant::new(
        "rate limits belong to an organization or a project",
        "select r.org, r.project_seq from rate_limits r
         left join organizations o on o.org = r.org
         left join projects p on p.org = r.org and p.seq = r.project_seq
         where o.org is null or (r.project_seq > 0 and p.seq is null)",
    )
}

/// The last event with a field of a rate limit tells the value that is stored.
fn of_rate_limits() -> Invariant {
    let sql = |each: fn(&str) -> String| {
        let (told, found) = (each("a.payload"), each("r.value"));
        format!(
            "with events as (
                 select a.org, coalesce(a.project_seq, 0) as project_seq, a.detail as id, f.key as field,
                        cast(f.value as text) as value,
                        row_number() over (partition by a.org, coalesce(a.project_seq, 0), a.detail, f.key
                                           order by a.place desc, a.change desc, a.item desc) as recent
                 from audit_events a, {told} f where a.event = '{RATE_LIMIT_UPDATED}'
             ), told as (
                 select org, project_seq, id, field, value from events where recent = 1
             ), found as (
                 select r.org, r.project_seq, 'rl-' || r.model as id, f.key as field, cast(f.value as text) as value
                 from rate_limits r, {found} f
             )
             select org, project_seq from (select * from told except select * from found) missing
             union
             select org, project_seq from (select * from found except select * from told) untold"
        )
    };
    Invariant {
        states: "the last audit event with a value of a rate limit matches it".to_owned(),
        sqlite: sql(|json| format!("json_each({json})")),
        postgres: sql(|json| format!("jsonb_each_text({json}::jsonb)")),
    }
}

fn of_federation_rules() -> Invariant {
    Invariant::new(
        "a federation rule refers to a provider and a service account that exist",
        "select r.org, r.seq from federation_rules r
         left join workload_identity_providers w
             on w.org = r.org and w.seq = r.provider_seq and w.removed_at is null
         left join service_accounts a
             on a.org = r.org and a.seq = r.account_seq and a.project_seq = r.project_seq
                and a.removed_at is null
         where r.removed_at is null and (w.seq is null or a.seq is null)",
    )
}

fn of_events() -> Vec<Invariant> {
    let titled = |value: &str| {
        format!(
            "select org, org from (
                 select o.org, o.title as now, {value} as told,
                        row_number() over (partition by o.org
                                           order by a.place desc, a.change desc, a.item desc) as recent
                 from organizations o join audit_events a on a.org = o.org
                 where a.event in ('organization.created', 'organization.updated') and {value} is not null
             ) events where recent = 1 and told <> now"
        )
    };
    vec![
        Invariant::new(
            "an audit event has a unique number within its change",
            "select org, max(place) from audit_events group by org, change, item having count(*) > 1",
        ),
        Invariant::new(
            // Older versions numbered from 1 if a removal had no memberships.
            "the audit events of a change are numbered without gaps",
            "select org, max(place) from audit_events group by org, change
             having min(item) > 1 or max(item) - min(item) + 1 > count(*)",
        ),
        Invariant::new(
            "an organization has an audit event of its creation",
            "select o.org, o.org from organizations o
             where not exists (select 1 from audit_events a
                               where a.org = o.org and a.event in ('organization.created', 'organization.updated'))",
        ),
        Invariant {
            states: "the last audit event with the title of an organization matches it".to_owned(),
            sqlite: titled("json_extract(a.payload, '$.title')"),
            postgres: titled("(a.payload::jsonb ->> 'title')"),
        },
    ]
}

/// Each row of a longer width is the sum of its minutes.
fn of_series() -> Vec<Invariant> {
    let [minute, longer @ ..] = WIDTHS;
    let level = VECTOR_STORES.number;
    let numbers = || 0..SUMS;
    let sums: Vec<String> = numbers().map(|n| format!("sum_{n}")).collect();
    let negative: Vec<String> = numbers().map(|n| format!("-sum_{n} as sum_{n}")).collect();
    let differs: Vec<String> = sums.iter().map(|sum| format!("sum({sum}) <> 0")).collect();
    let (sums, negative, differs) = (sums.join(", "), negative.join(", "), differs.join(" or "));
    let rollups = longer.iter().map(|width| {
        Invariant::new(
            format!("the usage of {width} seconds is the sum of its minutes"),
            format!(
                "select org, begins_at from (
                     select org, series, dimension_seq, begins_at - begins_at % {width} as begins_at, {sums}
                     from usage_sums where width = {minute} and series <> {level}
                     union all
                     select org, series, dimension_seq, begins_at, {negative} from usage_sums
                     where width = {width} and series <> {level}
                 ) rows
                 group by org, series, dimension_seq, begins_at having {differs}"
            ),
        )
    });
    let levels = longer.iter().map(|width| {
        Invariant::new(
            format!("the level of {width} seconds is the last of its minutes"),
            format!(
                "select m.org, m.begins_at from usage_sums m
                 left join usage_sums u on u.org = m.org and u.series = m.series and u.width = {width}
                     and u.begins_at = m.begins_at - m.begins_at % {width} and u.dimension_seq = m.dimension_seq
                 where m.series = {level} and m.width = {minute}
                     and (u.sum_1 is null or u.sum_1 < m.sum_1 or (u.sum_1 = m.sum_1 and u.sum_0 <> m.sum_0))"
            ),
        )
    });
    let dimensions = Invariant::new(
        "usage belongs to dimensions of its organization and series",
        "select u.org, u.dimension_seq from usage_sums u
         left join usage_dimensions d on d.org = u.org and d.series = u.series and d.seq = u.dimension_seq
         left join organizations o on o.org = u.org
         where d.seq is null or o.org is null",
    );
    rollups.chain(levels).chain([dimensions]).collect()
}

fn of_projects() -> Vec<Invariant> {
    vec![
        Invariant::new(
            "a user of a project has exactly one predefined role there",
            "select m.org, m.user_seq from project_users m
             where (select count(*) from role_assignments a
                    where a.org = m.org and a.user_seq = m.user_seq and a.group_seq = 0
                      and a.project_seq = m.project_seq and a.role_seq < 0) <> 1",
        ),
        Invariant::new(
            "a user with a role in a project is in the project",
            "select a.org, a.user_seq from role_assignments a
             where a.user_seq > 0 and a.project_seq <> 0
               and not exists (select 1 from project_users m
                               where m.org = a.org and m.project_seq = a.project_seq and m.user_seq = a.user_seq)",
        ),
        Invariant::new(
            "a group with a role in a project is in the project",
            "select a.org, a.group_seq from role_assignments a
             where a.group_seq > 0 and a.project_seq <> 0
               and not exists (select 1 from project_groups m
                               where m.org = a.org and m.project_seq = a.project_seq and m.group_seq = a.group_seq)",
        ),
    ]
}

/// The id of a bootstrap key may change, so they are counted.
fn of_api_keys() -> Vec<Invariant> {
    let counted = |keys: &str, event: &str| {
        format!(
            "select k.org, count(*) from api_keys k where {keys} group by k.org
             having count(*) > (select count(*) from audit_events a where a.org = k.org and a.event = '{event}')"
        )
    };
    vec![
        Invariant::new("a key has an audit event of its creation", counted("1 = 1", "api_key.created")),
        Invariant::new(
            "a revoked key has an audit event of its end",
            counted("k.revoked_at is not null", "api_key.deleted"),
        ),
    ]
}
