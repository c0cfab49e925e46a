//! Rules for Service, Ingress, Gateway and stores.

use std::collections::BTreeSet;

use super::Fault;
use super::text::is_dns_1123_label;
use crate::{ServiceType, TenantControlPlaneSpec};

const RESERVED_PORT_NAMES: [&str; 2] = ["kube-apiserver", "konnectivity-server"];

pub(super) fn check(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    check_load_balancer(spec, faults);
    check_additional_ports(spec, faults);
    check_front(spec, faults);
    check_overrides(spec, faults);
}

const ONLY_LOAD_BALANCER: &str = "is allowed only with serviceType LoadBalancer";

fn check_load_balancer(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    let service = &spec.control_plane.service;
    if service.service_type == ServiceType::LoadBalancer {
        return;
    }
    if let Some(allocate) = service.allocate_load_balancer_node_ports {
        faults.push(Fault::new(
            "spec.controlPlane.service.allocateLoadBalancerNodePorts",
            allocate,
            ONLY_LOAD_BALANCER,
        ));
    }
    let Some(network) = &spec.network_profile else { return };
    if let Some(class) = &network.load_balancer_class {
        faults.push(Fault::new("spec.networkProfile.loadBalancerClass", class, ONLY_LOAD_BALANCER));
    }
    if !network.load_balancer_source_ranges.is_empty() {
        let ranges = network.load_balancer_source_ranges.join(",");
        faults.push(Fault::new("spec.networkProfile.loadBalancerSourceRanges", ranges, ONLY_LOAD_BALANCER));
    }
}

fn check_additional_ports(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    let mut names: BTreeSet<&str> = RESERVED_PORT_NAMES.into();
    let own = spec.network_profile.clone().unwrap_or_default().port();
    let mut ports = BTreeSet::from([("TCP", own)]);
    check_tunnel_port(spec, &mut ports, faults);
    for (index, port) in spec.control_plane.service.additional_ports.iter().enumerate() {
        let path = |field: &str| format!("spec.controlPlane.service.additionalPorts[{index}].{field}");
        if !is_dns_1123_label(&port.name) {
            faults.push(Fault::new(
                path("name"),
                &port.name,
                "must be a DNS label: lower-case letters, digits and `-`",
            ));
        } else if !names.insert(&port.name) {
            faults.push(Fault::new(path("name"), &port.name, "is taken; port names must be unique"));
        }
        if !(1..=65535).contains(&port.port) {
            faults.push(Fault::new(path("port"), port.port, "must be a port from 1 to 65535"));
        } else if !ports.insert((port.protocol.unwrap_or_default().as_str(), port.port)) {
            faults.push(Fault::new(
                path("port"),
                port.port,
                "is taken; ports of one protocol must be unique",
            ));
        }
    }
}

/// The tunnel's port stands in the same Service and the same pod.
fn check_tunnel_port(
    spec: &TenantControlPlaneSpec,
    ports: &mut BTreeSet<(&'static str, i32)>,
    faults: &mut Vec<Fault>,
) {
    const PATH: &str = "spec.addons.konnectivity.server.port";
    let tunnel = spec.addons.as_ref().and_then(|addons| addons.konnectivity.as_ref());
    let Some(port) = tunnel.and_then(|tunnel| tunnel.server.as_ref()).map(|server| server.port) else {
        return;
    };
    if !(1..=65535).contains(&port) {
        faults.push(Fault::new(PATH, port, "must be a port from 1 to 65535"));
    } else if !ports.insert(("TCP", port)) {
        let message = "is the API server's port; give the tunnel another one, such as 8132";
        faults.push(Fault::new(PATH, port, message));
    }
}

fn check_front(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    let control_plane = &spec.control_plane;
    if control_plane.ingress.is_some() && control_plane.gateway.is_some() {
        faults.push(Fault::new(
            "spec.controlPlane.gateway",
            "set",
            "cannot be combined with ingress; keep one of the two",
        ));
    }
    if let Some(ingress) = &control_plane.ingress {
        let hostname = ingress.hostname.as_deref().unwrap_or_default();
        if hostname.is_empty() {
            let message = "must be the host name under which the API server is reached";
            faults.push(Fault::new("spec.controlPlane.ingress.hostname", hostname, message));
        }
    }
}

/// What the API server's flag can hold: one slash, and nothing that separates its parts.
fn is_group_resource(text: &str) -> bool {
    let is_name =
        |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
    text.split_once('/')
        .is_some_and(|(group, resource)| is_name(group) && is_name(resource) && !resource.is_empty())
}

fn check_overrides(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    let mut resources = BTreeSet::new();
    for (index, entry) in spec.data_store_overrides.iter().enumerate() {
        let path = |field: &str| format!("spec.dataStoreOverrides[{index}].{field}");
        let resource = entry.resource.as_deref().unwrap_or_default();
        if !is_group_resource(resource) {
            let message = "must be `group/resource`, or `/resource` for the core group";
            faults.push(Fault::new(path("resource"), resource, message));
        } else if !resources.insert(resource) {
            faults.push(Fault::new(path("resource"), resource, "is given twice; name each resource once"));
        }
        if entry.data_store.as_deref().unwrap_or_default().is_empty() {
            faults.push(Fault::new(path("dataStore"), "", "must name a DataStore"));
        }
    }
}
