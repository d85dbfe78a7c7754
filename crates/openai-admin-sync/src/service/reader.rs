//! A client that cannot write, for plans, drift and exports.

use std::sync::{Arc, Mutex, PoisonError};

use openai_admin::{
    Client, Cursor, Error, GroupId, Limit, ListEndpoint, OrganizationId, Page, Response, UserId,
    client::{ListCall, Pages},
    models::{GroupMemberUser, GroupResponse, GroupUser, User},
    operations::{RetrieveGroup, RetrieveGroupUser, RetrieveUser},
};

use crate::service::{
    lanes::{Attempt, Lane, Lanes},
    read_error::ReadError,
};

/// The largest page size of groups and of group users.
pub const PAGE_SIZE: u16 = Limit::<0, 1000, 100>::MAX.get();
/// The largest page size of users.
pub const USERS_PAGE_SIZE: u16 = Limit::<1, 100, 20>::MAX.get();
/// The most pages of one list: 20 million members of a group, or 2 million users.
pub const PAGES_MAX: usize = 20_000;
/// The most addresses in one request: gateways refuse longer URLs.
pub const EMAILS_PER_REQUEST: usize = 50;

/// Reads an organization and cannot change it: its client is private, and it has no method that writes.
///
/// ```compile_fail
/// # async fn write(reader: openai_admin_sync::Reader) {
/// reader.client().groups(); // The client is private.
/// # }
/// ```
///
/// ```compile_fail
/// # async fn write(reader: openai_admin_sync::Reader) {
/// reader.remove_group_user("group_1", "user_1").await;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
    lanes: Arc<Lanes>,
    organization: Arc<Mutex<Seen>>,
    pages_max: usize,
}

/// The organization that the responses name.
#[derive(Clone, Debug, Default)]
enum Seen {
    #[default]
    Nothing,
    One(OrganizationId),
    Several,
}

/// Whether to continue reading a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Read the next page.
    Continue,
    /// Stop.
    Stop,
}

impl Reader {
    /// Reads with `client`, at the rate of `lanes`. The client's own retries are turned off.
    pub fn new(client: &Client, lanes: Arc<Lanes>) -> Self {
        Self { client: client.with_retries(0), lanes, organization: Arc::default(), pages_max: PAGES_MAX }
    }

    /// Sets the most pages of one list; default: [`PAGES_MAX`].
    #[must_use]
    pub fn pages_max(self, pages_max: usize) -> Self {
        Self { pages_max, ..self }
    }

    /// The number of requests sent.
    pub fn requests(&self) -> u64 {
        self.lanes.requests()
    }

    /// The organization that the responses name; `None` if they name none or several.
    pub fn organization(&self) -> Option<OrganizationId> {
        match &*self.organization.lock().unwrap_or_else(PoisonError::into_inner) {
            Seen::One(id) => Some(id.clone()),
            Seen::Nothing | Seen::Several => None,
        }
    }

