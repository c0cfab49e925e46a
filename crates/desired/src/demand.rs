//! What a control plane asks of the management cluster.

use api::TenantControlPlane;
use base::quantity;
use k8s_openapi::api::core::v1::ResourceRequirements;

/// What all pods of a control plane ask for together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Pods; none of one that sleeps.
    pub replicas: u64,
    /// CPU, in thousandths of a core.
    pub cpu_millis: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
}

/// What a control plane asks for by its spec: as often as it has pods.
#[must_use]
pub fn demand(cluster: &TenantControlPlane) -> Demand {
    let replicas = u64::try_from(cluster.spec.replicas()).unwrap_or_default();
    let (mut cpu, mut memory) = (0_u64, 0_u64);
    for resources in requirements(cluster) {
        cpu = cpu.saturating_add(request(resources, "cpu", quantity::thousandths));
        memory = memory.saturating_add(request(resources, "memory", quantity::units));
    }
    Demand {
        replicas,
        cpu_millis: cpu.saturating_mul(replicas),
        memory_bytes: memory.saturating_mul(replicas),
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
