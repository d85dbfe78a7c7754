/// What a transaction of ours runs first on PostgreSQL, to announce the organization that it writes: see
/// `audit_order.rs`. The lock is shared and never taken alone, so it waits for nothing.
pub(crate) fn announcement(org: i64) -> String {
    format!("select pg_advisory_xact_lock_shared('audit_events'::regclass::oid::int, hashint8({org}))")
}
