//! Costs of the organization, by day.

use super::{choice::choice, declare::second, page::UsagePage, width::UsageLabel};
use crate::{
    Cursor, Limit, ListEndpoint, Timestamp, Violation,
    decimal::Decimal,
    endpoint::endpoint,
    open_enum::ApiSource,
    operations::{audit_logs::seconds, record::record},
};

const TAG: &str = "Usage";

/// The number of days on a page: up to 180, by default 7.
pub type CostsLimit = Limit<0, 180, 7>;

choice! {
    /// The width of a bucket of costs.
    #[derive(Default)]
    CostsBucketWidth {
        /// A day, in UTC.
        #[default]
        Day = "1d",
    }
}

impl CostsBucketWidth {
    /// The default and the maximum number of buckets on a page.
    pub const fn pages(self) -> (u16, u16) {
        (7, 180)
    }

    /// The width in seconds.
    pub const fn seconds(self) -> i64 {
        24 * 60 * 60
    }
}

choice! {
    /// The fields that group costs.
    CostsGroupBy {
        /// The project.
        ProjectId = "project_id",
        /// The line item.
        LineItem = "line_item",
        /// The API key.
        ApiKeyId = "api_key_id",
        /// The user.
        UserId = "user_id",
        /// The source of the request.
        ApiSource = "api_source",
    }
}

record! {
    /// Shows the costs of the organization, by day in UTC.
    UsageCosts {
        /// The start of the range of time, inclusive.
        #[serde(deserialize_with = "second")]
        start_time: Timestamp,
    }
    query {
        /// The end of the range of time, exclusive; now by default.
        #[serde(default, deserialize_with = "seconds")]
        end_time: Timestamp,
        /// The width of a bucket: a day.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "1d")))]
        bucket_width: CostsBucketWidth,
        /// Only costs of these projects.
        project_ids: Vec<String>,
        /// Only costs of these API keys.
        api_key_ids: Vec<String>,
        /// Only these line items.
        line_items: Vec<String>,
        /// The fields to group the results by. By default a bucket has at most one result.
        group_by: Vec<CostsGroupBy>,
        /// How many buckets to return: up to 180 days (default: 7).
        limit: CostsLimit,
        /// The cursor: the `next_page` of the previous page. The other parameters must be the same.
        page: Cursor,
    }
}

endpoint!(UsageCosts, "usage-costs", GET "/organization/costs", USAGE_READ -> UsagePage<CostsResult>);

impl ListEndpoint for UsageCosts {
    fn set_after(&mut self, after: Cursor) {
        self.page = Some(after);
    }
    fn after(&self) -> Option<&Cursor> {
        self.page.as_ref()
    }
    fn set_limit(&mut self, limit: i64) -> Result<(), Violation> {
        self.limit = Some(Limit::new(limit)?);
        Ok(())
    }
    fn limit(&self) -> u16 {
        self.limit.map_or_else(|| CostsBucketWidth::Day.pages().0, Limit::get)
    }
}

record! {
    /// An amount of money.
    Cost {
        /// The amount, in units of the currency, rounded to 9 decimals.
        #[serde(deserialize_with = "crate::decimal::rounded")]
        value: Decimal<9>,
        /// The currency: `usd`.
        currency: String,
    }
}

record! {
    /// The costs of a day.
    #[derive(Default)]
    CostsResult object CostsResultObject = "organization.costs.result" {}
    optional {
        /// The costs.
        amount: Cost,
    }
    nullable {
        /// The project, if results are grouped by it.
        project_id: String,
        /// The line item, if results are grouped by it.
        line_item: String,
        /// The API key, if results are grouped by it.
        api_key_id: String,
        /// The user, if results are grouped by it.
        user_id: String,
        /// The source of the request, if results are grouped by it.
        api_source: ApiSource,
        /// The quantity, rounded to 6 decimals, if results are grouped by line item and all its costs have the same unit.
        #[serde(deserialize_with = "crate::decimal::rounded_or_null")]
        quantity: Decimal<6>,
        /// The unit of the quantity.
        quantity_unit: String,
    }
}

record! {
    /// A cost in US dollars. It is added to the costs of its day.
    CostsUsageRecord {
        /// The time of the cost.
        #[serde(deserialize_with = "second")]
        time: Timestamp,
        /// The amount in US dollars, with up to 9 decimals. A number or a text.
        amount: Decimal<9>,
    }
    optional {
        /// The project.
        project_id: UsageLabel,
        /// The line item, such as `gpt-5, input`.
        line_item: UsageLabel,
        /// The API key.
        api_key_id: UsageLabel,
        /// The user.
        user_id: UsageLabel,
        /// The source of the request.
        api_source: UsageLabel,
        /// The quantity, with up to 6 decimals. A number or a text.
        quantity: Decimal<6>,
        /// The unit of the quantity, such as `tokens`.
        quantity_unit: UsageLabel,
    }
}
