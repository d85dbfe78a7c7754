//! Creations that are made once, however often they are sent: the answer is kept under a key of the caller's, by the
//! transaction that creates.

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

/// How long an answer is kept, in seconds: a day.
pub const IDEMPOTENCY_KEPT_SECONDS: i64 = 24 * 60 * 60;
/// How many answers an organization keeps. The oldest go first, even within their day: a limit that refused would stop
/// whoever creates many things with keys, which is what careful clients do.
pub const IDEMPOTENCY_KEYS_MAX: i64 = 100_000;
/// How many answers that are no longer kept one creation forgets: more than it adds, so that they become fewer.
const FORGOTTEN_AT_ONCE: i64 = 4;

/// How many answers that are over are forgotten in one transaction, as the statement says too.
const FORGOTTEN_IN_A_SWEEP: usize = 500;
/// How long nothing is looked for after a sweep, in seconds.
const SWEEP_PAUSE_SECONDS: i64 = 10 * 60;

impl Store {
    /// Forgets the answers whose day is over at `at`, in all organizations: they hold names and addresses, which are
    /// promised to be gone by then.
    ///
    /// # Errors
    ///
    /// Only those of the database.
    pub async fn forget_answers(&self, at: Timestamp) -> Result<()> {
        let until = at.unix_seconds() - IDEMPOTENCY_KEPT_SECONDS;
        if !self.query(move |transaction| has_expired(transaction, until)).await? {
            return Ok(());
        }
        loop {
            let forgotten = self.transact(move |transaction| forget_until(transaction, until)).await?;
            if forgotten < FORGOTTEN_IN_A_SWEEP {
                break;
            }
        }
        Ok(())
    }

    /// The same now and then, beside something that has to be done anyway. What goes wrong is left to the next time.
    pub(crate) async fn forget_answers_now_and_then(&self, at: Timestamp) {
        let now = at.unix_seconds();
        let last = self.answers_forgotten_at.load(Ordering::Relaxed);
        if last.abs_diff(now) < SWEEP_PAUSE_SECONDS.unsigned_abs() {
            return;
        }
        self.answers_forgotten_at.store(now, Ordering::Relaxed);
        if let Err(error) = self.forget_answers(at).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "old answers are not forgotten yet");
        }
    }
}

fn has_expired(transaction: &mut Transaction<'_>, until: i64) -> Result<bool> {
    // The first of the index, whatever PostgreSQL thinks of how many there are.
    let oldest =
        "select recorded_at from idempotency_keys where recorded_at > $1 order by recorded_at limit 1";
    let oldest = transaction.query_one(oldest, values![-1], |row| row.integer(0))?;
    Ok(oldest.is_some_and(|oldest| oldest <= until))
}

/// Forgets the oldest of them, and says how many.
fn forget_until(transaction: &mut Transaction<'_>, until: i64) -> Result<usize> {
    let over = transaction.query(
        "select org, key from idempotency_keys where recorded_at <= $1 order by recorded_at limit 500",
        values![until],
        |row| Ok((Org::from_row(row, 0)?, row.text(1)?.to_owned())),
    )?;
    for (org, key) in &over {
        forget(transaction, *org, key)?;
    }
    Ok(over.len())
}

/// What stands for an answer that shows a secret. It is no JSON, so no answer looks like it.
const SECRET_ANSWER: &str = "";

struct Kept {
    request: String,
    recorded_at: i64,
    answer: Option<String>,
}

/// Creates something, or answers as it did when the same request created it before. A creation that is refused leaves
/// nothing behind, not even its key: it may be sent again when what it lacked is there.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    change: &mut Change<'_>,
    create: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> Result<T> {
    let stamp = change.stamp();
    let Some(key) = &stamp.idempotency_key else { return create(change) };
    let org = change.org();
    if let Some(kept) = find(change.transaction(), org, key)? {
        if kept.recorded_at > forgotten_before(stamp) {
            return replay(&kept, key);
        }
        forget(change.transaction(), org, &key.key)?;
    }
    forget_oldest(change.transaction(), org, stamp)?;
    let answer = create(change)?;
    record(change, key, &answer)?;
    Ok(answer)
}

fn forgotten_before(stamp: &Stamp) -> i64 {
    stamp.seconds() - IDEMPOTENCY_KEPT_SECONDS
}

fn find(transaction: &mut Transaction<'_>, org: Org, key: &IdempotencyKey) -> Result<Option<Kept>> {
    transaction.query_one(
        "select request, recorded_at, answer from idempotency_keys where org = $1 and key = $2",
        values![org.seq(), key.key.as_str()],
        |row| {
            Ok(Kept {
                request: row.text(0)?.to_owned(),
                recorded_at: row.integer(1)?,
                answer: row.optional_text(2)?.map(str::to_owned),
            })
        },
    )
}

fn replay<T: DeserializeOwned>(kept: &Kept, key: &IdempotencyKey) -> Result<T> {
    if kept.request != key.request {
        return Err(Error::IdempotencyKeyReused);
    }
    let answer = kept.answer.as_deref().ok_or(Error::IdempotentAnswerDeleted)?;
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

/// Forgets some of the oldest answers: those whose day is over, and those that are too many.
fn forget_oldest(transaction: &mut Transaction<'_>, org: Org, stamp: &Stamp) -> Result<()> {
    let oldest = transaction.query(
        "select key, seq, recorded_at from idempotency_keys where org = $1 and seq > $2 order by seq limit $3",
        values![org.seq(), 0, FORGOTTEN_AT_ONCE],
        |row| Ok((row.text(0)?.to_owned(), row.integer(1)?, row.integer(2)?)),
    )?;
    let last = if oldest.is_empty() { 0 } else { last_seq(transaction, org)? };
    // One is about to be added.
    let kept_from = last + 2 - IDEMPOTENCY_KEYS_MAX;
    for (key, seq, recorded_at) in oldest {
        if recorded_at <= forgotten_before(stamp) || seq < kept_from {
            forget(transaction, org, &key)?;
        }
    }
    Ok(())
}

/// The number of the youngest answer; 0 when there is none.
fn last_seq(transaction: &mut Transaction<'_>, org: Org) -> Result<i64> {
    let last = transaction.query_one(
        "select seq from idempotency_keys where org = $1 and seq > $2 order by seq desc limit 1",
        values![org.seq(), 0],
        |row| row.integer(0),
    )?;
    Ok(last.unwrap_or(0))
}

fn forget(transaction: &mut Transaction<'_>, org: Org, key: &str) -> Result<()> {
    transaction
        .execute("delete from idempotency_keys where org = $1 and key = $2", values![org.seq(), key])?;
    Ok(())
}

/// Erases the answers about a thing that is removed. The key stays, so that a creation that was sent before the removal
/// does not undo it when it is sent again.
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
