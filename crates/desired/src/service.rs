//! The Service in front of a control plane's pods.

use std::collections::BTreeMap;

use api::names::{Component, labels};
use api::{AdditionalPort, ServiceType};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::metadata::{object_meta, with_additional};
use crate::{Validated, hand_over, konnectivity, konnectivity_port, shared_tunnel};

/// The Service in front of the pods, of which `pods` says how far they are. `live` is the Service as it is.
#[must_use]
pub fn service(control_plane: &Validated, pods: Option<&Deployment>, live: Option<&Service>) -> Service {
    let wished = &control_plane.spec().control_plane.service;
    let network = control_plane.network();
    let metadata =
        with_additional(object_meta(control_plane, Component::Service), wished.additional_metadata.as_ref());
    let is_load_balancer = wished.service_type == ServiceType::LoadBalancer;
    let ranges = &network.profile.load_balancer_source_ranges;
    let spec = ServiceSpec {
        type_: Some(wished.service_type.as_str().to_owned()),
        selector: Some(selector(control_plane, pods)),
        ports: Some(ports(control_plane, live)),
        // Written even where it is the default, so that removing the field from the spec undoes it.
        allocate_load_balancer_node_ports: is_load_balancer
            .then(|| wished.allocate_load_balancer_node_ports.unwrap_or(true)),
        load_balancer_ip: network
            .wished_of_load_balancer
            .filter(|_| is_load_balancer)
            .map(|address| address.to_string()),
        load_balancer_class: network.profile.load_balancer_class.clone().filter(|_| is_load_balancer),
        load_balancer_source_ranges: Some(ranges.clone())
            .filter(|ranges| is_load_balancer && !ranges.is_empty()),
        external_ips: network
            .external_ip
            .filter(|_| !is_load_balancer)
            .map(|address| vec![address.to_string()]),
        ..ServiceSpec::default()
    };
    Service { metadata, spec: Some(spec), status: None }
}

fn selector(control_plane: &Validated, pods: Option<&Deployment>) -> BTreeMap<String, String> {
    let narrowed = (labels::MANAGED.to_owned(), labels::MANAGED_VALUE.to_owned());
    std::iter::once((labels::NAME.to_owned(), control_plane.name().to_owned()))
        .chain(hand_over::narrows_service(pods).then_some(narrowed))
        .collect()
}

fn ports(control_plane: &Validated, live: Option<&Service>) -> Vec<ServicePort> {
    let wished = &control_plane.spec().control_plane.service;
    let port = i32::from(control_plane.port());
    let api_server = ServicePort {
        name: Some("kube-apiserver".to_owned()),
        protocol: Some("TCP".to_owned()),
        port,
        target_port: Some(IntOrString::Int(port)),
        node_port: (wished.service_type == ServiceType::NodePort).then_some(port),
        ..ServicePort::default()
    };
    let agents = konnectivity_port(control_plane).map(|number| {
        let port = i32::from(number);
        let name = Some(konnectivity::SERVER.to_owned());
        let node_port = api_server.node_port.map(|_| port);
        let target_port = Some(if shared_tunnel::is_wished(control_plane.spec()) {
            IntOrString::String(shared_tunnel::TARGET.to_owned())
        } else {
            IntOrString::Int(port)
        });
        ServicePort { name, port, target_port, node_port, ..api_server.clone() }
    });
    let additional = wished.additional_ports.iter().map(additional);
    let mut ports: Vec<ServicePort> = std::iter::once(api_server).chain(agents).chain(additional).collect();
    if wished.allocate_load_balancer_node_ports == Some(false) && has_node_ports(live) {
        // The cluster keeps a node port that it has given until it is taken back.
        for port in &mut ports {
            port.node_port = Some(0);
        }
    }
    ports
}

fn has_node_ports(live: Option<&Service>) -> bool {
    let ports = live.and_then(|service| service.spec.as_ref()?.ports.as_ref());
    ports.into_iter().flatten().any(|port| port.node_port.is_some_and(|number| number != 0))
}

fn additional(port: &AdditionalPort) -> ServicePort {
    ServicePort {
        name: Some(port.name.clone()),
        protocol: Some(port.protocol.unwrap_or_default().as_str().to_owned()),
        app_protocol: port.app_protocol.clone(),
        port: port.port,
        target_port: Some(port.target_port.clone()),
        node_port: None,
    }
}
