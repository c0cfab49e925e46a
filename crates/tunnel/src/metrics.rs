//! What Prometheus is told. Only the number of agents is told per tenant: that is what somebody is
//! alarmed by.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TenantLabel {
    tenant: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SideLabel {
    /// `agent` or `api_server`.
    side: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabel {
    direction: &'static str,
}

/// Metrics of the tunnel. Clones share the values.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    agents: Family<TenantLabel, Gauge>,
    connections: Family<SideLabel, Gauge>,
    streams: Gauge,
    bytes: Family<DirectionLabel, Counter>,
    dial_failures: Family<ReasonLabel, Counter>,
    refusals: Family<SideLabel, Counter>,
    stalled: Counter,
}

impl Metrics {
    /// Makes them known to `/metrics`.
    pub fn register(&self, registry: &mut Registry) {
        let own = registry.sub_registry_with_prefix("flotilla_tunnel");
        own.register("agents", "Agents that are connected", self.agents.clone());
        own.register("connections", "Connections after their handshake", self.connections.clone());
        own.register("streams", "Streams from API servers to workers", self.streams.clone());
        own.register_with_unit("data", "Data passed on", Unit::Bytes, self.bytes.clone());
        own.register("dial_failures", "Streams that could not be opened", self.dial_failures.clone());
        own.register("refusals", "Peers that were refused", self.refusals.clone());
        let help = "Streams ended because their API server took in too little";
        own.register("stalled_streams", help, self.stalled.clone());
    }

    pub(crate) fn set_agents(&self, tenant: &str, number: usize) {
        let label = TenantLabel { tenant: tenant.to_owned() };
        self.agents.get_or_create(&label).set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    pub(crate) fn forget(&self, tenant: &str) {
        self.agents.remove(&TenantLabel { tenant: tenant.to_owned() });
    }

    pub(crate) fn connected(&self, side: &'static str) -> Counted {
        Counted::new((*self.connections.get_or_create(&SideLabel { side })).clone())
    }

    pub(crate) fn stream(&self) -> Counted {
        Counted::new(self.streams.clone())
    }

    pub(crate) fn open_streams(&self) -> i64 {
        self.streams.get()
    }

    pub(crate) fn bytes(&self, direction: &'static str) -> Counter {
        (*self.bytes.get_or_create(&DirectionLabel { direction })).clone()
    }

    pub(crate) fn dial_failed(&self, reason: &'static str) {
        self.dial_failures.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn refused(&self, side: &'static str) {
        self.refusals.get_or_create(&SideLabel { side }).inc();
    }

    pub(crate) fn stalled(&self) {
        self.stalled.inc();
    }
}

/// Counts one while it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
