//! What all lists share: which way, from where, how many, and whether there is more.

use openai_admin::Order;

/// Part of a list that is ordered by a sequence number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) order: Order,
    /// Only what comes after this number, in the direction of the list.
    pub(crate) after: i64,
    pub(crate) limit: usize,
}

impl Range {
    pub(crate) fn new(order: Order, after: Option<i64>, limit: u16) -> Self {
        let start = match order {
            Order::Asc => 0,
            Order::Desc => i64::MAX,
        };
        Self { order, after: after.unwrap_or(start), limit: usize::from(limit) }
    }

    /// How many rows to read: one more than the page holds tells whether there is more.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The text for the direction.
    pub(crate) fn choose(&self, ascending: &'static str, descending: &'static str) -> &'static str {
        match self.order {
            Order::Asc => ascending,
            Order::Desc => descending,
        }
    }

    /// Cuts the extra row off and says whether it was there.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>) -> (Vec<T>, bool) {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        (rows, has_more)
    }
}
