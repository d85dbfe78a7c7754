//! How much of a list is read, and how it is printed: at the end, or page by page.

use openai_admin::{
    Cursor, Limit, ListEndpoint, ListItem, Order, Page,
    client::{ListCall, Pages},
};
use openai_admin_sync::render::shell_word;
use serde::Serialize;

use crate::{
    arguments::{ListArguments, OrderChoice},
    failure::{Doing as _, Result},
    output::{Layout, Output},
};

/// The largest page of most lists.
pub(crate) const PAGE_SIZE: u16 = Limit::<1, 100, 20>::MAX.get();
/// The largest page of groups, of their members, and of roles and their assignments.
pub(crate) const LONG_PAGE_SIZE: u16 = Limit::<0, 1000, 100>::MAX.get();

/// The requested part of a list.
pub(crate) struct ListPart<T> {
    pub(crate) items: Vec<T>,
    /// The item before the first.
    pub(crate) after: Option<Cursor>,
    /// Whether the list continues.
    pub(crate) is_truncated: bool,
}

impl<T: ListItem + Serialize> ListPart<T> {
    /// Prints it, or `none` to people if it is empty.
    pub(crate) fn print(&self, layout: &Layout<T>, none: &str, output: &Output) -> Result<()> {
        match &self.after {
            Some(after) => {
                output.items_as(layout, &self.items, &format!("nothing after '{after}'"))?;
            }
            None => output.items_as(layout, &self.items, none)?,
        }
        if let (true, Some(last)) = (self.is_truncated, self.items.last()) {
            output.note(&more_after(last.id()));
        }
        Ok(())
    }
}

/// The maximum number of items.
pub(crate) fn items_max(part: &ListArguments) -> usize {
    part.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The pages of the requested part of a list.
pub(crate) struct PartPages<E: ListEndpoint> {
    pages: Pages<E>,
    /// How many items are left to read.
    left: usize,
    /// Whether the list continues after the part.
    is_truncated: bool,
}

impl<E: ListEndpoint> PartPages<E> {
    pub(crate) fn new(call: ListCall<'_, E>, part: &ListArguments, page_size: u16) -> Self {
        let left = items_max(part);
        let mut call = call.limit(i64::from(page_size).min(i64::try_from(left).unwrap_or(i64::MAX)));
        if let Some(after) = &part.after {
            call = call.after(after.clone());
        }
        Self { pages: call.pages(), left, is_truncated: false }
    }

    /// The next page; none after the last requested item.
    pub(crate) async fn next(
        &mut self,
    ) -> Result<Option<Vec<<E::Response as Page>::Item>>, openai_admin::Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(page) = self.pages.next().await else { return Ok(None) };
        let page = page?;
        let has_more = page.has_more();
        let mut items = page.into_inner().into_items();
        if items.len() >= self.left {
            self.is_truncated = items.len() > self.left || has_more;
            items.truncate(self.left);
        }
        self.left -= items.len();
        Ok(Some(items))
    }
}

/// Reads the requested part of a list, in pages of up to `page_size`.
pub(crate) async fn read_list<E>(
    call: ListCall<'_, E>,
    part: &ListArguments,
    page_size: u16,
) -> Result<ListPart<<E::Response as Page>::Item>, openai_admin::Error>
where
    E: ListEndpoint,
{
    let mut pages = PartPages::new(call, part, page_size);
    let mut items = Vec::new();
    while let Some(page) = pages.next().await? {
        items.extend(page);
    }
    Ok(ListPart { items, after: part.after.clone(), is_truncated: pages.is_truncated })
}

/// Reads the same and prints it; in a line-based format, each page as it arrives. `none` is the message for an empty
/// list, and `doing` completes "cannot …".
pub(crate) async fn print_list<E>(
    call: ListCall<'_, E>,
    part: &ListArguments,
    page_size: u16,
    layout: &Layout<<E::Response as Page>::Item>,
    none: &str,
    doing: impl Fn() -> String,
    output: &Output,
) -> Result<()>
where
    E: ListEndpoint,
    <E::Response as Page>::Item: ListItem + Serialize,
{
    if !output.is_line_based() {
        return read_list(call, part, page_size).await.doing(doing)?.print(layout, none, output);
    }
    let mut pages = PartPages::new(call, part, page_size);
    let mut last = None;
    let mut is_first = true;
    while let Some(page) = pages.next().await.doing(&doing)? {
        output.lines_as(layout, &page, is_first)?;
        is_first = false;
        last = page.last().map(|item| item.id().to_owned()).or(last);
    }
    if is_first {
        output.lines_as(layout, &[], true)?;
    }
    if let (true, Some(last)) = (pages.is_truncated, last) {
        output.note(&more_after(&last));
    }
    Ok(())
}

fn more_after(last: &str) -> String {
    format!("more results available: pass --after {}", shell_word(last))
}

impl From<OrderChoice> for Order {
    fn from(choice: OrderChoice) -> Self {
        match choice {
            OrderChoice::Asc => Self::Asc,
            OrderChoice::Desc => Self::Desc,
        }
    }
}
