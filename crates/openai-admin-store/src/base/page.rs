//! The parameters that all lists share: order, start and limit, and the flag for more items.

use openai_admin::Order;

/// A page of a list that is ordered by a sequence number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) order: Order,
    /// The page starts behind this number, in list order.
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

    /// How many rows to read. One more than the page holds, to detect whether there are more.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The SQL text for this order.
    pub(crate) fn choose(&self, ascending: &'static str, descending: &'static str) -> &'static str {
        match self.order {
            Order::Asc => ascending,
            Order::Desc => descending,
        }
    }

    /// Removes the extra row, and returns whether there was one.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>) -> (Vec<T>, bool) {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        (rows, has_more)
    }
}
