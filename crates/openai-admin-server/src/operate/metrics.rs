//! What the server counts, as the text that Prometheus and its kin read.
//!
//! A request costs two reads of a clock and one entry into a histogram that is found by two short searches: nothing is
//! hashed, allocated or formatted. All that is left to whoever asks for the text.

use std::{fmt, sync::OnceLock, time::Duration};

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

/// What a scraper is told that the text is.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the latency buckets, in seconds: from a page out of a cache to a database that is away.
const SECONDS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// The statuses that answers have; any other is counted as the last.
const STATUSES: [&str; 17] = [
    "200", "204", "400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "501",
    "503", "other",
];
/// What a request is counted as that is none of the operations that are served, such as one of an unknown URL.
const NO_OPERATION: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    status: &'static str,
}

type Durations = Family<Answered, Histogram, fn() -> Histogram>;

/// The counters of one server.
pub(crate) struct Metrics {
    registry: Registry,
    process: Registry,
    durations: Durations,
    operations: Vec<&'static str>,
    /// The histograms that have an entry, by operation and status.
    entered: Vec<[OnceLock<Histogram>; STATUSES.len()]>,
    in_flight: Gauge,
    draining: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// `operations` are the ids of those that are served, `started_at` is when the server was made, and `connections` how
    /// many are open.
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
            "How long requests took until their answer, by operation and status",
            Unit::Seconds,
            durations.clone(),
        );
        for (name, help, gauge) in [
            ("connections", "Connections of clients that are open", &connections),
            ("requests_in_flight", "Requests that have no answer yet", &in_flight),
            ("draining", "1 after the server was told to stop", &draining),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register_collector(Box::new(StoreCollector(store)));
        let mut process = Registry::default();
        process.register_collector(Box::new(ProcessCollector { started_at }));
        let operations: Vec<&'static str> = operations.into_iter().chain([NO_OPERATION]).collect();
        let entered = operations.iter().map(|_| Default::default()).collect();
        Self { registry, process, durations, operations, entered, in_flight, draining }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, operation: Option<&'static str>, status: u16, elapsed: Duration) {
        let operation = operation.and_then(|id| self.operations.iter().position(|known| *known == id));
        let operation = operation.unwrap_or(self.operations.len() - 1);
        let status = status_index(status);
        let histogram = self.entered[operation][status].get_or_init(|| {
            let labels = Answered { operation: self.operations[operation], status: STATUSES[status] };
            self.durations.get_or_create(&labels).clone()
        });
        histogram.observe(elapsed.as_secs_f64());
    }

    /// Everything, as text. `in_flight` is the number of requests that have no answer yet.
    pub(crate) fn text(&self, in_flight: usize, is_draining: bool) -> Result<String, fmt::Error> {
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        self.draining.set(i64::from(is_draining));
        let mut written = String::new();
        text::encode_registry(&mut written, &self.registry)?;
        // These have the names that every exporter gives them, without our prefix.
        text::encode_registry(&mut written, &self.process)?;
        text::encode_eof(&mut written)?;
        Ok(written)
    }
}

/// Where a status stands among [`STATUSES`].
fn status_index(status: u16) -> usize {
    // The first is by far the most frequent.
    if status == 200 {
        return 0;
    }
    let digits = [status / 100 % 10, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
    STATUSES.iter().position(|known| known.as_bytes() == digits).unwrap_or(STATUSES.len() - 1)
}

/// Reads the store's figures when somebody asks for them.
#[derive(Debug)]
struct StoreCollector(Store);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let figures = self.0.figures();
        for (name, help, value) in [
            ("database_connections", "Connections to the database", figures.connections),
            ("database_reads_waiting", "Operations that wait for the database", figures.reads_waiting),
            ("database_writes_waiting", "Operations that wait for the writer", figures.writes_waiting),
            ("database_waiting_max", "How many may wait before new ones are refused", figures.waiting_max),
            ("replicas_resting", "Replicas that are left alone for now", figures.replicas_resting),
        ] {
            gauge(&mut encoder, name, help, i64::try_from(value).unwrap_or(i64::MAX))?;
        }
        page_sources(&mut encoder, &figures)?;
        commit_sizes(&mut encoder, &figures)
    }
}

/// Where pages were read, on a server that has replicas.
fn page_sources(encoder: &mut DescriptorEncoder<'_>, figures: &Figures) -> Result<(), fmt::Error> {
    let help = "Pages of group users by where they were read, on a server that has replicas";
    let mut encoder = encoder.encode_descriptor("replicated_pages", help, None, MetricType::Counter)?;
    for (source, pages) in [("replica", figures.replica_pages), ("primary", figures.primary_pages)] {
        let labels = [("source", source)];
        ConstCounter::new(pages).encode(encoder.encode_family(&labels)?)?;
    }
    Ok(())
}

/// How many operations the commits carried.
fn commit_sizes(encoder: &mut DescriptorEncoder<'_>, figures: &Figures) -> Result<(), fmt::Error> {
    let bounds = COMMIT_SIZES.iter().map(|most| *most as f64).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(figures.commits).collect();
    let help = "Operations that one commit carried";
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

/// What Linux says of this process. Elsewhere there is only its start.
#[derive(Debug)]
struct ProcessCollector {
    started_at: Timestamp,
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let started = "When the server was started, in unix seconds";
        gauge(&mut encoder, "process_start_time_seconds", started, self.started_at.unix_seconds())?;
        if let Some(bytes) = resident_bytes() {
            gauge(&mut encoder, "process_resident_memory_bytes", "Memory that is in use", bytes)?;
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(files.count()).unwrap_or(i64::MAX);
            gauge(&mut encoder, "process_open_fds", "Files and connections that are open", open)?;
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
