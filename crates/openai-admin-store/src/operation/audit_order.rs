//! Determines up to which event the audit log of an organization is settled on PostgreSQL.
//!
//! A reader that continues after the last event of a page must miss none. So a page ends before the first event that
//! another event may still precede. Events are ordered by the number of their transaction. SQLite's writers take turns,
//! so all events are settled. PostgreSQL's run concurrently: a transaction may commit after one with a higher number.
//!
//! The horizon is the lowest number that a running transaction with events of the organization can have. It is found in
//! three steps, in this order:
//!
//! 1. A snapshot returns the next number, and the running transactions.
//! 2. The lock table shows which of them may write events of this organization.
//! 3. A later snapshot reads the page.
//!
//! A transaction below the next number has either ended before step 2, and then step 3 sees its events, or it is still
//! in the lock table. One that is not there may also have its number, but not yet the number's lock: PostgreSQL assigns
//! one after the other. It counts if it is still running after step 2. Of those in the lock table, only transactions with
//! both of these properties count:
//!
//! - It holds a lock for writing a table of this schema. Every writer acquires one before it gets a number, so
//!   transactions of other programs, other schemas and other databases do not count.
//! - It has not announced another organization. Our writers announce theirs with a shared advisory lock, also before
//!   they get a number. Older versions and interactive sessions announce none, and count for every organization.

use crate::{
    base::{
        announcement::announcement,
        error::{Error, Result},
        org::Org,
        value::values,
    },
    engines::transaction::Transaction,
};

/// Announces an organization that was unknown when the transaction began.
pub(crate) fn announce(transaction: &mut Transaction<'_>, org: Org) -> Result<()> {
    match transaction {
        Transaction::Sqlite(_) => Ok(()),
        Transaction::Postgres(_) => transaction.batch(&announcement(org.seq())),
    }
}

/// Batches of memberships announce their organizations with the lock that they share with deletions.
const HORIZON: &str = "
    with held as materialized (
        select * from pg_locks where granted
    ), announced as (
        select virtualtransaction, bool_or(objid = (hashint8($1)::bigint & 4294967295)::oid) as is_ours
        from held
        where locktype = 'advisory' and classid in ('audit_events'::regclass, 'group_users'::regclass)
        group by virtualtransaction
    ), writing as (
        select distinct virtualtransaction
        from held
        where locktype = 'relation' and mode in ('RowShareLock', 'RowExclusiveLock', 'ShareRowExclusiveLock',
                                                 'ExclusiveLock', 'AccessExclusiveLock')
          and database = (select oid from pg_database where datname = current_database())
          and relation in (select oid from pg_class where relnamespace = to_regnamespace(current_schema()::text))
    )
    select least(pg_snapshot_xmax(snapshot)::text::bigint, (
               select min(running::text::bigint)
               from pg_snapshot_xip(snapshot) running
               left join held on held.locktype = 'transactionid' and held.transactionid = running::xid
               left join writing on writing.virtualtransaction = held.virtualtransaction
               left join announced on announced.virtualtransaction = held.virtualtransaction
               where case when held.virtualtransaction is null then pg_xact_status(running) = 'in progress'
                          else writing.virtualtransaction is not null and coalesce(announced.is_ours, true) end))
           + (select added from audit_clock)
    from pg_current_snapshot() snapshot";

/// The place below which no further event will be added. Read the page in a later transaction.
pub(crate) fn horizon(transaction: &mut Transaction<'_>, org: Org) -> Result<i64> {
    if let Transaction::Sqlite(_) = transaction {
        return Ok(i64::MAX);
    }
    transaction
        .query_one(HORIZON, values![org], |row| row.integer(0))?
        .ok_or_else(|| Error::internal("the snapshot is missing"))
}
