//! Lists: awaiting one reads a page; other methods read all pages or all items.

use std::{
    collections::HashSet,
    fmt,
    future::{Future, IntoFuture},
    hash::{Hash, Hasher},
    pin::Pin,
};

use super::{Client, Response, argument};
use crate::{Cursor, Error, ListEndpoint, Order, OrderedListEndpoint, Page, endpoint::Operation};

/// The maximum number of consecutive empty pages, after which a list counts as endless.
const EMPTY_PAGES_MAX: u32 = 100;
/// The maximum number of pages of a list, since the hashes of their cursors are stored.
const PAGES_MAX: usize = 1_000_000;

fn hash(cursor: &Cursor) -> u64 {
    // The default keys are constant, so equal cursors have equal hashes. Collisions are not a security problem here.
    let mut hasher = std::hash::DefaultHasher::new();
    cursor.hash(&mut hasher);
    hasher.finish()
}

/// A list that is not read yet. Await it for one page, or use [`pages`](Self::pages) or [`items`](Self::items).
#[must_use = "a list is read when it is awaited"]
pub struct ListCall<'a, E> {
    client: &'a Client,
    /// An invalid parameter is reported when the list is read.
    request: Result<E, Error>,
}

impl<E> fmt::Debug for ListCall<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListCall").finish_non_exhaustive()
    }
}

impl Client {
    /// The list of a request, like the method of its resource.
    ///
    /// ```
    /// # openai_admin_server::testing::example(async |client| {
    /// use openai_admin::operations::ListGroups;
    /// assert_eq!(client.list(ListGroups::new()).items().try_collect().await?.len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn list<E: ListEndpoint>(&self, request: E) -> ListCall<'_, E> {
        ListCall::new(self, Ok(request))
    }
}

impl<'a, E: ListEndpoint> ListCall<'a, E> {
    pub(super) fn new(client: &'a Client, request: Result<E, Error>) -> Self {
        Self { client, request }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut E) -> Result<(), Error>) -> Self {
        self.request = self.request.and_then(|mut request| change(&mut request).map(|()| request));
        self
    }

    /// The number of items on a page. The list's bounds are checked before anything is sent.
    pub fn limit(self, limit: impl Into<i64>) -> Self {
        self.with(|request| {
            request
                .set_limit(limit.into())
                .map_err(|violation| Error::of_argument(Operation::of::<E>(), "limit", violation.into()))
        })
    }

    /// Starts after this item: the cursor of a page, or an id.
    pub fn after<C>(self, after: C) -> Self
    where
        C: TryInto<Cursor>,
        Error: From<C::Error>,
    {
        self.with(|request| {
            request.set_after(argument::<E, _, _>("after", after)?);
            Ok(())
        })
    }

    /// Resumes an earlier walk after the cursor from [`Pages::cursor`]. Equivalent to [`after`](Self::after).
    pub fn resume_from<C>(self, cursor: C) -> Self
    where
        C: TryInto<Cursor>,
        Error: From<C::Error>,
    {
        self.after(cursor)
    }

    /// The direction of the list.
    pub fn order(self, order: Order) -> Self
    where
        E: OrderedListEndpoint,
    {
        self.with(|request| {
            request.set_order(order);
            Ok(())
        })
    }

    /// All pages, read on demand.
    pub fn pages(self) -> Pages<E> {
        let (request, error) = match self.request {
            Ok(request) if request.limit() == 0 => {
                (None, Some(Error::invalid_request("a limit of 0 never ends: use at least 1")))
            }
            Ok(request) => (Some(request), None),
            Err(error) => (None, Some(error)),
        };
        Pages {
            client: self.client.clone(),
            request,
            error,
            cursor: None,
            seen: HashSet::new(),
            empty_pages: 0,
        }
    }

    /// All items of all pages, read on demand.
    pub fn items(self) -> Items<E> {
        Items { pages: self.pages(), page: Vec::new().into_iter() }
    }
}

impl<'a, E: ListEndpoint> IntoFuture for ListCall<'a, E> {
    type Output = Result<Response<E::Response>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.client.send(&self.request?).await })
    }
}

