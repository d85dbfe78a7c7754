use super::{Client, ListCall, Response, argument};
use crate::{
    Error, GroupId, UserId,
    models::{CreateGroupUserBody, GroupMemberUser, GroupUserAssignment, GroupUserDeletedResource},
    operations::{AddGroupUser, ListGroupUsers, RemoveGroupUser, RetrieveGroupUser},
};

/// Users of a group: [`Client::group_users`].
///
/// Ids may be given as text; one that would change the route is refused before anything is sent.
#[derive(Clone, Copy, Debug)]
pub struct GroupUsersApi<'a>(&'a Client);

impl Client {
    /// Users of a group: add, list, retrieve, remove.
    pub fn group_users(&self) -> GroupUsersApi<'_> {
        GroupUsersApi(self)
    }
}

impl<'a> GroupUsersApi<'a> {
    /// Adds a user to a group.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// use openai_admin::models::CreateGroupUserBody;
    /// let body = CreateGroupUserBody::new("user_ada".parse()?);
    /// let added = client.group_users().add_group_user("group_1", body).await?;
    /// assert_eq!(added.user_id, "user_ada");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when there is no such group or user, which
    /// [`Error::param`] names.
    pub async fn add_group_user<G>(
        &self,
        group_id: G,
        create_group_user_body: CreateGroupUserBody,
    ) -> Result<Response<GroupUserAssignment>, Error>
    where
        G: TryInto<GroupId>,
        Error: From<G::Error>,
    {
        self.0
            .send(&AddGroupUser {
                group_id: argument::<AddGroupUser, _, _>("group_id", group_id)?,
                body: create_group_user_body,
            })
            .await
    }

    /// Lists the users of a group: newest first, 100 a page, unless told otherwise.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let users = client.group_users().list_group_users("group_1").limit(50);
    /// for user in users.items().try_collect().await? {
    ///     println!("{} <{}>", user.name, user.email.as_deref().unwrap_or("no address"));
    /// }
    /// # Ok(()) });
    /// ```
    pub fn list_group_users<G>(&self, group_id: G) -> ListCall<'a, ListGroupUsers>
    where
        G: TryInto<GroupId>,
        Error: From<G::Error>,
    {
        ListCall::new(self.0, argument::<ListGroupUsers, _, _>("group_id", group_id).map(ListGroupUsers::new))
    }

    /// Retrieves a user in a group.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let error = client.group_users().retrieve_group_user("group_1", "user_ada").await.unwrap_err();
    /// assert!(error.is_not_found(), "Ada is not in the group");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when the user is not in the group.
    pub async fn retrieve_group_user<G, U>(
        &self,
        group_id: G,
        user_id: U,
    ) -> Result<Response<GroupMemberUser>, Error>
    where
        G: TryInto<GroupId>,
        U: TryInto<UserId>,
        Error: From<G::Error> + From<U::Error>,
    {
        self.0
            .send(&RetrieveGroupUser::new(
                argument::<RetrieveGroupUser, _, _>("group_id", group_id)?,
                argument::<RetrieveGroupUser, _, _>("user_id", user_id)?,
            ))
            .await
    }

    /// Removes a user from a group.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let removed = client.group_users().remove_group_user("group_1", "user_bob").await?;
    /// assert!(removed.deleted);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when the user was not in the group.
    pub async fn remove_group_user<G, U>(
        &self,
        group_id: G,
        user_id: U,
    ) -> Result<Response<GroupUserDeletedResource>, Error>
    where
        G: TryInto<GroupId>,
        U: TryInto<UserId>,
        Error: From<G::Error> + From<U::Error>,
    {
        self.0
            .send(&RemoveGroupUser::new(
                argument::<RemoveGroupUser, _, _>("group_id", group_id)?,
                argument::<RemoveGroupUser, _, _>("user_id", user_id)?,
            ))
            .await
    }
}
