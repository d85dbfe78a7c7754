//! The methods of an API from a table: one row for each operation.

/// Declares an API of the client and its methods.
///
/// A row is `list name(ids) -> Request`, `call name(ids) -> Request` or `call name(ids; body: Body) -> Request`, with the
/// documentation before it and an example after it. Ids may be given as text. Examples are compiled, not run, since
/// the server does not serve these operations yet.
macro_rules! api {
    (
        $(#[$api_doc:meta])* $api:ident = $front:ident;
        $($(#[$doc:meta])* $kind:ident $name:ident($($id:ident: $id_type:ty),* $(; $body:ident: $body_type:ty)?) -> $request:ident, $example:literal;)*
    ) => {
        $(#[$api_doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $api<'a>(&'a $crate::Client);

        impl $crate::Client {
            $(#[$api_doc])*
            pub fn $front(&self) -> $api<'_> {
                $api(self)
            }
        }

        impl<'a> $api<'a> {
            $($crate::client::api::method! {
                $kind [
                    $(#[$doc])*
                    ///
                    /// ```no_run
                    /// # openai_admin_server::testing::example(async |client| {
                    #[doc = $example]
                    /// # Ok(()) });
                    /// ```
                ] $name($($id: $id_type),* $(; $body: $body_type)?) -> $request
            })*
        }
    };
}
pub(super) use api;

/// One method of an API.
macro_rules! method {
    (list [$($doc:tt)*] $name:ident($($id:ident: $id_type:ty),*) -> $request:ident) => {
        $($doc)*
        pub fn $name(
            &self,
            $($id: impl TryInto<$id_type, Error: Into<$crate::Error>>,)*
        ) -> $crate::client::ListCall<'a, $crate::operations::$request> {
            let request = || Ok($crate::operations::$request::new(
                $($crate::client::argument::<$crate::operations::$request, _, _>(stringify!($id), $id)?,)*
            ));
            $crate::client::ListCall::new(self.0, request())
        }
    };
    (call [$($doc:tt)*] $name:ident($($id:ident: $id_type:ty),* $(; $body:ident: $body_type:ty)?) -> $request:ident) => {
        $($doc)*
        ///
        /// # Errors
        ///
        /// See [`Error`](crate::Error); [`Error::is_not_found`](crate::Error::is_not_found) when what an id names is
        /// not there.
        pub async fn $name(
            &self,
            $($id: impl TryInto<$id_type, Error: Into<$crate::Error>>,)*
            $($body: $body_type,)?
        ) -> Result<
            $crate::Response<<$crate::operations::$request as $crate::Endpoint>::Response>,
            $crate::Error,
        > {
            self.0
                .send(&$crate::operations::$request::new(
                    $($crate::client::argument::<$crate::operations::$request, _, _>(stringify!($id), $id)?,)*
                    $($body,)?
                ))
                .await
        }
    };
}
pub(super) use method;
