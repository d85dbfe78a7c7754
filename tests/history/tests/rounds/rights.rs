//! What clients change and read: memberships of groups, role assignments, and memberships of projects.
//!
//! Each is a set of people, and a pair of the history is a set and a person: the groups come first. The person of some
//! sets is a user, and that of others is a team: a group whose only member is that user. A person is in a set if and
//! only if the user has the permission of the set, because only the set gives it.

use openai_admin::{
    Client, Error,
    models::{
        AccessCheck, CheckAccessBody, CreateGroupUserBody, InviteProjectGroupBody, ProjectUserCreateRequest,
        PublicAssignOrganizationGroupRoleBody,
    },
};
use openai_admin_history::Pair;

use crate::{clients::user_id, round::GROUPS};

/// A set of people.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Set {
    /// The users of a group, which has a role.
    GroupUsers(usize),
    /// The users with a role in the organization.
    UserRole,
    /// The teams with a role in the organization.
    TeamRole,
    /// The users of a project.
    ProjectUsers,
    /// The teams of a project, each with a role there.
    ProjectTeams,
    /// The users of a project who have another role there.
    ProjectUserRole,
    /// The teams of a project that have another role there.
    ProjectTeamRole,
}

/// The sets besides the groups.
const RIGHTS: [Set; 6] = [
    Set::UserRole,
    Set::TeamRole,
    Set::ProjectUsers,
    Set::ProjectTeams,
    Set::ProjectUserRole,
    Set::ProjectTeamRole,
];
/// The number of sets.
pub(crate) const SETS: usize = GROUPS + RIGHTS.len();

/// The permission that members of a project have.
const REQUEST_MODELS: &str = "api.model.request";

pub(crate) fn group_id(group: usize) -> String {
    format!("group_{group}")
}

/// The group whose only member is a user.
pub(crate) fn team_id(user: usize) -> String {
    format!("team_{user}")
}

impl Set {
    /// Every set with its number, which is the group of its pairs.
    pub(crate) fn all() -> impl Iterator<Item = (usize, Self)> {
        (0..SETS).map(|number| (number, Self::of(number)))
    }

    fn of(number: usize) -> Self {
        number.checked_sub(GROUPS).map_or(Self::GroupUsers(number), |right| RIGHTS[right])
    }

    /// The role that it gives. Being a user of a project gives the predefined role `member` there.
    pub(crate) fn role_id(self) -> Option<String> {
        match self {
            Self::GroupUsers(group) => Some(format!("role_group_{group}")),
            Self::ProjectUsers => None,
            set => Some(format!("role_{}", set.name())),
        }
    }

    /// The permission that only its people have.
    pub(crate) fn permission(self) -> String {
        match self {
            Self::GroupUsers(group) => format!("api.group_{group}"),
            Self::ProjectUsers => REQUEST_MODELS.to_owned(),
            set => format!("api.{}", set.name()),
        }
    }

    /// The project in which it gives the permission.
    pub(crate) fn project_id(self) -> Option<&'static str> {
        match self {
            Self::GroupUsers(_) | Self::UserRole | Self::TeamRole => None,
            Self::ProjectUsers => Some("proj_users"),
            Self::ProjectTeams => Some("proj_teams"),
            Self::ProjectUserRole | Self::ProjectTeamRole => Some("proj_roles"),
        }
    }

    /// Whether its people are teams.
    pub(crate) fn is_of_teams(self) -> bool {
        matches!(self, Self::TeamRole | Self::ProjectTeams | Self::ProjectTeamRole)
    }

    fn name(self) -> &'static str {
        match self {
            Self::GroupUsers(_) => "group_users",
            Self::UserRole => "user_role",
            Self::TeamRole => "team_role",
            Self::ProjectUsers => "project_users",
            Self::ProjectTeams => "project_teams",
            Self::ProjectUserRole => "project_user_role",
            Self::ProjectTeamRole => "project_team_role",
        }
    }

    /// The code of the error about a person who is not in the set.
    fn absent_code(self) -> &'static str {
        match self {
            Self::GroupUsers(_) => "not_a_member",
            Self::ProjectUsers | Self::ProjectTeams => "not_in_project",
            Self::UserRole | Self::TeamRole | Self::ProjectUserRole | Self::ProjectTeamRole => {
                "role_not_found"
            }
        }
    }

    /// The ids of the project and the role; empty if the set has none.
    fn ids(self) -> (&'static str, String) {
        (self.project_id().unwrap_or_default(), self.role_id().unwrap_or_default())
    }
}

