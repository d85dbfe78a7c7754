//! The web console: pages about groups, users, access and the audit log.
//!
//! The console is a client of the server's own router in process, with the scopes of the session. So it can do nothing
//! that the API does not allow, and limits, messages and the audit log are the API's. All pages work without scripts.

mod base;
mod console;
mod nouns;
mod plans;
mod session;
mod state;
mod visit;

pub use axum::Router;
pub use console::Console;
pub use state::{Pages, SignInLink};
