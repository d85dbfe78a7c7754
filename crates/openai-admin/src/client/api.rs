//! Macros that declare the methods of an API from a table, one row for each operation.

/// Declares an API of the client with its methods.
///
/// A row is `list name(ids) -> Request`, `call name(ids) -> Request` or `call name(ids; body: Body) -> Request`, after
/// its documentation and before an example in braces. Ids may be given as text. `body: any Body` also takes the value of
/// the body's only required field. Examples run with the `client` of `openai_admin_server::testing::example`.
macro_rules! api {
    (
        $(#[$api_doc:meta])* $api:ident = $front:ident;
        $($(#[$doc:meta])* $kind:ident $name:ident($($arguments:tt)*) -> $request:ident { $(#[$example:meta])* })*
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
                    /// ```
                    /// # openai_admin_server::testing::example(async |client| {
                    $(#[$example])*
                    /// # Ok(()) });
                    /// ```
                ] $name($($arguments)*) -> $request
            })*
        }
    };
}
pub(super) use api;

/// A method of an API.
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
    (call $docs:tt $name:ident(; $($body:tt)*) -> $request:ident) => {
        $crate::client::api::method! {
            call $docs ["See [`Error`](crate::Error)."] $name(; $($body)*) -> $request
        }
    };
    (call $docs:tt $name:ident($($arguments:tt)*) -> $request:ident) => {
        $crate::client::api::method! {
            call $docs [
                "See [`Error`](crate::Error); [`Error::is_not_found`](crate::Error::is_not_found) if an id is \
                 unknown."
            ] $name($($arguments)*) -> $request
        }
    };
    (
        call $docs:tt [$errors:literal]
        $name:ident($($id:ident: $id_type:ty),*; $body:ident: any $body_type:ty) -> $request:ident
    ) => {
        $crate::client::api::method! {
            send $docs [$errors] $name($($id: $id_type),*) -> $request,
            $body: impl TryInto<$body_type, Error: Into<$crate::Error>> =
                $crate::client::body::<$crate::operations::$request, _, _>($body)?
        }
    };
    (
        call $docs:tt [$errors:literal]
        $name:ident($($id:ident: $id_type:ty),* $(; $body:ident: $body_type:ty)?) -> $request:ident
    ) => {
        $crate::client::api::method! {
            send $docs [$errors] $name($($id: $id_type),*) -> $request $(, $body: $body_type = $body)?
        }
    };
    (
        send [$($doc:tt)*] [$errors:literal]
        $name:ident($($id:ident: $id_type:ty),*) -> $request:ident $(, $body:ident: $body_type:ty = $value:expr)?
    ) => {
        $($doc)*
        ///
        /// # Errors
        ///
        #[doc = $errors]
        pub async fn $name(
            &self,
            $($id: impl TryInto<$id_type, Error: Into<$crate::Error>>,)*
            $($body: $body_type,)?
        ) -> Result<
            $crate::Response<<$crate::operations::$request as $crate::Endpoint>::Response>,
            $crate::Error,
        > {
            self.0
                .send(&$crate::client::api::request!($request ($($id)*) $(body $value)?))
                .await
        }
    };
}
pub(super) use method;

/// The request of a method. Without a body, its query has the default values.
macro_rules! request {
    ($request:ident ($($id:ident)*)) => {
        $crate::operations::$request::new(
            $($crate::client::argument::<$crate::operations::$request, _, _>(stringify!($id), $id)?,)*
        )
    };
    ($request:ident ($($id:ident)*) body $body:expr) => {
        $crate::operations::$request {
            $($id: $crate::client::argument::<$crate::operations::$request, _, _>(stringify!($id), $id)?,)*
            body: $body,
        }
    };
}
pub(super) use request;
