//! The metrics of the server, in the text format of Prometheus.
//!
//! A request costs two reads of a clock and one entry in a histogram. The route carries the index of its operation, and
//! a status other than 200 is searched for among 17. A request hashes, allocates and formats nothing; rendering the text
//! does.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use openai_admin::Timestamp;
use openai_admin_store::{COMMIT_SIZES, Figures, Store};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        MetricType,
        counter::ConstCounter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

/// The content type of the text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the latency buckets, in seconds: from a cached page to an unavailable database.
const SECONDS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// The statuses of answers. Any other is counted as the last.
const STATUSES: [&str; 17] = [
    "200", "204", "400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "501",
    "503", "other",
];
/// The label of requests that match no served operation, such as those to an unknown URL.
const NO_OPERATION: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    status: &'static str,
}

type Durations = Family<RequestLabels, Histogram, fn() -> Histogram>;

/// The index of an operation in [`Metrics`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperationIndex(usize);

/// The counters of one server.
pub(crate) struct Metrics {
    registry: Registry,
    process: Registry,
    durations: Durations,
    operations: Vec<&'static str>,
    /// The histograms in use, by operation and status.
    entered: Vec<[OnceLock<Histogram>; STATUSES.len()]>,
    in_flight: Gauge,
    draining: Gauge,
    certificate: Arc<OnceLock<CertificateEnd>>,
}

/// Returns when the certificate in use expires.
type CertificateEnd = Box<dyn Fn() -> Option<Timestamp> + Send + Sync>;

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// `operations` are the ids of the served ones, `started_at` is the start of the server, and `connections` the
    /// number of open ones.
    pub(crate) fn new(
        operations: impl IntoIterator<Item = &'static str>,
        store: Store,
        started_at: Timestamp,
        connections: Gauge,
    ) -> Self {
        let mut registry = Registry::with_prefix("openai_admin");
        let durations = Durations::new_with_constructor(|| Histogram::new(SECONDS));
        let (in_flight, draining) = (Gauge::default(), Gauge::default());
        registry.register_with_unit(
            "request_duration",
            "Time from a request to its answer, by operation and status",
            Unit::Seconds,
            durations.clone(),
        );
        for (name, help, gauge) in [
            ("connections", "Open connections of clients", &connections),
            ("requests_in_flight", "Requests in flight", &in_flight),
            ("draining", "1 while the server drains before it stops", &draining),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register_collector(Box::new(StoreCollector(store)));
        let certificate = Arc::default();
        registry.register_collector(Box::new(CertificateCollector(Arc::clone(&certificate))));
        let mut process = Registry::default();
        process.register_collector(Box::new(ProcessCollector { started_at }));
        let operations: Vec<&'static str> = operations.into_iter().chain([NO_OPERATION]).collect();
        let entered = operations.iter().map(|_| Default::default()).collect();
        Self { registry, process, durations, operations, entered, in_flight, draining, certificate }
    }

    /// Sets the source of the certificate's end. The first call counts.
    pub(crate) fn watch_certificate(&self, end: impl Fn() -> Option<Timestamp> + Send + Sync + 'static) {
        let _ = self.certificate.set(Box::new(end));
    }

    /// The index of a served operation. `None` if none has this id.
    pub(crate) fn index_of(&self, id: &str) -> Option<OperationIndex> {
        let served = &self.operations[..self.operations.len() - 1];
        served.iter().position(|known| *known == id).map(OperationIndex)
    }

    /// Records an answered request. `operation` is `None` if it matches no served operation.
    pub(crate) fn answered(&self, operation: Option<OperationIndex>, status: u16, elapsed: Duration) {
        let operation = operation.map_or(self.operations.len() - 1, |operation| operation.0);
        let status = status_index(status);
        let histogram = self.entered[operation][status].get_or_init(|| {
            let labels = RequestLabels { operation: self.operations[operation], status: STATUSES[status] };
            self.durations.get_or_create(&labels).clone()
        });
        histogram.observe(elapsed.as_secs_f64());
    }

    /// All metrics, as text. `in_flight` is the number of requests without an answer, and `backed_up_at` the time of the
    /// last backup, if the server knows where backups are.
    pub(crate) fn text(
        &self,
        in_flight: usize,
        is_draining: bool,
        backed_up_at: Option<Timestamp>,
    ) -> Result<String, fmt::Error> {
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        self.draining.set(i64::from(is_draining));
        let mut written = String::new();
        text::encode_registry(&mut written, &self.registry)?;
        if let Some(at) = backed_up_at {
            let mut backups = Registry::with_prefix("openai_admin");
            let gauge: Gauge = Gauge::default();
            gauge.set(at.unix_seconds());
            let help = "The last change of a backup in the folder of --backups, in Unix seconds";
            backups.register("last_backup_timestamp_seconds", help, gauge);
            text::encode_registry(&mut written, &backups)?;
        }
        // The conventional names of process metrics have no prefix.
        text::encode_registry(&mut written, &self.process)?;
        text::encode_eof(&mut written)?;
        Ok(written)
    }
}

