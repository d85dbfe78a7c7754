use super::{Client, ListCall, Response, argument};
use crate::{
    Error, PersonalText, UserId,
    models::{CreateUserBody, User, UserDeleteResponse, UserRoleUpdateRequest},
    operations::{CreateUser, DeleteUser, ListUserGroups, ListUsers, ModifyUser, RetrieveUser},
};

/// Users of the organization: [`Client::users`].
#[derive(Clone, Copy, Debug)]
pub struct UsersApi<'a>(&'a Client);

impl Client {
    /// Users of the organization: list, retrieve, modify, delete.
    pub fn users(&self) -> UsersApi<'_> {
        UsersApi(self)
    }
}

impl<'a> ListCall<'a, ListUsers> {
    /// Only users with one of these email addresses, in any letter case.
    pub fn emails<T: Into<PersonalText>>(self, emails: impl IntoIterator<Item = T>) -> Self {
        self.with(|request| {
            request.emails = emails.into_iter().map(Into::into).collect();
            Ok(())
        })
    }
}

impl<'a> UsersApi<'a> {
    /// Lists the users of the organization: 20 a page unless told otherwise, 100 at most.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let found = client.users().list_users().emails(["ADA@example.com"]).await?;
    /// assert_eq!(found.data[0].id, "user_ada");
    /// # Ok(()) });
    /// ```
    pub fn list_users(&self) -> ListCall<'a, ListUsers> {
        ListCall::new(self.0, Ok(ListUsers::new()))
    }

    /// Retrieves a user.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when there is no such user.
    pub async fn retrieve_user<U>(&self, user_id: U) -> Result<Response<User>, Error>
    where
        U: TryInto<UserId>,
        Error: From<U::Error>,
    {
        self.0.send(&RetrieveUser::new(argument::<RetrieveUser, _, _>("user_id", user_id)?)).await
    }

    /// Changes a user's role or metadata.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// use openai_admin::{UserRole, models::UserRoleUpdateRequest};
    /// let user = client.users().modify_user("user_ada", UserRoleUpdateRequest::role(UserRole::Owner)).await?;
    /// assert_eq!(user.role, Some(UserRole::Owner));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when there is no such user.
    pub async fn modify_user<U>(
        &self,
        user_id: U,
        user_role_update_request: UserRoleUpdateRequest,
    ) -> Result<Response<User>, Error>
    where
        U: TryInto<UserId>,
        Error: From<U::Error>,
    {
        self.0
            .send(&ModifyUser {
                user_id: argument::<ModifyUser, _, _>("user_id", user_id)?,
                body: user_role_update_request,
            })
            .await
    }

    /// Deletes a user from the organization, and every membership they have.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] when there is no such user.
    pub async fn delete_user<U>(&self, user_id: U) -> Result<Response<UserDeleteResponse>, Error>
    where
        U: TryInto<UserId>,
        Error: From<U::Error>,
    {
        self.0.send(&DeleteUser::new(argument::<DeleteUser, _, _>("user_id", user_id)?)).await
    }

    /// Extension of our server: creates a user.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `already_exists` when the id or the email address is taken.
    pub async fn create_user(&self, create_user_body: CreateUserBody) -> Result<Response<User>, Error> {
        self.0.send(&CreateUser { body: create_user_body }).await
    }

    /// Extension of our server: lists the groups that a user is in.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// let groups = client.users().list_user_groups("user_bob").await?;
    /// assert_eq!(groups.data[0].name, "Support");
    /// # Ok(()) });
    /// ```
    pub fn list_user_groups<U>(&self, user_id: U) -> ListCall<'a, ListUserGroups>
    where
        U: TryInto<UserId>,
        Error: From<U::Error>,
    {
        ListCall::new(self.0, argument::<ListUserGroups, _, _>("user_id", user_id).map(ListUserGroups::new))
    }
}
