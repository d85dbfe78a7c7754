//! `openai-admin audit-logs`: what was done in the organization, when and by whom.

use openai_admin::{Limit, Timestamp, models::TimeRange};
use openai_admin_server::Minter;

use super::{Session, print_list};
use crate::{
    arguments::{AuditLogsCommand, ListAuditLogsArguments, Since},
    failure::Result,
};

/// The largest page of events.
const PAGE_SIZE: u16 = Limit::<1, 100, 20>::MAX.get();

pub(super) async fn run(command: AuditLogsCommand, session: &Session<'_>) -> Result<()> {
    match command {
        AuditLogsCommand::List(arguments) => list(session, arguments).await,
    }
}

async fn list(session: &Session<'_>, arguments: ListAuditLogsArguments) -> Result<()> {
    let ListAuditLogsArguments { since, types, actors, resources, list: part } = arguments;
    let is_filtered = since.is_some() || !types.is_empty() || !actors.is_empty() || !resources.is_empty();
    let mut effective_at = TimeRange::default();
    effective_at.gte = since.map(|since| match since {
        Since::Moment(moment) => moment,
        Since::SecondsAgo(seconds) => {
            Timestamp::from_unix_seconds(Minter::system().now().unix_seconds().saturating_sub(seconds))
        }
    });
    let call = session.client.audit_logs().list_audit_logs().effective_at(effective_at);
    let call = call.event_types(types).actor_ids(actors).resource_ids(resources);
    let none = if is_filtered { "nothing like that was done" } else { "nothing was done yet" };
    let doing = || "list the audit log".to_owned();
    print_list(call, &part, PAGE_SIZE, none, doing, session.output).await
}
