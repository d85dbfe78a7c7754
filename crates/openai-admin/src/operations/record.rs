//! A macro for structs of requests and models.

/// Declares a request or a model: first the arguments of `new`, then the fields that `new` leaves empty.
///
/// - `object Kind = "name"`: the constant field `object`;
/// - `query`: an optional query parameter;
/// - `optional`: an optional JSON field;
/// - `never_null`: an optional JSON field of a request that refuses null;
/// - `clearable`: a JSON field that may be absent (no change) or null (clears the value);
/// - `nullable`: a JSON field that is null if there is no value.
macro_rules! record {
    (
        $(#[$meta:meta])* $name:ident $(object $kind:ident = $object:literal)?
        { $($(#[$doc:meta])* $field:ident: $type:ty,)* }
        $(query { $($(#[$query_doc:meta])* $query:ident: $query_type:ty,)* })?
        $(optional { $($(#[$optional_doc:meta])* $optional:ident: $optional_type:ty,)* })?
        $(never_null { $($(#[$given_doc:meta])* $given:ident: $given_type:ty,)* })?
        $(clearable { $($(#[$clearable_doc:meta])* $clearable:ident: $clearable_type:ty,)* })?
        $(nullable { $($(#[$nullable_doc:meta])* $nullable:ident: $nullable_type:ty,)* })?
    ) => {
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $(#[$meta])*
        #[non_exhaustive]
        pub struct $name {
            $(
                #[doc = concat!("Always `", $object, "`.")]
                #[serde(default)]
                pub object: $crate::Object<$kind>,
            )?
            $($(#[$doc])* pub $field: $type,)*
            $($($(#[$query_doc])* pub $query: Option<$query_type>,)*)?
            $($(
                $(#[$optional_doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$optional_type>,
            )*)?
            $($(
                $(#[$given_doc])*
                #[serde(
                    default,
                    skip_serializing_if = "Option::is_none",
                    deserialize_with = "crate::value::never_null"
                )]
                #[cfg_attr(feature = "schema", schemars(transform = $crate::schema::without_null))]
                pub $given: Option<$given_type>,
            )*)?
            $($(
                $(#[$clearable_doc])*
                #[serde(
                    default,
                    skip_serializing_if = "Option::is_none",
                    deserialize_with = "crate::value::null_as_given"
                )]
                #[cfg_attr(feature = "schema", schemars(extend("x-null" = true)))]
                pub $clearable: Option<Option<$clearable_type>>,
            )*)?
            $($(
                $(#[$nullable_doc])*
                #[serde(default)]
                pub $nullable: Option<$nullable_type>,
            )*)?
        }

        impl $name {
            /// Sets the required fields. The others are empty.
            #[allow(clippy::too_many_arguments, reason = "one for each required field")]
            pub fn new($($field: $type),*) -> Self {
                Self {
                    $(object: $crate::Object::<$kind>::new(),)?
                    $($field,)*
                    $($($query: None,)*)?
                    $($($optional: None,)*)?
                    $($($given: None,)*)?
                    $($($clearable: None,)*)?
                    $($($nullable: None,)*)?
                }
            }
        }

        $(
            #[doc = concat!("The `object` of a [`", stringify!($name), "`].")]
            #[derive(Clone, Debug)]
            pub enum $kind {}

            impl $crate::ObjectName for $kind {
                const NAME: &'static str = $object;
            }
        )?
    };
}
pub(crate) use record;
