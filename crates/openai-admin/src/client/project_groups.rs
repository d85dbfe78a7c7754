use super::api::api;
use crate::{GroupId, ProjectId, models::InviteProjectGroupBody};

api! {
    /// Groups of a project: list, add, retrieve, remove.
    ProjectGroupsApi = project_groups;
    /// Lists the groups of a project, 20 a page, unless told otherwise.
    list list_project_groups(project_id: ProjectId) -> ListProjectGroups {
        /// let groups = client.project_groups().list_project_groups("proj_1").items().try_collect().await?;
        /// assert!(groups.is_empty());
    }
    /// Adds a group to a project with a role.
    call add_project_group(project_id: ProjectId; body: InviteProjectGroupBody) -> AddProjectGroup {
        /// use openai_admin::models::InviteProjectGroupBody;
        /// let body = InviteProjectGroupBody::new("group_1".try_into()?, "role-api-project-member".try_into()?);
        /// let group = client.project_groups().add_project_group("proj_1", body).await?;
        /// assert_eq!(group.group_name, "Support");
    }
    /// Retrieves a group of a project.
    call retrieve_project_group(project_id: ProjectId, group_id: GroupId) -> RetrieveProjectGroup {
        /// # use openai_admin::models::InviteProjectGroupBody;
        /// # let body = InviteProjectGroupBody::new("group_1".try_into()?, "role-api-project-member".try_into()?);
        /// # client.project_groups().add_project_group("proj_1", body).await?;
        /// let group = client.project_groups().retrieve_project_group("proj_1", "group_1").await?;
        /// assert_eq!(group.group_name, "Support");
    }
    /// Removes a group from a project, with all its roles in it.
    call remove_project_group(project_id: ProjectId, group_id: GroupId) -> RemoveProjectGroup {
        /// # use openai_admin::models::InviteProjectGroupBody;
        /// # let body = InviteProjectGroupBody::new("group_1".try_into()?, "role-api-project-member".try_into()?);
        /// # client.project_groups().add_project_group("proj_1", body).await?;
        /// assert!(client.project_groups().remove_project_group("proj_1", "group_1").await?.deleted);
    }
}
