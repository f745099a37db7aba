//! What is counted, for Prometheus. Nothing here says what an incident is about, or how many are restricted.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
pub use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
pub use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct Outcome {
    /// `accepted`, `refused` or `failed`.
    pub outcome: &'static str,
}

/// The counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Commands, by how they ended.
    pub commands: Family<Outcome, Counter>,
    /// From asking to the answer, in seconds.
    pub command_seconds: Histogram,
    /// Live streams that are open.
    pub readers: Gauge,
    /// The newest position of the log that this node has read.
    pub position: Gauge,
    /// Commands that wait.
    pub waiting: Gauge,
    /// Streams that failed verification.
    pub quarantined: Gauge,
    /// State documents that were found to be damaged.
    pub documents_damaged: Gauge,
    /// What the gate stopped, or would have, and could not count.
    pub gate_stops_lost: Counter,
    /// 1 while the certificate's files do not fit, and the certificate before is shown.
    pub certificate_refused: Gauge,
    /// Requests to hear of changes that were refused, because their teller told of too much.
    pub changes_refused: Counter,
    /// Changes of which others told that were forgotten before their time, because there were too many.
    pub changes_forgotten: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("wardroom");
        let (commands, gate_stops_lost) = (Family::default(), Counter::default());
        let command_seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let [readers, position, waiting, quarantined, documents_damaged, certificate_refused] =
            [(); 6].map(|()| Gauge::default());
        registry.register("commands", "Commands, by how they ended", commands.clone());
        registry.register("command_seconds", "From asking to the answer", command_seconds.clone());
        registry.register("stream_readers", "Live streams that are open", readers.clone());
        registry.register("log_position", "Newest position read by this node", position.clone());
        registry.register("commands_waiting", "Commands that wait to be decided", waiting.clone());
        registry.register("gate_stops_lost", "Stops at the gate that could not be counted", gate_stops_lost.clone());
        registry.register("streams_quarantined", "Streams that failed verification", quarantined.clone());
        let damaged = "State documents that were found to be damaged";
        registry.register("documents_damaged", damaged, documents_damaged.clone());
        let refused = "1 while the certificate's files do not fit, and the certificate before is shown";
        registry.register("certificate_refused", refused, certificate_refused.clone());
        let [changes_refused, changes_forgotten] = [(); 2].map(|()| Counter::default());
        let refused = "Requests to hear of changes that were refused, because their teller told of too much";
        registry.register("changes_refused", refused, changes_refused.clone());
        let forgotten =
            "Changes, by service, of which others told that were forgotten before their time, for want of room";
        registry.register("changes_forgotten", forgotten, changes_forgotten.clone());
        Self {
            registry,
            commands,
            command_seconds,
            readers,
            position,
            waiting,
            quarantined,
            documents_damaged,
            gate_stops_lost,
            certificate_refused,
            changes_refused,
            changes_forgotten,
        }
    }
}

impl Metrics {
    /// Everything in the text format of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string can always be written to");
        text
    }

    /// Counts a command.
    pub fn count(&self, outcome: &'static str) {
        self.commands.get_or_create(&Outcome { outcome }).inc();
    }
}
