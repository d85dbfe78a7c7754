//! Groups with access to a project: `/organization/projects/{project_id}/groups`.

use super::record::record;
use crate::{
    Cursor, GroupId, GroupType, Limit, ListItem, NextPage, Order, ProjectId, RoleId, Timestamp,
    deleted::deleted, endpoint::endpoint, page::list_endpoint,
};

const TAG: &str = "Project groups";

record! {
    /// Lists the groups with access to a project.
    ListProjectGroups {
        /// The ID of the project to inspect.
        project_id: ProjectId,
    }
    query {
        /// How many groups to return.
        limit: Limit<0, 100, 20>,
        /// Return groups after this one: the `next` of the previous page, or the ID of its last group.
        after: Cursor,
        /// The order of the groups; `asc` by default.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "asc")))]
        order: Order,
    }
}

endpoint!(ListProjectGroups, "list-project-groups", GET "/organization/projects/{project_id}/groups", MANAGEMENT_READ -> ProjectGroupListResource);

list_endpoint!(ListProjectGroups, ordered);

record! {
    /// Grants a group access to a project.
    AddProjectGroup {
        /// The ID of the project to update.
        project_id: ProjectId,
        /// The group to add, and its role.
        body: InviteProjectGroupBody,
    }
}

endpoint!(AddProjectGroup, "add-project-group", POST ListProjectGroups::PATH, MANAGEMENT_WRITE -> ProjectGroup);

record! {
    /// Retrieves a project's group.
    RetrieveProjectGroup {
        /// The ID of the project to inspect.
        project_id: ProjectId,
        /// The ID of the group to retrieve.
        group_id: GroupId,
    }
    query {
        /// The type of group to retrieve; `group` by default.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "group")))]
        group_type: GroupType,
    }
}

endpoint!(RetrieveProjectGroup, "retrieve-project-group", GET "/organization/projects/{project_id}/groups/{group_id}", MANAGEMENT_READ -> ProjectGroup);

record! {
    /// Revokes a group's access to a project.
    RemoveProjectGroup {
        /// The ID of the project to update.
        project_id: ProjectId,
        /// The ID of the group to remove from the project.
        group_id: GroupId,
    }
}

endpoint!(RemoveProjectGroup, "remove-project-group", DELETE RetrieveProjectGroup::PATH, MANAGEMENT_WRITE -> ProjectGroupDeletedResource);

record! {
    /// Request payload for granting a group access to a project.
    InviteProjectGroupBody {
        /// Identifier of the group to add to the project.
        group_id: GroupId,
        /// Identifier of the project role to grant to the group.
        role: RoleId,
    }
}

/// Paginated list of groups with access to a project.
pub type ProjectGroupListResource = NextPage<ProjectGroup>;

record! {
    /// Details about a group's membership in a project.
    ProjectGroup object ProjectGroupObject = "project.group" {
        /// Identifier of the project.
        project_id: ProjectId,
        /// Identifier of the group with access to the project.
        group_id: GroupId,
        /// Display name of the group.
        group_name: String,
        /// The type of the group. Default: `group`, since some published examples omit it.
        #[serde(default = "group")]
        group_type: GroupType,
        /// Unix timestamp (in seconds) when the group was granted project access.
        created_at: Timestamp,
    }
}

fn group() -> GroupType {
    GroupType::Group
}

impl ListItem for ProjectGroup {
    const LIST_SCHEMA: &'static str = "ProjectGroupListResource";
    fn id(&self) -> &str {
        self.group_id.as_str()
    }
}

deleted!(
    ProjectGroupDeletedResource,
    ProjectGroupDeletedObject,
    "project.group.deleted",
    "group from a project"
);
