//! API keys: how they are made, and what is kept of them.

use openai_admin::{Scope, Timestamp, hexadecimal};
use openai_admin_store::{ApiKey, NewApiKey, Secret};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::minter::Minter;

/// What every admin key that this server mints begins with, as clients expect, and visibly not OpenAI's.
pub const PREFIX: &str = "sk-admin-oadm-";
/// What an admin key begins with.
const ADMIN: &str = "sk-admin-";
/// What follows that in every key that this server mints, whatever it is for.
const MARK: &str = "oadm-";

/// How long a key that somebody else made must be for a server that other machines reach, in characters.
pub const GIVEN_KEY_LENGTH_MIN: usize = 24;

/// How many characters of a key are shown at each end. A shorter key than [`GIVEN_KEY_LENGTH_MIN`] is not shown at all.
const SHOWN_START: usize = 8;
const SHOWN_END: usize = 4;
/// How many characters a key has at least whose ends are stored.
const KEPT_LENGTH_MIN: usize = 40;

/// Every scope there is.
pub fn all_scopes() -> Vec<String> {
    Scope::ALL.iter().map(|scope| scope.as_str().to_owned()).collect()
}

/// Makes a key of 128 random bits and a checksum, so that a mistyped key is told from a revoked one.
///
/// The key itself is returned once and kept nowhere.
pub fn mint(
    minter: &Minter,
    name: &str,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
) -> (String, NewApiKey) {
    let Secret { value, hash, redacted } = secret(minter, ADMIN);
    (value.to_string(), NewApiKey { hash, redacted, name: name.to_owned(), scopes, expires_at })
}

/// Makes the value of a key that begins with `prefix`, in the form of [`mint`].
pub(crate) fn secret(minter: &Minter, prefix: &str) -> Secret {
    let random = minter.secret();
    let body = format!("{prefix}{MARK}{}", Ulid::from_parts((random >> 80) as u64, random));
    let value = format!("{body}-{}", checksum(&body));
    Secret { hash: hash(&value), redacted: kept(&value), value: value.into() }
}

/// What is kept of a key that somebody else made: any text.
pub fn given(key: &str, name: &str, scopes: Vec<String>) -> NewApiKey {
    NewApiKey { hash: hash(key), redacted: kept(key), name: name.to_owned(), scopes, expires_at: None }
}

/// Whether a key looks like one of ours, but cannot be one: its checksum does not fit.
pub(crate) fn is_mistyped(key: &str) -> bool {
    key.starts_with(PREFIX) && key.rsplit_once('-').is_none_or(|(body, end)| end != checksum(body))
}

fn checksum(body: &str) -> String {
    hash(body)[..8].to_owned()
}

/// The SHA-256 of a key.
pub(crate) type Digest = [u8; 32];

pub(crate) fn digest(key: impl AsRef<[u8]>) -> Digest {
    Sha256::digest(key.as_ref()).into()
}

/// The SHA-256 of a key, as it is stored.
pub(crate) fn hash(key: impl AsRef<[u8]>) -> String {
    stored(&digest(key))
}

/// A digest in hexadecimal.
pub(crate) fn stored(digest: &Digest) -> String {
    hexadecimal(digest).map(char::from).collect()
}

/// Whether a key that is stored was too short for a server that other machines reach: whoever can try often enough
/// would find it.
pub fn is_short(stored: &ApiKey) -> bool {
    stored.redacted_value == hidden()
}

fn hidden() -> String {
    "*".repeat(SHOWN_START)
}

/// What is stored to recognise a key by. Its ends stand in clear beside a fast hash of the whole, so they are kept only of
/// a key that is long enough without them.
fn kept(key: &str) -> String {
    match key.chars().count() {
        GIVEN_KEY_LENGTH_MIN..KEPT_LENGTH_MIN => "*".repeat(SHOWN_START + SHOWN_END),
        _ => redact(key),
    }
}

/// A key's ends, for the one who has sent it to recognise it by.
pub(crate) fn redact(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    if characters.len() < GIVEN_KEY_LENGTH_MIN {
        return hidden();
    }
    let start: String = characters[..SHOWN_START].iter().collect();
    let end: String = characters[characters.len() - SHOWN_END..].iter().collect();
    format!("{start}********{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_key_has_its_checksum_and_is_kept_only_as_hash_and_ends() {
        let minter = Minter::new(|| 0, || 0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        let (key, kept) = mint(&minter, "ci", all_scopes(), None);
        let (body, checksum) = key.rsplit_once('-').expect("a checksum");
        assert!(body.starts_with(PREFIX));
        assert_eq!(checksum, &hash(body)[..8]);
        assert!(!is_mistyped(&key));
        assert_eq!(kept.hash, hash(&key));
        assert_eq!(kept.redacted, format!("sk-admin********{}", &key[key.len() - 4..]));
        assert!(!format!("{kept:?}").contains(&key));
    }

    #[test]
    fn a_key_of_ours_with_a_wrong_character_is_mistyped_and_any_other_text_is_not() {
        let minter = Minter::new(|| 0, || 0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        let (key, _) = mint(&minter, "ci", all_scopes(), None);
        for at in PREFIX.len()..key.len() {
            let mut wrong = key.clone();
            let other = if &key[at..=at] == "7" { "8" } else { "7" };
            wrong.replace_range(at..=at, other);
            assert!(is_mistyped(&wrong), "{wrong}");
        }
        assert!(is_mistyped(&key[..key.len() - 1]));
        assert!(!is_mistyped("sk-admin-anything") && !is_mistyped(""));
    }

    #[test]
    fn nothing_of_a_key_below_forty_characters_is_stored() {
        assert_eq!(kept("hunter2"), "********");
        assert_eq!(kept(&"x".repeat(GIVEN_KEY_LENGTH_MIN - 1)), "********");
        assert_eq!(kept(&"x".repeat(GIVEN_KEY_LENGTH_MIN)), "************");
        assert_eq!(kept(&"x".repeat(KEPT_LENGTH_MIN - 1)), "************");
        assert_eq!(kept(&"x".repeat(KEPT_LENGTH_MIN)), "xxxxxxxx********xxxx");
        assert_eq!(redact("hunter2"), "********");
    }
}
