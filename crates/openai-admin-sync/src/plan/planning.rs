//! From what should be to a plan: reads what is, finds who is meant, compares, and guards.

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
        guard,
        resolve::{self, People},
        source::Source,
    },
    service::{
        current::{self, Snapshot},
        read_error::ReadError,
        reader::Reader,
    },
};

/// How a plan is made.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// What happens to users whom nobody knows.
    pub unknown: UnknownPolicy,
    /// Removals go first.
    pub revoke_first: bool,
    /// How many groups are read at once.
    pub concurrency: usize,
    /// The ids that names of groups had in the last applied run.
    pub known_groups: BTreeMap<String, GroupId>,
    /// What the caller's side allows.
    pub policy: Policy,
    /// When it is made.
    pub now: Timestamp,
}

impl PlanOptions {
    /// The usual way, at this time.
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

/// Reads the organization and plans what would make it as desired. Writes nothing: the reader cannot.
///
/// # Errors
///
/// When the organization cannot be read, contradicts itself, or is another one than the input is for.
pub async fn plan(reader: &Reader, desired: &Desired, options: &PlanOptions) -> Result<Plan, ReadError> {
    let snapshot = current::read_groups(reader).await?;
    plan_from(reader, snapshot, desired, options).await
}

/// The same, after the list of groups has been read.
///
/// # Errors
///
/// As [`plan`].
pub async fn plan_from(
    reader: &Reader,
    mut snapshot: Snapshot,
    desired: &Desired,
    options: &PlanOptions,
) -> Result<Plan, ReadError> {
    current::check_organization(desired.organization.as_ref(), snapshot.organization.as_ref())?;
    let matches = diff::match_groups(desired, &snapshot, &options.known_groups);
    let places = diff::places_to_read(desired, &matches);
    current::read_members(reader, &mut snapshot, &places, options.concurrency).await?;
    let mut people = People::of(&snapshot);
    resolve::find_people(reader, desired, &mut people).await?;
    // Another organization may have answered meanwhile: then it is not known which one.
    current::check_organization(desired.organization.as_ref(), reader.organization().as_ref())?;
    let groups = diff::diff(desired, &snapshot, &matches, &people);
    Ok(assemble(desired, &snapshot, groups, options))
}

/// Puts the plan together, and guards it.
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
        blocks: Vec::new(),
    };
    guard::judge(&mut plan, &options.policy);
    plan.sealed()
}
