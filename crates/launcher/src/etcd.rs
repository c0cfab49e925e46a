//! An etcd on loopback for tests, with an authority of its own, gone when the value is dropped.

use base::{Clock, SystemClock};
use pki::{CertificatePlan, Pair};

use crate::server::{LOOPBACK, Server, at_once, directory, is_a_server};
use crate::{CommandSpec, Credentials, Distribution, Error, EtcdFlags, free_ports};

/// A running etcd of one member. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct Etcd {
    server: Server,
    authority: Pair,
    root: Pair,
}

is_a_server!(Etcd);

impl Etcd {
    /// Starts one and returns when it listens. Authentication is off.
    pub async fn start() -> Result<Self, Error> {
        let distribution = Distribution::find(None)?;
        let program = distribution.kubernetes(&distribution.pick(None)?);
        let directory = directory("flotilla-etcd-")?;
        let (pki, data) = (directory.path().join("pki"), directory.path().join("data"));
        let now = SystemClock.now();
        let credentials = Credentials::open(&pki, now)?;
        credentials.issue_servers(&[LOOPBACK])?;
        let authority = credentials.etcd_authority();
        let nobody: [&str; 0] = [];
        let root = CertificatePlan::client("root", nobody).issue(authority, now)?;
        let [port, peer_port] = free_ports()?;
        let flags = EtcdFlags { pki: &pki, data: &data, address: LOOPBACK, port, peer_port, sync: false };
        let spec = CommandSpec::new("etcd", program, directory.path().join("etcd.log"))
            .args(["etcd"])
            .args(flags.args());
        let authority = authority.pair().clone();
        Ok(Self { server: Server::start(spec, port, None, directory, at_once).await?, authority, root })
    }

    /// The authority that signs its certificate and its clients'.
    #[must_use]
    pub fn authority(&self) -> &Pair {
        &self.authority
    }

    /// A client certificate of the user `root`.
    #[must_use]
    pub fn root(&self) -> &Pair {
        &self.root
    }
}
