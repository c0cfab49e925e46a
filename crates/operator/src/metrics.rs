//! Prometheus metrics of the operator: what it does is counted, what it looks after is read when asked.

mod certificates;
mod etcd;
mod kamaji;
mod state;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tracing::Instrument;

pub(crate) use etcd::EtcdService;
pub(crate) use state::State;

/// Upper bounds of the reconcile times, seconds.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Those that Kamaji has for its handlers, thinned.
const HANDLER_BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// Label: what is reconciled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    /// `tenantcontrolplane`, `datastore` or `kubeconfiggenerator`.
    kind: &'static str,
}

/// Label: a part of a pass over a control plane.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabel {
    phase: &'static str,
}

/// Label: the same under Kamaji's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HandlerLabel {
    handler: &'static str,
}

/// Labels: an answer of an admission webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AdmissionLabels {
    webhook: &'static str,
    /// `true` or `false`.
    allowed: &'static str,
}

/// The operator's metrics. Clones share the values.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    reconcile_seconds: Family<KindLabel, Histogram>,
    reconcile_failures: Family<KindLabel, Counter>,
    phase_seconds: Family<PhaseLabel, Histogram>,
    handler_seconds: Family<HandlerLabel, Histogram>,
    admission_seconds: Family<AdmissionLabels, Histogram>,
    starts_waiting: Gauge,
    is_leading: Gauge,
    /// The etcd that the chart installs.
    pub(crate) etcd: Arc<EtcdService>,
    /// What the leader looks after.
    pub(crate) state: Arc<State>,
}

impl Metrics {
    /// Metrics of a process that nothing has happened in yet.
    pub(crate) fn new(state: State) -> Self {
        Self {
            reconcile_seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            reconcile_failures: Family::default(),
            phase_seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            handler_seconds: Family::new_with_constructor(|| Histogram::new(HANDLER_BUCKETS)),
            admission_seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            starts_waiting: Gauge::default(),
            is_leading: Gauge::default(),
            etcd: Arc::default(),
            state: Arc::new(state),
        }
    }

    /// Registers ours under `flotilla_` and Kamaji's under `kamaji_`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let own = registry.sub_registry_with_prefix("flotilla");
        own.register_with_unit(
            "reconcile_duration",
            "Time that one reconcile took",
            Unit::Seconds,
            self.reconcile_seconds.clone(),
        );
        own.register_with_unit(
            "reconcile_phase_duration",
            "Time that one phase of a pass over a control plane took",
            Unit::Seconds,
            self.phase_seconds.clone(),
        );
        own.register_with_unit(
            "admission_duration",
            "Time that the answer to an admission request took",
            Unit::Seconds,
            self.admission_seconds.clone(),
        );
        own.register(
            "reconcile_failures",
            "Reconciles that ended in an error and are tried again",
            self.reconcile_failures.clone(),
        );
        own.register(
            "starts_waiting",
            "Control planes that wait for a start slot",
            self.starts_waiting.clone(),
        );
        own.register("leading", "Whether this replica reconciles", self.is_leading.clone());
        registry.sub_registry_with_prefix("kamaji").register_with_unit(
            "handler_time",
            "Time that one phase of a pass over a control plane took, under Kamaji's name",
            Unit::Seconds,
            self.handler_seconds.clone(),
        );
        registry.register_collector(Box::new(self.state.clone()));
        registry.register_collector(Box::new(self.etcd.clone()));
    }

    /// Notes one reconcile.
    pub(crate) fn observe(&self, kind: &'static str, took: Duration, failed: bool) {
        let label = KindLabel { kind };
        self.reconcile_seconds.get_or_create(&label).observe(took.as_secs_f64());
        let failures = self.reconcile_failures.get_or_create(&label);
        if failed {
            failures.inc();
        }
    }

    /// Runs a phase of a pass, in a span of its name, and notes how long it took.
    pub(crate) async fn phase<T>(&self, phase: &'static str, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let outcome = work.instrument(tracing::info_span!("phase", otel.name = phase)).await;
        let took = began.elapsed().as_secs_f64();
        self.phase_seconds.get_or_create(&PhaseLabel { phase }).observe(took);
        self.handler_seconds.get_or_create(&HandlerLabel { handler: phase }).observe(took);
        outcome
    }

    /// Notes one answer of a webhook.
    pub(crate) fn admitted(&self, webhook: &'static str, is_allowed: bool, took: Duration) {
        let allowed = if is_allowed { "true" } else { "false" };
        let labels = AdmissionLabels { webhook, allowed };
        self.admission_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Notes how many control planes wait for a start slot.
    pub(crate) fn set_starts_waiting(&self, waiting: usize) {
        self.starts_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// Notes that this replica reconciles from now on.
    pub(crate) fn lead(&self) {
        self.is_leading.set(1);
    }

    /// Notes that this replica reconciles no more.
    pub(crate) fn follow(&self) {
        self.is_leading.set(0);
        self.state.hide();
        self.etcd.hide();
    }
}
