//! What this replica has taken down, for Prometheus.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use records::{Amounts, DayUsage};

/// Clusters that are told of one by one; the others only together, so that Prometheus keeps up.
const MOST: usize = 10_000;
/// Tenant and cluster of all others.
const OTHERS: &str = "others";

/// A metric: its name, what it says, and which amount it is.
type Metric = (&'static str, &'static str, fn(&Amounts) -> u64);

const METRICS: [Metric; 8] = [
    ("flotilla_tenant_control_plane_seconds", "Seconds that a control plane was awake", |used| {
        used.control_plane_seconds
    }),
    ("flotilla_tenant_replica_seconds", "Seconds of the pods of a control plane", |used| {
        used.replica_seconds
    }),
    (
        "flotilla_tenant_cpu_millicore_seconds",
        "Thousandths of cores that a control plane asks for, times seconds",
        |used| used.cpu_millicore_seconds,
    ),
    (
        "flotilla_tenant_memory_mebibyte_seconds",
        "Memory that a control plane asks for in MiB, times seconds",
        |used| used.memory_mebibyte_seconds,
    ),
    ("flotilla_tenant_node_seconds", "Seconds of the nodes of a cluster", |used| used.node_seconds),
    (
        "flotilla_tenant_node_cpu_millicore_seconds",
        "Thousandths of cores that nodes of a cluster have, times seconds",
        |used| used.node_cpu_millicore_seconds,
    ),
    (
        "flotilla_tenant_node_memory_mebibyte_seconds",
        "Memory that nodes of a cluster have in MiB, times seconds",
        |used| used.node_memory_mebibyte_seconds,
    ),
    ("flotilla_tenant_requests", "Requests into a cluster through the hub", |used| used.requests),
];

/// Sums by tenant and cluster. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    sums: Arc<Mutex<BTreeMap<(String, String), Amounts>>>,
}

impl Totals {
    pub(super) fn add(&self, rows: &[DayUsage]) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let mut key = (row.tenant.clone(), row.cluster.clone());
            if sums.len() >= MOST && !sums.contains_key(&key) {
                key = (OTHERS.to_owned(), OTHERS.to_owned());
            }
            let sum = sums.entry(key).or_default();
            *sum = sum.plus(row.amounts);
        }
    }

    /// Forgets clusters that are gone.
    pub(super) fn keep<'a>(&self, clusters: impl Iterator<Item = &'a str>) {
        let there: HashSet<&str> = clusters.chain([OTHERS]).collect();
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.retain(|(_, cluster), _| there.contains(cluster.as_str()));
    }
}

impl Collector for Totals {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, help, amount) in METRICS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for ((tenant, cluster), used) in &*sums {
                let labels = [("tenant", tenant.as_str()), ("cluster", cluster.as_str())];
                ConstCounter::new(amount(used)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use records::{Amounts, DayUsage};

    use super::{MOST, Totals};

    fn used(cluster: &str, seconds: u64) -> DayUsage {
        let amounts = Amounts { control_plane_seconds: seconds, ..Amounts::default() };
        let (tenant, cluster) = ("acme".to_owned(), cluster.to_owned());
        DayUsage { day: date(2026, 11, 29), tenant, cluster, amounts }
    }

    fn text(totals: &Totals) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(totals.clone()));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn sums_are_told_by_tenant_and_cluster_while_it_is_there() {
        let totals = Totals::default();
        totals.add(&[used("acme.web", 60), used("acme.db", 60)]);
        totals.add(&[used("acme.web", 60)]);
        let told = text(&totals);
        let line = "flotilla_tenant_control_plane_seconds_total{tenant=\"acme\",cluster=\"acme.web\"} 120\n";
        assert!(told.contains(line) && told.contains("flotilla_tenant_requests_total"), "{told}");
        totals.keep(["acme.db"].into_iter());
        let told = text(&totals);
        assert!(!told.contains("acme.web") && told.contains("acme.db"), "{told}");
    }

    #[test]
    fn more_clusters_than_prometheus_likes_are_told_of_together() {
        let totals = Totals::default();
        for number in 0..MOST + 5 {
            totals.add(&[used(&format!("acme.c{number}"), 1)]);
        }
        assert_eq!(totals.sums.lock().unwrap().len(), MOST + 1);
        let others = "flotilla_tenant_control_plane_seconds_total{tenant=\"others\",cluster=\"others\"} 5\n";
        assert!(text(&totals).contains(others));
    }
}
