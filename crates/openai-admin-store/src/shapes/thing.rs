//! Things: operations that all resources with an id share.

use openai_admin::{Cursor, Order, models::AuditLogPayload};

use crate::{
    base::{
        error::{Error, Result},
        page::Range,
        value::{Row, Value, values},
    },
    operation::{audit_events::Places, change::Change, idempotency_keys, tx::Tx},
    shapes::{
        edges,
        table::{Numbers, Table},
    },
};

/// A resource as stored in its table.
pub(crate) trait Thing: Sized {
    /// Its table.
    const TABLE: &'static Table;

    /// The id.
    fn id(&self) -> &str;

    /// The number of its project, if it has one.
    fn project_seq(&self) -> Option<i64> {
        None
    }

    /// Reads the columns after `seq`: column 1 is the id.
    fn from_row(row: &Row<'_>) -> Result<Self>;

    /// Passes the values of the columns to `write`, in the order of the table, with the id first.
    fn bind<R>(&self, write: impl FnOnce(&[Value<'_>]) -> R) -> R;

    /// The payload of the event of its creation.
    fn payload(&self) -> AuditLogPayload;
}

/// A resource with its number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored<T> {
    pub(crate) seq: i64,
    pub(crate) thing: T,
}

pub(crate) fn stored<T: Thing>(row: &Row<'_>) -> Result<Stored<T>> {
    Ok(Stored { seq: row.integer(0)?, thing: T::from_row(row)? })
}

fn not_found<T: Thing>(id: &str) -> Error {
    Error::not_found(T::TABLE.kind, &id)
}

pub(crate) fn find<T: Thing>(tx: &mut Tx<'_>, id: &str) -> Result<Stored<T>> {
    let org = tx.org();
    tx.query_one(T::TABLE.sql.find, values![org, id], stored)?.ok_or_else(|| not_found::<T>(id))
}

/// Like [`find`], but a missing resource is `None` instead of an error.
pub(crate) fn look_up<T: Thing>(tx: &mut Tx<'_>, id: &str) -> Result<Option<Stored<T>>> {
    let org = tx.org();
    tx.query_one(T::TABLE.sql.find, values![org, id], stored)
}

/// The number of a resource, without reading the whole row.
pub(crate) fn find_seq<T: Thing>(tx: &mut Tx<'_>, id: &str) -> Result<i64> {
    let org = tx.org();
    tx.query_one(T::TABLE.sql.find_seq, values![org, id], |row| row.integer(0))?
        .ok_or_else(|| not_found::<T>(id))
}

/// The number of an id, including deleted resources.
pub(crate) fn position<T: Thing>(tx: &mut Tx<'_>, id: &str) -> Result<Option<i64>> {
    let org = tx.org();
    tx.query_one(T::TABLE.sql.position, values![org, id], |row| row.integer(0))
}

/// The number of a cursor. A deleted resource keeps its number, so a list can continue after its last item was deleted.
pub(crate) fn cursor<T: Thing>(tx: &mut Tx<'_>, after: Option<&Cursor>) -> Result<Option<i64>> {
    let Some(after) = after else { return Ok(None) };
    let seq = position::<T>(tx, after.as_str())?;
    seq.map(Some).ok_or_else(|| Error::UnknownCursor(after.clone()))
}

/// All resources of a kind, in order.
pub(crate) fn all<T: Thing>(tx: &mut Tx<'_>) -> Result<Vec<Stored<T>>> {
    let org = tx.org();
    tx.query(T::TABLE.sql.all, values![org], stored)
}

/// A page of all resources of a kind, and whether there are more.
pub(crate) fn page<T: Thing>(
    tx: &mut Tx<'_>,
    order: Order,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<(Vec<T>, bool)> {
    if limit == 0 {
        return Ok((Vec::new(), false));
    }
    let (org, after) = (tx.org(), cursor::<T>(tx, after)?);
    let range = Range::new(order, after, limit);
    let [upward, downward] = T::TABLE.sql.page;
    let sql = range.choose(upward, downward);
    let things = tx.query(sql, values![org, range.after, range.rows()], |row| T::from_row(row))?;
    Ok(range.cut(things))
}

/// Writes a new resource and records its creation.
pub(crate) fn insert<T: Thing>(change: &mut Change<'_>, thing: &T) -> Result<i64> {
    let (org, seq) = (change.org(), next_seq(change, T::TABLE)?);
    thing.bind(|values| {
        let values: Vec<Value<'_>> = values.iter().copied().chain([org.into(), seq.into()]).collect();
        change.execute(T::TABLE.sql.insert, &values)
    })?;
    change.creates(T::TABLE.kind, seq);
    let payload = thing.payload();
    change.record(T::TABLE.created, places(seq, thing).with(Some(&payload)))?;
    Ok(seq)
}

/// What an event about a thing is about.
pub(crate) fn places<T: Thing>(seq: i64, thing: &T) -> Places<'_> {
    let places = Places::of(T::TABLE.kind, seq, thing.id());
    Places { project_seq: thing.project_seq().or(places.project_seq), ..places }
}

/// Assigns the next number of a kind.
pub(crate) fn next_seq(tx: &mut Tx<'_>, table: &Table) -> Result<i64> {
    let org = tx.org();
    let next = match table.numbers {
        Numbers::Column { next, .. } => tx.query_one(next, values![org], |row| row.integer(0))?,
        Numbers::Sequence => tx.query_one(
            "insert into sequences (org, kind, last) values ($1, $2, 1)
             on conflict (org, kind) do update set last = sequences.last + 1 returning last",
            values![org, table.kind.name()],
            |row| row.integer(0),
        )?,
    };
    next.ok_or_else(|| Error::internal("the organization is missing"))
}

/// Writes everything about a resource except its id and number. The caller records the change.
pub(crate) fn update<T: Thing>(tx: &mut Tx<'_>, seq: i64, thing: &T) -> Result<()> {
    let org = tx.org();
    thing.bind(|values| {
        let values: Vec<Value<'_>> = values[1..].iter().copied().chain([org.into(), seq.into()]).collect();
        tx.execute(T::TABLE.sql.update, &values)
    })?;
    Ok(())
}

/// Deletes a resource with all its edges, and records it. A tombstone keeps its id and number.
pub(crate) fn bury<T: Thing>(change: &mut Change<'_>, removed: &Stored<T>) -> Result<()> {
    let (org, seq, table) = (change.org(), removed.seq, T::TABLE);
    edges::end_all(change, table.kind, seq)?;
    let removed_at = change.stamp().seconds();
    change.execute(table.sql.bury, values![removed_at, org, seq])?;
    idempotency_keys::erase_answers(change, table.kind, seq)?;
    change.record(table.deleted, places(seq, &removed.thing))
}
