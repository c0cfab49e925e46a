//! What a control plane takes of a tenant's quota. Pure.

use std::collections::HashMap;

use api::TenantControlPlane;
use authz::quota::Amounts;
use base::quantity;
use k8s_openapi::api::core::v1::ResourceRequirements;
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
    clusters.into_iter().filter(is_owned).map(|cluster| (key(cluster), of(cluster))).collect()
}

/// What a control plane takes: what its spec asks for, as often as it has pods. One that sleeps is a cluster
/// and nothing else.
pub(super) fn of(cluster: &TenantControlPlane) -> Amounts {
    let deployment = cluster.spec.control_plane.deployment.as_ref();
    let replicas = deployment.and_then(|deployment| deployment.replicas).unwrap_or(api::DEFAULT_REPLICAS);
    let replicas = u64::try_from(replicas).unwrap_or_default();
    let (mut cpu, mut memory) = (0_u64, 0_u64);
    for resources in requirements(cluster) {
        cpu = cpu.saturating_add(request(resources, "cpu", quantity::thousandths));
        memory = memory.saturating_add(request(resources, "memory", quantity::units));
    }
    Amounts {
        clusters: 1,
        control_plane_replicas: replicas,
        cpu_millis: cpu.saturating_mul(replicas),
        memory_bytes: memory.saturating_mul(replicas),
        workers: 0,
    }
}

/// What the containers of a pod ask for.
fn requirements(cluster: &TenantControlPlane) -> impl Iterator<Item = &ResourceRequirements> {
    let deployment = cluster.spec.control_plane.deployment.as_ref();
    let components = deployment.and_then(|deployment| deployment.resources.as_ref());
    let components = components.into_iter().flat_map(|resources| {
        [&resources.api_server, &resources.controller_manager, &resources.scheduler, &resources.kine]
    });
    let added = deployment.into_iter().flat_map(|deployment| &deployment.additional_containers);
    let tunnel =
        cluster.spec.addons.as_ref().and_then(|addons| addons.konnectivity.as_ref()?.server.as_ref());
    let tunnel = tunnel.filter(|server| !server.shared.unwrap_or_default());
    components
        .flatten()
        .chain(added.filter_map(|container| container.resources.as_ref()))
        .chain(tunnel.and_then(|server| server.resources.as_ref()))
}

/// A request, or the limit that stands for it where there is none, as the API server fills it in.
fn request(resources: &ResourceRequirements, name: &str, read: fn(&str) -> Option<u64>) -> u64 {
    let asked = resources.requests.as_ref().and_then(|requests| requests.get(name));
    let asked = asked.or_else(|| resources.limits.as_ref()?.get(name));
    asked.and_then(|asked| read(&asked.0)).unwrap_or_default()
}

/// Keeps of a control plane only what admission counts.
pub(crate) fn trim(cluster: &mut TenantControlPlane) {
    kubekit::trimmed(cluster);
    cluster.metadata.annotations = None;
    cluster.metadata.labels = None;
    cluster.status = None;
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
