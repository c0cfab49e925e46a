//! A PostgreSQL on loopback for tests, gone when the value is dropped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::server::{Server, certify, finish, home, installed, is_a_server, own, unprivileged};
use crate::{Error, free_ports, write_private};

/// Where Debian's packages of the versions put their programs.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A running PostgreSQL. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct PostgreSql {
    server: Server,
}

is_a_server!(PostgreSql);

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

    async fn start_with(encrypted: bool) -> Result<Self, Error> {
        let directory = home("flotilla-postgresql-")?;
        let here = directory.path();
        make_data(here, encrypted).await?;
        let authority = if encrypted { Some(certify(here)?) } else { None };
        let [port] = free_ports()?;
        let log = here.join("postgres.log");
        let spec = unprivileged("postgres", &program("postgres")?, settings(here, port, encrypted), log);
        Ok(Self { server: Server::start(spec, port, authority, directory, says_so).await? })
    }
}

/// It listens before it serves; then it says so in a file.
fn says_so(here: &Path) -> bool {
    std::fs::read_to_string(here.join("data/postmaster.pid")).is_ok_and(|text| text.contains("ready"))
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
