//! A NATS server on loopback for tests, gone when the value is dropped.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::{Clock, SystemClock};
use pki::{CertificatePlan, Pair};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{CommandSpec, Credentials, Distribution, Error, Process, free_ports, write_private};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(30);

/// A running NATS server with `JetStream`. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct Nats {
    process: Process,
    spec: CommandSpec,
    port: u16,
    authority: Option<Pair>,
    directory: tempfile::TempDir,
}

impl Nats {
    /// The user that the server knows.
    pub const USER: &str = "root";
    /// That user's password.
    pub const PASSWORD: &str = "correct-horse";

    /// Starts one without encryption and returns when it listens.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(false).await
    }

    /// Starts one that speaks TLS with a certificate for 127.0.0.1 and localhost.
    pub async fn start_with_tls() -> Result<Self, Error> {
        Self::start_with(true).await
    }

    /// `127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The authority that signed its certificate, if it has one.
    #[must_use]
    pub fn authority(&self) -> Option<&Pair> {
        self.authority.as_ref()
    }

    /// What it wrote about itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("nats.log")
    }

    /// Ends the process without a warning; the data stays.
    pub async fn stop(&mut self) {
        self.process.kill();
        self.process.wait().await;
    }

    /// Starts the process again on its data and port.
    pub async fn resume(&mut self) -> Result<(), Error> {
        self.process = Process::spawn(&self.spec)?;
        self.listens().await
    }

    async fn start_with(encrypted: bool) -> Result<Self, Error> {
        let program = Distribution::find(None)?.tool("nats-server")?;
        let directory = tempfile::Builder::new()
            .prefix("flotilla-nats-")
            .tempdir()
            .map_err(Error::file("create", std::env::temp_dir()))?;
        let authority = if encrypted { Some(certify(directory.path())?) } else { None };
        let [port] = free_ports()?;
        let file = directory.path().join("nats.conf");
        write_private(&file, &settings(directory.path(), port, encrypted))?;
        let spec = CommandSpec::new("nats-server", program, directory.path().join("nats.log"))
            .args(["-c".as_ref(), file.as_os_str()]);
        let mut nats = Self { process: Process::spawn(&spec)?, spec, port, authority, directory };
        nats.listens().await?;
        Ok(nats)
    }

    async fn listens(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        while let Err(error) = TcpStream::connect((LOOPBACK, self.port)).await {
            let (name, log) = ("nats-server".to_owned(), self.log());
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

/// Makes an authority and the server's certificate; returns the authority.
fn certify(directory: &Path) -> Result<Pair, Error> {
    let now = SystemClock.now();
    let credentials = Credentials::open(&directory.join("pki"), now)?;
    let authority = credentials.etcd_authority();
    let server = CertificatePlan::server("nats", vec!["localhost".to_owned()], vec![LOOPBACK])
        .issue(authority, now)?;
    write_private(&directory.join("server.crt"), &server.certificate)?;
    write_private(&directory.join("server.key"), server.private_key.expose_pem())?;
    Ok(authority.pair().clone())
}

/// The server's settings.
fn settings(directory: &Path, port: u16, encrypted: bool) -> String {
    let directory = directory.display();
    let tls = if encrypted {
        format!("tls {{ cert_file: \"{directory}/server.crt\", key_file: \"{directory}/server.key\" }}\n")
    } else {
        String::new()
    };
    format!(
        "listen: \"127.0.0.1:{port}\"\nserver_name: test\nmax_payload: 8MB\n\
         jetstream {{ store_dir: \"{directory}/data\", max_file_store: 4GB, max_memory_store: 256MB }}\n\
         authorization {{ user: {}, password: \"{}\" }}\n{tls}",
        Nats::USER,
        Nats::PASSWORD
    )
}
