//! Plans that remove users from every group and end their rights.

use std::collections::{HashMap, HashSet};

use futures_util::stream::{self, StreamExt as _};
use openai_admin::{GroupId, UserId, models::GroupResponse};

use crate::{
    input::{file::Mode, member::UserRef},
    plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers},
        document::{Plan, Purpose},
        holdings::Holdings,
        planning::{self, PlanOptions},
        source::Origin,
    },
    service::{read_error::ReadError, reader::Reader},
};

/// The desired state without these users in any group. It includes groups that are managed elsewhere, so that they are
/// reported. Without users it is empty.
///
/// # Errors
///
/// If the groups cannot be read.
pub async fn desired_without(
    reader: &Reader,
    users: Vec<UserId>,
    concurrency: usize,
) -> Result<Desired, ReadError> {
    let groups = groups_of_all(reader, &users, concurrency).await?;
    let desired_groups = groups.into_iter().map(|(group, leavers)| DesiredGroup {
        id: Some(group.id),
        members: Some(DesiredMembers {
            mode: Mode::AddOnly,
            absent: leavers.into_iter().map(leaver).collect(),
            ..DesiredMembers::default()
        }),
        ..DesiredGroup::existing(group.name)
    });
    let groups = desired_groups.collect();
    let mut users = users.into_iter();
    let Some(user_id) = users.next() else { return Ok(Desired::default()) };
    let purpose = Purpose::Offboard { user_id, others: users.collect() };
    Ok(Desired { groups, purpose, ..Desired::default() })
}

fn leaver(user_id: UserId) -> DesiredMember {
    let origin = Origin { reason: Some("offboarding".to_owned()), ..Origin::default() };
    DesiredMember { who: UserRef::Id(user_id), origin }
}

/// Plans the removal of users from every group and the end of what they hold. Removals are sent first.
///
/// # Errors
///
/// If the groups cannot be read.
pub async fn plan_offboarding(
    reader: &Reader,
    users: Vec<UserId>,
    holdings: Holdings,
    options: &PlanOptions,
) -> Result<Plan, ReadError> {
    let mut desired = desired_without(reader, users, options.concurrency).await?;
    (desired.rights, desired.kept) = (holdings.ends, holdings.kept);
    let options = PlanOptions { revoke_first: true, ..options.clone() };
    planning::plan(reader, &desired, &options).await
}

/// Groups with the users to remove from them.
type GroupsOfUsers = Vec<(GroupResponse, Vec<UserId>)>;

/// The groups of these users. This project's server has an operation for that. The published API does not: every group
/// is queried for one user, and the members of every group are listed for several.
async fn groups_of_all(
    reader: &Reader,
    users: &[UserId],
    concurrency: usize,
) -> Result<GroupsOfUsers, ReadError> {
    let mut groups = GroupsOfUsers::new();
    let mut indexes: HashMap<GroupId, usize> = HashMap::new();
    for user_id in users {
        let of_user = match reader.list_user_groups(user_id).await? {
            Some(of_user) => of_user,
            None if users.len() == 1 => groups_of(reader, user_id, concurrency).await?,
            None => return groups_with(reader, users, concurrency).await,
        };
        for group in of_user {
            let index = *indexes.entry(group.id.clone()).or_insert(groups.len());
            if index == groups.len() {
                groups.push((group, Vec::new()));
            }
            groups[index].1.push(user_id.clone());
        }
    }
    Ok(groups)
}

/// The groups of a user, by a request for each group.
async fn groups_of(
    reader: &Reader,
    user_id: &UserId,
    concurrency: usize,
) -> Result<Vec<GroupResponse>, ReadError> {
    let lookups = reader.list_groups().await?.into_iter().map(|group| async move {
        let found = reader.find_group_user(group.id.clone(), user_id.clone()).await;
        found.map(|found| found.map(|_| group))
    });
    let mut lookups = stream::iter(lookups).buffered(concurrency.max(1));
    let mut groups = Vec::new();
    while let Some(found) = lookups.next().await {
        groups.extend(found?);
    }
    Ok(groups)
}

/// The groups with at least one of the users, by the lists of their members.
async fn groups_with(
    reader: &Reader,
    users: &[UserId],
    concurrency: usize,
) -> Result<GroupsOfUsers, ReadError> {
    let users: HashSet<&UserId> = users.iter().collect();
    let lists = reader.list_groups().await?.into_iter().map(|group| async move {
        let members = reader.list_group_users(group.id.clone()).await;
        members.map(|members| (group, members))
    });
    let mut lists = stream::iter(lists).buffered(concurrency.max(1));
    let mut groups = GroupsOfUsers::new();
    while let Some(list) = lists.next().await {
        let (group, members) = list?;
        let leavers: Vec<UserId> =
            members.into_iter().map(|member| member.id).filter(|id| users.contains(id)).collect();
        if !leavers.is_empty() {
            groups.push((group, leavers));
        }
    }
    Ok(groups)
}
