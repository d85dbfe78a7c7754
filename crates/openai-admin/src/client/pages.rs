//! Lists: one page when awaited, all pages or all items when asked.

use std::{
    collections::HashSet,
    fmt,
    future::{Future, IntoFuture},
    hash::{Hash, Hasher},
    pin::Pin,
};

use super::{Client, Response, argument};
use crate::{Cursor, Error, ListEndpoint, Order, OrderedListEndpoint, Page, endpoint::Operation};

/// How many empty pages in a row a list may have before it is taken for one that does not end.
const EMPTY_PAGES_MAX: u32 = 100;
/// How many pages a list may have at all; the hashes of their cursors are kept.
const PAGES_MAX: usize = 1_000_000;

fn hash(cursor: &Cursor) -> u64 {
    // The same keys in every call, so that equal cursors have equal hashes; nobody gains by a collision.
    let mut hasher = std::hash::DefaultHasher::new();
    cursor.hash(&mut hasher);
    hasher.finish()
}

/// A list that is about to be read: await it for one page, or take its [`pages`](Self::pages) or
/// [`items`](Self::items).
#[must_use = "a list is read when it is awaited"]
pub struct ListCall<'a, E> {
    client: &'a Client,
    /// A parameter that was refused is reported when the list is read.
    request: Result<E, Error>,
}

impl<E> fmt::Debug for ListCall<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListCall").finish_non_exhaustive()
    }
}

impl Client {
    /// The list that a request describes: the same as the method of its resource.
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

    /// How many items a page holds. The list's own bounds are checked before anything is sent.
    pub fn limit(self, limit: impl Into<i64>) -> Self {
        self.with(|request| {
            request
                .set_limit(limit.into())
                .map_err(|violation| Error::of_argument(Operation::of::<E>(), "limit", violation.into()))
        })
    }

    /// Begins after this item: the cursor of the page before, or an id.
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

    /// Goes on where an earlier walk stopped: after the cursor that [`Pages::cursor`] gave. The same as
    /// [`after`](Self::after), under the name of its use.
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

    /// All pages, each read when it is asked for.
    pub fn pages(self) -> Pages<E> {
        let (request, error) = match self.request {
            Ok(request) if request.limit() == 0 => (
                None,
                Some(Error::invalid_request("pages of 0 items never end: choose a limit of at least 1")),
            ),
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

    /// All items of all pages, each page read when it is needed.
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

/// The pages of a list, read one after the other by [`next`](Self::next).
pub struct Pages<E> {
    client: Client,
    /// The request of the next page; none after the last page or an error.
    request: Option<E>,
    error: Option<Error>,
    /// The cursor of the last page that was delivered.
    cursor: Option<Cursor>,
    /// The hash of every cursor that was followed, so that a list that runs in a circle ends.
    seen: HashSet<u64>,
    empty_pages: u32,
}

impl<E> fmt::Debug for Pages<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("pages_followed", &self.seen.len()).finish_non_exhaustive()
    }
}

impl<E: ListEndpoint> Pages<E> {
    /// Where the list goes on after the last page that was delivered: what to give to
    /// [`ListCall::resume_from`] later. None before the first page, and after the last.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Reads the next page; none after the last one, and after an error.
    ///
    /// Cancel safe: a page that was not waited for to the end is read again by the next call.
    ///
    /// A page that says there is more but not where, or that names a place already passed, is delivered; the
    /// error follows it.
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
                Some("the list runs in a circle: it named a cursor a second time")
            }
            _ if self.empty_pages >= EMPTY_PAGES_MAX => {
                Some("the list has only empty pages, and does not end")
            }
            _ if self.seen.len() >= PAGES_MAX => Some("the list has more pages than any list can have"),
            (Some(cursor), _) => {
                request.set_after(cursor);
                self.request = Some(request);
                None
            }
            (None, true) => Some("the list has more items, but names no cursor to read them"),
            (None, false) => None,
        };
        self.error = problem.map(|problem| Error::broken_list(problem).of(Operation::of::<E>()));
        Some(Ok(page))
    }
}

/// The items of a list, read page after page by [`next`](Self::next).
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
    /// Where the page after the current one begins. To go on from an item instead, resume after the item's own id.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.pages.cursor()
    }

    /// The next item; none at the end of the list, and after an error. Cancel safe.
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

    /// All items that are left.
    ///
    /// # Errors
    ///
    /// The first error; what was read before it is dropped. Use [`next`](Self::next) to keep it.
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