/// Adds a person to a set. Returns whether the server added the person, or reported that the person was in the set.
pub(crate) async fn add(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let (set, user, team) = (Set::of(group), user_id(user), team_id(user));
    let (project, role) = set.ids();
    let assigned = || PublicAssignOrganizationGroupRoleBody::new(role.parse().unwrap());
    match set {
        Set::GroupUsers(group) => {
            let body = CreateGroupUserBody::new(user.parse().unwrap());
            client.group_users().add_group_user(group_id(group), body).await.map(|_| true)
        }
        Set::UserRole => client.user_roles().assign_user_role(user, assigned()).await.map(|_| true),
        Set::TeamRole => client.group_roles().assign_group_role(team, assigned()).await.map(|_| true),
        Set::ProjectUsers => {
            let mut body = ProjectUserCreateRequest::new("member".to_owned());
            body.user_id = Some(user.parse().unwrap());
            let added = client.project_users().create_project_user(project, body).await;
            unless(added.map(drop), "already_in_project")
        }
        Set::ProjectTeams => {
            let body = InviteProjectGroupBody::new(team.parse().unwrap(), role.parse().unwrap());
            let added = client.project_groups().add_project_group(project, body).await;
            unless(added.map(drop), "group_already_in_project")
        }
        Set::ProjectUserRole => {
            let roles = client.project_user_roles();
            roles.assign_project_user_role(project, user, assigned()).await.map(|_| true)
        }
        Set::ProjectTeamRole => {
            let roles = client.project_group_roles();
            roles.assign_project_group_role(project, team, assigned()).await.map(|_| true)
        }
    }
}

/// Removes a person from a set. Returns whether the person was in it.
pub(crate) async fn remove(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let (set, user, team) = (Set::of(group), user_id(user), team_id(user));
    let (project, role) = set.ids();
    let removed = match set {
        Set::GroupUsers(group) => {
            client.group_users().remove_group_user(group_id(group), user).await.map(drop)
        }
        Set::UserRole => client.user_roles().unassign_user_role(user, role).await.map(drop),
        Set::TeamRole => client.group_roles().unassign_group_role(team, role).await.map(drop),
        Set::ProjectUsers => client.project_users().delete_project_user(project, user).await.map(drop),
        Set::ProjectTeams => client.project_groups().remove_project_group(project, team).await.map(drop),
        Set::ProjectUserRole => {
            client.project_user_roles().unassign_project_user_role(project, user, role).await.map(drop)
        }
        Set::ProjectTeamRole => {
            client.project_group_roles().unassign_project_group_role(project, team, role).await.map(drop)
        }
    };
    unless(removed, set.absent_code())
}

/// Whether a person is in a set, from the operation that retrieves it.
pub(crate) async fn retrieve(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let (set, user, team) = (Set::of(group), user_id(user), team_id(user));
    let (project, role) = set.ids();
    let found = match set {
        Set::GroupUsers(group) => {
            client.group_users().retrieve_group_user(group_id(group), user).await.map(drop)
        }
        Set::UserRole => client.user_roles().retrieve_user_role(user, role).await.map(drop),
        Set::TeamRole => client.group_roles().retrieve_group_role(team, role).await.map(drop),
        Set::ProjectUsers => client.project_users().retrieve_project_user(project, user).await.map(drop),
        Set::ProjectTeams => client.project_groups().retrieve_project_group(project, team).await.map(drop),
        Set::ProjectUserRole => {
            client.project_user_roles().retrieve_project_user_role(project, user, role).await.map(drop)
        }
        Set::ProjectTeamRole => {
            client.project_group_roles().retrieve_project_group_role(project, team, role).await.map(drop)
        }
    };
    unless(found, set.absent_code())
}

/// Whether a person is in a set, from the permission that the set gives to the user.
pub(crate) async fn check(client: &Client, Pair { group, user }: Pair) -> Result<bool, Error> {
    let set = Set::of(group);
    let mut check = AccessCheck::new(user_id(user).parse().unwrap(), set.permission().parse().unwrap());
    check.project_id = set.project_id().map(|id| id.parse().unwrap());
    let checked = client.access().check_access(CheckAccessBody::new(vec![check])).await?;
    Ok(checked.data[0].allowed)
}

/// True, or false if the server answers with this code.
fn unless(result: Result<(), Error>, code: &str) -> Result<bool, Error> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(code) => Ok(false),
        Err(error) => Err(error),
    }
}
