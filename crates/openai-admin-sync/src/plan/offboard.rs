//! Somebody leaves: out of every group, as a plan that is shown, applied with a receipt, and can be undone.

use futures_util::stream::{self, StreamExt as _};
use openai_admin::{UserId, models::GroupResponse};

use crate::{
    input::{file::Mode, member::Who},
    plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers},
        document::{Plan, Purpose},
        planning::{self, PlanOptions},
        source::Origin,
    },
    service::{read_error::ReadError, reader::Reader},
};

/// What is wished for when somebody leaves: that they are in none of the groups that they are in. Groups that are
/// managed elsewhere are in the plan too, so that they are reported.
///
/// # Errors
///
/// When the groups cannot be read.
pub async fn desired_without(
    reader: &Reader,
    user_id: &UserId,
    concurrency: usize,
) -> Result<Desired, ReadError> {
    let groups = groups_of(reader, user_id, concurrency).await?;
    let wished = groups.into_iter().map(|group| DesiredGroup {
        id: Some(group.id),
        members: Some(DesiredMembers {
            mode: Mode::AddOnly,
            absent: vec![DesiredMember {
                who: Who::Id(user_id.clone()),
                origin: Origin { reason: Some("offboarding".to_owned()), ..Origin::default() },
            }],
            ..DesiredMembers::default()
        }),
        ..DesiredGroup::existing(group.name)
    });
    let purpose = Purpose::Offboard { user_id: user_id.clone() };
    Ok(Desired { groups: wished.collect(), purpose, ..Desired::default() })
}

/// Plans the removal of a user from every group. Removals go first.
///
/// # Errors
///
/// When the groups cannot be read.
pub async fn plan_offboarding(
    reader: &Reader,
    user_id: &UserId,
    options: &PlanOptions,
) -> Result<Plan, ReadError> {
    let desired = desired_without(reader, user_id, options.concurrency).await?;
    let options = PlanOptions { revoke_first: true, ..options.clone() };
    planning::plan(reader, &desired, &options).await
}

/// The groups that a user is in. Our own server answers at once; the published API has no such operation, so every
/// group is asked.
async fn groups_of(
    reader: &Reader,
    user_id: &UserId,
    concurrency: usize,
) -> Result<Vec<GroupResponse>, ReadError> {
    if let Some(groups) = reader.list_user_groups(user_id).await? {
        return Ok(groups);
    }
    let asking = reader.list_groups().await?.into_iter().map(|group| async move {
        let found = reader.find_group_user(group.id.clone(), user_id.clone()).await;
        found.map(|found| found.map(|_| group))
    });
    let mut asking = stream::iter(asking).buffered(concurrency.max(1));
    let mut groups = Vec::new();
    while let Some(found) = asking.next().await {
        groups.extend(found?);
    }
    Ok(groups)
}
