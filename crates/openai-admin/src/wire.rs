//! The encoding of requests: [`encode`] for clients, [`decode`] for servers.
//!
//! Both use only the declaration of the operation, so they always agree: for every request, `decode(encode(request)) ==
//! request`, on the request's own route. [`decode_usage_lines`] reads the one body that may be JSON lines. [`UserListWriter`] writes the one answer that is too large to build its model
//! first.

mod decode;
mod decode_error;
mod encode;
mod fields;
mod lines;
mod parameter;
mod placeholders;
mod user_list;

pub use decode::{Incoming, Strictness, decode};
pub use decode_error::DecodeError;
pub use encode::{EncodeError, encode};
pub use fields::fields;
pub use lines::{JSON_LINES, decode_usage_lines, line_of_record};
pub use user_list::UserListWriter;

/// The field that is the JSON body.
pub(crate) const BODY: &str = "body";

/// The position of a field in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldPosition {
    /// Named in the path.
    Path,
    /// In the query string.
    Query,
    /// The JSON body.
    Body,
}

/// The position of a field in the requests of an operation with this `path`.
///
/// ```
/// use openai_admin::wire::{FieldPosition, field_position};
/// let path = "/organization/groups/{group_id}/users";
/// assert_eq!(field_position(path, "group_id"), FieldPosition::Path);
/// assert_eq!(field_position(path, "limit"), FieldPosition::Query);
/// assert_eq!(field_position(path, "body"), FieldPosition::Body);
/// ```
pub fn field_position(path: &str, field: &str) -> FieldPosition {
    field_position_among(|name| placeholders(path).any(|known| known == name), field)
}

fn field_position_among(is_in_path: impl Fn(&str) -> bool, field: &str) -> FieldPosition {
    if field == BODY {
        FieldPosition::Body
    } else if is_in_path(field) {
        FieldPosition::Path
    } else {
        FieldPosition::Query
    }
}

/// Formats parameters as a query string, for [`Incoming`].
///
/// ```
/// use openai_admin::wire;
/// assert_eq!(wire::query([("after", "user 7"), ("limit", "5")]), "after=user+7&limit=5");
/// ```
pub fn query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The names of the placeholders in a path, in order.
pub fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// Matches a path against a template. Returns the segment for each placeholder, still encoded, or `None` if they do not
/// match. The segment of a placeholder is not empty.
///
/// ```
/// use openai_admin::wire::match_path;
/// let template = "/organization/groups/{group_id}/users";
/// assert_eq!(match_path(template, "/organization/groups/a%20b/users"), Some(vec![("group_id", "a%20b")]));
/// assert_eq!(match_path(template, "/organization/groups//users"), None);
/// assert_eq!(match_path(template, "/organization/groups/a/users/b"), None);
/// ```
pub fn match_path<'a>(template: &'a str, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (mut named, mut segments) = (Vec::new(), path.split('/'));
    for expected in template.split('/') {
        let segment = segments.next()?;
        match placeholder(expected) {
            Some(name) if !segment.is_empty() => named.push((name, segment)),
            None if expected == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(named)
}

/// The name of a placeholder segment.
fn placeholder(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::match_path;

    #[test]
    fn a_path_matches_segment_by_segment() {
        let matches = |template, path| match_path(template, path).is_some();
        assert!(matches("", "") && matches("/", "/") && matches("/a/{b}", "/a/x"));
        // A template also matches itself.
        assert!(matches("/a/{b}", "/a/{c}") && matches("/a/{b}", "/a/{b}"));
        for (template, path) in [
            ("/a", ""),
            ("/a", "/"),
            ("/a", "/a/"),
            ("/a/{b}", "/a"),
            ("/a/{b}", "/a/"),
            ("/a/{b}", "/a/x/"),
            ("/a/b", "/a/{b}"),
            ("/a/{b", "/a/x"),
        ] {
            assert!(!matches(template, path), "{template} {path}");
        }
        let named = match_path("/{a}/b/{c}", "/1/b/2%2F3");
        assert_eq!(named, Some(vec![("a", "1"), ("c", "2%2F3")]));
    }
}
