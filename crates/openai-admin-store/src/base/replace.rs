//! Fields of an update, which may be absent.

/// Replaces the value of a field, or keeps it if no value is given.
pub(crate) fn replace<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}
