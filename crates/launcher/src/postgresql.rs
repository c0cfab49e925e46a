//! A PostgreSQL on loopback for tests, gone when the value is dropped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pki::Pair;
use tokio::time::Instant;

use crate::server::{certify, finish, home, installed, listens, own, unprivileged};
use crate::{CommandSpec, Error, Process, free_ports, write_private};

/// Where Debian's packages of the versions put their programs.
const VERSIONS: &str = "/usr/lib/postgresql";
const PATIENCE: Duration = Duration::from_secs(30);

/// A running PostgreSQL. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct PostgreSql {
    process: Process,
    spec: CommandSpec,
    port: u16,
    authority: Option<Pair>,
    directory: tempfile::TempDir,
}

impl PostgreSql {
    /// The administrator.
    pub const USER: &str = "postgres";
    /// The administrator's password.
    pub const PASSWORD: &str = "correct-horse";

    /// Starts one without encryption and returns when it listens.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(false).await
    }

    /// Starts one that takes connections over TLS only, with a certificate for 127.0.0.1 and localhost.
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
        self.directory.path().join("postgres.log")
    }

    /// Ends the process without a warning; the data stays.
    pub async fn stop(&mut self) {
        self.process.kill();
        self.process.wait().await;
    }

    /// Starts the process again on its data and port.
    pub async fn resume(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            self.process = Process::spawn(&self.spec)?;
            match is_ready(&mut self.process, &self.spec, self.port, self.directory.path()).await {
                // Sessions of the server that was killed hold its memory for a moment.
                Err(Error::Ended { .. }) if began.elapsed() < PATIENCE => {}
                outcome => return outcome,
            }
        }
    }

    async fn start_with(encrypted: bool) -> Result<Self, Error> {
        let directory = home("flotilla-postgresql-")?;
        let here = directory.path();
        make_data(here, encrypted).await?;
        let authority = if encrypted { Some(certify(here)?) } else { None };
        let [port] = free_ports()?;
        let log = here.join("postgres.log");
        let spec = unprivileged("postgres", &program("postgres")?, settings(here, port, encrypted), log);
        let mut process = Process::spawn(&spec)?;
        is_ready(&mut process, &spec, port, here).await?;
        Ok(Self { process, spec, port, authority, directory })
    }
}

/// It listens before it serves; then it says so in a file.
async fn is_ready(process: &mut Process, spec: &CommandSpec, port: u16, here: &Path) -> Result<(), Error> {
    listens(process, spec, port).await?;
    let began = Instant::now();
    let says_so =
        || std::fs::read_to_string(here.join("data/postmaster.pid")).is_ok_and(|text| text.contains("ready"));
    while !says_so() {
        let (name, log, waited) = (spec.name.clone(), spec.log.clone(), began.elapsed());
        if let Some(report) = process.try_wait() {
            return Err(Error::Ended { name, report: report.to_string(), log });
        }
        if waited > PATIENCE {
            return Err(Error::NotReady { name, waited, last: "it starts up".to_owned(), log });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A program of the newest version that is installed.
fn program(name: &str) -> Result<PathBuf, Error> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir(VERSIONS)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let mut candidates: Vec<PathBuf> =
        versions.iter().rev().map(|version| version.join("bin").join(name)).collect();
    candidates.extend(["/usr/local/bin", "/usr/bin"].map(|place| Path::new(place).join(name)));
    installed(&candidates, "postgresql")
}

async fn make_data(here: &Path, encrypted: bool) -> Result<(), Error> {
    let password = here.join("password");
    write_private(&password, PostgreSql::PASSWORD)?;
    own(&password)?;
    let arguments: Vec<OsString> = vec![
        joined("--pgdata=", &here.join("data")),
        joined("--pwfile=", &password),
        format!("--username={}", PostgreSql::USER).into(),
        "--auth=scram-sha-256".into(),
        "--encoding=UTF8".into(),
        "--locale=C".into(),
        "--no-sync".into(),
    ];
    finish(&unprivileged("initdb", &program("initdb")?, arguments, here.join("initdb.log"))).await?;
    if encrypted {
        let rules = here.join("data/pg_hba.conf");
        write_private(&rules, "hostssl all all 127.0.0.1/32 scram-sha-256\n")?;
        own(&rules)?;
    }
    Ok(())
}

fn settings(here: &Path, port: u16, encrypted: bool) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-D".into(), here.join("data").into()];
    let mut set = |setting: String| arguments.extend(["-c".into(), setting.into()]);
    set("listen_addresses=127.0.0.1".to_owned());
    set(format!("port={port}"));
    set("unix_socket_directories=".to_owned());
    set("fsync=off".to_owned());
    set("shared_buffers=16MB".to_owned());
    if encrypted {
        let here = here.display();
        set("ssl=on".to_owned());
        set(format!("ssl_cert_file={here}/server.crt"));
        set(format!("ssl_key_file={here}/server.key"));
        set(format!("ssl_ca_file={here}/ca.crt"));
    }
    arguments
}

fn joined(flag: &str, file: &Path) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(file);
    argument
}
