//! What is: the groups of an organization, and who is in those that a plan manages.

use std::collections::HashSet;

use futures_util::stream::{self, StreamExt as _};
use openai_admin::{
    Error, ErrorKind, GroupId, GroupType, OrganizationId,
    models::{GroupResponse, GroupUser},
};

pub use crate::service::read_error::ReadError;
use crate::{
    input::fault::{Fault, Faults},
    service::reader::Reader,
};

/// How many groups are read at once, unless somebody says otherwise.
pub const CONCURRENCY: usize = 16;

/// What was read of an organization.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Which organization, as its answers name it.
    pub organization: Option<OrganizationId>,
    /// Its groups.
    pub groups: Vec<CurrentGroup>,
}

/// A group, as it was read.
#[derive(Debug)]
pub struct CurrentGroup {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Whether an identity provider manages it.
    pub is_scim_managed: bool,
    /// Whether a tenant shares it.
    pub is_tenant_group: bool,
    /// Who is in it.
    pub members: Members,
}

/// Who is in a group, as far as it is known.
#[derive(Debug)]
pub enum Members {
    /// Nobody has asked.
    NotRead,
    /// These, and nobody else.
    Read(Vec<GroupUser>),
    /// It could not be read, for this reason.
    Unreadable(String),
}

impl From<GroupResponse> for CurrentGroup {
    fn from(group: GroupResponse) -> Self {
        Self {
            is_tenant_group: group.group_type == GroupType::TenantGroup,
            id: group.id,
            name: group.name,
            is_scim_managed: group.is_scim_managed,
            members: Members::NotRead,
        }
    }
}

impl CurrentGroup {
    /// Its members, if they were read.
    pub fn members(&self) -> &[GroupUser] {
        match &self.members {
            Members::Read(users) => users,
            Members::NotRead | Members::Unreadable(_) => &[],
        }
    }

    /// Whether the API lets nobody change it.
    pub fn is_managed_elsewhere(&self) -> bool {
        self.is_scim_managed || self.is_tenant_group
    }
}

/// Reads the list of groups.
///
/// # Errors
///
/// When it cannot be read whole: a part of it would make groups seem missing.
pub async fn read_groups(reader: &Reader) -> Result<Snapshot, ReadError> {
    let groups = reader.list_groups().await?;
    let mut ids = HashSet::new();
    if let Some(twice) = groups.iter().find(|group| !ids.insert(group.id.clone())) {
        let message = format!("the list of groups names {} twice: it changed while it was read", twice.id);
        return Err(ReadError::Integrity(message));
    }
    Ok(Snapshot {
        organization: reader.organization(),
        groups: groups.into_iter().map(CurrentGroup::from).collect(),
    })
}

/// Reads who is in some of the groups, by their places in the snapshot, several at once.
///
/// # Errors
///
/// When a list contradicts itself, or the key is refused. A group that cannot be read otherwise is marked.
pub async fn read_members(
    reader: &Reader,
    snapshot: &mut Snapshot,
    places: &[usize],
    concurrency: usize,
) -> Result<(), ReadError> {
    let wanted: Vec<(usize, GroupId)> =
        places.iter().map(|place| (*place, snapshot.groups[*place].id.clone())).collect();
    let reading =
        wanted.into_iter().map(|(place, id)| async move { (place, reader.list_group_users(id).await) });
    let mut reading = stream::iter(reading).buffer_unordered(concurrency.max(1));
    while let Some((place, users)) = reading.next().await {
        let group = &mut snapshot.groups[place];
        group.members = match users {
            Ok(users) => {
                let mut ids = HashSet::with_capacity(users.len());
                if users.iter().any(|user| !ids.insert(user.id.as_str())) {
                    let message = format!(
                        "the list of the users of group '{}' names somebody twice: it changed while it was read",
                        group.name
                    );
                    return Err(ReadError::Integrity(message));
                }
                drop(ids);
                Members::Read(users)
            }
            Err(ReadError::Api(error)) if !stops_all(&error) => Members::Unreadable(error.to_string()),
            Err(error) => return Err(error),
        };
    }
    Ok(())
}

/// Whether every other request would meet the same failure, or none of the answers can be relied on.
fn stops_all(error: &Error) -> bool {
    error.kind() == ErrorKind::UnreadableAnswer
        || error.is_unauthorized()
        || (error.is_permission_denied() && error.code().is_none())
        || error.is_rate_limited()
}

/// Refuses another organization than the one that the input is for.
///
/// # Errors
///
/// Names both.
pub fn check_organization(
    wanted: Option<&OrganizationId>,
    found: Option<&OrganizationId>,
) -> Result<(), Faults> {
    let fault = |message: String, hint: &str| {
        Faults::one(Fault { place: None, message, hint: Some(hint.to_owned()) })
    };
    match (wanted, found) {
        (Some(wanted), Some(found)) if wanted != found => Err(fault(
            format!("the input is for organization {wanted}, and the key is one of {found}"),
            "use the key of that organization, or the file of this one; nothing has been changed",
        )),
        (Some(wanted), None) => Err(fault(
            format!("the input is for organization {wanted}, and the service does not say which one it is"),
            "leave `organization:` out of the file if you are sure which one the key is for",
        )),
        _ => Ok(()),
    }
}
