//! Which addresses a local cluster uses: one 10.B.0.0/16 each, B from 200.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// The addresses of one cluster.
///
/// Tenants' control planes use 10.96.0.0/16 and 10.244.0.0/16 by default, so both stay free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressPlan {
    second_octet: u8,
}

impl AddressPlan {
    const FIRST: u8 = 200;
    const LAST: u8 = 243;
    const FIRST_NODE: u8 = 10;
    const FIRST_POD_RANGE: u8 = 128;

    /// The first range that overlaps with none of the `occupied` ones.
    #[must_use]
    pub fn first_free(occupied: &[Ipv4Net]) -> Option<Self> {
        (Self::FIRST..=Self::LAST)
            .map(|second_octet| Self { second_octet })
            .find(|plan| plan.is_free(occupied))
    }

    /// Whether the cluster's range overlaps with none of the `occupied` ones.
    #[must_use]
    pub fn is_free(&self, occupied: &[Ipv4Net]) -> bool {
        let own = self.network();
        !occupied.iter().any(|other| other.contains(&own) || own.contains(other))
    }

    /// All of the cluster's addresses.
    #[must_use]
    pub fn network(&self) -> Ipv4Net {
        self.net(0, 16)
    }

    /// The range in which the host's bridge and the nodes are.
    #[must_use]
    pub fn node_network(&self) -> Ipv4Net {
        self.net(0, 24)
    }

    /// The host's address on the bridge.
    #[must_use]
    pub fn bridge(&self) -> Ipv4Addr {
        self.at(0, 1)
    }

    /// Address of node `index`.
    #[must_use]
    pub fn node(&self, index: u8) -> Ipv4Addr {
        self.at(0, Self::FIRST_NODE + index)
    }

    /// `https://host:port` of the API server.
    #[must_use]
    pub fn api_server(&self) -> String {
        format!("https://{}:6443", self.node(0))
    }

    /// Addresses for services of type `LoadBalancer`.
    #[must_use]
    pub fn load_balancers(&self) -> Ipv4Net {
        self.net(1, 24)
    }

    /// Cluster addresses of services.
    #[must_use]
    pub fn services(&self) -> Ipv4Net {
        self.net(64, 18)
    }

    /// Cluster address of the service `kubernetes`.
    #[must_use]
    pub fn kubernetes_service(&self) -> Ipv4Addr {
        self.at(64, 1)
    }

    /// Cluster address of the service `kube-dns`.
    #[must_use]
    pub fn dns_service(&self) -> Ipv4Addr {
        self.at(64, 10)
    }

    /// Addresses of all pods.
    #[must_use]
    pub fn pods(&self) -> Ipv4Net {
        self.net(Self::FIRST_POD_RANGE, 17)
    }

    /// Addresses of the pods of node `index`.
    #[must_use]
    pub fn pods_of(&self, index: u8) -> Ipv4Net {
        self.net(Self::FIRST_POD_RANGE + index, 24)
    }

    fn at(self, third: u8, fourth: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.second_octet, third, fourth)
    }

    fn net(self, third: u8, prefix: u8) -> Ipv4Net {
        Ipv4Net::new_assert(self.at(third, 0), prefix)
    }
}

#[cfg(test)]
mod tests {
    use ipnet::Ipv4Net;

    use super::AddressPlan;

    fn nets(texts: &[&str]) -> Vec<Ipv4Net> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_first_range_without_conflict_is_taken() {
        let first = AddressPlan::first_free(&nets(&["192.0.2.0/24"])).unwrap();
        assert_eq!(first.network().to_string(), "10.200.0.0/16");
        let third = AddressPlan::first_free(&nets(&["10.200.0.0/16", "10.201.4.4/32"])).unwrap();
        assert_eq!(third.network().to_string(), "10.202.0.0/16");
        assert_eq!(AddressPlan::first_free(&nets(&["10.0.0.0/8"])), None);
    }

    #[test]
    fn the_parts_do_not_overlap() {
        let plan = AddressPlan::first_free(&[]).unwrap();
        let parts = [plan.node_network(), plan.load_balancers(), plan.services(), plan.pods()];
        for (index, part) in parts.iter().enumerate() {
            assert!(plan.network().contains(part), "{part}");
            for other in &parts[index + 1..] {
                assert!(!part.contains(other) && !other.contains(part), "{part} {other}");
            }
        }
        assert!(plan.pods().contains(&plan.pods_of(99)));
        assert!(plan.services().contains(&plan.dns_service()));
    }
}
