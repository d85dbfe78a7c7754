//! The transport of requests: any [`tower_service::Service`] (the trait that tower re-exports) as a trait object.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::RequestBody;
use crate::{Error, error::BoxError};

type Exchange<'a> = Pin<Box<dyn Future<Output = Result<(http::response::Parts, Bytes), Error>> + Send + 'a>>;

pub(super) trait Transport: Send + Sync {
    /// Sends a request and reads the answer, up to `bytes_max`.
    fn exchange(&self, request: http::Request<RequestBody>, bytes_max: usize) -> Exchange<'_>;
}

pub(super) struct TowerTransport<S>(pub(super) S);

impl<S, B> Transport for TowerTransport<S>
where
    S: tower_service::Service<http::Request<RequestBody>, Response = http::Response<B>>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn exchange(&self, request: http::Request<RequestBody>, bytes_max: usize) -> Exchange<'_> {
        let mut service = self.0.clone();
        Box::pin(async move {
            let failed = |error: S::Error| {
                let error = error.into();
                match certificate_problem(&error) {
                    Some(problem) => Error::untrusted(&problem, error),
                    None => Error::transport(!failed_to_connect(&error), error),
                }
            };
            poll_fn(|context| service.poll_ready(context)).await.map_err(failed)?;
            let answer = service.call(request).await.map_err(failed)?;
            let (parts, body) = answer.into_parts();
            // Refused by its declared size, before any of it is read.
            if body.size_hint().lower() > bytes_max as u64 {
                return Err(Error::oversized(parts.status, parts.headers, bytes_max));
            }
            match Limited::new(body, bytes_max).collect().await {
                Ok(body) => Ok((parts, body.to_bytes())),
                Err(error) if error.is::<LengthLimitError>() => {
                    Err(Error::oversized(parts.status, parts.headers, bytes_max))
                }
                Err(error) => Err(Error::incomplete_body(parts.status, parts.headers, error)),
            }
        })
    }
}

#[cfg(feature = "rustls")]
fn failed_to_connect(error: &BoxError) -> bool {
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect())
        || error.is::<NotConnected>()
}

#[cfg(not(feature = "rustls"))]
fn failed_to_connect(error: &BoxError) -> bool {
    error.is::<NotConnected>()
}

/// The problem with the service's certificate, if that is why the connection failed.
#[cfg(feature = "rustls")]
fn certificate_problem(error: &BoxError) -> Option<String> {
    use rustls::CertificateError;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&**error);
    let problem = loop {
        let error = cause?;
        if let Some(rustls::Error::InvalidCertificate(problem)) = error.downcast_ref::<rustls::Error>() {
            break problem;
        }
        // The inner error of an io::Error is not one of its sources.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as _).or_else(|| error.source());
    };
    Some(match problem {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its issuer is unknown".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host".to_owned()
        }
        // The default of `openssl req -x509`.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is a CA certificate, not a server's (basicConstraints is CA:TRUE)".to_owned()
        }
        other => other.to_string(),
    })
}

#[cfg(not(feature = "rustls"))]
fn certificate_problem(_: &BoxError) -> Option<String> {
    None
}

/// The error of a custom service that did not send the request. The client may then retry any request.
#[derive(Debug)]
pub struct NotConnected(pub BoxError);

impl std::fmt::Display for NotConnected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not connected")
    }
}

