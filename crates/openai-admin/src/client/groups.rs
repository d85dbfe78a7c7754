use super::api::api;
use crate::{
    Error, GroupId,
    endpoint::Operation,
    identity::name_key,
    models::{CreateGroupBody, GroupResponse, UpdateGroupBody},
    operations::ListGroups,
};

/// The page size of a search by name.
const GROUPS_ON_A_PAGE: i64 = 1000;

api! {
    /// Groups of the organization: list, create, retrieve, update, delete.
    GroupsApi = groups;
    /// Lists the groups, oldest first. A page has 100 by default.
    list list_groups() -> ListGroups {
        /// let names: Vec<String> =
        ///     client.groups().list_groups().items().try_collect().await?.into_iter().map(|group| group.name).collect();
        /// assert_eq!(names, ["Support"]);
    }
    /// Creates a group. The body may be given as the name.
    call create_group(; create_group_body: any CreateGroupBody) -> CreateGroup {
        /// let group = client.groups().create_group("Escalations").await?;
        /// println!("{} was created by request {:?}", group.id, group.request_id());
    }
    /// Retrieves a group.
    call retrieve_group(group_id: GroupId) -> RetrieveGroup {
        /// assert_eq!(client.groups().retrieve_group("group_1").await?.name, "Support");
    }
    /// Renames a group. The body may be given as the new name.
    call update_group(group_id: GroupId; update_group_body: any UpdateGroupBody) -> UpdateGroup {
        /// let group = client.groups().update_group("group_1", "Help").await?;
        /// assert_eq!(group.name, "Help");
    }
    /// Deletes a group and every membership in it.
    call delete_group(group_id: GroupId) -> DeleteGroup {
        /// assert!(client.groups().delete_group("group_1").await?.deleted);
    }
}

impl GroupsApi<'_> {
    /// The group with this name, or `None`. Reads the whole list of groups: the API has no filter by name.
    ///
    /// Names that look the same are equal, see [`identity::name_key`](crate::identity::name_key).
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let group = client.groups().find_group_by_name("Support").await?;
    /// assert_eq!(group.unwrap().id, "group_1");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Ambiguous`](crate::ErrorKind::Ambiguous) if several groups have the name. Otherwise see [`Error`].
    pub async fn find_group_by_name(&self, name: &str) -> Result<Option<GroupResponse>, Error> {
        let key = name_key(name);
        let mut groups = self.list_groups().limit(GROUPS_ON_A_PAGE).items();
        let mut found: Option<GroupResponse> = None;
        while let Some(group) = groups.next().await {
            let group = group?;
            if name_key(&group.name) != key {
                continue;
            }
            if let Some(first) = &found {
                let problem = format!(
                    "several groups have this name, among them {} and {}: use an id",
                    first.id, group.id
                );
                return Err(Error::ambiguous(problem).of(Operation::of::<ListGroups>()));
            }
            found = Some(group);
        }
        Ok(found)
    }
}
