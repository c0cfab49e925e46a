//! An etcd on loopback for tests, with an authority of its own, gone when the value is dropped.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use base::{Clock, SystemClock};
use pki::{CertificatePlan, Pair};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{CommandSpec, Credentials, Distribution, Error, EtcdFlags, Process, free_ports};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// It listens within a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running etcd of one member. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct Etcd {
    process: Process,
    spec: CommandSpec,
    port: u16,
    authority: Pair,
    root: Pair,
    directory: tempfile::TempDir,
}

impl Etcd {
    /// Starts one and returns when it listens. Authentication is off.
    pub async fn start() -> Result<Self, Error> {
        let distribution = Distribution::find(None)?;
        let program = distribution.kubernetes(&distribution.pick(None)?);
        let directory = tempfile::Builder::new()
            .prefix("flotilla-etcd-")
            .tempdir()
            .map_err(Error::file("create", std::env::temp_dir()))?;
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
        let mut etcd = Self { process: Process::spawn(&spec)?, spec, port, authority, root, directory };
        etcd.listens().await?;
        Ok(etcd)
    }

    /// `127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
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

    /// What it wrote about itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("etcd.log")
    }

    /// Ends the process; the data stays.
    pub async fn stop(&mut self) {
        self.process.kill();
        self.process.wait().await;
    }

    /// Starts the process again on its data and port.
    pub async fn resume(&mut self) -> Result<(), Error> {
        self.process = Process::spawn(&self.spec)?;
        self.listens().await
    }

    async fn listens(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        while let Err(error) = TcpStream::connect((LOOPBACK, self.port)).await {
            let (name, log) = ("etcd".to_owned(), self.log());
            if let Some(report) = self.process.try_wait() {
                return Err(Error::Ended { name, report: report.to_string(), log });
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::NotReady { name, waited: start.elapsed(), last: error.to_string(), log });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}
