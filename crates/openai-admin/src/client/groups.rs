use super::api::api;
use crate::{
    GroupId,
    models::{CreateGroupBody, UpdateGroupBody},
};

api! {
    /// Groups of the organization: list, create, retrieve, update, delete.
    GroupsApi = groups;
    /// Lists the groups, oldest first. A page has 100 by default.
    list list_groups() -> ListGroups {
        /// let names: Vec<String> =
        ///     client.groups().list_groups().items().try_collect().await?.into_iter().map(|group| group.name).collect();
        /// assert_eq!(names, ["Support"]);
    }
    /// Creates a group.
    call create_group(; create_group_body: CreateGroupBody) -> CreateGroup {
        /// use openai_admin::models::CreateGroupBody;
        /// let group = client.groups().create_group(CreateGroupBody::new("Escalations".try_into()?)).await?;
        /// println!("{} was created by request {:?}", group.id, group.request_id());
    }
    /// Retrieves a group.
    call retrieve_group(group_id: GroupId) -> RetrieveGroup {
        /// assert_eq!(client.groups().retrieve_group("group_1").await?.name, "Support");
    }
    /// Renames a group.
    call update_group(group_id: GroupId; update_group_body: UpdateGroupBody) -> UpdateGroup {
        /// use openai_admin::models::UpdateGroupBody;
        /// let group = client.groups().update_group("group_1", UpdateGroupBody::new("Help".try_into()?)).await?;
        /// assert_eq!(group.name, "Help");
    }
    /// Deletes a group and every membership in it.
    call delete_group(group_id: GroupId) -> DeleteGroup {
        /// assert!(client.groups().delete_group("group_1").await?.deleted);
    }
}
