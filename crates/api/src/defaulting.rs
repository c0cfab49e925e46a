//! What admission fills in when a control plane is created.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::validation::Fault;
use crate::{DeploymentSpec, TenantControlPlaneSpec};

/// What defaults are taken from.
#[derive(Clone, Copy, Debug)]
pub struct Defaults<'a> {
    /// `DataStore` for control planes that name none.
    pub data_store: Option<&'a str>,
    /// UID of the object.
    pub uid: &'a str,
}

/// Fills in what the spec leaves open. Idempotent; what the user wrote stays.
///
/// # Errors
/// A [`Fault`] per range of Services that cannot be read, since the DNS address is computed from it.
pub fn fill(spec: &mut TenantControlPlaneSpec, defaults: Defaults<'_>) -> Result<(), Vec<Fault>> {
    fill_text(&mut spec.data_store, defaults.data_store.unwrap_or_default());
    fill_text(&mut spec.data_store_schema, defaults.uid);
    fill_text(&mut spec.data_store_username, defaults.uid);
    let deployment = spec.control_plane.deployment.get_or_insert_with(DeploymentSpec::default);
    deployment.replicas.get_or_insert(crate::tenant_control_plane::DEFAULT_REPLICAS);

    let network = spec.network_profile.get_or_insert_default();
    network.service_cidrs = network.effective_service_cidrs();
    network.pod_cidrs = network.effective_pod_cidrs();
    if network.dns_service_ips.is_empty() {
        network.dns_service_ips = dns_addresses(&network.service_cidrs)?;
    }
    Ok(())
}

/// Addresses of the cluster's DNS Service: the tenth of an IPv4 range, `::10` of an IPv6 range.
///
/// # Errors
/// A [`Fault`] per range that cannot be read or is too small.
pub fn dns_addresses(service_cidrs: &[String]) -> Result<Vec<String>, Vec<Fault>> {
    let (mut addresses, mut faults) = (Vec::new(), Vec::new());
    for (index, cidr) in service_cidrs.iter().enumerate() {
        let address = cidr.parse::<IpNet>().ok().and_then(dns_address);
        if let Some(address) = address {
            addresses.push(address.to_string());
        } else {
            let path = format!("spec.networkProfile.serviceCidrs[{index}]");
            faults.push(Fault::new(
                path,
                cidr,
                "must be a range with more than 16 addresses, such as 10.96.0.0/16",
            ));
        }
    }
    if faults.is_empty() { Ok(addresses) } else { Err(faults) }
}

fn dns_address(range: IpNet) -> Option<IpAddr> {
    let address = match range.network() {
        IpAddr::V4(base) => IpAddr::V4(Ipv4Addr::from_bits(base.to_bits().checked_add(10)?)),
        IpAddr::V6(base) => IpAddr::V6(Ipv6Addr::from_bits(base.to_bits().checked_add(0x10)?)),
    };
    range.contains(&address).then_some(address)
}

fn fill_text(field: &mut Option<String>, default: &str) {
    if field.as_deref().unwrap_or_default().is_empty() && !default.is_empty() {
        *field = Some(default.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::{Defaults, dns_addresses, fill};
    use crate::{NetworkProfileSpec, TenantControlPlaneSpec};

    const DEFAULTS: Defaults<'_> = Defaults { data_store: Some("default"), uid: "uid-1" };

    #[test]
    fn an_empty_spec_is_filled_as_kamaji_fills_it() {
        let mut spec = TenantControlPlaneSpec::default();
        fill(&mut spec, DEFAULTS).unwrap();
        assert_eq!(spec.data_store.as_deref(), Some("default"));
        assert_eq!(spec.data_store_schema.as_deref(), Some("uid-1"));
        assert_eq!(spec.data_store_username.as_deref(), Some("uid-1"));
        assert_eq!(spec.control_plane.deployment.as_ref().unwrap().replicas, Some(2));
        let network = spec.network_profile.as_ref().unwrap();
        assert_eq!(network.service_cidrs, ["10.96.0.0/16"]);
        assert_eq!(network.pod_cidrs, ["10.244.0.0/16"]);
        assert_eq!(network.dns_service_ips, ["10.96.0.10"]);

        let once = spec.clone();
        fill(&mut spec, DEFAULTS).unwrap();
        assert_eq!(spec, once, "filling twice changes nothing");
    }

    #[test]
    fn what_the_user_wrote_stays() {
        let mut spec = TenantControlPlaneSpec {
            data_store: Some("mine".into()),
            data_store_schema: Some("schema".into()),
            network_profile: Some(NetworkProfileSpec {
                service_cidr: Some("10.1.0.0/16".into()),
                dns_service_ips: vec!["10.1.0.53".into()],
                ..NetworkProfileSpec::default()
            }),
            ..TenantControlPlaneSpec::default()
        };
        fill(&mut spec, DEFAULTS).unwrap();
        assert_eq!(spec.data_store.as_deref(), Some("mine"));
        assert_eq!(spec.data_store_schema.as_deref(), Some("schema"));
        let network = spec.network_profile.unwrap();
        assert_eq!(network.service_cidrs, ["10.1.0.0/16"]);
        assert_eq!(network.dns_service_ips, ["10.1.0.53"]);
    }

    #[test]
    fn dns_addresses_follow_the_family_of_each_range() {
        let ranges = ["10.96.0.0/16".to_owned(), "2001:db8:abcd::/64".to_owned()];
        assert_eq!(dns_addresses(&ranges).unwrap(), ["10.96.0.10", "2001:db8:abcd::10"]);
        assert_eq!(dns_addresses(&["10.96.0.0/30".to_owned(), "x".to_owned()]).unwrap_err().len(), 2);
    }
}
