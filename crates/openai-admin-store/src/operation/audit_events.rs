//! The record of every change, written by the transaction that makes it.

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

/// What an event is about: up to three places, each a number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places<'a> {
    pub(crate) group_seq: Option<i64>,
    pub(crate) user_seq: Option<i64>,
    pub(crate) project_seq: Option<i64>,
    /// Anything but a group or a user.
    pub(crate) subject: Option<(Kind, i64)>,
    /// The id of the subject, or of what has no number.
    pub(crate) detail: Option<&'a str>,
    /// What it was created with, or what was asked to change. Nothing that tells who a person is: events are kept when
    /// a user is deleted.
    pub(crate) payload: Option<&'a AuditLogPayload>,
}

impl<'a> Places<'a> {
    /// A thing: a group or a user by its number alone, any other with its id.
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

/// The `place` of an event is where it stands among all of its organization's. See `audit_order.rs`.
///
/// SQLite's writers take turns, and each event counts on from the last. On PostgreSQL the column's default is the number
/// of the transaction.
macro_rules! record {
    ($columns:literal, $values:literal) => {
        [
            concat!(
                "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail,
                                           payload",
                $columns,
                ", place)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
                $values,
                ", coalesce((select place from audit_events where org = $1 and place < 9223372036854775807
                             order by place desc limit 1), 0) + 1)"
            ),
            concat!(
                "insert into audit_events (org, change, item, recorded_at, actor, event, group_seq, user_seq, detail,
                                           payload",
                $columns,
                ")
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10",
                $values,
                ")"
            ),
        ]
    };
}

/// For each engine: an event about groups and users.
const RECORD: [&str; 2] = record!("", "");
/// For each engine: an event about anything else.
const RECORD_SUBJECT: [&str; 2] = record!(", subject_kind, subject_seq, project_seq", ", $11, $12, $13");

/// Whether an event is among those that the library lists as recorded. Filters and the OpenAPI document read that list.
fn is_listed(event: &str) -> bool {
    AuditLogEventType::RECORDED.iter().any(|recorded| recorded.as_str() == event)
}

impl<'a> Audit<'a> {
    pub(crate) fn new(stamp: &'a Stamp) -> Self {
        Self { change: stamp.change.to_string(), stamp, items: 0 }
    }

    /// For a change that has created its organization too, which is its event number 0.
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

    /// Records the end of each row of an edge, by the statement that the edge has for each engine.
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
