use crate::{
    eight_bytes::{HIGHEST_BITS, lowest_below, lowest_equal},
    operations::ListGroupUsers,
    page::ListEndpoint as _,
};

/// The bytes reserved for a user: an id, a name and an address of typical length, and the names of the fields.
const USER_BYTES: usize = 128;
const HEAD: &[u8] = br#"{"object":"list","data":["#;

/// Writes the JSON of a [`UserListResource`](crate::models::UserListResource) user by user, without building the model.
/// The bytes are those of serde_json.
///
/// ```
/// use openai_admin::{operations::ListGroupUsers, wire::UserListWriter};
/// let mut page = UserListWriter::new(&ListGroupUsers::new("group_1".parse()?));
/// page.push("user_7", "Ada", Some("ada@example.com"));
/// let json = r#"{"object":"list","data":[{"id":"user_7","name":"Ada","email":"ada@example.com"}],"has_more":false,"next":null}"#;
/// assert_eq!(page.finish(false), json.as_bytes());
/// # Ok::<(), openai_admin::Violation>(())
/// ```
#[derive(Debug)]
pub struct UserListWriter {
    json: Vec<u8>,
    /// The position of the last user's id, with its quotes.
    last_id: std::ops::Range<usize>,
}

impl UserListWriter {
    /// An empty page with capacity for the limit of `request`.
    pub fn new(request: &ListGroupUsers) -> Self {
        let mut json = Vec::with_capacity(USER_BYTES * (usize::from(request.limit()) + 1));
        json.extend_from_slice(HEAD);
        Self { json, last_id: 0..0 }
    }

    /// Appends a user.
    pub fn push(&mut self, id: &str, name: &str, email: Option<&str>) {
        let json = &mut self.json;
        json.extend_from_slice(if json.len() == HEAD.len() { br#"{"id":"# } else { br#",{"id":"# });
        let id_start = json.len();
        write_text(json, id);
        self.last_id = id_start..json.len();
        json.extend_from_slice(br#","name":"#);
        write_text(json, name);
        json.extend_from_slice(br#","email":"#);
        match email {
            Some(email) => write_text(json, email),
            None => json.extend_from_slice(b"null"),
        }
        json.push(b'}');
    }

    /// Finishes the page. If `has_more`, the last id is the cursor of the next page.
    pub fn finish(self, has_more: bool) -> Vec<u8> {
        let Self { mut json, last_id } = self;
        if has_more && !last_id.is_empty() {
            json.extend_from_slice(br#"],"has_more":true,"next":"#);
            json.extend_from_within(last_id);
        } else {
            json.extend_from_slice(if has_more {
                br#"],"has_more":true,"next":"#
            } else {
                br#"],"has_more":false,"next":"#
            });
            json.extend_from_slice(b"null");
        }
        json.push(b'}');
        json
    }
}

/// Writes a JSON string. Copies it if it needs no escapes; otherwise serde_json writes it.
fn write_text(json: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    } else {
        serde_json::to_writer(json, text).expect("a str always serializes into a Vec");
    }
}

/// Whether a text has no quote, no backslash and no control character.
fn is_plain(text: &[u8]) -> bool {
    let (eights, rest) = text.as_chunks::<8>();
    let found = |word: u64| {
        let special = lowest_below(word, b' ') | lowest_equal(word, b'"') | lowest_equal(word, b'\\');
        special & !word & HIGHEST_BITS
    };
    let is_special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    eights.iter().fold(0, |all, eight| all | found(u64::from_le_bytes(*eight))) == 0
        && !rest.iter().any(is_special)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::models::{GroupUser, UserListResource};

    fn both(users: &[(String, String, Option<String>)], has_more: bool) -> (String, String) {
        let mut page = UserListWriter::new(&ListGroupUsers::new("group_1".parse().expect("an id")));
        for (id, name, email) in users {
            page.push(id, name, email.as_deref());
        }
        let models = users.iter().map(|(id, name, email)| {
            GroupUser::new(id.parse().expect("an id"), name.as_str().into(), email.as_deref().map(Into::into))
        });
        let model = UserListResource::new(models.collect(), has_more);
        let written = String::from_utf8(page.finish(has_more)).expect("UTF-8");
        (written, serde_json::to_string(&model).expect("a page"))
    }

    #[test]
    fn every_character_is_written_like_in_the_model() {
        // Alone, at each position of eight bytes, and next to a character that is not ASCII.
        for character in ('\0'..='\u{200}').chain(['\u{2028}', '\u{2029}', '\u{d7ff}', '\u{fffd}', '🦀']) {
            for before in 0..9 {
                let name = format!("{}{character}é{character}xyz", "n".repeat(before));
                let users = [("user_1".to_owned(), name.clone(), Some(name))];
                let (written, model) = both(&users, false);
                assert_eq!(written, model, "{character:?} after {before}");
            }
        }
    }

    #[test]
    fn an_empty_page_is_written_like_the_model() {
        for has_more in [false, true] {
            let (written, model) = both(&[], has_more);
            assert_eq!(written, model);
        }
    }

    proptest! {
        #[test]
        fn any_page_is_written_like_the_model(
            users in prop::collection::vec(("[^\\p{Cc}/.]{1,60}", any::<String>(), any::<Option<String>>()), 0..5),
            has_more: bool,
        ) {
            let users: Vec<_> = users.into_iter().map(|(id, name, email)| (format!("u{id}"), name, email)).collect();
            let (written, model) = both(&users, has_more);
            prop_assert_eq!(written, model);
        }
    }
}
