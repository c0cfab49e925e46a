//! Prometheus metrics of the operator.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the reconcile times, seconds.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Label: what is reconciled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabel {
    /// `tenantcontrolplane` or `datastore`.
    pub kind: &'static str,
}

/// The operator's metrics. Clones share the values.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    reconcile_seconds: Family<KindLabel, Histogram>,
    reconcile_failures: Family<KindLabel, Counter>,
    starts_waiting: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            reconcile_seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            reconcile_failures: Family::default(),
            starts_waiting: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Registers everything under `flotilla_`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("flotilla");
        registry.register_with_unit(
            "reconcile_duration",
            "Time that one reconcile took",
            Unit::Seconds,
            self.reconcile_seconds.clone(),
        );
        registry.register(
            "reconcile_failures",
            "Reconciles that ended in an error and are tried again",
            self.reconcile_failures.clone(),
        );
        registry.register(
            "starts_waiting",
            "Control planes that wait for a start slot",
            self.starts_waiting.clone(),
        );
    }

    /// Notes one reconcile.
    pub(crate) fn observe(&self, kind: &'static str, took: Duration, failed: bool) {
        let label = KindLabel { kind };
        self.reconcile_seconds.get_or_create(&label).observe(took.as_secs_f64());
        if failed {
            self.reconcile_failures.get_or_create(&label).inc();
        }
    }

    /// Notes how many control planes wait for a start slot.
    pub(crate) fn set_starts_waiting(&self, waiting: usize) {
        self.starts_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}
