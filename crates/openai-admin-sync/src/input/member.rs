//! Members in group files: an address or an id, with an optional end date and reason.

use jiff::civil::Date;
use openai_admin::{
    UserId,
    identity::{clean, is_email},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use crate::input::{email::EmailKey, visible::excerpt};

/// A member of a group.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub who: UserRef,
    /// The last day of the membership; `None` if it has no end.
    pub until: Option<Date>,
    /// Why, for the plan.
    pub reason: Option<String>,
}

/// A reference to a user.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UserRef {
    /// By email address.
    Email(EmailKey),
    /// By user id, for users without an address.
    Id(UserId),
}

impl UserRef {
    /// The address or the id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Id(id) => id.as_str(),
        }
    }
}

impl std::fmt::Debug for UserRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Email(email) => email.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("who", &self.who).field("until", &self.until).finish_non_exhaustive()
    }
}

/// The long form of a member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberFields {
    /// The user's email address.
    #[serde(default)]
    email: Option<String>,
    /// The user's id, for users without an address.
    #[serde(default)]
    id: Option<UserId>,
    /// The last day of the membership, such as 2027-01-31.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    until: Option<String>,
    /// Why, for the plan.
    #[serde(default)]
    reason: Option<String>,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MemberVisitor;
        impl<'de> de::Visitor<'de> for MemberVisitor {
            type Value = Member;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an email address, or { email: …, until: …, reason: … }")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Member, E> {
                Ok(Member { who: user_ref(text).map_err(E::custom)?, until: None, reason: None })
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Member, A::Error> {
                let fields = MemberFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
                fields.member().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(MemberVisitor)
    }
}

impl MemberFields {
    fn member(self) -> Result<Member, String> {
        let who = match (self.email, self.id) {
            (Some(email), None) => user_ref_by_email(&email)?,
            (None, Some(id)) => UserRef::Id(id),
            _ => return Err("a member must have either `email` or `id`".to_owned()),
        };
        let until = self.until.map(|text| {
            text.trim()
                .parse::<Date>()
                .map_err(|_| format!("`until: {text}` is not a date: use the form 2027-01-31"))
        });
        Ok(Member { who, until: until.transpose()?, reason: self.reason })
    }
}

/// Reads the short form: text with an `@` is an address, other text is an id.
///
/// # Errors
///
/// Why it is neither.
pub fn user_ref(text: &str) -> Result<UserRef, String> {
    if !text.contains('@') {
        let id = UserId::new(text.trim());
        return id
            .map(UserRef::Id)
            .map_err(|_| format!("'{}' is neither an email address nor a user id", excerpt(text)));
    }
    user_ref_by_email(text)
}

fn user_ref_by_email(text: &str) -> Result<UserRef, String> {
    let address = clean(text);
    match is_email(&address) {
        Ok(()) => Ok(UserRef::Email(EmailKey::new(&address))),
        Err(problem) => Err(format!("invalid email address '{}': {problem}", excerpt(text))),
    }
}

impl JsonSchema for Member {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Member".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let fields = generator.subschema_for::<MemberFields>();
        schemars::json_schema!({
            "description": "An email address, a user id (without an @), or an object with one of them.",
            "anyOf": [{ "type": "string" }, fields]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> UserRef {
        crate::input::yaml::read::<Member>(text, "x").expect("a member").who
    }

    #[test]
    fn an_address_is_cleaned_like_in_tables() {
        assert_eq!(read("\"\u{a0}Ada@b.c\u{200b}\"").as_str(), "ada@b.c");
    }

    #[test]
    fn a_member_can_be_named_by_id() {
        assert_eq!(read("user_7"), UserRef::Id("user_7".parse().expect("an id")));
        assert_eq!(read("{ id: a@b }"), UserRef::Id("a@b".parse().expect("an id")));
    }
}
