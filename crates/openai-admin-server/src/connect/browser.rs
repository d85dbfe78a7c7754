//! Protects a listener without authentication from web pages.
//!
//! A page in a developer's browser can send requests to the loopback (cross-site request forgery). If the page's own
//! domain resolves to the loopback, it can also read the answers (DNS rebinding). The browser sends the domain in
//! `Host`, and the page in `Origin` and `Sec-Fetch-Site`.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{HOST, ORIGIN},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The name of the loopback. All names below it also belong to the loopback (RFC 6761).
const LOCALHOST: &str = "localhost";
/// How many bytes of a header a refusal quotes.
const QUOTED_BYTES_MAX: usize = 100;

/// The hosts of a listener: the loopback, its own address, and the names that its operator allows.
///
/// ```
/// use axum::http::{HeaderMap, Uri};
/// use openai_admin_server::browser::AllowedHosts;
///
/// let hosts = AllowedHosts::of([127, 0, 0, 1].into());
/// let (uri, mut headers) = (Uri::from_static("/metrics"), HeaderMap::new());
/// headers.insert("host", "localhost:9090".parse()?);
/// assert!(hosts.check(&uri, &headers).is_ok());
/// headers.insert("origin", "https://evil.example".parse()?);
/// assert!(hosts.check(&uri, &headers).is_err());
/// # Ok::<(), axum::http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHosts {
    address: IpAddr,
    names: Vec<String>,
}

impl AllowedHosts {
    /// Allows the loopback and the address of a listener. A listener on all addresses accepts any IP address, since DNS
    /// rebinding needs a name.
    pub fn of(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), names: Vec::new() }
    }

    /// Also allows these names. Check each with [`is_host_name`] first.
    pub fn with_names(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().map(|name| canonical_name(&name)).collect(), ..self }
    }

    /// Whether a request is for one of these hosts and does not come from a page of another site. `uri` is the target
    /// of the request, which contains the host in HTTP/2. A request without any of these headers does not come from a
    /// browser.
    ///
    /// # Errors
    ///
    /// The refused header, with the reason.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let host = single(headers, &HOST, "Host")?;
        for authority in uri.authority().map(|authority| authority.as_str()).into_iter().chain(host) {
            if !Host::parse(authority).is_some_and(|host| self.allows(&host)) {
                return Err(Refused::new("Host", authority, "is not a name or address of this listener"));
            }
        }
        if let Some(origin) = single(headers, &ORIGIN, "Origin")?
            && !host_of_origin(origin).is_some_and(|host| self.allows(&host))
        {
            return Err(Refused::new("Origin", origin, "is another site"));
        }
        match single(headers, &SEC_FETCH_SITE, "Sec-Fetch-Site")? {
            None | Some("same-origin" | "same-site" | "none") => Ok(()),
            Some(site) => Err(Refused::new("Sec-Fetch-Site", site, "names a page of another site")),
        }
    }

    fn allows(&self, host: &Host) -> bool {
        match host {
            Host::Address(address) => {
                address.is_loopback() || self.address.is_unspecified() || *address == self.address
            }
            Host::Name(name) => {
                let below = name.strip_suffix(LOCALHOST);
                below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
                    || self.names.contains(name)
            }
        }
    }
}

/// Why a request that may come from a web page is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    header: &'static str,
    value: String,
    reason: &'static str,
}

impl Refused {
    fn new(header: &'static str, value: &str, reason: &'static str) -> Self {
        let end = value.floor_char_boundary(QUOTED_BYTES_MAX);
        Self { header, value: value[..end].to_owned(), reason }
    }

    /// The name of the refused header.
    pub fn header(&self) -> &'static str {
        self.header
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request refused: {} '{}' {}", self.header, self.value, self.reason)
    }
}

impl std::error::Error for Refused {}

/// Whether a text is a host name, without a port, and not an address.
pub fn is_host_name(text: &str) -> bool {
    !text.contains(':') && matches!(Host::parse(text), Some(Host::Name(_)))
}

/// The single value of a header, if present. Different programs could read two values differently.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refused::new(shown, text(value), "comes with another one"));
    }
    Ok(Some(text(value)))
}

/// A host contains only visible ASCII characters.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("?")
}

/// The host of a page's origin. A page that hides its origin sends `null`.
fn host_of_origin(origin: &str) -> Option<Host> {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
    Host::parse(authority)
}

/// The host of an authority, without the port.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// In lower case, without a trailing dot.
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// Parses a host with or without a port, but without user or path. Addresses must be in full, as browsers write
    /// them (`127.0.0.1`, not `127.1` or `0x7f.1`).
    fn parse(authority: &str) -> Option<Self> {
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let is_end = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            let address: Ipv6Addr = address.parse().ok()?;
            return is_end.then(|| Self::Address(IpAddr::from(address).to_canonical()));
        }
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        if !is_port(port) {
            return None;
        }
        if let Ok(address) = host.parse() {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        let name = canonical_name(host);
        let is_name = name.split('.').all(is_label) && !name.split('.').next_back().is_some_and(is_number);
        is_name.then_some(Self::Name(name))
    }
}

