/// The first statement of a transaction on PostgreSQL: announces the organization that the transaction writes, see
/// `audit_order.rs`. The lock is shared and never taken exclusively, so this never waits.
pub(crate) fn announcement(org: i64) -> String {
    format!("select pg_advisory_xact_lock_shared('audit_events'::regclass::oid::int, hashint8({org}))")
}
