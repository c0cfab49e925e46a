//! What leads to a control plane and what it is configured by: Ingress, routes, tunnel, ConfigMaps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use api::Driver;
use desired::{
    Endpoint, Unassigned, Validated, egress_selector, endpoint, ingress, konnectivity_route, kubeadm_config,
    pod_ranges, route, service, service_ranges,
};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use serde_json::{Value, json};
use support::{control_plane, store};

fn behind_gateway() -> Value {
    json!({ "spec": {
        "controlPlane": { "gateway": {
            "hostname": "blue.example.com",
            "additionalMetadata": { "labels": { "team": "a" }, "annotations": { "note": "route" } },
            "parentRefs": [
                { "name": "public", "namespace": "gateways", "sectionName": "control-planes", "port": 6443 },
                { "name": "public", "namespace": "gateways", "sectionName": "other", "port": 7443 },
                { "name": "internal" },
            ],
        } },
        "addons": { "konnectivity": { "server": { "port": 8132 } } },
    } })
}

fn behind_ingress(hostname: &str) -> Value {
    json!({ "spec": { "controlPlane": { "ingress": {
        "hostname": hostname,
        "ingressClassName": "nginx",
        "additionalMetadata": { "labels": { "team": "a" }, "annotations": { "ssl-passthrough": "true" } },
    } } } })
}

#[test]
fn ingresses_and_routes_look_as_they_did() {
    insta::assert_yaml_snapshot!("ingress", ingress(&control_plane(behind_ingress("blue.example.com:443"))));
    insta::assert_yaml_snapshot!("route", route(&control_plane(behind_gateway())));
    insta::assert_yaml_snapshot!("konnectivity_route", konnectivity_route(&control_plane(behind_gateway())));
}

#[test]
fn nothing_is_built_that_the_spec_does_not_ask_for() {
    let plain = control_plane(json!({}));
    assert!(ingress(&plain).is_none());
    assert!(route(&plain).is_none());
    assert!(konnectivity_route(&plain).is_none());
    assert!(egress_selector(&plain).is_none());
    let without_tunnel =
        json!({ "spec": { "controlPlane": { "gateway": { "hostname": "a.example.com" } } } });
    assert!(konnectivity_route(&control_plane(without_tunnel)).is_none());
}

#[test]
fn the_tunnels_route_keeps_one_reference_per_gateway() {
    let route = konnectivity_route(&control_plane(behind_gateway())).unwrap();
    let parents: Vec<(String, Option<String>, Option<i32>)> = route
        .spec
        .parent_refs
        .into_iter()
        .map(|parent| (parent.name, parent.section_name, parent.port))
        .collect();
    let section = || Some("konnectivity-server".to_owned());
    let expected = [("public", section(), Some(8132)), ("internal", section(), Some(8132))]
        .map(|(name, section, port)| (name.to_owned(), section, port));
    assert_eq!(parents, expected);
}

/// A host name is what clients dial, with or without a port; the Service and the Ingress are told apart.
#[test]
fn a_host_name_may_carry_a_port_and_ends_up_where_it_belongs() {
    for (hostname, host, outside) in [
        ("blue.example.com", "blue.example.com", "blue.example.com:6443"),
        ("blue.example.com:443", "blue.example.com", "blue.example.com:443"),
    ] {
        let control_plane = control_plane(behind_ingress(hostname));
        let rules = ingress(&control_plane).unwrap().spec.unwrap().rules.unwrap();
        assert_eq!(rules[0].host.as_deref(), Some(host), "{hostname}");
        let config = cluster_configuration(&control_plane, &support::endpoint());
        assert_eq!(config["ControlPlaneEndpoint"], outside, "{hostname}");
    }
}

fn cluster_configuration(control_plane: &Validated, endpoint: &Endpoint) -> Value {
    let config = kubeadm_config(control_plane, endpoint, &store(Driver::Etcd));
    serde_json::from_str(&config.data.unwrap()["ClusterConfiguration"]).unwrap()
}

fn data(config: &ConfigMap) -> &BTreeMap<String, String> {
    config.data.as_ref().unwrap()
}

/// The texts were written by kubeadm 1.36.3 used as a library, as Kamaji uses it.
#[test]
fn the_configuration_of_kubeadm_is_that_of_kamaji_byte_for_byte() {
    let config = kubeadm_config(&control_plane(json!({})), &support::endpoint(), &store(Driver::Etcd));
    assert_eq!(data(&config)["InitConfiguration"], include_str!("kubeadm/InitConfiguration.json"));
    assert_eq!(data(&config)["ClusterConfiguration"], include_str!("kubeadm/ClusterConfiguration.json"));
    insta::assert_yaml_snapshot!("kubeadm_config_metadata", config.metadata);
}

