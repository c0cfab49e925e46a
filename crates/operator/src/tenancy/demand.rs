//! What a control plane takes of a tenant's quota. Pure.

use std::collections::HashMap;

use api::{TenantControlPlane, TenantControlPlaneStatus};
use authz::quota::Amounts;
use kube::ResourceExt;

use super::forest::Forest;

/// A control plane by namespace and name.
pub(crate) type Key = (String, String);

/// What control planes take, each with the namespace that it is in.
pub(super) type Demands = HashMap<Key, Amounts>;

pub(super) fn key(cluster: &TenantControlPlane) -> Key {
    (cluster.namespace().unwrap_or_default(), cluster.name_any())
}

/// What the control planes of tenants take.
pub(super) fn of_all<'a>(
    forest: &Forest,
    clusters: impl IntoIterator<Item = &'a TenantControlPlane>,
) -> Demands {
    let is_owned = |cluster: &&TenantControlPlane| {
        cluster.metadata.namespace.as_deref().is_some_and(|namespace| forest.owner(namespace).is_some())
    };
    let all = |cluster| (key(cluster), Amounts { workers: workers(cluster), ..of(cluster) });
    clusters.into_iter().filter(is_owned).map(all).collect()
}

/// Nodes that were counted in its cluster.
pub(super) fn workers(cluster: &TenantControlPlane) -> u64 {
    let counted = cluster.status.as_ref().and_then(|status| status.workers).unwrap_or_default();
    u64::try_from(counted).unwrap_or_default()
}

/// What a control plane takes: what its spec asks for, as often as it has pods. One that sleeps is a cluster
/// and nothing else. Workers are no matter of its spec.
pub(super) fn of(cluster: &TenantControlPlane) -> Amounts {
    let demand = desired::demand(cluster);
    Amounts {
        clusters: 1,
        control_plane_replicas: demand.replicas,
        cpu_millis: demand.cpu_millis,
        memory_bytes: demand.memory_bytes,
        workers: 0,
    }
}

/// Keeps of a control plane only what admission counts.
pub(crate) fn trim(cluster: &mut TenantControlPlane) {
    kubekit::trimmed(cluster);
    cluster.metadata.annotations = None;
    cluster.metadata.labels = None;
    let workers = cluster.status.take().and_then(|status| status.workers);
    cluster.status = workers.map(|counted| TenantControlPlaneStatus {
        workers: Some(counted),
        ..TenantControlPlaneStatus::default()
    });
}

#[cfg(test)]
mod tests {
    use api::TenantControlPlane;
    use authz::quota::Amounts;
    use serde_json::{Value, json};

    use super::of;

    fn cluster(deployment: &Value) -> TenantControlPlane {
        serde_json::from_value(json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane", "metadata": {"name": "a"},
            "spec": {
                "controlPlane": {"service": {"serviceType": "ClusterIP"}, "deployment": deployment},
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn requests_count_once_for_each_pod_and_limits_stand_in_for_them() {
        let resources = json!({
            "apiServer": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "4"}},
            "scheduler": {"limits": {"cpu": "100m", "memory": "64Mi"}},
        });
        let helper = json!([{"name": "helper", "image": "x", "resources": {"requests": {"cpu": "50m"}}}]);
        let spec = json!({"replicas": 3, "resources": resources, "additionalContainers": helper});
        let expected = Amounts {
            clusters: 1,
            control_plane_replicas: 3,
            cpu_millis: 1200,
            memory_bytes: 3 * 576 * 1024 * 1024,
            workers: 0,
        };
        assert_eq!(of(&cluster(&spec)), expected);
    }

    #[test]
    fn who_sleeps_takes_a_cluster_and_who_says_nothing_two_pods() {
        let asleep =
            of(&cluster(&json!({"replicas": 0, "resources": {"apiServer": {"requests": {"cpu": "1"}}}})));
        assert_eq!(asleep, Amounts { clusters: 1, ..Amounts::default() });
        let silent = of(&cluster(&json!({})));
        assert_eq!(silent, Amounts { clusters: 1, control_plane_replicas: 2, ..Amounts::default() });
    }
}
