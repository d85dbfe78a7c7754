//! Users of a project: `/organization/projects/{project_id}/users`.

use super::{record::record, users::EmailText};
use crate::{
    Cursor, IdPage, Limit, ListItem, PersonalText, ProjectId, Timestamp, UserId, deleted::deleted,
    endpoint::endpoint, page::list_endpoint,
};

const TAG: &str = "Projects";

record! {
    /// Lists the users in a project.
    ListProjectUsers {
        /// The ID of the project.
        project_id: ProjectId,
    }
    query {
        /// How many users to return.
        limit: Limit<1, 100, 20>,
        /// Return users after this one: the `last_id` of the previous page.
        after: Cursor,
    }
}

endpoint!(ListProjectUsers, "list-project-users", GET "/organization/projects/{project_id}/users", MANAGEMENT_READ -> ProjectUserListResponse);

list_endpoint!(ListProjectUsers);

record! {
    /// Adds a user to a project. Users must already be members of the organization.
    CreateProjectUser {
        /// The ID of the project.
        project_id: ProjectId,
        /// The user to add.
        body: ProjectUserCreateRequest,
    }
}

endpoint!(CreateProjectUser, "create-project-user", POST ListProjectUsers::PATH, MANAGEMENT_WRITE -> ProjectUser);

record! {
    /// Retrieves a user in a project.
    RetrieveProjectUser {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the user.
        user_id: UserId,
    }
}

endpoint!(RetrieveProjectUser, "retrieve-project-user", GET "/organization/projects/{project_id}/users/{user_id}", MANAGEMENT_READ -> ProjectUser);

record! {
    /// Modifies a user's role in a project.
    ModifyProjectUser {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the user.
        user_id: UserId,
        /// The changes. Absent or null fields stay unchanged (assumed).
        body: ProjectUserUpdateRequest,
    }
}

endpoint!(ModifyProjectUser, "modify-project-user", POST RetrieveProjectUser::PATH, MANAGEMENT_WRITE -> ProjectUser, idempotent);

record! {
    /// Deletes a user from a project, with their roles in the project (assumed).
    DeleteProjectUser {
        /// The ID of the project.
        project_id: ProjectId,
        /// The ID of the user.
        user_id: UserId,
    }
}

endpoint!(DeleteProjectUser, "delete-project-user", DELETE RetrieveProjectUser::PATH, MANAGEMENT_WRITE -> ProjectUserDeleteResponse);

record! {
    /// Request payload for adding a user to a project, by their ID or by their email address.
    ProjectUserCreateRequest {
        /// `owner` or `member`.
        role: String,
    }
    optional {
        /// The ID of the user.
        user_id: UserId,
        /// Email address of the user to add.
        email: EmailText,
    }
}

record! {
    /// Request payload for changing a user of a project.
    #[derive(Default)]
    ProjectUserUpdateRequest {}
    optional {
        /// `owner` or `member`.
        role: String,
    }
}

/// Paginated list of the users of a project.
pub type ProjectUserListResponse = IdPage<ProjectUser>;

record! {
    /// Represents an individual user in a project.
    ProjectUser object ProjectUserObject = "organization.project.user" {
        /// The identifier, which can be referenced in API endpoints.
        id: UserId,
        /// `owner` or `member`.
        role: String,
        /// The Unix timestamp (in seconds) of when the user was added to the project.
        added_at: Timestamp,
    }
    nullable {
        /// The name of the user.
        name: PersonalText,
        /// The email address of the user.
        email: PersonalText,
    }
}

impl ListItem for ProjectUser {
    const LIST_SCHEMA: &'static str = "ProjectUserListResponse";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

deleted!(
    ProjectUserDeleteResponse,
    ProjectUserDeletedObject,
    "organization.project.user.deleted",
    "project user",
    UserId
);