/// The pages of a list, read with [`next`](Self::next).
pub struct Pages<E> {
    client: Client,
    /// The request of the next page. `None` after the last page or an error.
    request: Option<E>,
    error: Option<Error>,
    /// The cursor of the last returned page.
    cursor: Option<Cursor>,
    /// The hashes of all cursors, to detect a list with a loop.
    seen: HashSet<u64>,
    empty_pages: u32,
}

impl<E> fmt::Debug for Pages<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("pages_followed", &self.seen.len()).finish_non_exhaustive()
    }
}

impl<E: ListEndpoint> Pages<E> {
    /// The cursor after the last returned page, for [`ListCall::resume_from`]. `None` before the first page and after
    /// the last.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Reads the next page. `None` after the last page and after an error.
    ///
    /// Cancel safe: the next call reads a cancelled page again.
    ///
    /// If a page has more items but no cursor, or repeats an earlier cursor, it is returned, and the next call returns
    /// the error.
    pub async fn next(&mut self) -> Option<Result<Response<E::Response>, Error>> {
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        let answer = self.client.send(self.request.as_ref()?).await;
        let mut request = self.request.take()?;
        let page = match answer {
            Ok(page) => page,
            Err(error) => return Some(Err(error)),
        };
        self.empty_pages = if page.items().is_empty() { self.empty_pages + 1 } else { 0 };
        self.cursor = request.next_cursor(&page);
        if let Some(after) = request.after() {
            self.seen.insert(hash(after));
        }
        let problem = match (self.cursor.clone(), page.has_more()) {
            (Some(cursor), _) if self.seen.contains(&hash(&cursor)) => {
                Some("the list has a loop: it repeats a cursor")
            }
            _ if self.empty_pages >= EMPTY_PAGES_MAX => {
                Some("the list does not end: it has only empty pages")
            }
            _ if self.seen.len() >= PAGES_MAX => Some("the list does not end: it has too many pages"),
            (Some(cursor), _) => {
                request.set_after(cursor);
                self.request = Some(request);
                None
            }
            (None, true) => Some("the list has more items, but no cursor for them"),
            (None, false) => None,
        };
        self.error = problem.map(|problem| Error::broken_list(problem).of(Operation::of::<E>()));
        Some(Ok(page))
    }
}

/// The items of a list, read page by page with [`next`](Self::next).
pub struct Items<E: ListEndpoint> {
    pages: Pages<E>,
    page: std::vec::IntoIter<<E::Response as Page>::Item>,
}

impl<E: ListEndpoint> fmt::Debug for Items<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl<E: ListEndpoint> Items<E> {
    /// The cursor after the current page. To resume after an item instead, use the item's id.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.pages.cursor()
    }

    /// The next item. `None` at the end of the list and after an error. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<<E::Response as Page>::Item, Error>> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            match self.pages.next().await? {
                Ok(page) => self.page = page.into_inner().into_items().into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// All remaining items.
    ///
    /// # Errors
    ///
    /// The first error. The items before it are dropped; use [`next`](Self::next) to keep them.
    pub async fn try_collect(mut self) -> Result<Vec<<E::Response as Page>::Item>, Error> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }
}

#[cfg(feature = "stream")]
mod stream {
    use futures_core::Stream;

    use super::{Error, Items, ListEndpoint, Page, Pages, Response};

    impl<E: ListEndpoint> Pages<E> {
        /// The pages as a [`Stream`].
        pub fn into_stream(self) -> impl Stream<Item = Result<Response<E::Response>, Error>> + Send {
            futures_util::stream::unfold(self, |mut pages| async move { Some((pages.next().await?, pages)) })
        }
    }

    impl<E: ListEndpoint> Items<E> {
        /// The items as a [`Stream`].
        pub fn into_stream(self) -> impl Stream<Item = Result<<E::Response as Page>::Item, Error>> + Send {
            futures_util::stream::unfold(self, |mut items| async move { Some((items.next().await?, items)) })
        }
    }
}
