//! kine on loopback for tests: an etcd interface in front of a SQL database or NATS.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{CommandSpec, Distribution, Error, Process, free_ports};

const PATIENCE: Duration = Duration::from_secs(30);

/// A running kine. Dropping it ends its process; the store behind it stays as it is.
#[derive(Debug)]
pub struct Kine {
    process: Process,
    port: u16,
    directory: tempfile::TempDir,
}

impl Kine {
    /// Starts one in front of the store at `endpoint`, such as `nats://user:password@host:port?bucket=a`,
    /// and returns when it listens, which it does once it has read what the store holds. `authority` is the
    /// PEM text of the authority of a store that speaks TLS.
    pub async fn start(endpoint: &str, authority: Option<&str>) -> Result<Self, Error> {
        let program = Distribution::find(None)?.tool("kine")?;
        let directory = tempfile::Builder::new()
            .prefix("flotilla-kine-")
            .tempdir()
            .map_err(Error::file("create", std::env::temp_dir()))?;
        let [port, metrics] = free_ports()?;
        let mut arguments: Vec<OsString> = vec![
            format!("--listen-address=http://127.0.0.1:{port}").into(),
            format!("--metrics-bind-address=127.0.0.1:{metrics}").into(),
        ];
        if let Some(authority) = authority {
            let file = directory.path().join("ca.crt");
            std::fs::write(&file, authority).map_err(Error::file("write", &file))?;
            arguments.push(joined("--ca-file=", &file));
        }
        // Not an argument: it holds a password.
        let mut spec = CommandSpec::new("kine", program, directory.path().join("kine.log")).args(arguments);
        spec.env.push(("KINE_ENDPOINT".into(), endpoint.into()));
        let mut kine = Self { process: Process::spawn(&spec)?, port, directory };
        kine.listens().await?;
        Ok(kine)
    }

    /// Its address, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it wrote about itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("kine.log")
    }

    /// Ends the process without a warning.
    pub async fn stop(&mut self) {
        self.process.kill();
        self.process.wait().await;
    }

    async fn listens(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        while let Err(error) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await {
            let (name, log) = ("kine".to_owned(), self.log());
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

fn joined(flag: &str, file: &Path) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(file);
    argument
}
