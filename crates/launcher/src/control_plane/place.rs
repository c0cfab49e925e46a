//! Where a control plane of tests is: its directory, program, ports and addresses.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use base::{Clock, KubernetesVersion, SystemClock};
use ipnet::Ipv4Net;

use super::Services;
use crate::ports::PORTS;
use crate::{CommandSpec, Credentials, Error, User, free_ports, write_private};

pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const KUBEADM: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 96, 0, 0), 16);
pub(super) const PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 244, 0, 0), 16);
/// Addresses of a range on loopback: as many ranges fit into 127.0.0.0/8 as there are ports.
const RANGE: u32 = 1 << (32 - PREFIX);
const PREFIX: u8 = 20;
/// Ranges at the start of 127.0.0.0/8 that stay free for what has a fixed address there.
const FIRST_RANGE: u32 = 16;

/// The place of one control plane.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) program: PathBuf,
    pub(super) version: KubernetesVersion,
    pub(super) ports: Ports,
    /// `https://127.0.0.1:<port>` of the API server.
    pub(super) server: String,
    /// The same of etcd.
    pub(super) etcd: String,
    pub(super) services: Ipv4Net,
}

/// Its ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) etcd: u16,
    pub(super) peers: u16,
    pub(super) api_server: u16,
}

impl Place {
    /// A new one in an empty directory, with its certificates and kubeconfigs.
    pub(super) fn new(
        directory: &Path,
        program: PathBuf,
        version: KubernetesVersion,
        services: Services,
    ) -> Result<Self, Error> {
        let [etcd, peers, api_server] = free_ports()?;
        let place = Self::at(directory, program, version, services, Ports { etcd, peers, api_server });
        place.write_credentials()?;
        Ok(place)
    }

    /// One that is there.
    pub(super) fn at(
        directory: &Path,
        program: PathBuf,
        version: KubernetesVersion,
        services: Services,
        ports: Ports,
    ) -> Self {
        let services = match services {
            Services::Kubeadm => KUBEADM,
            Services::Loopback => range(ports.api_server),
        };
        let url = |port: u16| format!("https://127.0.0.1:{port}");
        let (server, etcd) = (url(ports.api_server), url(ports.etcd));
        Self { directory: directory.to_owned(), program, version, ports, server, etcd, services }
    }

    pub(super) fn pki(&self) -> PathBuf {
        self.directory.join("pki")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("etcd")
    }

    pub(super) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.directory.join(format!("{user}.kubeconfig"))
    }

    pub(super) fn log(&self, component: &str) -> PathBuf {
        self.directory.join("logs").join(format!("{component}.log"))
    }

    /// A program of Kubernetes, in the group of the test, so that a test runner that ends a test ends it too.
    pub(super) fn spec(&self, component: &str, args: Vec<String>) -> CommandSpec {
        CommandSpec::new(component, &self.program, self.log(component)).args([component]).args(args)
    }

    fn write_credentials(&self) -> Result<(), Error> {
        let credentials = Credentials::open(&self.pki(), SystemClock.now())?;
        credentials.issue_servers(&[LOOPBACK])?;
        let users = [
            ("admin", User { name: "kubernetes-admin", group: Some("system:masters") }),
            ("controller-manager", User { name: "system:kube-controller-manager", group: None }),
            ("scheduler", User { name: "system:kube-scheduler", group: None }),
        ];
        for (stem, user) in users {
            let text = credentials.kubeconfig(user, "kubernetes", &self.server)?;
            write_private(&self.kubeconfig(stem), &text)?;
        }
        Ok(())
    }
}

/// The range of whoever has this port: nobody else has the port, so nobody has the range.
fn range(port: u16) -> Ipv4Net {
    let number = u32::from(port.saturating_sub(*PORTS.start())) + FIRST_RANGE;
    let first = u32::from(Ipv4Addr::new(127, 0, 0, 0)) + number * RANGE;
    Ipv4Net::new_assert(Ipv4Addr::from(first), PREFIX)
}

#[cfg(test)]
mod tests {
    use ipnet::Ipv4Net;

    use super::range;
    use crate::ports::PORTS;

    #[test]
    fn each_port_has_a_range_of_its_own_on_loopback() {
        let loopback: Ipv4Net = "127.0.0.0/8".parse().unwrap();
        let ranges: Vec<Ipv4Net> = PORTS.map(range).collect();
        assert!(ranges.iter().all(|range| loopback.contains(range)));
        assert!(ranges.windows(2).all(|pair| pair[0].broadcast() < pair[1].network()));
        assert_eq!(ranges[0].to_string(), "127.1.0.0/20");
    }
}
