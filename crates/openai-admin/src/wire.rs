//! How a request travels: [`encode`] on the client's side, [`decode`] on the server's.
//!
//! Both read the declaration of the operation and nothing else, so what one writes the other reads:
//! for every request, `decode(encode(request)) == request` on exactly its own route. [`UserListWriter`] writes the one
//! answer whose size makes building its model first worth avoiding.

mod decode;
mod encode;
mod fields;
mod parameter;
mod placeholders;
mod user_list;

pub use decode::{DecodeError, Incoming, Strictness, decode};
pub use encode::{EncodeError, encode};
pub use fields::fields;
pub use user_list::UserListWriter;

/// The field that is the JSON body.
pub(crate) const BODY: &str = "body";

/// The place of a field, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Named in the path.
    Path,
    /// In the query string.
    Query,
    /// The JSON body.
    Body,
}

/// Where a field of an operation with this `path` travels.
///
/// ```
/// use openai_admin::wire::{Place, place};
/// let path = "/organization/groups/{group_id}/users";
/// assert_eq!(place(path, "group_id"), Place::Path);
/// assert_eq!(place(path, "limit"), Place::Query);
/// assert_eq!(place(path, "body"), Place::Body);
/// ```
pub fn place(path: &str, field: &str) -> Place {
    place_among(|name| placeholders(path).any(|known| known == name), field)
}

fn place_among(is_in_path: impl Fn(&str) -> bool, field: &str) -> Place {
    if field == BODY {
        Place::Body
    } else if is_in_path(field) {
        Place::Path
    } else {
        Place::Query
    }
}

/// Parameters as a query string, as [`Incoming`] takes it.
///
/// ```
/// use openai_admin::wire;
/// assert_eq!(wire::query([("after", "user 7"), ("limit", "5")]), "after=user+7&limit=5");
/// ```
pub fn query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The names in braces of a path, in order.
pub fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
