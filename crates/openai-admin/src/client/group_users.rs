use super::{additions::Additions, api::api, argument};
use crate::{
    Error, GroupId, UserId,
    models::CreateGroupUserBody,
    operations::{AddGroupUser, RetrieveGroupUser},
};

api! {
    /// Users of a group: add, list, retrieve, remove.
    ///
    /// Ids may be given as text. An id that would change the route is refused before anything is sent.
    GroupUsersApi = group_users;
    /// Adds a user to a group. If one of them does not exist, [`Error::param`](crate::Error::param) says which. The body
    /// may be given as the id of the user.
    call add_group_user(group_id: GroupId; create_group_user_body: any CreateGroupUserBody) -> AddGroupUser {
        /// let added = client.group_users().add_group_user("group_1", "user_ada").await?;
        /// assert_eq!(added.user_id, "user_ada");
    }
    /// Lists the users of a group, newest first. A page has 100 by default.
    list list_group_users(group_id: GroupId) -> ListGroupUsers {
        /// let users = client.group_users().list_group_users("group_1").limit(50);
        /// for user in users.items().try_collect().await? {
        ///     println!("{} <{}>", user.name, user.email.as_deref().unwrap_or("no address"));
        /// }
    }
    /// Retrieves a user in a group.
    call retrieve_group_user(group_id: GroupId, user_id: UserId) -> RetrieveGroupUser {
        /// let error = client.group_users().retrieve_group_user("group_1", "user_ada").await.unwrap_err();
        /// assert!(error.is_not_found(), "Ada is not in the group");
    }
    /// Removes a user from a group.
    call remove_group_user(group_id: GroupId, user_id: UserId) -> RemoveGroupUser {
        /// let removed = client.group_users().remove_group_user("group_1", "user_bob").await?;
        /// assert!(removed.deleted);
    }
}

impl GroupUsersApi<'_> {
    /// Whether a user is in a group. An unknown user is in no group. If an error names neither the user nor the group, a
    /// second request looks for the group.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// assert!(client.group_users().is_member("group_1", "user_bob").await?);
    /// assert!(!client.group_users().is_member("group_1", "user_ada").await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] if the group or the URL is unknown.
    pub async fn is_member(
        &self,
        group_id: impl TryInto<GroupId, Error: Into<Error>>,
        user_id: impl TryInto<UserId, Error: Into<Error>>,
    ) -> Result<bool, Error> {
        let group_id = argument::<RetrieveGroupUser, _, _>("group_id", group_id)?;
        let error = match self.retrieve_group_user(&group_id, user_id).await {
            Ok(_) => return Ok(true),
            Err(error) if error.is_not_found() && !error.is_unknown_url() => error,
            Err(error) => return Err(error),
        };
        match error.param() {
            Some("user_id") => Ok(false),
            // The error names neither the user nor the group.
            None => self.0.groups().retrieve_group(&group_id).await.map(|_| false),
            Some(_) => Err(error),
        }
    }

    /// Adds users to a group, eight at once by default, with a result for each.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let users = ["user_ada", "user_bob", "user_eve"];
    /// let mut additions = client.group_users().add_group_users("group_1", users)?.concurrency(2);
    /// while let Some(addition) = additions.next().await {
    ///     match addition.result {
    ///         Ok(added) => println!("{} is in {}", added.user_id, added.group_id),
    ///         Err(error) => println!("{}: {error}", users[addition.position]),
    ///     }
    /// }
    /// # assert!(client.group_users().is_member("group_1", "user_ada").await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// If the id of the group is invalid. An invalid id of a user is the result of its addition.
    pub fn add_group_users<U: TryInto<UserId, Error: Into<Error>>>(
        &self,
        group_id: impl TryInto<GroupId, Error: Into<Error>>,
        users: impl IntoIterator<Item = U>,
    ) -> Result<Additions, Error> {
        let group_id = argument::<AddGroupUser, _, _>("group_id", group_id)?;
        let users = users.into_iter().map(|user| argument::<AddGroupUser, _, _>("user_id", user));
        Ok(Additions::new(self.0.clone(), group_id, users.collect()))
    }
}