#[test]
fn the_configuration_of_kubeadm_names_stores_and_names_that_fit() {
    let spec = json!({ "spec": { "networkProfile": {
        "advertiseAddress": "198.51.100.1", "certSANs": ["a.example.com"],
    } } });
    let config = kubeadm_config(&control_plane(spec), &support::endpoint(), &store(Driver::MySql));
    let cluster: Value = serde_json::from_str(&data(&config)["ClusterConfiguration"]).unwrap();
    assert_eq!(cluster["Etcd"]["External"]["Endpoints"], json!(["127.0.0.1:2379"]));
    assert_eq!(cluster["ControlPlaneEndpoint"], "198.51.100.1:6443");
    let names = cluster["APIServer"]["CertSANs"].as_array().unwrap();
    assert!(
        names.ends_with(&[json!("10.0.0.7"), json!("a.example.com"), json!("198.51.100.1")]),
        "{names:?}"
    );
}

#[test]
fn the_configuration_of_the_tunnel_is_that_of_kamaji_byte_for_byte() {
    insta::assert_yaml_snapshot!("egress_selector", egress_selector(&control_plane(behind_gateway())));
}

fn applied(cluster_ip: &str) -> Service {
    serde_json::from_value(json!({ "spec": { "clusterIP": cluster_ip } })).unwrap()
}

/// The API server starts only if the first range of Services has the family of its own address.
#[test]
fn the_family_of_the_address_comes_first_in_every_list_of_ranges() {
    let ranges = json!({
        "serviceCidrs": ["fd00:96::/112", "10.96.0.0/16"],
        "podCidrs": ["fd00:244::/56", "10.244.0.0/16"],
    });
    let control_plane = control_plane(json!({ "spec": { "networkProfile": ranges } }));
    for (address, services, pods) in [
        ("10.0.0.7", ["10.96.0.0/16", "fd00:96::/112"], ["10.244.0.0/16", "fd00:244::/56"]),
        ("2001:db8::7", ["fd00:96::/112", "10.96.0.0/16"], ["fd00:244::/56", "10.244.0.0/16"]),
    ] {
        let endpoint = endpoint(&control_plane, &applied(address)).unwrap();
        let texts = |ranges: Vec<_>| ranges.iter().map(ToString::to_string).collect::<Vec<String>>();
        assert_eq!(texts(service_ranges(&control_plane, &endpoint)), services, "{address}");
        assert_eq!(texts(pod_ranges(&control_plane, &endpoint)), pods, "{address}");
        let networking = &cluster_configuration(&control_plane, &endpoint)["Networking"];
        assert_eq!(networking["ServiceSubnet"], services.join(","));
    }
}

#[test]
fn an_address_of_a_family_without_services_is_told_before_pods_crash_by_it() {
    let plain = control_plane(json!({}));
    assert_eq!(endpoint(&plain, &applied("2001:db8::7")), Err(Unassigned::FamilyWithoutServices));
    let advertised =
        control_plane(json!({ "spec": { "networkProfile": { "advertiseAddress": "198.51.100.1" } } }));
    assert!(endpoint(&advertised, &applied("2001:db8::7")).is_ok());
}

#[test]
fn the_tunnels_port_stands_second_and_is_a_node_port_where_the_api_servers_is() {
    let spec = |kind: &str| {
        json!({ "spec": {
            "controlPlane": { "service": {
                "serviceType": kind,
                "additionalPorts": [{ "name": "extra", "port": 9000, "targetPort": 9000 }],
            } },
            "networkProfile": { "port": 30443, "address": "192.0.2.1" },
            "addons": { "konnectivity": { "server": { "port": 30132 } } },
        } })
    };
    let ports = |kind: &str| {
        let ports = service(&control_plane(spec(kind)), None, None).spec.unwrap().ports.unwrap();
        ports.into_iter().map(|port| (port.name.unwrap(), port.port, port.node_port)).collect::<Vec<(
            String,
            i32,
            Option<i32>,
        )>>()
    };
    let expected = |first, second| {
        [("kube-apiserver", 30443, first), ("konnectivity-server", 30132, second), ("extra", 9000, None)]
            .map(|(name, port, node_port)| (name.to_owned(), port, node_port))
    };
    assert_eq!(ports("NodePort"), expected(Some(30443), Some(30132)));
    assert_eq!(ports("ClusterIP"), expected(None, None));
}

#[test]
fn node_ports_that_a_load_balancer_no_longer_needs_are_given_back_once() {
    let without = control_plane(json!({ "spec": { "controlPlane": { "service": {
        "serviceType": "LoadBalancer", "allocateLoadBalancerNodePorts": false,
    } } } }));
    let with_node_port: Service =
        serde_json::from_value(json!({ "spec": { "ports": [{ "port": 6443, "nodePort": 31000 }] } }))
            .unwrap();
    let node_port =
        |live: Option<&Service>| service(&without, None, live).spec.unwrap().ports.unwrap()[0].node_port;
    assert_eq!(node_port(Some(&with_node_port)), Some(0));
    assert_eq!(node_port(Some(&service(&without, None, None))), None);
    assert_eq!(node_port(None), None);
}
