use openai_admin_store::{Org, Store};

use crate::{
    answer::{auth::Authenticator, rate_limit::RateLimit, routes::operations},
    connect::{config::Config, connections::Requests},
    minter::Minter,
    operate::{backups::Backups, drain::Drain, metrics::Metrics},
};

/// The state that all requests share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) minter: Minter,
    pub(crate) config: Config,
    pub(crate) authenticator: Authenticator,
    pub(crate) rate_limit: Option<RateLimit<(Org, String)>>,
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
