//! The `next_page` of a series: the time and the parameters of the first request, and the start of the next page.

use base64::{Engine, engine::general_purpose::STANDARD};
use openai_admin::Cursor;

use crate::base::error::{Error, Result};

/// The prefix of a token.
const PREFIX: &str = "page_";

/// The start of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageToken {
    /// The time of the first request, so that all pages of a request without an end have the same end.
    pub(crate) asked_at: i64,
    /// A hash of the parameters.
    mark: u32,
    /// The start of the page's first bucket.
    pub(crate) next: i64,
}

impl PageToken {
    /// Parses `page`, or starts the first page.
    pub(crate) fn begin(page: Option<&str>, parameters: &str, now: i64, start: i64) -> Result<Self> {
        let mark = hash(parameters);
        let Some(page) = page else { return Ok(Self { asked_at: now, mark, next: start }) };
        Self::read(page)
            .filter(|token| token.mark == mark && token.next >= start)
            .ok_or_else(|| Error::invalid_value("page", "the 'next_page' of a page with the same parameters"))
    }

    fn read(page: &str) -> Option<Self> {
        let bytes: [u8; 20] = STANDARD.decode(page.strip_prefix(PREFIX)?).ok()?.try_into().ok()?;
        let (asked_at, rest) = bytes.split_first_chunk::<8>()?;
        let (mark, next) = rest.split_first_chunk::<4>()?;
        Some(Self {
            asked_at: i64::from_be_bytes(*asked_at),
            mark: u32::from_be_bytes(*mark),
            next: i64::from_be_bytes(next.try_into().ok()?),
        })
    }

    /// The token of a page that starts at `next`.
    pub(crate) fn write(self, next: i64) -> Result<Cursor> {
        let mut bytes = Vec::with_capacity(20);
        bytes.extend(self.asked_at.to_be_bytes());
        bytes.extend(self.mark.to_be_bytes());
        bytes.extend(next.to_be_bytes());
        Cursor::new(format!("{PREFIX}{}", STANDARD.encode(bytes))).map_err(Error::internal)
    }
}

/// FNV-1a: it distinguishes requests, and is not a protection against tampering.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let first = PageToken::begin(None, "a", 7, 60).expect("a beginning");
        let written = first.write(120).expect("a token");
        let read = PageToken::begin(Some(written.as_str()), "a", 8, 60).expect("the same position");
        assert_eq!(read, PageToken { next: 120, ..first });
        for (page, parameters) in [(written.as_str(), "b"), ("page_", "a"), ("page_!", "a"), ("", "a")] {
            assert!(PageToken::begin(Some(page), parameters, 8, 60).is_err(), "{page} {parameters}");
        }
    }

    #[test]
    fn a_recorded_token_has_this_form() {
        let token = PageToken::read("page_AAAAAGdGxdEiJdKOAAAAAGcqsYA=").expect("a token");
        assert_eq!((token.asked_at, token.next), (1_732_691_409, 1_730_851_200));
    }
}