    /// The client, which only this layer sees.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    fn record_organization<T>(&self, answer: &Response<T>) {
        let header = answer.headers().get("openai-organization").and_then(|value| value.to_str().ok());
        let Some(id) = header.and_then(|id| OrganizationId::new(id).ok()) else { return };
        let mut seen = self.organization.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Seen::Nothing => *seen = Seen::One(id),
            Seen::One(known) if *known != id => *seen = Seen::Several,
            Seen::One(_) | Seen::Several => {}
        }
    }

    pub(super) async fn send<E: openai_admin::Endpoint>(
        &self,
        request: &E,
    ) -> Result<Response<E::Response>, Error> {
        let answer = self.lanes.send(Lane::of::<E>(), true, || self.client.send(request)).await?;
        self.record_organization(&answer);
        Ok(answer)
    }

    /// Reads a list page by page until `take` returns [`Walk::Stop`].
    pub(super) async fn walk<'a, E: ListEndpoint>(
        &'a self,
        call: impl Fn() -> ListCall<'a, E>,
        mut take: impl FnMut(Vec<<E::Response as Page>::Item>) -> Walk,
    ) -> Result<(), ReadError> {
        let mut pages = call().pages();
        let mut retries = 0;
        let mut read = 0_usize;
        loop {
            let permit = self.lanes.wait(Lane::of::<E>()).await;
            let cursor = pages.cursor().cloned();
            let reading = async { pages.next().await.transpose() };
            match self.lanes.attempt(permit, true, retries, reading).await {
                Attempt::Answered(None) => return Ok(()),
                Attempt::Answered(Some(page)) => {
                    retries = 0;
                    read += 1;
                    if read > self.pages_max {
                        return Err(too_many_pages(Lane::of::<E>(), self.pages_max));
                    }
                    self.record_organization(&page);
                    let enough = matches!(take(page.into_inner().into_items()), Walk::Stop);
                    if enough {
                        return Ok(());
                    }
                    if pages.cursor().is_none() {
                        // Sends nothing: it checks that the list ended correctly.
                        return Ok(pages.next().await.transpose().map(|_| ())?);
                    }
                }
                // The list of pages ends after any error, so it is resumed after a rate limit.
                Attempt::RateLimited(_) => pages = resumed(call(), cursor),
                Attempt::Retry(_, pause) => {
                    retries += 1;
                    tokio::time::sleep(pause).await;
                    pages = resumed(call(), cursor);
                }
                Attempt::WaitTooLong(error) | Attempt::Failed(error) => return Err(error.into()),
            }
        }
    }

    /// All groups.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_groups(&self) -> Result<Vec<GroupResponse>, ReadError> {
        let mut groups = Vec::new();
        let take = |page: Vec<GroupResponse>| {
            groups.extend(page);
            Walk::Continue
        };
        self.walk(|| self.client.groups().list_groups().limit(PAGE_SIZE), take).await?;
        Ok(groups)
    }

    /// All users of a group.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_group_users(&self, group_id: GroupId) -> Result<Vec<GroupUser>, ReadError> {
        let mut users = Vec::new();
        let take = |page: Vec<GroupUser>| {
            users.extend(page);
            Walk::Continue
        };
        let list = || self.client.group_users().list_group_users(group_id.clone()).limit(PAGE_SIZE);
        self.walk(list, take).await?;
        Ok(users)
    }

    /// A group.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn retrieve_group(&self, group_id: GroupId) -> Result<GroupResponse, Error> {
        Ok(self.send(&RetrieveGroup::new(group_id)).await?.into_inner())
    }

    /// A user of a group; `None` if the user is not a member.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn find_group_user(
        &self,
        group_id: GroupId,
        user_id: UserId,
    ) -> Result<Option<GroupMemberUser>, Error> {
        found(self.send(&RetrieveGroupUser::new(group_id, user_id)).await)
    }

    /// The groups that a user is in; none where the service does not have this operation, which is not part of the
    /// published API.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_user_groups(&self, user_id: &UserId) -> Result<Option<Vec<GroupResponse>>, ReadError> {
        let mut groups = Vec::new();
        let take = |page: Vec<GroupResponse>| {
            groups.extend(page);
            Walk::Continue
        };
        let list = || self.client.users().list_user_groups(user_id.clone()).limit(PAGE_SIZE);
        match self.walk(list, take).await {
            Ok(()) => Ok(Some(groups)),
            Err(ReadError::Api(error)) if error.is_unknown_url() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A user; `None` if the user does not exist.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn find_user(&self, user_id: UserId) -> Result<Option<User>, Error> {
        found(self.send(&RetrieveUser::new(user_id)).await)
    }

    /// The users with one of these email addresses, at most [`EMAILS_PER_REQUEST`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_users_with_emails(&self, emails: &[&str]) -> Result<Vec<User>, ReadError> {
        let mut users = Vec::new();
        let take = |page: Vec<User>| {
            users.extend(page);
            Walk::Continue
        };
        let list = || self.client.users().list_users().limit(USERS_PAGE_SIZE).emails(emails.iter().copied());
        self.walk(list, take).await?;
        Ok(users)
    }

    /// Reads all users of the organization, page by page, until `take` returns [`Walk::Stop`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn scan_users(&self, take: impl FnMut(Vec<User>) -> Walk) -> Result<(), ReadError> {
        self.walk(|| self.client.users().list_users().limit(USERS_PAGE_SIZE), take).await
    }
}

/// The error of a list with too many pages.
fn too_many_pages(lane: Lane, pages: usize) -> ReadError {
    ReadError::Integrity(format!("{lane}: the list did not end after {pages} pages"))
}

/// A list from its start, or from after the last page that was read.
fn resumed<E: ListEndpoint>(call: ListCall<'_, E>, cursor: Option<Cursor>) -> Pages<E> {
    match cursor {
        Some(cursor) => call.resume_from::<Cursor>(cursor).pages(),
        None => call.pages(),
    }
}

/// Turns "not found" into `None`. An unknown URL stays an error.
pub(super) fn found<T>(answer: Result<Response<T>, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(error) if error.is_not_found() && !error.is_unknown_url() => Ok(None),
        Err(error) => Err(error),
    }
}
