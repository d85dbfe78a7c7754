//! Traces for OpenTelemetry: a span for each request, sent to a collector by OTLP over HTTP. Needs the feature `otel`.

use std::{fmt, time::Duration};

use axum::http::HeaderMap;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator as _,
    trace::{Span as _, SpanBuilder, SpanKind, Status, Tracer as _, TracerProvider as _},
};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider, Span},
};
use tokio::runtime::Handle;

/// How long a collector may take to accept spans.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum size of a collector's response, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Exports spans of requests. Cheap to clone.
#[derive(Clone)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

impl Traces {
    /// Sends spans to `endpoint`, a plain HTTP URL such as `http://127.0.0.1:4318/v1/traces`, in batches and in the
    /// background. Call it within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the URL is invalid.
    pub fn export_to(endpoint: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(Handle::current()))
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let service = Resource::builder()
            .with_service_name("openai-admin")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider =
            SdkTracerProvider::builder().with_resource(service).with_batch_exporter(exporter).build();
        let tracer = provider.tracer("openai-admin-server");
        Ok(Self { provider, tracer })
    }

    /// Begins the span of a request. Its parent is the span in the header `traceparent`.
    pub(crate) fn begin(&self, headers: &HeaderMap) -> RequestSpan {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        let span = SpanBuilder::from_name("request").with_kind(SpanKind::Server);
        RequestSpan(self.tracer.build_with_context(span, &parent))
    }

    /// Sends the remaining spans. Later ones are lost.
    pub async fn close(&self) {
        let provider = self.provider.clone();
        let closed = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::warn!("cannot send the last traces to the collector");
        }
    }
}

/// The span of a request in flight. It contains the operation, but no ids.
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    pub(crate) fn end(mut self, method: &str, operation: &'static str, status: u16) {
        self.0.update_name(operation);
        self.0.set_attribute(KeyValue::new("http.request.method", method.to_owned()));
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            self.0.set_status(Status::error(""));
        }
        self.0.end();
    }
}

/// The HTTP client of the exporter. It reuses hyper instead of adding a second HTTP library.
#[derive(Debug)]
struct Collector {
    client: Client<HttpConnector, Full<Bytes>>,
    runtime: Handle,
}

impl Collector {
    fn new(runtime: Handle) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), runtime }
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        // The exporter sends batches from its own thread, outside the runtime.
        let sent = self.runtime.spawn(async move {
            tokio::time::timeout(EXPORT_TIMEOUT, async move {
                let (parts, body) = client.request(request.map(Full::new)).await?.into_parts();
                let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
                Ok(Response::from_parts(parts, body))
            })
            .await?
        });
        sent.await?
    }
}
