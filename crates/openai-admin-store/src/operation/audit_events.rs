//! Records every change, in the transaction that makes it.

use openai_admin::{AuditLogEventType, models::AuditLogPayload};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        stamp::Stamp,
        value::values,
    },
    operation::tx::Tx,
};

/// Writes the events of one change, numbered in order.
pub(crate) struct Audit<'a> {
    change: String,
    stamp: &'a Stamp,
    items: i64,
}

/// The subject of an event: up to three resources, each by its number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places<'a> {
    pub(crate) group_seq: Option<i64>,
    pub(crate) user_seq: Option<i64>,
    pub(crate) project_seq: Option<i64>,
    /// A resource other than a group or a user.
    pub(crate) subject: Option<(Kind, i64)>,
    /// The id of the subject, or of a resource without a number.
    pub(crate) detail: Option<&'a str>,
    /// The attributes that it was created with, or the requested changes. Never personal data, because events are kept
    /// when a user is deleted.
    pub(crate) payload: Option<&'a AuditLogPayload>,
}

impl<'a> Places<'a> {
    /// The places of a resource: a group or a user by its number alone, any other also by its id.
    pub(crate) fn of(kind: Kind, seq: i64, id: &'a str) -> Self {
        match kind {
            Kind::Group => Self { group_seq: Some(seq), ..Self::default() },
            Kind::User => Self { user_seq: Some(seq), ..Self::default() },
            _ => Self {
                subject: Some((kind, seq)),
                detail: Some(id),
                project_seq: (kind == Kind::Project).then_some(seq),
                ..Self::default()
            },
        }
    }

    pub(crate) fn with(self, payload: Option<&'a AuditLogPayload>) -> Self {
        Self { payload, ..self }
    }
}

/// The `place` of an event is its position among those of its organization. See `audit_order.rs`.
///
/// SQLite's writers take turns, so each event gets the next number. On PostgreSQL, the column's default is the number
/// of the transaction.
macro_rules! record {
    ($columns:literal, $values:literal) => {
        [
            record!($columns, $values; ", place", ", coalesce((select place from audit_events where org = $1 and \
             place < 9223372036854775807 order by place desc limit 1), 0) + 1"),
            record!($columns, $values; "", ""),
        ]
    };
    ($columns:literal, $values:literal; $place:literal, $next:literal) => {
        // Without line breaks: the whole text is hashed whenever the statement is used.
        concat!(
            "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail, payload",
            $columns, $place,
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
            $values, $next,
            ")"
        )
    };
}

/// An event about groups and users, for each engine.
const RECORD: [&str; 2] = record!("", "");
/// An event about any other resource, for each engine.
const RECORD_SUBJECT: [&str; 2] = record!(", subject_kind, subject_seq, project_seq", ", $11, $12, $13");

/// Whether the library lists an event as recorded. Filters and the OpenAPI document use that list.
fn is_listed(event: &str) -> bool {
    AuditLogEventType::RECORDED.iter().any(|recorded| recorded.as_str() == event)
}

impl<'a> Audit<'a> {
    pub(crate) fn new(stamp: &'a Stamp) -> Self {
        Self { change: stamp.change.to_string(), stamp, items: 0 }
    }

    /// For a change that also created its organization, which is event number 0.
    pub(crate) fn after_creation(stamp: &'a Stamp) -> Self {
        Self { items: 1, ..Self::new(stamp) }
    }

    pub(crate) fn record(&mut self, tx: &mut Tx<'_>, event: &str, places: Places<'_>) -> Result<()> {
        debug_assert!(is_listed(event), "add {event} to AuditLogEventType::RECORDED");
        let Places { group_seq, user_seq, project_seq, subject, detail, payload } = places;
        let payload = payload.map(serde_json::to_string).transpose().map_err(Error::internal)?;
        let all = values![
            tx.org(),
            self.change.as_str(),
            self.items,
            self.stamp.seconds(),
            self.stamp.actor.as_str(),
            event,
            group_seq,
            user_seq,
            detail,
            payload.as_deref(),
            subject.map(|(kind, _)| kind.name()),
            subject.map(|(_, seq)| seq),
            project_seq
        ];
        match subject.is_none() && project_seq.is_none() {
            true => tx.execute(tx.choose(RECORD[0], RECORD[1]), &all[..10])?,
            false => tx.execute(tx.choose(RECORD_SUBJECT[0], RECORD_SUBJECT[1]), all)?,
        };
        self.items += 1;
        Ok(())
    }

    /// Records the removal of each row of an edge, with the edge's statement for each engine.
    pub(crate) fn record_ends(
        &mut self,
        tx: &mut Tx<'_>,
        record: [&'static str; 2],
        event: &str,
        seq: i64,
    ) -> Result<()> {
        debug_assert!(is_listed(event), "add {event} to AuditLogEventType::RECORDED");
        let org = tx.org();
        let recorded = tx.execute(
            tx.choose(record[0], record[1]),
            values![
                self.change.as_str(),
                self.items,
                self.stamp.seconds(),
                self.stamp.actor.as_str(),
                event,
                org,
                seq
            ],
        )?;
        self.items += i64::try_from(recorded).unwrap_or(i64::MAX - self.items);
        Ok(())
    }
}
