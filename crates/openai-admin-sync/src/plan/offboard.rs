//! Plans that remove a user from every group.

use futures_util::stream::{self, StreamExt as _};
use openai_admin::{UserId, models::GroupResponse};

use crate::{
    input::{file::Mode, member::UserRef},
    plan::{
        desired::{Desired, DesiredGroup, DesiredMember, DesiredMembers},
        document::{Plan, Purpose},
        planning::{self, PlanOptions},
        source::Origin,
    },
    service::{read_error::ReadError, reader::Reader},
};

/// The desired state without a user in any group. It includes groups that are managed elsewhere, so that they are
/// reported.
///
/// # Errors
///
/// If the groups cannot be read.
pub async fn desired_without(
    reader: &Reader,
    user_id: &UserId,
    concurrency: usize,
) -> Result<Desired, ReadError> {
    let groups = groups_of(reader, user_id, concurrency).await?;
    let desired_groups = groups.into_iter().map(|group| DesiredGroup {
        id: Some(group.id),
        members: Some(DesiredMembers {
            mode: Mode::AddOnly,
            absent: vec![DesiredMember {
                who: UserRef::Id(user_id.clone()),
                origin: Origin { reason: Some("offboarding".to_owned()), ..Origin::default() },
            }],
            ..DesiredMembers::default()
        }),
        ..DesiredGroup::existing(group.name)
    });
    let purpose = Purpose::Offboard { user_id: user_id.clone() };
    Ok(Desired { groups: desired_groups.collect(), purpose, ..Desired::default() })
}

/// Plans the removal of a user from every group. Removals are sent first.
///
/// # Errors
///
/// If the groups cannot be read.
pub async fn plan_offboarding(
    reader: &Reader,
    user_id: &UserId,
    options: &PlanOptions,
) -> Result<Plan, ReadError> {
    let desired = desired_without(reader, user_id, options.concurrency).await?;
    let options = PlanOptions { revoke_first: true, ..options.clone() };
    planning::plan(reader, &desired, &options).await
}

/// The groups of a user. This project's server has an operation for that; the published API does not, so every group is
/// queried.
async fn groups_of(
    reader: &Reader,
    user_id: &UserId,
    concurrency: usize,
) -> Result<Vec<GroupResponse>, ReadError> {
    if let Some(groups) = reader.list_user_groups(user_id).await? {
        return Ok(groups);
    }
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
