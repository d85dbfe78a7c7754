//! Creates and recognizes API keys.

use openai_admin::{Scope, Timestamp, hexadecimal};
use openai_admin_store::{ApiKey, NewApiKey, Secret};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::minter::Minter;

/// The prefix of every admin key of this server: the usual start, then a mark that tells it from OpenAI's.
pub const PREFIX: &str = "sk-admin-oadm-";
/// The prefix of admin keys.
const ADMIN: &str = "sk-admin-";
/// The mark that follows the prefix in every key of this server.
const MARK: &str = "oadm-";

/// The minimum length of a custom key on a server that other machines can reach, in characters.
pub const GIVEN_KEY_LENGTH_MIN: usize = 24;

/// How many characters of a key are shown at each end. A key shorter than [`GIVEN_KEY_LENGTH_MIN`] is hidden.
const SHOWN_START: usize = 8;
const SHOWN_END: usize = 4;
/// The minimum length of a key whose ends are stored, in characters.
const KEPT_LENGTH_MIN: usize = 40;

/// All scopes.
pub fn all_scopes() -> Vec<String> {
    Scope::ALL.iter().map(|scope| scope.as_str().to_owned()).collect()
}

/// Creates a key of 128 random bits and a checksum, which tells a mistyped key from a revoked one.
///
/// The key is returned once and not stored.
pub fn mint(
    minter: &Minter,
    name: &str,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
) -> (String, NewApiKey) {
    let Secret { value, hash, redacted } = secret(minter, ADMIN);
    (value.to_string(), NewApiKey { hash, redacted, name: name.to_owned(), scopes, expires_at })
}

/// Creates the value of a key that starts with `prefix`, in the form of [`mint`].
pub(crate) fn secret(minter: &Minter, prefix: &str) -> Secret {
    let random = minter.secret();
    let body = format!("{prefix}{MARK}{}", Ulid::from_parts((random >> 80) as u64, random));
    let value = format!("{body}-{}", checksum(&body));
    Secret { hash: hash(&value), redacted: redact_for_storage(&value), value: value.into() }
}

/// The stored form of a custom key, which may be any text.
pub fn given(key: &str, name: &str, scopes: Vec<String>) -> NewApiKey {
    NewApiKey {
        hash: hash(key),
        redacted: redact_for_storage(key),
        name: name.to_owned(),
        scopes,
        expires_at: None,
    }
}

/// Whether a key has this server's prefix but a wrong checksum.
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

/// The SHA-256 of a key in hexadecimal, as stored.
pub(crate) fn hash(key: impl AsRef<[u8]>) -> String {
    stored(&digest(key))
}

/// A digest in hexadecimal.
pub(crate) fn stored(digest: &Digest) -> String {
    hexadecimal(digest).map(char::from).collect()
}

/// The digest of a stored hash; `None` if it is not one.
pub(crate) fn digest_of(stored: &str) -> Option<Digest> {
    let digit = |at| stored.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let bytes: Option<Vec<u8>> = (0..stored.len()).step_by(2).map(digit).collect();
    Digest::try_from(bytes?).ok()
}

/// Whether a stored key was too short for a server that other machines can reach, since it could be guessed.
pub fn is_short(stored: &ApiKey) -> bool {
    stored.redacted_value == hidden()
}

fn hidden() -> String {
    "*".repeat(SHOWN_START)
}

/// The stored hint for recognizing a key. The ends are stored in clear beside a fast hash of the whole key, so only for
/// keys that are long enough without them.
fn redact_for_storage(key: &str) -> String {
    match key.chars().count() {
        GIVEN_KEY_LENGTH_MIN..KEPT_LENGTH_MIN => "*".repeat(SHOWN_START + SHOWN_END),
        _ => redact(key),
    }
}

/// The ends of a key, for the client that sent it.
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
        let (key, stored) = mint(&minter, "ci", all_scopes(), None);
        let (body, checksum) = key.rsplit_once('-').expect("a checksum");
        assert!(body.starts_with(PREFIX));
        assert_eq!(checksum, &hash(body)[..8]);
        assert!(!is_mistyped(&key));
        assert_eq!(stored.hash, hash(&key));
        assert_eq!(stored.redacted, format!("sk-admin********{}", &key[key.len() - 4..]));
        assert!(!format!("{stored:?}").contains(&key));
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
        assert_eq!(redact_for_storage("hunter2"), "********");
        assert_eq!(redact_for_storage(&"x".repeat(GIVEN_KEY_LENGTH_MIN - 1)), "********");
        assert_eq!(redact_for_storage(&"x".repeat(GIVEN_KEY_LENGTH_MIN)), "************");
        assert_eq!(redact_for_storage(&"x".repeat(KEPT_LENGTH_MIN - 1)), "************");
        assert_eq!(redact_for_storage(&"x".repeat(KEPT_LENGTH_MIN)), "xxxxxxxx********xxxx");
        assert_eq!(redact("hunter2"), "********");
    }
}
