//! Checks of texts before they are stored: the limits of both engines and the bounds of the API.

use openai_admin::identity::is_email;

use crate::base::error::{Error, Result};

/// Checks that both engines can store a text. PostgreSQL does not accept U+0000.
pub(crate) fn check_text(field: &str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid_value(field, "a text without the character U+0000"));
    }
    Ok(())
}

/// Checks a text that did not come through the API. Texts of API requests are bounded by their types.
pub(crate) fn check_bounded_text(field: &str, text: &str, length_max: usize) -> Result<()> {
    check_text(field, text)?;
    let length = text.chars().count();
    if length > length_max {
        let expected = format!("at most {length_max} characters, but got {length}");
        return Err(Error::invalid_value(field, expected));
    }
    Ok(())
}

/// Checks a value of an open enum that this server acts on, so that it takes only the known ones.
pub(crate) fn check_known(field: &str, value: &str, known: &[&str]) -> Result<()> {
    if known.contains(&value) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(|known| format!("'{known}'")).collect();
    Err(Error::invalid_value(field, known.join(" or ")))
}

/// Checks the email address of a person.
pub(crate) fn check_email(email: &str) -> Result<()> {
    is_email(email).map_err(|reason| {
        Error::invalid_value("email", format!("an email address, such as ada@example.com, but {reason}"))
    })
}
