use std::num::NonZeroU32;

use openai_admin_store::{Org, Store};

use crate::{
    answer::{auth::Authenticator, rate_limit::RateLimit, routes::operations},
    connect::{config::Config, connections::Requests},
    minter::Minter,
    operate::{backups::Backups, drain::Drain, metrics::Metrics},
};

/// How often a key may sign in to the console or try to unlock a session per minute, on each server: every sign-in and
/// every wrong key is an event, and events are kept.
const SIGN_INS_PER_MINUTE_MAX: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");

/// The state that all requests share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) minter: Minter,
    pub(crate) config: Config,
    pub(crate) authenticator: Authenticator,
    pub(crate) rate_limit: Option<RateLimit<(Org, String)>>,
    /// The sign-ins of each key to the console, and its attempts to unlock a session.
    pub(crate) sign_ins: RateLimit<(Org, String)>,
    pub(crate) requests: Requests,
    pub(crate) drain: Drain,
    pub(crate) metrics: Metrics,
    /// Where backups are written, if the operator says so.
    pub(crate) backups: Option<Backups>,
}

impl Shared {
    pub(crate) fn new(store: Store, minter: Minter, config: Config) -> Self {
        let requests = Requests::default();
        let ids = operations().into_iter().map(|operation| operation.id);
        Self {
            authenticator: Authenticator::new(store.clone(), minter.clone(), !config.behind_proxy),
            rate_limit: config.requests_per_minute.map(RateLimit::new),
            sign_ins: RateLimit::new(SIGN_INS_PER_MINUTE_MAX),
            drain: Drain::default(),
            metrics: Metrics::new(ids, store.clone(), minter.now(), requests.connections().clone()),
            backups: config.backups.clone().map(Backups::new),
            requests,
            store,
            minter,
            config,
        }
    }
}
