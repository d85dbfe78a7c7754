//! What each operation does: who asks, what is asked, which operation of the store answers it.

pub(crate) mod audit_logs;
pub(crate) mod group_users;
pub(crate) mod groups;
pub(crate) mod users;

use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use openai_admin_store::{IdempotencyKey, Org, Stamp, Store};

use crate::{auth::Caller, minter::Minter};

/// What a handler is given beside the request.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) caller: Arc<Caller>,
    pub(crate) minter: Minter,
    /// Under which a creation is made once.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

impl Context {
    /// The organization that is asked about: the caller's own, never another.
    fn org(&self) -> Org {
        self.caller.org
    }

    /// A change by the caller, now.
    fn stamp(&self) -> Stamp {
        self.minter.stamp(&self.caller.actor).once(self.idempotency_key.clone())
    }
}

/// An answer that is JSON already: what serde would write of a `T`.
pub(crate) struct Written<T> {
    pub(crate) json: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T> Written<T> {
    pub(crate) fn new(json: Bytes) -> Self {
        Self { json, of: PhantomData }
    }
}
