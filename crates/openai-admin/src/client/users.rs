use super::{ListCall, api::api};
use crate::{
    Error, PersonalText, UserId,
    identity::{clean, email_key, is_blank},
    models::{CreateUserBody, User, UserRoleUpdateRequest},
    operations::ListUsers,
};

api! {
    /// Users of the organization: list, retrieve, modify, delete.
    UsersApi = users;
    /// Lists the users of the organization. A page has 20 by default, at most 100.
    list list_users() -> ListUsers {
        /// let found = client.users().list_users().emails(["ADA@example.com"]).await?;
        /// assert_eq!(found.data[0].id, "user_ada");
    }
    /// Retrieves a user.
    call retrieve_user(user_id: UserId) -> RetrieveUser {
        /// let user = client.users().retrieve_user("user_ada").await?;
        /// assert_eq!(user.email.as_deref(), Some("ada@example.com"));
    }
    /// Changes a user's role or metadata.
    call modify_user(user_id: UserId; user_role_update_request: UserRoleUpdateRequest) -> ModifyUser {
        /// use openai_admin::{UserRole, models::UserRoleUpdateRequest};
        /// let user = client.users().modify_user("user_ada", UserRoleUpdateRequest::role(UserRole::Owner)).await?;
        /// assert_eq!(user.role, Some(UserRole::Owner));
    }
    /// Deletes a user from the organization, with all memberships.
    call delete_user(user_id: UserId) -> DeleteUser {
        /// assert!(client.users().delete_user("user_bob").await?.deleted);
    }
    /// Extension of our server: creates a user. The error is `already_exists` if the id or the email address is in use.
    call create_user(; create_user_body: CreateUserBody) -> CreateUser {
        /// use openai_admin::models::CreateUserBody;
        /// let body = CreateUserBody::new("eve@example.com".try_into()?, "Eve".try_into()?);
        /// assert_eq!(client.users().create_user(body).await?.name.as_deref(), Some("Eve"));
    }
    /// Extension of our server: lists the groups of a user.
    list list_user_groups(user_id: UserId) -> ListUserGroups {
        /// let groups = client.users().list_user_groups("user_bob").await?;
        /// assert_eq!(groups.data[0].name, "Support");
    }
}

impl UsersApi<'_> {
    /// The user with this email address, or `None`. For a blank address, no request is sent.
    ///
    /// Addresses are compared without case, see [`identity::email_key`](crate::identity::email_key).
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let user = client.users().find_user_by_email("ADA@example.com").await?;
    /// assert_eq!(user.unwrap().id, "user_ada");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>, Error> {
        if is_blank(email) {
            return Ok(None);
        }
        let key = email_key(email);
        // The filter is part of the API. A service that ignores it sends all users.
        let mut users = self.list_users().emails([&*clean(email)]).items();
        while let Some(user) = users.next().await {
            let user = user?;
            if user.email.as_deref().is_some_and(|email| email_key(email) == key) {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }
}

impl ListCall<'_, ListUsers> {
    /// Only users with one of these email addresses, compared without case.
    pub fn emails<T: Into<PersonalText>>(self, emails: impl IntoIterator<Item = T>) -> Self {
        self.with(|request| {
            request.emails = emails.into_iter().map(Into::into).collect();
            Ok(())
        })
    }
}
