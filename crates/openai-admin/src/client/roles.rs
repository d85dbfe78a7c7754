use super::api::api;
use crate::{
    RoleId,
    models::{PublicCreateOrganizationRoleBody, PublicUpdateOrganizationRoleBody},
};

api! {
    /// Roles of the organization: list, create, retrieve, update, delete.
    RolesApi = roles;
    /// Lists the roles. A page has 1000 by default.
    list list_roles() -> ListRoles {
        /// let roles = client.roles().list_roles().items().try_collect().await?;
        /// assert!(roles.iter().any(|role| role.name == "Reviewers"));
    }
    /// Creates a custom role.
    call create_role(; body: PublicCreateOrganizationRoleBody) -> CreateRole {
        /// use openai_admin::models::PublicCreateOrganizationRoleBody;
        /// let body = PublicCreateOrganizationRoleBody::new("Auditors".try_into()?, vec!["api.groups.read".to_owned()]);
        /// assert_eq!(client.roles().create_role(body).await?.permissions, ["api.groups.read"]);
    }
    /// Retrieves a role.
    call retrieve_role(role_id: RoleId) -> RetrieveRole {
        /// assert_eq!(client.roles().retrieve_role("role_1").await?.name, "Reviewers");
    }
    /// Updates a custom role.
    call update_role(role_id: RoleId; body: PublicUpdateOrganizationRoleBody) -> UpdateRole {
        /// use openai_admin::models::PublicUpdateOrganizationRoleBody;
        /// let mut body = PublicUpdateOrganizationRoleBody::new();
        /// body.description = Some(None);
        /// assert_eq!(client.roles().update_role("role_1", body).await?.description, None);
    }
    /// Deletes a custom role.
    call delete_role(role_id: RoleId) -> DeleteRole {
        /// assert!(client.roles().delete_role("role_1").await?.deleted);
    }
}
