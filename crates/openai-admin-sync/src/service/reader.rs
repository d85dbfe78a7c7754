//! A client that cannot write: what plans, drift and exports are made with.

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

/// The largest page of groups and of group users.
pub const PAGE_SIZE: u16 = Limit::<0, 1000, 100>::MAX.get();
/// The largest page of users.
pub const USERS_PAGE_SIZE: u16 = Limit::<1, 100, 20>::MAX.get();
/// How many pages of one list are read: 20 million members of a group, 2 million users.
pub const PAGES_MAX: usize = 20_000;
/// How many addresses one request asks for: more make a URL that gateways refuse.
pub const EMAILS_PER_REQUEST: usize = 50;

/// Reads an organization, and cannot change it: it holds its client to itself, and has no method that writes.
///
/// ```compile_fail
/// # async fn write(reader: openai_admin_sync::Reader) {
/// reader.client().groups(); // There is no such way to the client.
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

/// Which organization the answers name.
#[derive(Clone, Debug, Default)]
enum Seen {
    #[default]
    Nothing,
    One(OrganizationId),
    Several,
}

/// How far to go through a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// To the next page.
    On,
    /// No further.
    Enough,
}

impl Reader {
    /// Reads with `client`, at the pace of `lanes`. The client's own retries are not used.
    pub fn new(client: &Client, lanes: Arc<Lanes>) -> Self {
        Self { client: client.with_retries(0), lanes, organization: Arc::default(), pages_max: PAGES_MAX }
    }

    /// Reads at most so many pages of one list; [`PAGES_MAX`] when nothing is said.
    #[must_use]
    pub fn pages_max(self, pages_max: usize) -> Self {
        Self { pages_max, ..self }
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.lanes.requests()
    }

    /// The organization that the answers name; none when they name none, or several.
    pub fn organization(&self) -> Option<OrganizationId> {
        match &*self.organization.lock().unwrap_or_else(PoisonError::into_inner) {
            Seen::One(id) => Some(id.clone()),
            Seen::Nothing | Seen::Several => None,
        }
    }

    fn note<T>(&self, answer: &Response<T>) {
        let header = answer.headers().get("openai-organization").and_then(|value| value.to_str().ok());
        let Some(id) = header.and_then(|id| OrganizationId::new(id).ok()) else { return };
        let mut seen = self.organization.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Seen::Nothing => *seen = Seen::One(id),
            Seen::One(known) if *known != id => *seen = Seen::Several,
            Seen::One(_) | Seen::Several => {}
        }
    }

    async fn send<E: openai_admin::Endpoint>(&self, request: &E) -> Result<Response<E::Response>, Error> {
        let answer = self.lanes.send(Lane::of::<E>(), true, || self.client.send(request)).await?;
        self.note(&answer);
        Ok(answer)
    }

    /// Walks through a list, page by page. `take` says when it has enough.
    async fn walk<'a, E: ListEndpoint>(
        &'a self,
        call: impl Fn() -> ListCall<'a, E>,
        mut take: impl FnMut(Vec<<E::Response as Page>::Item>) -> Walk,
    ) -> Result<(), ReadError> {
        let mut pages = call().pages();
        let mut retries = 0;
        let mut read = 0_usize;
        loop {
            let leave = self.lanes.wait(Lane::of::<E>()).await;
            let cursor = pages.cursor().cloned();
            let reading = async { pages.next().await.transpose() };
            match self.lanes.attempt(leave, true, retries, reading).await {
                Attempt::Answered(None) => return Ok(()),
                Attempt::Answered(Some(page)) => {
                    retries = 0;
                    read += 1;
                    if read > self.pages_max {
                        return Err(endless(Lane::of::<E>(), self.pages_max));
                    }
                    self.note(&page);
                    let enough = matches!(take(page.into_inner().into_items()), Walk::Enough);
                    if enough {
                        return Ok(());
                    }
                    if pages.cursor().is_none() {
                        // Nothing is sent any more: it says whether the end was one.
                        return Ok(pages.next().await.transpose().map(|_| ())?);
                    }
                }
                // After an error the walk ends by itself; a page that came too soon is no error of the list.
                Attempt::TooSoon(_) => pages = resumed(call(), cursor),
                Attempt::Later(_, pause) => {
                    retries += 1;
                    tokio::time::sleep(pause).await;
                    pages = resumed(call(), cursor);
                }
                Attempt::TooLong(error) | Attempt::Failed(error) => return Err(error.into()),
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
            Walk::On
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
            Walk::On
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

    /// A user of a group; none when they are not in it.
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

    /// The groups that a user is in; none where the service has no such operation, which is ours.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_user_groups(&self, user_id: &UserId) -> Result<Option<Vec<GroupResponse>>, ReadError> {
        let mut groups = Vec::new();
        let take = |page: Vec<GroupResponse>| {
            groups.extend(page);
            Walk::On
        };
        let list = || self.client.users().list_user_groups(user_id.clone()).limit(PAGE_SIZE);
        match self.walk(list, take).await {
            Ok(()) => Ok(Some(groups)),
            Err(ReadError::Api(error)) if error.is_unknown_url() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A user; none when there is no such user.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn find_user(&self, user_id: UserId) -> Result<Option<User>, Error> {
        found(self.send(&RetrieveUser::new(user_id)).await)
    }

    /// The users with one of these email addresses: at most [`EMAILS_PER_REQUEST`] of them.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn list_users_with_emails(&self, emails: &[&str]) -> Result<Vec<User>, ReadError> {
        let mut users = Vec::new();
        let take = |page: Vec<User>| {
            users.extend(page);
            Walk::On
        };
        let list = || self.client.users().list_users().limit(USERS_PAGE_SIZE).emails(emails.iter().copied());
        self.walk(list, take).await?;
        Ok(users)
    }

    /// Goes through all users of the organization, page by page, until `take` has enough.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn scan_users(&self, take: impl FnMut(Vec<User>) -> Walk) -> Result<(), ReadError> {
        self.walk(|| self.client.users().list_users().limit(USERS_PAGE_SIZE), take).await
    }
}

/// A list of so many pages has no end, as far as anybody would wait for it.
fn endless(lane: Lane, pages: usize) -> ReadError {
    ReadError::Integrity(format!("{lane}: the list had no end after {pages} pages"))
}

/// A list from its beginning, or from behind the page that was read last.
fn resumed<E: ListEndpoint>(call: ListCall<'_, E>, cursor: Option<Cursor>) -> Pages<E> {
    match cursor {
        Some(cursor) => call.resume_from::<Cursor>(cursor).pages(),
        None => call.pages(),
    }
}

/// What is not there is an answer; what is no route is none.
fn found<T>(answer: Result<Response<T>, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(error) if error.is_not_found() && !error.is_unknown_url() => Ok(None),
        Err(error) => Err(error),
    }
}
