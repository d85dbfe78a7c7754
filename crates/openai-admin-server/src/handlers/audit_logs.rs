use openai_admin::{models::ListAuditLogsResponse, operations::ListAuditLogs};
use openai_admin_store::Result;

use super::Context;

pub(crate) async fn list(context: Context, request: ListAuditLogs) -> Result<ListAuditLogsResponse> {
    context.store.list_audit_logs(context.org(), request).await
}
