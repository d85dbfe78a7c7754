//! The current state: the groups of an organization, and the members of the groups that a plan manages.

use std::collections::HashSet;

use futures_util::stream::{self, StreamExt as _};
use openai_admin::{
    Error, ErrorKind, GroupId, GroupType, OrganizationId,
    models::{GroupResponse, GroupUser},
};

pub use crate::service::read_error::ReadError;
use crate::{
    input::input_error::{InputError, InputErrors},
    service::reader::Reader,
};

/// The default number of groups to read concurrently.
pub const CONCURRENCY: usize = 16;

/// The state that was read from an organization.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The organization, as the service reports it.
    pub organization: Option<OrganizationId>,
    /// The groups.
    pub groups: Vec<CurrentGroup>,
}

/// The current state of a group.
#[derive(Debug)]
pub struct CurrentGroup {
    /// The id.
    pub id: GroupId,
    /// The name.
    pub name: String,
    /// Whether an identity provider manages the group.
    pub is_scim_managed: bool,
    /// Whether the group is shared by a tenant.
    pub is_tenant_group: bool,
    /// The members.
    pub members: Members,
}

/// The members of a group, if they were read.
#[derive(Debug)]
pub enum Members {
    /// The members were not read.
    NotRead,
    /// All members.
    Read(Vec<GroupUser>),
    /// The members could not be read, with the error.
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
    /// The members; empty if they were not read.
    pub fn members(&self) -> &[GroupUser] {
        match &self.members {
            Members::Read(users) => users,
            Members::NotRead | Members::Unreadable(_) => &[],
        }
    }

    /// Whether the group cannot be changed through the API.
    pub fn is_managed_elsewhere(&self) -> bool {
        self.is_scim_managed || self.is_tenant_group
    }
}

/// Reads the list of groups.
///
/// # Errors
///
/// If it cannot be read completely. An incomplete list would make groups seem missing.
pub async fn read_groups(reader: &Reader) -> Result<Snapshot, ReadError> {
    let groups = reader.list_groups().await?;
    let mut ids = HashSet::new();
    if let Some(twice) = groups.iter().find(|group| !ids.insert(group.id.clone())) {
        let message =
            format!("the list of groups contains {} twice: it changed while it was being read", twice.id);
        return Err(ReadError::Integrity(message));
    }
    Ok(Snapshot {
        organization: reader.organization(),
        groups: groups.into_iter().map(CurrentGroup::from).collect(),
    })
}

/// Reads the members of groups, given by their snapshot indexes, concurrently.
///
/// # Errors
///
/// If a list is inconsistent or the key is refused. After any other error, the group is marked as unreadable.
pub async fn read_members(
    reader: &Reader,
    snapshot: &mut Snapshot,
    indexes: &[usize],
    concurrency: usize,
) -> Result<(), ReadError> {
    let wanted: Vec<(usize, GroupId)> =
        indexes.iter().map(|index| (*index, snapshot.groups[*index].id.clone())).collect();
    let reading =
        wanted.into_iter().map(|(index, id)| async move { (index, reader.list_group_users(id).await) });
    let mut reading = stream::iter(reading).buffer_unordered(concurrency.max(1));
    while let Some((index, users)) = reading.next().await {
        let group = &mut snapshot.groups[index];
        group.members = match users {
            Ok(users) => {
                let mut ids = HashSet::with_capacity(users.len());
                if users.iter().any(|user| !ids.insert(user.id.as_str())) {
                    let message = format!(
                        "the list of users of group '{}' contains a user twice: it changed while it was being read",
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

/// Whether all further requests would fail as well, or responses cannot be trusted.
fn stops_all(error: &Error) -> bool {
    error.kind() == ErrorKind::UnreadableAnswer
        || error.is_unauthorized()
        || (error.is_permission_denied() && error.code().is_none())
        || error.is_rate_limited()
}

/// Checks that the organization is the one that the input is for.
///
/// # Errors
///
/// An error with both organizations.
pub fn check_organization(
    wanted: Option<&OrganizationId>,
    found: Option<&OrganizationId>,
) -> Result<(), InputErrors> {
    let error = |message: String, hint: &str| {
        InputErrors::one(InputError { position: None, message, hint: Some(hint.to_owned()) })
    };
    match (wanted, found) {
        (Some(wanted), Some(found)) if wanted != found => Err(error(
            format!("the input is for organization {wanted}, but the key belongs to {found}"),
            "use a key of that organization, or a file for this one; nothing has been changed",
        )),
        (Some(wanted), None) => Err(error(
            format!(
                "the input is for organization {wanted}, but the service does not report its organization"
            ),
            "if you are sure that the key belongs to it, remove `organization:` from the file",
        )),
        _ => Ok(()),
    }
}
