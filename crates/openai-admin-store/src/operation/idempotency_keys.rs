//! Idempotent creations: the transaction that creates a resource also stores the answer under the caller's key, and a
//! retry gets that answer.

use std::sync::atomic::Ordering;

use openai_admin::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    base::{
        error::{Error, Result},
        kind::Kind,
        org::Org,
        stamp::{IdempotencyKey, Stamp},
        value::values,
    },
    engines::transaction::Transaction,
    operation::change::Change,
    store::Store,
};

/// How long an answer is stored, in seconds: 24 hours.
pub const IDEMPOTENCY_KEPT_SECONDS: i64 = 24 * 60 * 60;
/// How many answers an organization stores. The oldest are deleted first, even before they expire. Rejecting further
/// keys instead would block careful clients that create many resources.
pub const IDEMPOTENCY_KEYS_MAX: i64 = 100_000;
/// How many expired answers a creation deletes: more than it adds, so that they become fewer.
const DELETED_PER_CREATION: i64 = 4;

/// How many expired answers one transaction of a sweep deletes, the same number as in its statement.
const DELETED_PER_TRANSACTION: usize = 500;
/// The minimum time between two sweeps, in seconds.
const SWEEP_PAUSE_SECONDS: i64 = 10 * 60;

impl Store {
    /// Deletes the answers that have expired at `at`, in all organizations. They contain names and addresses, which
    /// must not be stored longer.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn delete_expired_answers(&self, at: Timestamp) -> Result<()> {
        let until = at.unix_seconds() - IDEMPOTENCY_KEPT_SECONDS;
        if !self.query(move |transaction| has_expired(transaction, until)).await? {
            return Ok(());
        }
        loop {
            let deleted = self.transact(move |transaction| delete_until(transaction, until)).await?;
            if deleted < DELETED_PER_TRANSACTION {
                break;
            }
        }
        Ok(())
    }

    /// Calls [`delete_expired_answers`](Self::delete_expired_answers) if the last sweep is old enough. Errors are left to the next
    /// sweep.
    pub(crate) async fn delete_expired_answers_if_due(&self, at: Timestamp) {
        let now = at.unix_seconds();
        let last = self.answers_swept_at.load(Ordering::Relaxed);
        if last.abs_diff(now) < SWEEP_PAUSE_SECONDS.unsigned_abs() {
            return;
        }
        self.answers_swept_at.store(now, Ordering::Relaxed);
        if let Err(error) = self.delete_expired_answers(at).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "failed to delete expired answers");
        }
    }
}

fn has_expired(transaction: &mut Transaction<'_>, until: i64) -> Result<bool> {
    // Reads the first entry of the index, independent of PostgreSQL's row estimates.
    let oldest =
        "select recorded_at from idempotency_keys where recorded_at > $1 order by recorded_at limit 1";
    let oldest = transaction.query_one(oldest, values![-1], |row| row.integer(0))?;
    Ok(oldest.is_some_and(|oldest| oldest <= until))
}

/// Deletes the oldest expired answers, and returns their number.
fn delete_until(transaction: &mut Transaction<'_>, until: i64) -> Result<usize> {
    let expired = transaction.query(
        "select org, key from idempotency_keys where recorded_at <= $1 order by recorded_at limit 500",
        values![until],
        |row| Ok((Org::from_row(row, 0)?, row.text(1)?.to_owned())),
    )?;
    for (org, key) in &expired {
        delete(transaction, *org, key)?;
    }
    Ok(expired.len())
}

/// Stored instead of an answer with a secret. It is not JSON, so it differs from every answer.
const SECRET_ANSWER: &str = "";

struct StoredAnswer {
    request: String,
    recorded_at: i64,
    answer: Option<String>,
}

/// Creates a resource, or returns the answer of an earlier identical request. A failed creation stores nothing, not
/// even its key, so it can be retried.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    change: &mut Change<'_>,
    create: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> Result<T> {
    let stamp = change.stamp();
    let Some(key) = &stamp.idempotency_key else { return create(change) };
    let org = change.org();
    if let Some(stored) = find(change.transaction(), org, key)? {
        if stored.recorded_at > expired_before(stamp) {
            return replay(&stored, key);
        }
        delete(change.transaction(), org, &key.key)?;
    }
    delete_oldest(change.transaction(), org, stamp)?;
    let answer = create(change)?;
    record(change, key, &answer)?;
    Ok(answer)
}

fn expired_before(stamp: &Stamp) -> i64 {
    stamp.seconds() - IDEMPOTENCY_KEPT_SECONDS
}

