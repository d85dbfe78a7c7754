use openai_admin::Timestamp;

use crate::operation::tx::Tx;

/// A transaction that reads an organization as of a time.
pub struct Reading<'a> {
    tx: Tx<'a>,
    at: Timestamp,
}

impl<'a> std::ops::Deref for Reading<'a> {
    type Target = Tx<'a>;
    fn deref(&self) -> &Tx<'a> {
        &self.tx
    }
}

impl std::ops::DerefMut for Reading<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tx
    }
}

impl<'a> Reading<'a> {
    pub(crate) fn new(tx: Tx<'a>, at: Timestamp) -> Self {
        Self { tx, at }
    }

    /// The time of the request.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }
}