fn is_port(port: &str) -> bool {
    port.is_empty() || port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

fn canonical_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A name whose last label is a number is an address in an old notation (`127.1`, `0x7f000001`).
fn is_number(label: &str) -> bool {
    let hexadecimal =
        label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || label.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(hosts: &AllowedHosts, given: &[(&str, &str)]) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        hosts.check(&Uri::from_static("/"), &headers).map_err(|refused| refused.to_string())
    }

    fn loopback() -> AllowedHosts {
        AllowedHosts::of([127, 0, 0, 1].into())
    }

    #[test]
    fn the_loopback_is_known_in_every_spelling_and_nothing_else_is() {
        for host in [
            "localhost",
            "localhost:8080",
            "LocalHost",
            "localhost.",
            "localhost.:80",
            "acme.localhost",
            "127.0.0.1",
            "127.0.0.1:65535",
            "127.255.1.2",
            "[::1]",
            "[::1]:80",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]:1",
            "[::ffff:7f00:1]",
            "localhost:",
            "[::1]:",
        ] {
            assert_eq!(checked(&loopback(), &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "",
            ".",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "127.0.0.1.",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
            "0x7f000001",
            "user@localhost",
            "localhost@evil.example",
            "localhost:80@evil.example",
            "localhost/",
            "localhost:80/x",
            "localhost:+80",
            "localhost:65536",
            "localhost:8080:80",
            "localhost, evil.example",
            "localhost evil.example",
            "localhost..",
            ".localhost",
            "..localhost",
            "::1",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1%25lo]",
            "[127.0.0.1]",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "lo\u{e7}alhost",
            "localhost%00",
        ] {
            assert!(checked(&loopback(), &[("host", host)]).is_err(), "{host}");
        }
    }

    #[test]
    fn a_listener_accepts_its_own_address_and_the_allowed_names() {
        let hosts = AllowedHosts::of([10, 0, 0, 7].into()).with_names(["Metrics.Example.".to_owned()]);
        for host in
            ["10.0.0.7:9090", "metrics.example", "METRICS.example.:9090", "localhost", "[::ffff:10.0.0.7]"]
        {
            assert_eq!(checked(&hosts, &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["10.0.0.8", "a.metrics.example", "metrics.example.evil.example", "example"] {
            assert!(checked(&hosts, &[("host", host)]).is_err(), "{host}");
        }
        let everywhere = AllowedHosts::of([0, 0, 0, 0].into());
        assert_eq!(checked(&everywhere, &[("host", "192.0.2.7:9090")]), Ok(()));
        assert!(checked(&everywhere, &[("host", "rebound.example:9090")]).is_err());
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let from = |header, value| checked(&loopback(), &[("host", "127.0.0.1:1"), (header, value)]);
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080"] {
            assert_eq!(from("origin", origin), Ok(()), "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://localhost.evil.example",
            "localhost",
            "file://",
            "http://localhost/",
            "http://x@localhost",
            "chrome-extension://localhost",
            "http://localhost http://evil.example",
            "HTTP://localhost",
        ] {
            assert!(from("origin", origin).is_err(), "{origin}");
        }
        for site in ["same-origin", "same-site", "none"] {
            assert_eq!(from("sec-fetch-site", site), Ok(()), "{site}");
        }
        for site in ["cross-site", "", "Same-Origin", "same-origin, cross-site"] {
            assert!(from("sec-fetch-site", site).is_err(), "{site}");
        }
    }

    #[test]
    fn requests_without_browser_headers_are_allowed() {
        assert_eq!(checked(&loopback(), &[]), Ok(()));
    }

    #[test]
    fn two_of_one_header_are_refused_even_when_both_are_right() {
        for (name, value) in
            [("host", "localhost"), ("origin", "http://localhost"), ("sec-fetch-site", "none")]
        {
            assert!(checked(&loopback(), &[(name, value), (name, value)]).is_err(), "{name}");
        }
    }

    #[test]
    fn the_host_in_the_target_counts_too() {
        let hosts = loopback();
        let mut headers = HeaderMap::new();
        let check = |uri, headers: &HeaderMap| hosts.check(&Uri::from_static(uri), headers).is_ok();
        assert!(check("http://localhost:1/metrics", &headers));
        assert!(!check("http://evil.example/metrics", &headers));
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        assert!(!check("http://evil.example/metrics", &headers));
        assert!(check("/metrics", &headers));
    }

    #[test]
    fn a_refusal_says_which_header_and_repeats_a_part_of_it() {
        let refused = checked(&loopback(), &[("host", &"x".repeat(500))]).expect_err("refused");
        assert_eq!(
            refused,
            format!(
                "request refused: Host '{}' is not a name or address of this listener",
                "x".repeat(QUOTED_BYTES_MAX)
            )
        );
    }

    #[test]
    fn a_host_name_is_not_an_address_or_a_url() {
        for name in ["metrics", "metrics.example", "my_service.internal.", "xn--bcher-kva.example"] {
            assert!(is_host_name(name), "{name}");
        }
        for other in ["", "127.0.0.1", "127.1", "[::1]", "metrics:9090", "*.example", "http://metrics", "a b"]
        {
            assert!(!is_host_name(other), "{other}");
        }
    }
}
