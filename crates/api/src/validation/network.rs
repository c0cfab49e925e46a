//! Rules for addresses and ranges.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Fault;
use super::text::is_dns_name;
use crate::{NetworkProfileSpec, TenantControlPlaneSpec};

pub(super) fn check(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    let default = NetworkProfileSpec::default();
    let network = spec.network_profile.as_ref().unwrap_or(&default);
    check_addresses(network, faults);
    for (index, name) in network.cert_sans.iter().enumerate() {
        if name.parse::<IpAddr>().is_err() && !is_dns_name(name) {
            let path = format!("spec.networkProfile.certSANs[{index}]");
            faults.push(Fault::new(path, name, "must be an IP address or a DNS name, `*.` in front allowed"));
        }
    }
    let services = check_ranges(
        "service",
        &network.effective_service_cidrs(),
        !network.service_cidrs.is_empty(),
        faults,
    );
    check_ranges("pod", &network.effective_pod_cidrs(), !network.pod_cidrs.is_empty(), faults);
    check_dns_addresses(network, &services, faults);
}

fn check_addresses(network: &NetworkProfileSpec, faults: &mut Vec<Fault>) {
    for (field, value) in [("address", &network.address), ("advertiseAddress", &network.advertise_address)] {
        let value = value.as_deref().unwrap_or_default();
        if !value.is_empty() && value.parse::<IpAddr>().is_err() {
            let message = "must be an IP address; put host names into certSANs";
            faults.push(Fault::new(format!("spec.networkProfile.{field}"), value, message));
        }
    }
    if !(1..=65535).contains(&network.port()) {
        faults.push(Fault::new("spec.networkProfile.port", network.port(), "must be a port from 1 to 65535"));
    }
    let domain = network.cluster_domain();
    if !is_dns_name(domain) || domain.starts_with('*') {
        let message = "must be a DNS name such as cluster.local";
        faults.push(Fault::new("spec.networkProfile.clusterDomain", domain, message));
    }
    for (index, range) in network.load_balancer_source_ranges.iter().enumerate() {
        if range.parse::<IpNet>().is_err() {
            let path = format!("spec.networkProfile.loadBalancerSourceRanges[{index}]");
            faults.push(Fault::new(path, range, "must be a range such as 192.0.2.0/24"));
        }
    }
}

/// Reads the ranges of one kind; returns those that could be read.
fn check_ranges(kind: &str, ranges: &[String], is_list: bool, faults: &mut Vec<Fault>) -> Vec<IpNet> {
    let mut parsed: Vec<IpNet> = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        let path = if is_list {
            format!("spec.networkProfile.{kind}Cidrs[{index}]")
        } else {
            format!("spec.networkProfile.{kind}Cidr")
        };
        match range.parse::<IpNet>() {
            Err(_) => {
                faults.push(Fault::new(path, range, "must be a range such as 10.96.0.0/16 or fd00:96::/112"));
            }
            Ok(net) if parsed.iter().any(|other| other.addr().is_ipv4() == net.addr().is_ipv4()) => {
                faults.push(Fault::new(
                    path,
                    range,
                    "is a second range of the same address family; give one IPv4 and one IPv6 range",
                ));
            }
            Ok(net) => parsed.push(net),
        }
    }
    if ranges.len() > 2 {
        faults.push(Fault::new(
            format!("spec.networkProfile.{kind}Cidrs"),
            ranges.join(","),
            "must be at most two ranges",
        ));
    }
    parsed
}

fn check_dns_addresses(network: &NetworkProfileSpec, services: &[IpNet], faults: &mut Vec<Fault>) {
    for (index, text) in network.dns_service_ips.iter().enumerate() {
        let path = format!("spec.networkProfile.dnsServiceIPs[{index}]");
        match text.parse::<IpAddr>() {
            Err(_) => faults.push(Fault::new(path, text, "must be an IP address inside a range of Services")),
            Ok(address) if !services.is_empty() && !services.iter().any(|range| range.contains(&address)) => {
                let ranges: Vec<String> = services.iter().map(ToString::to_string).collect();
                let message = format!("must be inside a range of Services: {}", ranges.join(", "));
                faults.push(Fault::new(path, text, message));
            }
            Ok(_) => {}
        }
    }
}
