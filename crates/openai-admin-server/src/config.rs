use std::num::NonZeroU32;

/// How a server behaves. The default is safe and lenient, like the published service.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Refuse fields of a body that the operation does not have, instead of ignoring them.
    pub strict: bool,
    /// How many requests a key may make in a minute; none means as many as it likes.
    pub requests_per_minute: Option<NonZeroU32>,
}