impl std::error::Error for NotConnected {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// The settings of the default transport.
#[derive(Default)]
pub(super) struct Connections {
    pub(super) connect_timeout: Duration,
    pub(super) idle_max: Option<usize>,
    #[cfg(feature = "http2")]
    pub(super) http2: bool,
    #[cfg(feature = "rustls")]
    pub(super) proxy: Option<String>,
    #[cfg(feature = "rustls")]
    pub(super) no_proxy: String,
    #[cfg(feature = "rustls")]
    pub(super) roots_pem: Option<Vec<u8>>,
    #[cfg(feature = "rustls")]
    pub(super) identity_pem: Option<(Vec<u8>, Vec<u8>)>,
}

impl Connections {
    pub(super) fn may_speak_http2(&self) -> bool {
        #[cfg(feature = "http2")]
        return self.http2;
        #[cfg(not(feature = "http2"))]
        false
    }
}

#[cfg(not(feature = "rustls"))]
pub(super) fn connect(_: bool, _: &str, connections: Connections) -> Result<Box<dyn Transport>, Error> {
    let Connections { connect_timeout: _, idle_max: _, .. } = connections;
    Err(Error::invalid_request(
        "there is no transport: pass a service to the builder, or enable the feature `rustls`",
    ))
}

#[cfg(feature = "rustls")]
pub(super) use default::connect;

/// The default transport: hyper over rustls.
#[cfg(feature = "rustls")]
mod default {
    use std::{
        future::Future,
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };

    use http::Uri;
    use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, builderstates::WantsProtocols1};
    use hyper_util::{
        client::{
            legacy::{
                self,
                connect::{HttpConnector, proxy::Tunnel},
            },
            proxy::matcher::Matcher,
        },
        rt::{TokioExecutor, TokioTimer},
    };
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

    use tower_service::Service;

    use super::{BoxError, Connections, Error, NotConnected, RequestBody, TowerTransport, Transport};

    /// How long an idle connection stays open: shorter than usual in gateways, so that the client closes it first.
    const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

