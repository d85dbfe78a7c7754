//! Reads request bodies, with a limit for each and for all together.

use axum::body::HttpBody;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use crate::memory::{Budget, Reserved};

/// The maximum size of all request bodies in memory, in bytes.
pub(crate) const BODIES_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Why a body was not read completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The connection ended, or the body is malformed.
    Broken,
    /// The body exceeds its limit.
    TooLong,
    /// The bodies of other requests use all memory.
    NoRoom,
}

/// Reads a body of at most `bytes_max` bytes. Its size counts towards the budget until the reservation is dropped.
pub(crate) async fn read<B>(body: B, bytes_max: usize, budget: &Budget) -> Result<(Bytes, Reserved), Unread>
where
    B: HttpBody<Data = Bytes>,
{
    let mut body = std::pin::pin!(body);
    let mut reserved = budget.reserve(0).ok_or(Unread::NoRoom)?;
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        // Trailers are not part of the body.
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        length += data.len();
        if length > bytes_max {
            return Err(Unread::TooLong);
        }
        if !reserved.grow(data.len()) {
            return Err(Unread::NoRoom);
        }
        // Most bodies have one piece, which is not copied.
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok((first, reserved));
    }
    let mut whole = BytesMut::with_capacity(length);
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok((whole.freeze(), reserved))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| std::io::Result::Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    async fn text(body: &[&'static str], bytes_max: usize, budget: &Budget) -> Result<String, Unread> {
        let (body, _reserved) = read(pieces(body), bytes_max, budget).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn bodies_are_limited_individually_and_together() {
        let budget = Budget::of(10);
        assert_eq!(text(&["ab", "cd", "e"], 5, &budget).await.as_deref(), Ok("abcde"));
        assert_eq!(text(&[], 5, &budget).await.as_deref(), Ok(""));
        assert_eq!(text(&["abc", "def"], 5, &budget).await, Err(Unread::TooLong));
        let held = read(pieces(&["abcdefg"]), 10, &budget).await;
        assert_eq!(text(&["abc", "d"], 5, &budget).await, Err(Unread::NoRoom));
        drop(held);
        assert_eq!(text(&["abc", "d"], 5, &budget).await.as_deref(), Ok("abcd"));
        assert_eq!(budget.held(), 0);
    }

    #[tokio::test]
    async fn an_incomplete_body_is_broken() {
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err(std::io::Error::other("gone"))]);
        let read = read(Body::from_stream(broken), 5, &Budget::of(10)).await;
        assert_eq!(read.map(|_| ()), Err(Unread::Broken));
    }
}
