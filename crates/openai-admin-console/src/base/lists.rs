//! Pages of the API's lists.

use openai_admin::{Error, ListEndpoint, Page as _, client::ListCall};

/// The items after a cursor, or the first ones if the cursor is empty, and the cursor of the next page.
pub(crate) async fn read<E: ListEndpoint>(
    call: ListCall<'_, E>,
    after: &str,
) -> Result<(E::Response, Option<String>), Error> {
    let call = if after.is_empty() { call } else { call.after(after) };
    let page = call.await?.into_inner();
    let next = page.next_cursor().map(|cursor| cursor.to_string());
    Ok((page, next))
}