    pub(crate) fn connect(
        encrypted: bool,
        host: &str,
        connections: Connections,
    ) -> Result<Box<dyn Transport>, Error> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        // Plain HTTP is for this machine only. It needs no proxy, and no root certificates are loaded.
        let (way, tls) = if encrypted {
            (way(http, proxy(host, &connections)?), tls(&connections, roots(&connections)?)?)
        } else {
            (Way::Direct(http), tls(&Connections::default(), rustls::RootCertStore::empty())?)
        };
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = if encrypted { connector.https_only() } else { connector.https_or_http() };
        let connector = over_tls(connector, way, &connections);
        let connector = InTime { connector, limit: connections.connect_timeout };
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT);
        if let Some(idle_max) = connections.idle_max {
            builder.pool_max_idle_per_host(idle_max);
        }
        Ok(Box::new(TowerTransport(builder.build::<_, RequestBody>(connector))))
    }

    /// The TCP connection to the service, direct or through a proxy. One type for both, so that hyper's client is
    /// compiled once.
    #[derive(Clone)]
    enum Way {
        Direct(HttpConnector),
        Through(Tunnel<HttpConnector>),
    }

    fn way(http: HttpConnector, proxy: Option<(Uri, Option<http::HeaderValue>)>) -> Way {
        let Some((proxy, authorization)) = proxy else { return Way::Direct(http) };
        let tunnel = Tunnel::new(proxy, http);
        Way::Through(match authorization {
            Some(authorization) => tunnel.with_auth(authorization),
            None => tunnel,
        })
    }

    impl Service<Uri> for Way {
        type Response = <HttpConnector as Service<Uri>>::Response;
        type Error = BoxError;
        type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            match self {
                Way::Direct(http) => http.poll_ready(context).map_err(Into::into),
                Way::Through(tunnel) => tunnel.poll_ready(context).map_err(Into::into),
            }
        }

        fn call(&mut self, uri: Uri) -> Self::Future {
            match self {
                Way::Direct(http) => {
                    let connecting = http.call(uri);
                    Box::pin(async move { Ok(connecting.await?) })
                }
                Way::Through(tunnel) => {
                    let connecting = tunnel.call(uri);
                    Box::pin(async move { Ok(connecting.await?) })
                }
            }
        }
    }

    /// A connector with a single timeout for DNS, TCP, the proxy and TLS.
    #[derive(Clone)]
    struct InTime<C> {
        connector: C,
        limit: Duration,
    }

    impl<C> Service<Uri> for InTime<C>
    where
        C: Service<Uri, Error: Into<BoxError>, Future: Send>,
        C::Future: 'static,
    {
        type Response = C::Response;
        type Error = BoxError;
        type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            self.connector.poll_ready(context).map_err(Into::into)
        }

        fn call(&mut self, uri: Uri) -> Self::Future {
            let connecting = tokio::time::timeout(self.limit, self.connector.call(uri));
            let limit = self.limit;
            Box::pin(async move {
                match connecting.await {
                    Ok(connected) => connected.map_err(Into::into),
                    Err(_) => Err(NotConnected(format!("no connection within {limit:?}").into()).into()),
                }
            })
        }
    }

    fn over_tls(
        builder: HttpsConnectorBuilder<WantsProtocols1>,
        way: Way,
        connections: &Connections,
    ) -> HttpsConnector<Way> {
        #[cfg(feature = "http2")]
        if connections.http2 {
            return builder.enable_all_versions().wrap_connector(way);
        }
        let _ = connections;
        builder.enable_http1().wrap_connector(way)
    }

    fn tls(connections: &Connections, roots: rustls::RootCertStore) -> Result<rustls::ClientConfig, Error> {
        let refuse = |what: &str, error: &dyn std::fmt::Display| {
            Error::invalid_request(format!("{what} cannot be used: {error}"))
        };
        let builder = rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| refuse("TLS", &error))?
            .with_root_certificates(roots);
        let Some((chain, key)) = &connections.identity_pem else { return Ok(builder.with_no_client_auth()) };
        let chain = certificates(chain, "the client certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| refuse("the client certificate's key", &error))?;
        builder.with_client_auth_cert(chain, key).map_err(|error| refuse("the client certificate", &error))
    }

    fn roots(connections: &Connections) -> Result<rustls::RootCertStore, Error> {
        let mut roots = rustls::RootCertStore::empty();
        if let Some(pem) = &connections.roots_pem {
            for certificate in certificates(pem, "the root certificates")? {
                roots.add(certificate).map_err(|error| {
                    Error::invalid_request(format!("the root certificates cannot be used: {error}"))
                })?;
            }
            return Ok(roots);
        }
        #[cfg(feature = "native-roots")]
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        #[cfg(not(feature = "native-roots"))]
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Ok(roots)
    }

    #[cfg(feature = "aws-lc")]
    fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
        std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider())
    }

    #[cfg(not(feature = "aws-lc"))]
    fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
        std::sync::Arc::new(rustls::crypto::ring::default_provider())
    }

    fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
        let refuse =
            |error: &dyn std::fmt::Display| Error::invalid_request(format!("{what} cannot be read: {error}"));
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| refuse(&error))?;
        if certificates.is_empty() { Err(refuse(&"it contains no certificate")) } else { Ok(certificates) }
    }

    /// The proxy for `host`, with its authorization.
    fn proxy(
        host: &str,
        connections: &Connections,
    ) -> Result<Option<(Uri, Option<http::HeaderValue>)>, Error> {
        let Some(proxy) = &connections.proxy else { return Ok(None) };
        // The matcher ignores an invalid URL, and requests would bypass the proxy.
        let url = proxy.parse::<Uri>().ok().filter(|url| url.host().is_some_and(|host| !host.is_empty()));
        if url.as_ref().and_then(Uri::scheme_str) != Some("http") {
            return Err(Error::invalid_request("invalid proxy: use http://HOST:PORT"));
        }
        let matcher = Matcher::builder().https(proxy.as_str()).no(connections.no_proxy.as_str()).build();
        let target = Uri::builder().scheme("https").authority(host).path_and_query("/").build();
        let target = target.map_err(|error| Error::invalid_request(error.to_string()))?;
        let Some(found) = matcher.intercept(&target) else { return Ok(None) };
        Ok(Some((found.uri().clone(), found.basic_auth().cloned())))
    }
}
