//! Compressed pages and assets.
//!
//! Forms hold a token that each answer masks differently, so the size of a compressed page reveals nothing about it.

use std::io::Write as _;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt as _;

/// A smaller body is not compressed, in bytes: it fits into one packet.
const COMPRESSED_BYTES_MIN: u64 = 1024;

/// Whether the browser accepts gzip.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut codings = lines.flat_map(|line| line.split(','));
    codings.any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

/// Compresses a text of known size. Other answers stay as they are.
pub(crate) async fn compress(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_text = kind.is_some_and(|kind| kind.starts_with("text/"));
    let size = http_body::Body::size_hint(response.body()).exact();
    if !is_text || size.is_none_or(|size| size < COMPRESSED_BYTES_MIN) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // A body of known size is in memory, so reading it does not fail.
    let Ok(body) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    let bytes = body.to_bytes();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let encoded = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    let Ok(encoded) = encoded else { return Response::from_parts(parts, Body::from(bytes)) };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(parts, Body::from(encoded))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::response::{Html, IntoResponse as _};
    use flate2::read::GzDecoder;

    use super::*;

    async fn compressed(text: &str) -> (HeaderMap, Vec<u8>) {
        let (parts, body) = compress(Html(text.to_owned()).into_response()).await.into_parts();
        (parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_compressed_page_unpacks_to_the_same_bytes() {
        let page: String = (0..5_000).map(|row| format!("<tr><td>{row}é</td></tr>\n")).collect();
        let (headers, bytes) = compressed(&page).await;
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["vary"], "accept-encoding");
        assert!(headers.get("content-length").is_none() && bytes.len() < page.len() / 4);
        let mut unpacked = String::new();
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut unpacked).unwrap();
        assert!(unpacked == page, "{} bytes of {}", unpacked.len(), page.len());
    }

    #[tokio::test]
    async fn a_page_that_fits_into_a_packet_is_sent_as_it_is() {
        let (headers, bytes) = compressed("<p>small</p>").await;
        assert_eq!((headers.get("content-encoding"), bytes.as_slice()), (None, b"<p>small</p>".as_slice()));
    }

    #[test]
    fn a_browser_may_refuse_gzip() {
        for (text, accepted) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            assert_eq!(is_accepted(&headers), accepted, "{text}");
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }
}
