//! Members of groups: add pasted addresses, remove selected members or all that match. Each becomes a plan.

use axum::extract::Path;
use openai_admin::{Client, Error, GroupId, UserId};
use openai_admin_sync::import::ImportMode;

use crate::{
    base::{failure::Failure, lists, numbers::with_commas, page::Answer},
    nouns::{groups, runs},
    plans::Noted,
    visit::ChangeForm,
};

/// Members that one request reads.
const READ_MAX: i64 = 1000;
/// Members that one plan removes at most.
const MEMBERS_MAX: usize = 200_000;
/// Groups that one plan changes at most.
const GROUPS_MAX: usize = 500;

pub(crate) async fn plan(Path(id): Path<String>, form: ChangeForm) -> Answer {
    let ChangeForm { visit, fields } = form;
    let group = visit.client.groups().retrieve_group(id).await?.into_inner();
    let planner = runs::planner(&visit)?;
    let planned = match fields.get("action") {
        "add" if fields.get("addresses").is_empty() => {
            return Err(Failure::invalid("paste at least one email address"));
        }
        "add" => {
            let groups = [(group.id, group.name)];
            planner.plan_addresses(&groups, fields.raw("addresses"), ImportMode::Add).await
        }
        "remove_matching" => {
            let search = fields.get("q");
            let users = matching(&visit.client, &group.id, search).await?;
            let what =
                if search.is_empty() { String::new() } else { format!(" that start with \"{search}\"") };
            let note = format!("selected: all {} members{what}", with_commas(users.len() as u64));
            let plan = planner.plan_removals(&group, users).await;
            plan.map(|plan| Noted { plan, notes: vec![note] })
        }
        _ => {
            let users: Result<Vec<UserId>, _> = fields.values("user").map(UserId::try_from).collect();
            let users = users.map_err(Error::from)?;
            if users.is_empty() {
                return Err(Failure::invalid("select at least one member"));
            }
            planner.plan_removals(&group, users).await.map(Noted::from)
        }
    };
    runs::keep(&visit, planned)
}

/// All members that a search finds, or all members.
async fn matching(client: &Client, group: &GroupId, search: &str) -> Result<Vec<UserId>, Failure> {
    let (mut users, mut after) = (Vec::new(), String::new());
    loop {
        let (page, next) = if search.is_empty() {
            lists::read(client.group_users().list_group_users(group).limit(READ_MAX), &after).await?
        } else {
            lists::read(client.search().search_group_users(group, search).limit(READ_MAX), &after).await?
        };
        users.extend(page.data.into_iter().map(|user| user.id));
        if users.len() > MEMBERS_MAX {
            let message = format!("more than {MEMBERS_MAX} members match");
            return Err(Failure::invalid(message).hint("Nothing was changed. Use the command line."));
        }
        match next {
            Some(next) => after = next,
            None if users.is_empty() => return Err(Failure::invalid("no member matches")),
            None => return Ok(users),
        }
    }
}

/// Plans to add the pasted addresses to several groups, or to remove them: to the selected ones or to all that a search
/// finds.
pub(crate) async fn plan_of_groups(form: ChangeForm) -> Answer {
    let ChangeForm { visit, fields } = form;
    if fields.get("addresses").is_empty() {
        return Err(Failure::invalid("paste at least one email address"));
    }
    let mode = match fields.get("action") {
        "remove" => ImportMode::Remove,
        _ => ImportMode::Add,
    };
    let (chosen, note) = match fields.get("scope") {
        "matching" => {
            let search = fields.get("q");
            let found = groups::all_starting_with(&visit.client, search, GROUPS_MAX).await?;
            let note = format!("selected: all {} groups that start with \"{search}\"", found.len());
            (found, note)
        }
        _ => {
            let mut chosen = Vec::new();
            for id in fields.values("group").take(GROUPS_MAX) {
                let group = visit.client.groups().retrieve_group(id.to_owned()).await?.into_inner();
                chosen.push((group.id, group.name));
            }
            let noun = if chosen.len() == 1 { "group" } else { "groups" };
            let note = format!("selected: {} {noun}", chosen.len());
            (chosen, note)
        }
    };
    if chosen.is_empty() {
        return Err(Failure::invalid("select at least one group"));
    }
    let planned = runs::planner(&visit)?.plan_addresses(&chosen, fields.raw("addresses"), mode).await;
    let planned = planned.map(|mut noted| {
        noted.notes.push(note);
        noted
    });
    runs::keep(&visit, planned)
}
