//! The Service in front of a control plane's pods.

use api::names::{Component, labels};
use api::{AdditionalPort, ServiceType};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::Validated;
use crate::metadata::object_meta;

/// The Service in front of the pods.
#[must_use]
pub fn service(control_plane: &Validated) -> Service {
    let wished = &control_plane.spec().control_plane.service;
    let network = control_plane.network();
    let mut metadata = object_meta(control_plane, Component::Service);
    if let Some(additional) = &wished.additional_metadata {
        metadata.labels.get_or_insert_default().extend(additional.labels.clone());
        metadata.annotations =
            Some(additional.annotations.clone()).filter(|annotations| !annotations.is_empty());
    }
    let is_load_balancer = wished.service_type == ServiceType::LoadBalancer;
    let ranges = &network.profile.load_balancer_source_ranges;
    let spec = ServiceSpec {
        type_: Some(wished.service_type.as_str().to_owned()),
        selector: Some([(labels::NAME.to_owned(), control_plane.name().to_owned())].into()),
        ports: Some(ports(control_plane)),
        // Written even where it is the default, so that removing the field from the spec undoes it.
        allocate_load_balancer_node_ports: is_load_balancer
            .then(|| wished.allocate_load_balancer_node_ports.unwrap_or(true)),
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

fn ports(control_plane: &Validated) -> Vec<ServicePort> {
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
    std::iter::once(api_server).chain(wished.additional_ports.iter().map(additional)).collect()
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
