//! Checks the host of a request: it appears once, and is the same in the header and the target (RFC 9112, 3.2). This
//! server does not route by host, but a proxy in front may, and both must see the same host.

use axum::{
    extract::Request,
    http::{Version, header::HOST},
};

use crate::answer::error::ApiError;

/// Refuses a request with no host, several hosts, or an invalid one.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return match request.version() {
            Version::HTTP_11 => Err(ApiError::wrong_host("the header is missing; HTTP/1.1 needs one")),
            _ => Ok(()),
        };
    };
    if hosts.next().is_some() {
        return Err(ApiError::wrong_host("your request has more than one; send one"));
    }
    if !host.as_bytes().iter().all(|byte| is_part_of_a_host(*byte)) {
        return Err(ApiError::wrong_host("expected a name or an address, with or without a port"));
    }
    match request.uri().authority() {
        Some(authority) if !authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) => {
            Err(ApiError::wrong_host("the target of your request names another host"))
        }
        _ => Ok(()),
    }
}

/// Whether a byte can be part of a host and its port (RFC 3986, 3.2.2), which excludes users, paths and lists.
fn is_part_of_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=[]:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(version: Version, target: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        check(&request.body(()).expect("a request")).is_err()
    }

    #[test]
    fn a_request_names_one_host_and_the_same_everywhere() {
        for (version, target, hosts) in [
            (Version::HTTP_11, "/", &["localhost:8080"][..]),
            (Version::HTTP_11, "/", &["[::1]:8080"]),
            (Version::HTTP_11, "/", &[""]),
            (Version::HTTP_11, "http://Api.example:80/v1", &["api.example:80"]),
            (Version::HTTP_10, "/", &[]),
            (Version::HTTP_10, "/", &["x"]),
            (Version::HTTP_2, "https://api.example/v1", &[]),
            (Version::HTTP_2, "https://api.example/v1", &["API.example"]),
        ] {
            assert!(!is_refused(version, target, hosts), "{version:?} {target} {hosts:?}");
        }
        for (version, target, hosts) in [
            (Version::HTTP_11, "/", &[][..]),
            (Version::HTTP_11, "/", &["x", "x"]),
            (Version::HTTP_10, "/", &["x", "y"]),
            (Version::HTTP_11, "/", &["x, y"]),
            (Version::HTTP_11, "/", &["user@x"]),
            (Version::HTTP_11, "/", &["x/y"]),
            (Version::HTTP_11, "http://other.example/v1", &["api.example"]),
            (Version::HTTP_11, "http://api.example:81/v1", &["api.example"]),
            (Version::HTTP_2, "https://other.example/v1", &["api.example"]),
        ] {
            assert!(is_refused(version, target, hosts), "{version:?} {target} {hosts:?}");
        }
    }
}
