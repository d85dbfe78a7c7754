//! Types that every other folder uses. This folder uses none of them.

pub(crate) mod announcement;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod kind;
pub(crate) mod org;
pub(crate) mod page;
pub(crate) mod pem;
#[cfg(feature = "postgres")]
pub(crate) mod postgres_values;
pub(crate) mod refusal;
pub(crate) mod replace;
pub(crate) mod rule;
pub(crate) mod secret;
pub(crate) mod stamp;
pub(crate) mod text;
pub(crate) mod time_limit;
pub(crate) mod value;
