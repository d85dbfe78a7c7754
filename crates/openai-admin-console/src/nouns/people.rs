//! Users in tables.

use openai_admin::{UserRole, models::User};

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

impl Person {
    /// The name, or the address or the id of a user without one.
    pub(crate) fn shown(&self) -> &str {
        [&self.name, &self.email, &self.id]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or("", String::as_str)
    }
}
