//! What carries a request: any [`tower::Service`], behind one object.

use std::{future::Future, pin::Pin};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tower::ServiceExt;

use crate::{Error, error::BoxError};

type Exchange<'a> = Pin<Box<dyn Future<Output = Result<(http::response::Parts, Bytes), Error>> + Send + 'a>>;

pub(super) trait Transport: Send + Sync {
    /// Sends a request and reads the whole answer, up to `bytes_max`.
    fn exchange(&self, request: http::Request<Full<Bytes>>, bytes_max: usize) -> Exchange<'_>;
}

pub(super) struct TowerTransport<S>(pub(super) S);

impl<S, B> Transport for TowerTransport<S>
where
    S: tower::Service<http::Request<Full<Bytes>>, Response = http::Response<B>>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn exchange(&self, request: http::Request<Full<Bytes>>, bytes_max: usize) -> Exchange<'_> {
        let service = self.0.clone();
        Box::pin(async move {
            let answer = service.oneshot(request).await.map_err(|error| {
                let error = error.into();
                Error::transport(!failed_to_connect(&error), error)
            })?;
            let (parts, body) = answer.into_parts();
            match Limited::new(body, bytes_max).collect().await {
                Ok(body) => Ok((parts, body.to_bytes())),
                Err(error) if error.is::<LengthLimitError>() => Err(Error::oversized(bytes_max)),
                Err(error) => Err(Error::transport(true, error)),
            }
        })
    }
}

#[cfg(feature = "rustls")]
fn failed_to_connect(error: &BoxError) -> bool {
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect())
}

#[cfg(not(feature = "rustls"))]
fn failed_to_connect(_: &BoxError) -> bool {
    false
}

/// hyper over rustls, with ring and the Mozilla root certificates.
#[cfg(feature = "rustls")]
pub(super) fn default() -> Result<Box<dyn Transport>, Error> {
    use hyper_util::{client::legacy, rt::TokioExecutor};

    let connector =
        hyper_rustls::HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    Ok(Box::new(TowerTransport(legacy::Client::builder(TokioExecutor::new()).build(connector))))
}

#[cfg(not(feature = "rustls"))]
pub(super) fn default() -> Result<Box<dyn Transport>, Error> {
    Err(Error::invalid_request(
        "there is no transport: give the builder a service, or turn on the feature `rustls`",
    ))
}