/// The index of a status in [`STATUSES`].
fn status_index(status: u16) -> usize {
    // The first is by far the most frequent.
    if status == 200 {
        return 0;
    }
    let digits = [status / 100 % 10, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
    STATUSES.iter().position(|known| known.as_bytes() == digits).unwrap_or(STATUSES.len() - 1)
}

/// Reads the store's figures when the metrics are collected.
#[derive(Debug)]
struct StoreCollector(Store);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let figures = self.0.figures();
        for (name, help, value) in [
            ("database_connections", "Connections to the database, at most", figures.connections),
            ("database_reads_waiting", "Operations waiting for the database", figures.reads_waiting),
            ("database_writes_waiting", "Operations waiting for the writer", figures.writes_waiting),
            ("database_waiting_max", "Limit of waiting operations; more are refused", figures.waiting_max),
            ("replicas_resting", "Replicas that are not used after a failure", figures.replicas_skipped),
        ] {
            gauge(&mut encoder, name, help, i64::try_from(value).unwrap_or(i64::MAX))?;
        }
        page_sources(&mut encoder, &figures)?;
        commit_sizes(&mut encoder, &figures)
    }
}

/// The end of the certificate in use, on a server with TLS.
struct CertificateCollector(Arc<OnceLock<CertificateEnd>>);

impl fmt::Debug for CertificateCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateCollector").finish_non_exhaustive()
    }
}

impl Collector for CertificateCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(end) = self.0.get().and_then(|end| end()) else { return Ok(()) };
        let help = "When the certificate in use expires, in Unix seconds";
        gauge(&mut encoder, "certificate_expiry_timestamp_seconds", help, end.unix_seconds())
    }
}

/// The sources of pages, on a server with replicas.
fn page_sources(encoder: &mut DescriptorEncoder<'_>, figures: &Figures) -> Result<(), fmt::Error> {
    let help = "Pages of group users by source, on a server with replicas";
    let mut encoder = encoder.encode_descriptor("replicated_pages", help, None, MetricType::Counter)?;
    for (source, pages) in [("replica", figures.replica_pages), ("primary", figures.primary_pages)] {
        let labels = [("source", source)];
        ConstCounter::new(pages).encode(encoder.encode_family(&labels)?)?;
    }
    Ok(())
}

/// The number of operations in each commit.
fn commit_sizes(encoder: &mut DescriptorEncoder<'_>, figures: &Figures) -> Result<(), fmt::Error> {
    let bounds = COMMIT_SIZES.iter().map(|most| *most as f64).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(figures.commits).collect();
    let help = "Operations in one commit";
    let mut encoder = encoder.encode_descriptor("commit_operations", help, None, MetricType::Histogram)?;
    let commits = figures.commits.iter().sum();
    encoder.encode_histogram::<[(&str, &str); 0]>(
        figures.operations_committed as f64,
        commits,
        &buckets,
        None,
    )
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> Result<(), fmt::Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

/// The metrics of this process. On other systems than Linux, only its start.
#[derive(Debug)]
struct ProcessCollector {
    started_at: Timestamp,
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let started = "Start of the server, in Unix seconds";
        gauge(&mut encoder, "process_start_time_seconds", started, self.started_at.unix_seconds())?;
        if let Some(bytes) = resident_bytes() {
            gauge(&mut encoder, "process_resident_memory_bytes", "Resident memory", bytes)?;
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(files.count()).unwrap_or(i64::MAX);
            gauge(&mut encoder, "process_open_fds", "Open files and connections", open)?;
        }
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        let info = prometheus_client::metrics::info::Info::new(version);
        info.encode(encoder.encode_descriptor(
            "openai_admin_build",
            "The version",
            None,
            info.metric_type(),
        )?)
    }
}

fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let (_, rest) = status.split_once("VmRSS:")?;
    let kibibytes: i64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_and_an_unknown_one_is_other() {
        for status in [200, 204, 404, 503] {
            assert_eq!(STATUSES[status_index(status)], status.to_string());
        }
        for status in [0, 100, 299, 418, 599, 999] {
            assert_eq!(STATUSES[status_index(status)], "other");
        }
    }
}
