//! How much of a list is read, and how it is printed: in one piece, or each page as it comes.

use openai_admin::{
    Cursor, ListEndpoint, ListItem, Order, Page,
    client::{ListCall, Pages},
};
use serde::Serialize;

use crate::{
    arguments::{ListArguments, OrderChoice},
    config::shell_word,
    failure::{Result, While as _},
    output::{Layout, Output},
};

/// The part of a list that was asked for.
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// What it begins after.
    pub(crate) after: Option<Cursor>,
    /// Whether the list goes on.
    pub(crate) is_cut: bool,
}

impl<T: ListItem + Serialize> Listed<T> {
    /// Prints it; `none` tells people that it is empty.
    pub(crate) fn print(&self, layout: &Layout<T>, none: &str, output: &Output) -> Result<()> {
        match &self.after {
            Some(after) => {
                output.items_as(layout, &self.items, &format!("there is nothing after '{after}'"))?;
            }
            None => output.items_as(layout, &self.items, none)?,
        }
        if let (true, Some(last)) = (self.is_cut, self.items.last()) {
            output.note(&more_after(last.id()));
        }
        Ok(())
    }
}

/// How many items were asked for.
pub(crate) fn items_max(part: &ListArguments) -> usize {
    part.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The pages of a list, as much of it as was asked for.
pub(crate) struct Listing<E: ListEndpoint> {
    pages: Pages<E>,
    /// How many items are still wanted.
    left: usize,
    /// Whether the list goes on where it was cut.
    is_cut: bool,
}

impl<E: ListEndpoint> Listing<E> {
    pub(crate) fn new(call: ListCall<'_, E>, part: &ListArguments, page_size: u16) -> Self {
        let left = items_max(part);
        let mut call = call.limit(i64::from(page_size).min(i64::try_from(left).unwrap_or(i64::MAX)));
        if let Some(after) = &part.after {
            call = call.after(after.clone());
        }
        Self { pages: call.pages(), left, is_cut: false }
    }

    /// The next page; none after the last item that is wanted.
    pub(crate) async fn next(
        &mut self,
    ) -> Result<Option<Vec<<E::Response as Page>::Item>>, openai_admin::Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(page) = self.pages.next().await else { return Ok(None) };
        let page = page?;
        let goes_on = page.has_more();
        let mut items = page.into_inner().into_items();
        if items.len() >= self.left {
            self.is_cut = items.len() > self.left || goes_on;
            items.truncate(self.left);
        }
        self.left -= items.len();
        Ok(Some(items))
    }
}

/// Reads as much of a list as was asked for, in pages of up to `page_size`.
pub(crate) async fn read_list<E>(
    call: ListCall<'_, E>,
    part: &ListArguments,
    page_size: u16,
) -> Result<Listed<<E::Response as Page>::Item>, openai_admin::Error>
where
    E: ListEndpoint,
{
    let mut listing = Listing::new(call, part, page_size);
    let mut items = Vec::new();
    while let Some(page) = listing.next().await? {
        items.extend(page);
    }
    Ok(Listed { items, after: part.after.clone(), is_cut: listing.is_cut })
}

/// Reads the same and prints it: where items have lines of their own, each page as it comes, however many there are.
/// `none` tells people that it is empty, and `doing` completes "cannot …".
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
    if !output.is_of_lines() {
        return read_list(call, part, page_size).await.doing(doing)?.print(layout, none, output);
    }
    let mut listing = Listing::new(call, part, page_size);
    let mut last = None;
    let mut is_first = true;
    while let Some(page) = listing.next().await.doing(&doing)? {
        output.lines_as(layout, &page, is_first)?;
        is_first = false;
        last = page.last().map(|item| item.id().to_owned()).or(last);
    }
    if is_first {
        output.lines_as(layout, &[], true)?;
    }
    if let (true, Some(last)) = (listing.is_cut, last) {
        output.note(&more_after(&last));
    }
    Ok(())
}

fn more_after(last: &str) -> String {
    format!("there are more: go on with --after {}", shell_word(last))
}

impl From<OrderChoice> for Order {
    fn from(choice: OrderChoice) -> Self {
        match choice {
            OrderChoice::Asc => Self::Asc,
            OrderChoice::Desc => Self::Desc,
        }
    }
}
