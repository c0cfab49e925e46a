//! Where the API server is reached.

use std::fmt;
use std::net::IpAddr;

use api::ServiceType;
use api::condition::Reason;
use ipnet::IpNet;
use k8s_openapi::api::core::v1::Service;

use crate::Validated;

/// Where the API server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// IP address or, from a load balancer, host name.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Address of the Service inside the management cluster, if it has one.
    pub service_ip: Option<IpAddr>,
}

/// Why the address is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unassigned {
    /// The load balancer has handed out nothing yet.
    #[error(
        "the load balancer has not assigned an address to the Service yet; \
         if this lasts, check that the management cluster has a load balancer for this Service"
    )]
    LoadBalancerPending,
    /// Node ports are reached by an address that only the user knows.
    #[error(
        "a control plane of serviceType NodePort needs an address; \
         set spec.networkProfile.address to one of a node or of what stands before the nodes"
    )]
    NodePortWithoutAddress,
    /// The Service has no cluster IP.
    #[error("the Service has no cluster IP yet; if this lasts, set spec.networkProfile.address")]
    ClusterIpMissing,
    /// The API server does not start with such an address.
    #[error(
        "the API server's address has another address family than every range of Services; \
         set spec.networkProfile.advertiseAddress to an address of that family"
    )]
    FamilyWithoutServices,
}

impl Unassigned {
    /// Reason of the condition.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::LoadBalancerPending => Reason::LoadBalancerPending,
            Self::NodePortWithoutAddress | Self::ClusterIpMissing => Reason::AddressMissing,
            Self::FamilyWithoutServices => Reason::AddressFamilyMismatch,
        }
    }
}

/// Finds the address: the spec's, else the one of the Service as the cluster answered it.
///
/// # Errors
/// [`Unassigned`] says what is waited for or missing.
pub fn endpoint(control_plane: &Validated, applied: &Service) -> Result<Endpoint, Unassigned> {
    let service_ip = cluster_ip(applied);
    let address =
        match (control_plane.network().address, control_plane.spec().control_plane.service.service_type) {
            (Some(address), _) => address.to_string(),
            (None, ServiceType::ClusterIp) => service_ip.ok_or(Unassigned::ClusterIpMissing)?.to_string(),
            (None, ServiceType::LoadBalancer) => {
                load_balancer(applied).ok_or(Unassigned::LoadBalancerPending)?
            }
            (None, ServiceType::NodePort) => return Err(Unassigned::NodePortWithoutAddress),
        };
    let endpoint = Endpoint { address, port: control_plane.port(), service_ip };
    let ranges = &control_plane.network().service_cidrs;
    match advertised(control_plane, &endpoint) {
        Some(address) if !ranges.iter().any(|range| is_same_family(range, address)) => {
            Err(Unassigned::FamilyWithoutServices)
        }
        _ => Ok(endpoint),
    }
}

/// The address that the API server names to its clients. It has to be an IP address: in place of a load
/// balancer's host name stands the Service's own address, and without that the API server finds one.
pub(crate) fn advertised(control_plane: &Validated, endpoint: &Endpoint) -> Option<IpAddr> {
    control_plane.network().advertise_address.or_else(|| endpoint.ip()).or(endpoint.service_ip)
}

/// Ranges of Services, that of the primary address family first: the API server starts only if that is
/// the family of the address that it advertises.
#[must_use]
pub fn service_ranges(control_plane: &Validated, endpoint: &Endpoint) -> Vec<IpNet> {
    primary_first(&control_plane.network().service_cidrs, advertised(control_plane, endpoint))
}

/// Ranges of pods, in the order of [`service_ranges`].
#[must_use]
pub fn pod_ranges(control_plane: &Validated, endpoint: &Endpoint) -> Vec<IpNet> {
    primary_first(&control_plane.network().pod_cidrs, advertised(control_plane, endpoint))
}

fn primary_first(ranges: &[IpNet], primary: Option<IpAddr>) -> Vec<IpNet> {
    let mut ranges = ranges.to_vec();
    if let Some(address) = primary {
        // Stable: within a family the user's order stays.
        ranges.sort_by_key(|range| !is_same_family(range, address));
    }
    ranges
}

fn is_same_family(range: &IpNet, address: IpAddr) -> bool {
    range.addr().is_ipv4() == address.is_ipv4()
}

impl Endpoint {
    /// The address as IP, unless it is a host name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }
}

impl fmt::Display for Endpoint {
    /// `address:port`, an IPv6 address in brackets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&host_port(&self.address, self.port))
    }
}

/// `host:port`, an IPv6 address in brackets.
pub(crate) fn host_port(host: &str, port: u16) -> String {
    match host.parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// Host and port that are told to administrators and workers: the Gateway's or Ingress's host name,
/// else the advertised address, else the assigned one.
pub(crate) fn public(control_plane: &Validated, endpoint: &Endpoint) -> (String, u16) {
    let front = &control_plane.spec().control_plane;
    if let Some(hostname) = front.gateway.as_ref().and_then(|gateway| gateway.hostname.as_deref()) {
        return (hostname.to_owned(), endpoint.port);
    }
    if let Some(hostname) = front.ingress.as_ref().and_then(|ingress| ingress.hostname.as_deref()) {
        let (host, port) = split_host(hostname);
        return (host.to_owned(), port.unwrap_or(endpoint.port));
    }
    let advertised = control_plane.network().advertise_address.map(|address| address.to_string());
    (advertised.unwrap_or_else(|| endpoint.address.clone()), endpoint.port)
}

/// Host and port of `host:port`; of `host` alone there is no port.
pub(crate) fn split_host(text: &str) -> (&str, Option<u16>) {
    match text.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => (host, Some(port)),
        _ => (text, None),
    }
}

fn cluster_ip(service: &Service) -> Option<IpAddr> {
    service.spec.as_ref()?.cluster_ip.as_deref()?.parse().ok()
}

fn load_balancer(service: &Service) -> Option<String> {
    let ingress = service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?;
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    ingress
        .iter()
        .find_map(|entry| text(&entry.ip))
        .or_else(|| ingress.iter().find_map(|entry| text(&entry.hostname)))
}
