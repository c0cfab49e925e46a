//! Where a control plane is reached, and the address ranges inside the tenant's cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Port of the API server unless the spec says another.
pub const DEFAULT_PORT: i32 = 6443;
/// Range of Services unless the spec says another.
const DEFAULT_SERVICE_CIDR: &str = "10.96.0.0/16";
/// Range of pods unless the spec says another.
const DEFAULT_POD_CIDR: &str = "10.244.0.0/16";
/// Domain of the tenant's cluster unless the spec says another.
pub const DEFAULT_CLUSTER_DOMAIN: &str = "cluster.local";

/// Addresses, ports and ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkProfileSpec {
    /// Ranges (CIDR) that may reach a Service of type `LoadBalancer`; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-validations" = [{"rule": "self.all(r, isCIDR(r))", "message": "all LoadBalancer source range entries must be valid CIDR"}]))]
    pub load_balancer_source_ranges: Vec<String>,
    /// Class of the load balancer, for clusters with more than one kind. Only with a Service of type
    /// `LoadBalancer`; immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "LoadBalancerClass is immutable"}]))]
    pub load_balancer_class: Option<String>,
    /// IP address under which the API server is reached. Empty means the one of the Service: its
    /// cluster IP, or what the load balancer hands out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// IP address given to workers and to the tenant's `kubernetes` Service, if it differs from the one
    /// by which the management side reaches the API server. Host names belong into `certSANs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self == '' || isIP(self)", "message": "advertiseAddress must be a valid IP address"}]))]
    pub advertise_address: Option<String>,
    /// Domain of the tenant's cluster. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r".*\..*"), extend("default" = "cluster.local", "x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "changing the cluster domain is not supported"}]))]
    pub cluster_domain: Option<String>,
    /// Adds `address` to the external IPs of a Service of type `ClusterIP` or `NodePort`.
    #[serde(rename = "allowAddressAsExternalIP", skip_serializing_if = "Option::is_none")]
    pub allow_address_as_external_ip: Option<bool>,
    /// Port of the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 6443))]
    pub port: Option<i32>,
    /// Further names and addresses in the API server's certificate.
    #[serde(rename = "certSANs", default, skip_serializing_if = "Vec::is_empty")]
    pub cert_sans: Vec<String>,
    /// Range of Services. Deprecated: use `serviceCidrs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10.96.0.0/16", "x-kubernetes-validations" = [{"rule": "self == '' || isCIDR(self)", "message": "serviceCidr must be empty or a valid CIDR"}]))]
    pub service_cidr: Option<String>,
    /// Ranges of Services, one per address family, the first one decides the primary family. Wins over
    /// `serviceCidr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 2), extend("x-kubernetes-validations" = [{"rule": "self.all(x, isCIDR(x))", "message": "all serviceCidrs entries must be valid CIDRs"}]))]
    pub service_cidrs: Vec<String>,
    /// Range of pods. Deprecated: use `podCidrs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10.244.0.0/16", "x-kubernetes-validations" = [{"rule": "self == '' || isCIDR(self)", "message": "podCidr must be empty or a valid CIDR"}]))]
    pub pod_cidr: Option<String>,
    /// Ranges of pods, one per address family. Wins over `podCidr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 2), extend("x-kubernetes-validations" = [{"rule": "self.all(x, isCIDR(x))", "message": "all podCidrs entries must be valid CIDRs"}]))]
    pub pod_cidrs: Vec<String>,
    /// Addresses of the cluster's DNS Service, inside the ranges of Services. Computed if empty: the
    /// tenth address of an IPv4 range, `::10` of an IPv6 range.
    #[serde(rename = "dnsServiceIPs", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub dns_service_ips: Vec<String>,
}

impl NetworkProfileSpec {
    /// Port of the API server.
    #[must_use]
    pub fn port(&self) -> i32 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// Domain of the tenant's cluster.
    #[must_use]
    pub fn cluster_domain(&self) -> &str {
        self.cluster_domain.as_deref().filter(|domain| !domain.is_empty()).unwrap_or(DEFAULT_CLUSTER_DOMAIN)
    }

    /// Ranges of Services, primary family first.
    #[must_use]
    pub fn effective_service_cidrs(&self) -> Vec<String> {
        effective(&self.service_cidrs, self.service_cidr.as_deref(), DEFAULT_SERVICE_CIDR)
    }

    /// Ranges of pods, primary family first.
    #[must_use]
    pub fn effective_pod_cidrs(&self) -> Vec<String> {
        effective(&self.pod_cidrs, self.pod_cidr.as_deref(), DEFAULT_POD_CIDR)
    }
}

/// The list if there is one, else the deprecated single value, else the default. The order stays the
/// user's, since the first range decides the primary address family.
fn effective(list: &[String], single: Option<&str>, default: &str) -> Vec<String> {
    if !list.is_empty() {
        return list.to_vec();
    }
    vec![single.filter(|cidr| !cidr.is_empty()).unwrap_or(default).to_owned()]
}
