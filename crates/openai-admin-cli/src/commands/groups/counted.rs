//! `openai-admin groups list --members`: groups with the number of their members.

use openai_admin::{ListItem, models::GroupResponse};
use serde::Serialize;
use serde_json::Value;

use super::PAGE_SIZE;
use crate::{
    failure::{Doing as _, Result},
    lists::ListPart,
    output::{Layout, Record},
    progress,
    session::Session,
};

/// A group and the number of its members.
#[derive(Debug, Serialize)]
struct CountedGroup {
    #[serde(flatten)]
    group: GroupResponse,
    /// The members, up to a page of them.
    member_count: usize,
    /// Whether there are more.
    has_more_members: bool,
}

impl Record for CountedGroup {
    const FIELDS: &'static [&'static str] =
        &["id", "name", "created_at", "is_scim_managed", "group_type", "member_count", "has_more_members"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("NAME", "name"), ("MEMBERS", "shown_count"), ("ID", "id"), ("CREATED (UTC)", "created_at")];

    fn fields(&self) -> serde_json::Result<Value> {
        let mut fields = serde_json::to_value(self)?;
        let count = if self.has_more_members { "1,000+".to_owned() } else { self.member_count.to_string() };
        fields["shown_count"] = Value::String(count);
        Ok(fields)
    }
}

impl ListItem for CountedGroup {
    const LIST_SCHEMA: &'static str = GroupResponse::LIST_SCHEMA;

    fn id(&self) -> &str {
        self.group.id.as_str()
    }
}

/// Prints the groups with their number of members. Sends one request for each group.
pub(super) async fn print(session: &Session<'_>, part: ListPart<GroupResponse>, none: &str) -> Result<()> {
    let ListPart { items, after, is_truncated } = part;
    let counted = progress::run_concurrently(session.output, items, |group| counted(session, group)).await;
    let items = counted.doing(|| "count the members".to_owned())?;
    ListPart { items, after, is_truncated }.print(&Layout::of_record(), none, session.output)
}

async fn counted(session: &Session<'_>, group: GroupResponse) -> Result<CountedGroup, openai_admin::Error> {
    let page = session.client.group_users().list_group_users(group.id.clone()).limit(PAGE_SIZE).await?;
    Ok(CountedGroup { group, member_count: page.data.len(), has_more_members: page.has_more })
}
