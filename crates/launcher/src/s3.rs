//! An S3 service on loopback for tests, gone when the value is dropped.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use base::{Clock, SystemClock};
use pki::{CertificatePlan, Pair};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{CommandSpec, Credentials, Distribution, Error, Process, free_ports, write_private};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(30);

/// A running service (versitygw on a directory) that speaks TLS and has one bucket. Dropping it ends its
/// process and removes its data.
#[derive(Debug)]
pub struct S3 {
    process: Process,
    spec: CommandSpec,
    port: u16,
    authority: Pair,
    directory: tempfile::TempDir,
}

impl S3 {
    /// The bucket that exists.
    pub const BUCKET: &str = "backups";
    /// Access key ID of the owner.
    pub const ACCESS_KEY_ID: &str = "flotilla";
    /// Secret access key of the owner.
    pub const SECRET_ACCESS_KEY: &str = "correct-horse-battery";

    /// Starts one and returns when it listens.
    pub async fn start() -> Result<Self, Error> {
        let program = Distribution::find(None)?.tool("versitygw")?;
        let directory = tempfile::Builder::new()
            .prefix("flotilla-s3-")
            .tempdir()
            .map_err(Error::file("create", std::env::temp_dir()))?;
        let now = SystemClock.now();
        let credentials = Credentials::open(&directory.path().join("pki"), now)?;
        let authority = credentials.etcd_authority();
        let names = vec!["localhost".to_owned()];
        let server = CertificatePlan::server("s3", names, vec![LOOPBACK]).issue(authority, now)?;
        let at = |name: &str| directory.path().join(name);
        write_private(&at("server.crt"), &server.certificate)?;
        write_private(&at("server.key"), server.private_key.expose_pem())?;
        for place in [at("data").join(Self::BUCKET), at("sidecar")] {
            std::fs::create_dir_all(&place).map_err(Error::file("create", &place))?;
        }
        let [port] = free_ports()?;
        let spec = CommandSpec::new("versitygw", program, at("s3.log"))
            .args([format!("--access={}", Self::ACCESS_KEY_ID)])
            .args([format!("--secret={}", Self::SECRET_ACCESS_KEY)])
            .args([format!("--port=127.0.0.1:{port}")])
            .args([format!("--cert={}", at("server.crt").display())])
            .args([format!("--key={}", at("server.key").display()), "posix".to_owned()])
            .args([format!("--sidecar={}", at("sidecar").display()), at("data").display().to_string()]);
        let authority = authority.pair().clone();
        let mut service = Self { process: Process::spawn(&spec)?, spec, port, authority, directory };
        service.listens().await?;
        Ok(service)
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The authority that signed its certificate.
    #[must_use]
    pub fn authority(&self) -> &Pair {
        &self.authority
    }

    /// Where an object of the bucket lies.
    #[must_use]
    pub fn object(&self, key: &str) -> PathBuf {
        self.directory.path().join("data").join(Self::BUCKET).join(key)
    }

    /// What it wrote about itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("s3.log")
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
            let (name, log) = ("versitygw".to_owned(), self.log());
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
