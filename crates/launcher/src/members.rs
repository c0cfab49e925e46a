//! Several etcd members on loopback for tests, with mutual TLS among them, gone when the value is dropped.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use base::{Clock, SystemClock};
use pki::{CertificatePlan, Pair};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{CommandSpec, Credentials, Distribution, Error, Process, free_ports};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Each listens within a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Three places for members of one cluster. Dropping it ends their processes and removes their data.
#[derive(Debug)]
pub struct Members {
    program: PathBuf,
    places: Vec<Place>,
    authority: Pair,
    root: Pair,
    quota: u64,
    directory: tempfile::TempDir,
}

#[derive(Debug)]
struct Place {
    port: u16,
    peer_port: u16,
    process: Option<Process>,
}

impl Members {
    /// Prepares three places; nothing runs yet. Writes are refused beyond `quota` bytes.
    pub fn prepare(quota: u64) -> Result<Self, Error> {
        let distribution = Distribution::find(None)?;
        let program = distribution.kubernetes(&distribution.pick(None)?);
        let directory = tempfile::Builder::new()
            .prefix("flotilla-members-")
            .tempdir()
            .map_err(Error::file("create", std::env::temp_dir()))?;
        let now = SystemClock.now();
        let credentials = Credentials::open(&directory.path().join("pki"), now)?;
        credentials.issue_servers(&[LOOPBACK])?;
        let authority = credentials.etcd_authority();
        let nobody: [&str; 0] = [];
        let root = CertificatePlan::client("root", nobody).issue(authority, now)?;
        let ports: [u16; 6] = free_ports()?;
        let places = ports.chunks_exact(2).filter_map(|pair| match pair {
            [port, peer_port] => Some(Place { port: *port, peer_port: *peer_port, process: None }),
            _ => None,
        });
        let authority = authority.pair().clone();
        Ok(Self { program, places: places.collect(), authority, root, quota, directory })
    }

    /// Where clients reach a member, `127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self, number: usize) -> String {
        format!("{LOOPBACK}:{}", self.places[number].port)
    }

    /// Where the others reach it.
    #[must_use]
    pub fn peer_url(&self, number: usize) -> String {
        format!("https://{LOOPBACK}:{}", self.places[number].peer_port)
    }

    /// The list of some members, as etcd takes it.
    #[must_use]
    pub fn list(&self, numbers: &[usize]) -> String {
        let pairs = numbers.iter().map(|number| format!("m{number}={}", self.peer_url(*number)));
        pairs.collect::<Vec<_>>().join(",")
    }

    /// The authority that signs all their certificates.
    #[must_use]
    pub fn authority(&self) -> &Pair {
        &self.authority
    }

    /// A client certificate of the user `root`.
    #[must_use]
    pub fn root(&self) -> &Pair {
        &self.root
    }

    /// Starts a member, which reads state (`new` or `existing`) and list only if it has no data.
    pub fn start(&mut self, number: usize, state: &str, list: &str) -> Result<(), Error> {
        let (pki, data) = (self.directory.path().join("pki"), self.data(number));
        let pki = pki.display();
        let (clients, peers) = (format!("https://{}", self.endpoint(number)), self.peer_url(number));
        let args = [
            "etcd".to_owned(),
            format!("--name=m{number}"),
            format!("--data-dir={}", data.display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster={list}"),
            format!("--initial-cluster-state={state}"),
            format!("--quota-backend-bytes={}", self.quota),
            "--client-cert-auth=true".to_owned(),
            format!("--trusted-ca-file={pki}/etcd-ca.crt"),
            format!("--cert-file={pki}/etcd-server.crt"),
            format!("--key-file={pki}/etcd-server.key"),
            "--peer-client-cert-auth=true".to_owned(),
            format!("--peer-trusted-ca-file={pki}/etcd-ca.crt"),
            format!("--peer-cert-file={pki}/etcd-server.crt"),
            format!("--peer-key-file={pki}/etcd-server.key"),
            "--unsafe-no-fsync=true".to_owned(),
        ];
        let _ = std::fs::remove_file(self.log(number));
        let name = format!("etcd-{number}");
        let spec = CommandSpec::new(name, self.program.clone(), self.log(number)).args(args);
        self.places[number].process = Some(Process::spawn(&spec)?);
        Ok(())
    }

    /// Ends a member's process; its data stay.
    pub async fn stop(&mut self, number: usize) {
        if let Some(mut process) = self.places[number].process.take() {
            process.kill();
            process.wait().await;
        }
    }

    /// Takes the disk of a member that does not run.
    pub fn wipe(&self, number: usize) -> Result<(), Error> {
        let data = self.data(number);
        std::fs::remove_dir_all(&data).map_err(Error::file("remove", &data))
    }

    /// Waits until a member listens for clients.
    pub async fn listens(&mut self, number: usize) -> Result<(), Error> {
        let (begin, name, log) = (Instant::now(), format!("etcd-{number}"), self.log(number));
        let place = &mut self.places[number];
        while let Err(error) = TcpStream::connect((LOOPBACK, place.port)).await {
            if let Some(report) = place.process.as_mut().and_then(Process::try_wait) {
                return Err(Error::Ended { name, report: report.to_string(), log });
            }
            if begin.elapsed() > PATIENCE {
                return Err(Error::NotReady { name, waited: begin.elapsed(), last: error.to_string(), log });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Waits until a member has ended by itself; returns what it wrote.
    pub async fn last_words(&mut self, number: usize) -> Result<String, Error> {
        if let Some(mut process) = self.places[number].process.take() {
            process.wait().await;
        }
        let log = self.log(number);
        std::fs::read_to_string(&log).map_err(Error::file("read", &log))
    }

    fn data(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("data-{number}"))
    }

    fn log(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("etcd-{number}.log"))
    }
}
