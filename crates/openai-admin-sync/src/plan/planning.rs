//! Makes a plan from a desired state: reads the current state, resolves the users, compares, and applies the guard.

use std::collections::BTreeMap;

use jiff::Timestamp;
use openai_admin::GroupId;

use crate::{
    input::{max_remove::MaxRemove, policy::Policy},
    plan::{
        desired::Desired,
        diff,
        document::{PLAN_VERSION, Plan, UnknownPolicy},
        group_plan::GroupPlan,
        guard, invitations,
        resolve::{self, People},
        source::Source,
        suggest,
    },
    service::{
        current::{self, Snapshot},
        read_error::ReadError,
        reader::Reader,
    },
};

/// Options for making a plan.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// How to handle addresses and ids that match no user.
    pub unknown: UnknownPolicy,
    /// Whether removals are sent first.
    pub revoke_first: bool,
    /// The number of groups to read concurrently.
    pub concurrency: usize,
    /// The ids of groups by name, from the last applied run.
    pub known_groups: BTreeMap<String, GroupId>,
    /// The caller's policy.
    pub policy: Policy,
    /// The time of the plan.
    pub now: Timestamp,
}

impl PlanOptions {
    /// The default options, at this time.
    pub fn at(now: Timestamp) -> Self {
        Self {
            unknown: UnknownPolicy::Error,
            revoke_first: false,
            concurrency: current::CONCURRENCY,
            known_groups: BTreeMap::new(),
            policy: Policy::default(),
            now,
        }
    }
}

/// Reads the organization and plans the changes to the desired state. It writes nothing: the reader cannot.
///
/// # Errors
///
/// If the organization cannot be read, its lists are inconsistent, or the input is for another organization.
pub async fn plan(reader: &Reader, desired: &Desired, options: &PlanOptions) -> Result<Plan, ReadError> {
    let snapshot = current::read_groups(reader).await?;
    plan_from(reader, snapshot, desired, options).await
}

/// [`plan`] with a list of groups that was already read.
///
/// # Errors
///
/// See [`plan`].
pub async fn plan_from(
    reader: &Reader,
    mut snapshot: Snapshot,
    desired: &Desired,
    options: &PlanOptions,
) -> Result<Plan, ReadError> {
    current::check_organization(desired.organization.as_ref(), snapshot.organization.as_ref())?;
    let matches = diff::match_groups(desired, &snapshot, &options.known_groups);
    let indexes = diff::groups_to_read(desired, &matches);
    current::read_members(reader, &mut snapshot, &indexes, options.concurrency).await?;
    let mut people = People::of(&snapshot);
    resolve::find_people(reader, desired, &mut people).await?;
    // Checked again: responses since the first check may come from another organization.
    current::check_organization(desired.organization.as_ref(), reader.organization().as_ref())?;
    let mut groups = diff::diff(desired, &snapshot, &matches, &people);
    let invites = options.unknown == UnknownPolicy::Invite;
    if invites {
        invitations::mark_pending(reader, &mut groups).await?;
    }
    let users_max = if invites { suggest::COMPARED_BEFORE_INVITES_MAX } else { suggest::COMPARED_MAX };
    let compared = suggest::suggest(reader, &mut groups, &desired.names, users_max).await?;
    let mut plan = assemble(desired, &snapshot, groups, options);
    if invites {
        // After the guard: a blocked group invites no one.
        plan.rights.extend(invitations::invite(&mut plan.groups, &compared));
        plan = plan.sealed();
    }
    Ok(plan)
}

/// Assembles the plan and applies the guard.
pub fn assemble(
    desired: &Desired,
    snapshot: &Snapshot,
    groups: Vec<GroupPlan>,
    options: &PlanOptions,
) -> Plan {
    let mut plan = Plan {
        version: PLAN_VERSION,
        digest: String::new(),
        created_at: options.now.to_string(),
        organization: snapshot.organization.clone(),
        purpose: desired.purpose.clone(),
        revoke_first: options.revoke_first,
        unknown: options.unknown,
        max_remove: desired.max_remove.unwrap_or(MaxRemove::OF_ORGANIZATION),
        protect: desired.protect.clone(),
        sources: desired.sources.iter().map(Source::kept).collect(),
        groups,
        rights: desired.rights.clone(),
        kept: desired.kept.clone(),
        blocks: Vec::new(),
    };
    guard::apply_policy(&mut plan, &options.policy);
    plan.sealed()
}
