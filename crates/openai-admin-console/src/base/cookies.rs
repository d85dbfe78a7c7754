//! Cookies of the console. Over HTTPS their names have the prefix `__Host-`, so that no other host can set them. A browser
//! sends a cookie to all ports of a host, so the names end in the port: two consoles on `localhost` keep separate sessions.

use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

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

/// The cookies of one console, as the visitor's browser names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    is_secure: bool,
    /// The port in the address of the page. `None` for the default port.
    port: Option<u16>,
}

impl Cookies {
    /// The cookies of the console at the address of a request.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap, is_secure: bool) -> Self {
        let host = headers.get(header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let port = host.as_ref().or_else(|| uri.authority()).and_then(Authority::port_u16);
        Self { is_secure, port }
    }

    fn full_name(self, name: &str) -> String {
        let prefix = if self.is_secure { HOST_PREFIX } else { "" };
        let port = self.port.map(|port| format!("-{port}")).unwrap_or_default();
        format!("{prefix}{name}{port}")
    }

    /// The value of a cookie. `None` if the request has several of this name, since different programs could read
    /// different ones.
    pub(crate) fn read<'a>(self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        read(headers, &self.full_name(name))
    }

    /// A header that sets a cookie until the browser closes, or for a year if it is the colour scheme. An empty value
    /// deletes it.
    pub(crate) fn set(self, name: &str, value: &str) -> HeaderValue {
        let kept = if name == SCHEME { format!("; Max-Age={SCHEME_SECONDS}") } else { String::new() };
        let name = self.full_name(name);
        let secure = if self.is_secure { "; Secure" } else { "" };
        let age = if value.is_empty() { "; Max-Age=0" } else { &kept };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}");
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(lines: &[&'static str], is_secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        Cookies { is_secure, port: None }.read(&headers, SESSION).map(str::to_owned)
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
        assert_eq!(Cookies { is_secure: true, port: None }.set(SESSION, "s"), secure);
        let deleted = "openai-admin=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
        assert_eq!(Cookies { is_secure: false, port: None }.set(SESSION, ""), deleted);
    }

    #[test]
    fn each_port_has_separate_cookies() {
        let cookies = |uri: &'static str, host: Option<&'static str>| {
            let host = host.map(|host| (header::HOST, HeaderValue::from_static(host)));
            Cookies::of(&Uri::from_static(uri), &host.into_iter().collect(), false)
        };
        for (uri, host, name) in [
            ("/console", Some("localhost:8080"), "openai-admin-8080"),
            ("/console", Some("[::1]:8081"), "openai-admin-8081"),
            ("/console", Some("directory.example"), "openai-admin"),
            ("https://localhost:8443/console", None, "openai-admin-8443"),
            ("/console", None, "openai-admin"),
        ] {
            assert_eq!(cookies(uri, host).full_name(SESSION), name);
        }
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("openai-admin-1=a; openai-admin-2=b"));
        assert_eq!(Cookies { is_secure: false, port: Some(2) }.read(&headers, SESSION), Some("b"));
    }
}
