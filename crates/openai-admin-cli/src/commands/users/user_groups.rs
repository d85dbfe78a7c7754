//! `openai-admin users groups`: the groups of a user, even if the service has no such operation.

use openai_admin::{UserId, client::ListCall, models::GroupResponse, operations::groups::ListGroups};

use crate::{
    arguments::{ListArguments, OrderedListArguments},
    failure::{Doing as _, Result},
    lists::{LONG_PAGE_SIZE, ListPart, items_max, read_list},
    output::{Layout, count, visible},
    progress,
    resolve::{self, or_missing_user},
    session::Session,
};

pub(super) async fn list(session: &Session<'_>, text: &str, arguments: &OrderedListArguments) -> Result<()> {
    let Session { client, output, .. } = session;
    let part = &arguments.list;
    let user_id = resolve::user(client, text).await?.id;
    let mut call = client.users().list_user_groups(user_id.clone());
    if let Some(order) = arguments.order {
        call = call.order(order.into());
    }
    let groups = match read_list(call, part, LONG_PAGE_SIZE).await {
        // The published API cannot list the groups of a user.
        Err(error) if error.is_unknown_url() => {
            let mut call = client.groups().list_groups();
            if let Some(order) = arguments.order {
                call = call.order(order.into());
            }
            or_missing_user(client, text, client.users().retrieve_user(user_id.clone()).await, "find")
                .await?;
            check_every_group(session, call, user_id, part).await
        }
        Err(error) if error.is_not_found() => return Err(resolve::missing_user(client, text).await),
        groups => groups.map_err(Into::into),
    };
    let groups = groups.doing(|| format!("list the groups of user '{text}'"))?;
    groups.print(&Layout::of_record(), &format!("'{}' is in no group", visible(text)), output)
}

/// Checks every group for the user, and returns those with a match.
async fn check_every_group(
    session: &Session<'_>,
    call: ListCall<'_, ListGroups>,
    user_id: UserId,
    part: &ListArguments,
) -> Result<ListPart<GroupResponse>> {
    let everything = ListArguments { limit: None, ..part.clone() };
    let groups = read_list(call, &everything, LONG_PAGE_SIZE).await?.items;
    session.output.note(&format!(
        "checking {}: this service cannot list the groups of a user",
        count(groups.len(), "group")
    ));
    let found = progress::run_concurrently(session.output, groups, |group| {
        let (client, user_id) = (&session.client, user_id.clone());
        async move {
            match client.group_users().retrieve_group_user(group.id.clone(), user_id).await {
                Ok(_) => Ok(Some(group)),
                Err(error) if error.is_not_found() && !error.is_unknown_url() => Ok(None),
                Err(error) => Err(error),
            }
        }
    });
    let mut items: Vec<GroupResponse> = found.await?.into_iter().flatten().collect();
    let is_truncated = items.len() > items_max(part);
    items.truncate(items_max(part));
    Ok(ListPart { items, after: part.after.clone(), is_truncated })
}
