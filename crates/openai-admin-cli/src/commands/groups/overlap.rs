//! `openai-admin groups overlap`: the users who are in every one of some groups.

use std::collections::HashSet;

use openai_admin::{UserId, models::GroupUser};

use crate::{
    failure::{Doing as _, Failure, Result},
    lists::LONG_PAGE_SIZE,
    output::visible,
    resolve,
    session::Session,
};

pub(super) async fn run(session: &Session<'_>, groups: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    let mut common: Option<Vec<GroupUser>> = None;
    for (text, group) in groups.iter().zip(resolve::groups(&session.client, groups).await?) {
        let group = group?;
        if !seen.insert(group.id.clone()) {
            let message = format!("'{text}' names group '{}' ({}) again", group.name, group.id);
            return Err(Failure::usage(message).hint("name two different groups"));
        }
        let list = session.client.group_users().list_group_users(group.id).limit(LONG_PAGE_SIZE).items();
        let members =
            list.try_collect().await.doing(|| format!("list the users of group '{}'", group.name))?;
        common = Some(match common {
            None => members,
            Some(mut common) => {
                let members: HashSet<UserId> = members.into_iter().map(|member| member.id).collect();
                common.retain(|user| members.contains(&user.id));
                common
            }
        });
    }
    let names: Vec<String> = groups.iter().map(|text| format!("'{}'", visible(text))).collect();
    let none = format!("no user is in all of {}", names.join(", "));
    session.output.items(&common.unwrap_or_default(), &none)
}
