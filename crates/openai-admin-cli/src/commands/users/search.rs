//! `openai-admin users search`: users by the beginning of a name or an email address.

use openai_admin::{
    identity::{has_word_with_start, name_key_in_any_case},
    models::User,
};

use crate::{
    failure::{Doing as _, Result},
    lists::PAGE_SIZE,
    output::{count, visible},
    session::Session,
};

pub(super) async fn run(session: &Session<'_>, text: &str, limit: Option<u64>) -> Result<()> {
    let output = session.output;
    let found_max = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let key = name_key_in_any_case(text);
    let mut pages = session.client.users().list_users().limit(i64::from(PAGE_SIZE)).pages();
    let (mut found, mut searched): (Vec<User>, usize) = (Vec::new(), 0);
    while found.len() <= found_max
        && let Some(page) = pages.next().await
    {
        let users = page.doing(|| "list the users".to_owned())?.into_inner().data;
        searched += users.len();
        found.extend(users.into_iter().filter(|user| matches(user, &key)));
    }
    let is_truncated = found.len() > found_max;
    found.truncate(found_max);
    output
        .items(&found, &format!("no user matches '{}' among {}", visible(text), count(searched, "user")))?;
    if is_truncated {
        output.note("more users match: raise --limit");
    }
    Ok(())
}

/// Whether the name, the address or a word of them starts with the key.
fn matches(user: &User, key: &str) -> bool {
    [user.name.as_deref(), user.email.as_deref()]
        .into_iter()
        .flatten()
        .any(|text| has_word_with_start(text, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_matches_the_beginning_of_a_word_in_any_case() {
        for (text, key) in [
            ("Dana Whitfield", "dana"),
            ("Dana Whitfield", "WHIT"),
            ("Dana  Whitfield", "dana whit"),
            ("Łukasz Żak", "żak"),
            ("dana.whitfield@example.com", "whitfield@ex"),
            ("dana.whitfield@example.com", "example.com"),
            ("山田 浩", "浩"),
        ] {
            assert!(has_word_with_start(text, &name_key_in_any_case(key)), "{key}");
        }
        for (text, key) in [("Dana Whitfield", "field"), ("Dana Whitfield", "dana w field"), ("", "a")] {
            assert!(!has_word_with_start(text, &name_key_in_any_case(key)), "{key}");
        }
    }
}
