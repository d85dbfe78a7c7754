use super::api::api;
use crate::{GroupId, UserId, models::CreateGroupUserBody};

api! {
    /// Users of a group: add, list, retrieve, remove.
    ///
    /// Ids may be given as text. An id that would change the route is refused before anything is sent.
    GroupUsersApi = group_users;
    /// Adds a user to a group. If one of them does not exist, [`Error::param`](crate::Error::param) says which.
    call add_group_user(group_id: GroupId; create_group_user_body: CreateGroupUserBody) -> AddGroupUser {
        /// use openai_admin::models::CreateGroupUserBody;
        /// let body = CreateGroupUserBody::new("user_ada".parse()?);
        /// let added = client.group_users().add_group_user("group_1", body).await?;
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
