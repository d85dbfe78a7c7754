//! Macros that declare operations of usage.

use serde::Deserialize as _;

use crate::Timestamp;

/// Declares an operation that shows usage: its request, what groups it, its result and the records that are summed.
///
/// `by` names the query parameter that filters a dimension. `computed` numbers are in results, and not in records.
macro_rules! usage {
    (
        $id:literal, $path:literal, $of:literal;
        $request:ident by $group_by:ident -> $result:ident as $kind:ident = $object:literal of $record:ident;
        numbers { $($(#[$doc:meta])* $number:ident,)* }
        $(optional numbers { $($(#[$optional_doc:meta])* $optional:ident,)* })?
        $(computed numbers { $($(#[$computed_doc:meta])* $computed:ident,)* })?
        $(recorded dimensions { $($(#[$recorded_doc:meta])* $recorded:ident,)* })?
        dimensions { $($variant:ident $dimension:ident $(by $filter:ident: $filter_type:ty)?,)* }
    ) => {
        $crate::operations::usage::choice::choice! {
            #[doc = concat!("The fields that group the usage of ", $of, ".")]
            $group_by {
                $(
                    #[doc = concat!($crate::operations::usage::declare::title!($dimension), ".")]
                    $variant = stringify!($dimension),
                )*
            }
        }

        $crate::operations::record::record! {
            #[doc = concat!("Shows the usage of ", $of, " in the organization, in buckets of time. Usage counts toward the minute of its time.")]
            $request {
                /// The start of the range of time, inclusive.
                #[serde(deserialize_with = "crate::operations::usage::declare::second")]
                start_time: $crate::Timestamp,
            }
            query {
                /// The end of the range of time, exclusive; now by default.
                #[serde(default, deserialize_with = "crate::operations::audit_logs::seconds")]
                end_time: $crate::Timestamp,
                /// The width of a bucket; a day by default.
                #[cfg_attr(feature = "schema", schemars(extend("default" = "1d")))]
                bucket_width: $crate::operations::usage::width::BucketWidth,
                $($(
                    #[doc = concat!("Only usage with these values of `", stringify!($dimension), "`; all by default.")]
                    $filter: $filter_type,
                )?)*
                /// The fields to group the results by. By default a bucket has at most one result.
                group_by: Vec<$group_by>,
                /// How many buckets to return: up to 31 days (default: 7), 168 hours (default: 24) or 1440 minutes (default: 60).
                limit: $crate::operations::usage::width::UsageLimit,
                /// The cursor: the `next_page` of the previous page. The other parameters must be the same.
                page: $crate::Cursor,
            }
        }

        $crate::endpoint::endpoint!($request, $id, GET $path, USAGE_READ -> $crate::operations::usage::page::UsagePage<$result>);
        $crate::operations::usage::declare::usage_list!($request);

        $crate::operations::record::record! {
            #[doc = concat!("The usage of ", $of, " in a bucket of time.")]
            $result object $kind = $object { $($(#[$doc])* $number: u64,)* }
            optional {
                $($($(#[$optional_doc])* $optional: u64,)*)?
                $($($(#[$computed_doc])* $computed: u64,)*)?
            }
            nullable {
                $(
                    #[doc = concat!($crate::operations::usage::declare::title!($dimension), ", if results are grouped by it.")]
                    $dimension: $crate::operations::usage::declare::value_of!($dimension),
                )*
            }
        }

        $crate::operations::record::record! {
            #[doc = concat!("Usage of ", $of, ". It is added to the usage of its minute.")]
            $record {
                /// The time of the usage.
                #[serde(deserialize_with = "crate::operations::usage::declare::second")]
                time: $crate::Timestamp,
                $($(#[$doc])* $number: u64,)*
            }
            optional {
                $(
                    #[doc = concat!($crate::operations::usage::declare::title!($dimension), ".")]
                    $dimension: $crate::operations::usage::declare::recorded!($dimension),
                )*
                $($($(#[$recorded_doc])* $recorded: $crate::operations::usage::width::UsageLabel,)*)?
                $($($(#[$optional_doc])* $optional: u64,)*)?
            }
        }
    };
}
pub(in crate::operations) use usage;

/// The words for a dimension.
macro_rules! title {
    (project_id) => {
        "The project"
    };
    (user_id) => {
        "The user"
    };
    (api_key_id) => {
        "The API key"
    };
    (model) => {
        "The model"
    };
    (batch) => {
        "Whether it was a batch job"
    };
    (service_tier) => {
        "The service tier"
    };
    (api_source) => {
        "The source of the request"
    };
    (size) => {
        "The size of the images"
    };
    (source) => {
        "The kind of request for images"
    };
    (vector_store_id) => {
        "The vector store"
    };
    (context_level) => {
        "The size of the search context"
    };
}
pub(in crate::operations) use title;

/// The type of a dimension in a result.
macro_rules! value_of {
    (batch) => {
        bool
    };
    (api_source) => {
        $crate::open_enum::ApiSource
    };
    ($label:ident) => {
        String
    };
}
pub(in crate::operations) use value_of;

/// The type of a dimension in a record.
macro_rules! recorded {
    (batch) => {
        bool
    };
    ($label:ident) => {
        $crate::operations::usage::width::UsageLabel
    };
}
pub(in crate::operations) use recorded;

/// Implements [`ListEndpoint`] for a request of usage, whose cursor is `page`.
macro_rules! usage_list {
    ($request:ident) => {
        impl $crate::ListEndpoint for $request {
            fn set_after(&mut self, after: $crate::Cursor) {
                self.page = Some(after);
            }
            fn after(&self) -> Option<&$crate::Cursor> {
                self.page.as_ref()
            }
            fn set_limit(&mut self, limit: i64) -> Result<(), $crate::Violation> {
                self.limit = Some($crate::Limit::new(limit)?);
                Ok(())
            }
            fn limit(&self) -> u16 {
                self.limit.map_or_else(|| self.bucket_width.unwrap_or_default().pages().0, $crate::Limit::get)
            }
        }
    };
}
pub(in crate::operations) use usage_list;

pub(in crate::operations) fn second<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    Ok(Timestamp::from_unix_seconds(i64::deserialize(deserializer)?))
}
