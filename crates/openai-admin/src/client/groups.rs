use super::{Client, ListCall, Response, argument};
use crate::{
    Error, GroupId,
    models::{
        CreateGroupBody, GroupDeletedResource, GroupResourceWithSuccess, GroupResponse, UpdateGroupBody,
    },
    operations::{CreateGroup, DeleteGroup, ListGroups, RetrieveGroup, UpdateGroup},
};

/// Groups of the organization: [`Client::groups`].
#[derive(Clone, Copy, Debug)]
pub struct GroupsApi<'a>(&'a Client);

impl Client {
    /// Groups of the organization: list, create, retrieve, update, delete.
    pub fn groups(&self) -> GroupsApi<'_> {
        GroupsApi(self)
    }
}

impl<'a> GroupsApi<'a> {
    /// Lists the groups: oldest first, 100 a page, unless told otherwise.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let names: Vec<String> =
    ///     client.groups().list_groups().items().try_collect().await?.into_iter().map(|group| group.name).collect();
    /// assert_eq!(names, ["Support"]);
    /// # Ok(()) });
    /// ```
    pub fn list_groups(&self) -> ListCall<'a, ListGroups> {
        ListCall::new(self.0, Ok(ListGroups::new()))
    }

    /// Creates a group.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// use openai_admin::models::CreateGroupBody;
    /// let group = client.groups().create_group(CreateGroupBody::new("Escalations".try_into()?)).await?;
    /// println!("{} was created by request {:?}", group.id, group.request_id());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn create_group(
        &self,
        create_group_body: CreateGroupBody,
    ) -> Result<Response<GroupResponse>, Error> {
        self.0.send(&CreateGroup { body: create_group_body }).await
    }

    /// Retrieves a group.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when there is no such group.
    pub async fn retrieve_group<G>(&self, group_id: G) -> Result<Response<GroupResponse>, Error>
    where
        G: TryInto<GroupId>,
        Error: From<G::Error>,
    {
        self.0.send(&RetrieveGroup::new(argument::<RetrieveGroup, _, _>("group_id", group_id)?)).await
    }

    /// Renames a group.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when there is no such group.
    pub async fn update_group<G>(
        &self,
        group_id: G,
        update_group_body: UpdateGroupBody,
    ) -> Result<Response<GroupResourceWithSuccess>, Error>
    where
        G: TryInto<GroupId>,
        Error: From<G::Error>,
    {
        self.0
            .send(&UpdateGroup {
                group_id: argument::<UpdateGroup, _, _>("group_id", group_id)?,
                body: update_group_body,
            })
            .await
    }

    /// Deletes a group and every membership in it.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when there is no such group.
    pub async fn delete_group<G>(&self, group_id: G) -> Result<Response<GroupDeletedResource>, Error>
    where
        G: TryInto<GroupId>,
        Error: From<G::Error>,
    {
        self.0.send(&DeleteGroup::new(argument::<DeleteGroup, _, _>("group_id", group_id)?)).await
    }
}
