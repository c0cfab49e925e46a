//! What the servers of tests have in common: a process, a port on loopback, a directory that is theirs; and
//! programs from the system's packages, which refuse to run as root.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::{Clock, SystemClock};
use nix::unistd::{Uid, User};
use pki::{CertificatePlan, Pair};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::{CommandSpec, Credentials, Error, Process, write_private};

/// Where the servers listen.
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// They make their data directories first, which takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Who runs them if root starts them.
const NOBODY: &str = "nobody";

/// A running server. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct Server {
    process: Process,
    spec: CommandSpec,
    endpoint: SocketAddr,
    authority: Option<Pair>,
    directory: tempfile::TempDir,
    /// What must hold of its directory once it listens.
    serves: fn(&Path) -> bool,
}

impl Server {
    /// Starts one on loopback and returns when it listens, and its directory is as `serves` wants it.
    pub(crate) async fn start(
        spec: CommandSpec,
        port: u16,
        authority: Option<Pair>,
        directory: tempfile::TempDir,
        serves: fn(&Path) -> bool,
    ) -> Result<Self, Error> {
        Self::start_at(SocketAddr::new(LOOPBACK, port), spec, authority, directory, serves).await
    }

    /// The same, where others reach it too.
    pub(crate) async fn start_at(
        endpoint: SocketAddr,
        spec: CommandSpec,
        authority: Option<Pair>,
        directory: tempfile::TempDir,
        serves: fn(&Path) -> bool,
    ) -> Result<Self, Error> {
        let process = Process::spawn(&spec)?;
        let mut started = Self { process, spec, endpoint, authority, directory, serves };
        started.answers().await?;
        Ok(started)
    }

    /// `<address>:<port>`; the address is that of loopback unless another one was asked for.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.endpoint.ip()
    }

    /// The authority that signed its certificate, if it has one.
    #[must_use]
    pub fn authority(&self) -> Option<&Pair> {
        self.authority.as_ref()
    }

    /// What it wrote about itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.spec.log.clone()
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
            match self.answers().await {
                // What a server that was killed held, such as memory, may be held for a moment.
                Err(Error::Ended { .. }) if began.elapsed() < PATIENCE => {}
                outcome => return outcome,
            }
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    async fn answers(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            let waits_for = match TcpStream::connect(self.endpoint).await {
                Ok(_) if (self.serves)(self.directory.path()) => return Ok(()),
                Ok(_) => "it starts up".to_owned(),
                Err(error) => error.to_string(),
            };
            let (name, log, waited) = (self.spec.name.clone(), self.log(), began.elapsed());
            if let Some(report) = self.process.try_wait() {
                return Err(Error::Ended { name, report: report.to_string(), log });
            }
            if waited > PATIENCE {
                return Err(Error::NotReady { name, waited, last: waits_for, log });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Lets a kind of server be used as what all have in common.
macro_rules! is_a_server {
    ($kind:ty) => {
        impl std::ops::Deref for $kind {
            type Target = $crate::server::Server;

            fn deref(&self) -> &Self::Target {
                &self.server
            }
        }

        impl std::ops::DerefMut for $kind {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.server
            }
        }
    };
}
pub(crate) use is_a_server;

/// For a server that serves once it listens.
pub(crate) fn at_once(_: &Path) -> bool {
    true
}

/// A directory for the files of a server.
pub(crate) fn directory(prefix: &str) -> Result<tempfile::TempDir, Error> {
    tempfile::Builder::new().prefix(prefix).tempdir().map_err(Error::file("create", std::env::temp_dir()))
}

/// A directory for the data of a server, which belongs to whoever runs it.
pub(crate) fn home(prefix: &str) -> Result<tempfile::TempDir, Error> {
    let directory = directory(prefix)?;
    own(directory.path())?;
    Ok(directory)
}

/// Gives a file or directory to whoever runs the server.
pub(crate) fn own(path: &Path) -> Result<(), Error> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let nobody = User::from_name(NOBODY).ok().flatten();
    let (user, group) = nobody.map_or((65534, 65534), |user| (user.uid.as_raw(), user.gid.as_raw()));
    chown(path, Some(user), Some(group)).map_err(Error::file("change the owner of", path))
}

/// The first of these files that is there.
pub(crate) fn installed(candidates: &[PathBuf], package: &'static str) -> Result<PathBuf, Error> {
    let found = candidates.iter().find(|candidate| candidate.is_file());
    found.cloned().ok_or_else(|| Error::FindPackage { package, places: candidates.to_vec() })
}

/// A command that does not run as root.
pub(crate) fn unprivileged<S: Into<OsString>>(
    name: &str,
    program: &Path,
    args: impl IntoIterator<Item = S>,
    log: PathBuf,
) -> CommandSpec {
    if !Uid::effective().is_root() {
        return CommandSpec::new(name, program, log).args(args);
    }
    let user = User::from_name(NOBODY).ok().flatten();
    let (user, group) = user.map_or((65534, 65534), |user| (user.uid.as_raw(), user.gid.as_raw()));
    let switch = [format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()];
    CommandSpec::new(name, "setpriv", log).args(switch).args([program.as_os_str()]).args(args)
}

/// Runs a command to its end.
pub(crate) async fn finish(spec: &CommandSpec) -> Result<(), Error> {
    match Process::spawn(spec)?.wait().await {
        crate::ExitReport::Code(0) => Ok(()),
        report => {
            Err(Error::Ended { name: spec.name.clone(), report: report.to_string(), log: spec.log.clone() })
        }
    }
}

/// Makes an authority and the certificate of a server for 127.0.0.1 and localhost: `ca.crt`, `server.crt` and
/// `server.key`. Returns the authority.
pub(crate) fn certify(directory: &Path) -> Result<Pair, Error> {
    certify_at(LOOPBACK, directory)
}

/// The same for a server that listens elsewhere.
pub(crate) fn certify_at(address: IpAddr, directory: &Path) -> Result<Pair, Error> {
    let now = SystemClock.now();
    let credentials = Credentials::open(&directory.join("pki"), now)?;
    let authority = credentials.etcd_authority();
    let server = CertificatePlan::server("server", vec!["localhost".to_owned()], vec![address])
        .issue(authority, now)?;
    let files = [
        ("ca.crt", authority.pair().certificate.as_str()),
        ("server.crt", server.certificate.as_str()),
        ("server.key", server.private_key.expose_pem()),
    ];
    for (name, text) in files {
        let file = directory.join(name);
        write_private(&file, text)?;
        own(&file)?;
    }
    Ok(authority.pair().clone())
}