fn find(transaction: &mut Transaction<'_>, org: Org, key: &IdempotencyKey) -> Result<Option<StoredAnswer>> {
    transaction.query_one(
        "select request, recorded_at, answer from idempotency_keys where org = $1 and key = $2",
        values![org.seq(), key.key.as_str()],
        |row| {
            Ok(StoredAnswer {
                request: row.text(0)?.to_owned(),
                recorded_at: row.integer(1)?,
                answer: row.optional_text(2)?.map(str::to_owned),
            })
        },
    )
}

fn replay<T: DeserializeOwned>(stored: &StoredAnswer, key: &IdempotencyKey) -> Result<T> {
    if stored.request != key.request {
        return Err(Error::IdempotencyKeyReused);
    }
    let answer = stored.answer.as_deref().ok_or(Error::IdempotentAnswerDeleted)?;
    match answer {
        SECRET_ANSWER => Err(Error::IdempotentAnswerSecret),
        answer => serde_json::from_str(answer).map_err(Error::internal),
    }
}

fn record<T: Serialize>(change: &mut Change<'_>, key: &IdempotencyKey, answer: &T) -> Result<()> {
    let org = change.org();
    let last = last_seq(change.transaction(), org)?;
    let answer = match change.shows_secret() {
        true => SECRET_ANSWER.to_owned(),
        false => serde_json::to_string(answer).map_err(Error::internal)?,
    };
    let (kind, seq) = change.created().ok_or_else(|| Error::internal("a creation created nothing"))?;
    let seq_of = |this: Kind| (kind == this).then_some(seq);
    let (group_seq, user_seq) = (seq_of(Kind::Group), seq_of(Kind::User));
    let other = (group_seq.is_none() && user_seq.is_none()).then_some((kind.name(), seq));
    let recorded_at = change.stamp().seconds();
    change.execute(
        "insert into idempotency_keys (org, key, seq, request, recorded_at, group_seq, user_seq, created_kind,
                                       created_seq, answer)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            org,
            key.key.as_str(),
            last + 1,
            key.request.as_str(),
            recorded_at,
            group_seq,
            user_seq,
            other.map(|(kind, _)| kind),
            other.map(|(_, seq)| seq),
            answer.as_str()
        ],
    )?;
    Ok(())
}

/// Deletes some of the oldest answers: those that expired, and those beyond the limit.
fn delete_oldest(transaction: &mut Transaction<'_>, org: Org, stamp: &Stamp) -> Result<()> {
    let oldest = transaction.query(
        "select key, seq, recorded_at from idempotency_keys where org = $1 and seq > $2 order by seq limit $3",
        values![org.seq(), 0, DELETED_PER_CREATION],
        |row| Ok((row.text(0)?.to_owned(), row.integer(1)?, row.integer(2)?)),
    )?;
    let last = if oldest.is_empty() { 0 } else { last_seq(transaction, org)? };
    // Plus one, because an answer is about to be added.
    let kept_from = last + 2 - IDEMPOTENCY_KEYS_MAX;
    for (key, seq, recorded_at) in oldest {
        if recorded_at <= expired_before(stamp) || seq < kept_from {
            delete(transaction, org, &key)?;
        }
    }
    Ok(())
}

/// The number of the newest answer; 0 if there is none.
fn last_seq(transaction: &mut Transaction<'_>, org: Org) -> Result<i64> {
    let last = transaction.query_one(
        "select seq from idempotency_keys where org = $1 and seq > $2 order by seq desc limit 1",
        values![org.seq(), 0],
        |row| row.integer(0),
    )?;
    Ok(last.unwrap_or(0))
}

fn delete(transaction: &mut Transaction<'_>, org: Org, key: &str) -> Result<()> {
    transaction
        .execute("delete from idempotency_keys where org = $1 and key = $2", values![org.seq(), key])?;
    Ok(())
}

/// Erases the answers about a deleted resource. The key stays, so that a retried creation does not create the resource
/// again.
pub(crate) fn erase_answers(change: &mut Change<'_>, kind: Kind, seq: i64) -> Result<()> {
    let org = change.org();
    match kind {
        Kind::Group => change.execute(
            "update idempotency_keys set answer = null where org = $1 and group_seq = $2",
            values![org, seq],
        ),
        Kind::User => change.execute(
            "update idempotency_keys set answer = null where org = $1 and user_seq = $2",
            values![org, seq],
        ),
        _ => change.execute(
            "update idempotency_keys set answer = null where org = $1 and created_kind = $2 and created_seq = $3",
            values![org, kind.name(), seq],
        ),
    }?;
    Ok(())
}
