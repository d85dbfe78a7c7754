//! Cookies of the console. Over HTTPS their names have the prefix `__Host-`, so that no other host can set them.

use axum::http::{HeaderMap, HeaderValue, header};

/// The cookie with the secret of a session.
pub(crate) const SESSION: &str = "openai-admin";
/// The cookie of a visitor without a session, to which the sign-in form belongs.
pub(crate) const VISITOR: &str = "openai-admin-visitor";

/// The cookie with the chosen colour scheme.
pub(crate) const SCHEME: &str = "openai-admin-scheme";
/// How long a chosen colour scheme is kept, in seconds: a year.
const SCHEME_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The prefix of a name that only this host can set, over HTTPS.
const HOST_PREFIX: &str = "__Host-";

fn full_name(name: &str, is_secure: bool) -> String {
    if is_secure { format!("{HOST_PREFIX}{name}") } else { name.to_owned() }
}

/// The value of a cookie. `None` if the request has several of this name, since different programs could read different ones.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str, is_secure: bool) -> Option<&'a str> {
    let name = full_name(name, is_secure);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// A header that sets a cookie until the browser closes, or for a year if it is the colour scheme. An empty value deletes
/// it.
pub(crate) fn set(name: &str, value: &str, is_secure: bool) -> HeaderValue {
    let kept = if name == SCHEME { format!("; Max-Age={SCHEME_SECONDS}") } else { String::new() };
    let name = full_name(name, is_secure);
    let secure = if is_secure { "; Secure" } else { "" };
    let age = if value.is_empty() { "; Max-Age=0" } else { &kept };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(lines: &[&'static str], is_secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        read(&headers, SESSION, is_secure).map(str::to_owned)
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_once() {
        assert_eq!(value(&["a=b; openai-admin=one"], false).as_deref(), Some("one"));
        assert_eq!(value(&["a=b", "openai-admin=one"], false).as_deref(), Some("one"));
        assert_eq!(value(&["openai-admin=one; openai-admin=two"], false), None);
        assert_eq!(value(&["openai-admin=one"], true), None);
        assert_eq!(value(&["__Host-openai-admin=one"], true).as_deref(), Some("one"));
    }

    #[test]
    fn a_cookie_is_hidden_from_scripts_and_other_sites() {
        let secure = "__Host-openai-admin=s; Path=/; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(set(SESSION, "s", true), secure);
        let deleted = "openai-admin=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
        assert_eq!(set(SESSION, "", false), deleted);
    }
}
