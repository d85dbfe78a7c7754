//! Users in tables.

use openai_admin::{
    Client, Error, UserRole,
    identity::{has_word_with_start, name_key_in_any_case},
    models::{GroupUser, User},
};

use crate::base::moment::Moment;

/// A user in a table.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: String,
    pub(crate) is_service_account: bool,
    pub(crate) added_at: Moment,
}

impl From<User> for Person {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name.map(|name| name.to_string()).unwrap_or_default(),
            email: user.email.map(|email| email.to_string()).unwrap_or_default(),
            role: user.role.as_ref().map(UserRole::as_str).unwrap_or_default().to_owned(),
            is_service_account: user.is_service_account.unwrap_or_default(),
            added_at: user.added_at.into(),
        }
    }
}

/// Whether the name or the address of a member starts with a text, or a word of them, in any case.
pub(crate) fn is_match(member: &GroupUser, key: &str) -> bool {
    has_word_with_start(&member.name, key)
        || member.email.as_ref().is_some_and(|email| has_word_with_start(email, key))
}

impl Person {
    /// The name, or the address or the id of a user without one.
    pub(crate) fn shown(&self) -> &str {
        [&self.name, &self.email, &self.id]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or("", String::as_str)
    }

    /// Whether the id starts with a text, or the name, the address or a word of them, in any case.
    pub(crate) fn starts_with(&self, text: &str) -> bool {
        let key = name_key_in_any_case(text);
        self.id.starts_with(text)
            || [&self.name, &self.email].iter().any(|field| has_word_with_start(field, &key))
    }
}

/// The user with exactly this id or address.
pub(crate) async fn exact(client: &Client, text: &str) -> Result<Option<Person>, Error> {
    if text.contains('@') {
        let found = client.users().list_users().emails([text.to_owned()]).await?;
        return Ok(found.into_inner().data.into_iter().next().map(Person::from));
    }
    match client.users().retrieve_user(text).await {
        Ok(user) => Ok(Some(user.into_inner().into())),
        Err(error) if error.is_not_found() || error.status().is_none() => Ok(None),
        Err(error) => Err(error),
    }
}
