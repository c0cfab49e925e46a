//! What the SQL servers of tests have in common: programs from the system's packages, which refuse to run as
//! root, and a directory that is theirs.

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

/// A directory for the data of a server, which belongs to whoever runs it.
pub(crate) fn home(prefix: &str) -> Result<tempfile::TempDir, Error> {
    let directory = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .map_err(Error::file("create", std::env::temp_dir()))?;
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
    let now = SystemClock.now();
    let credentials = Credentials::open(&directory.join("pki"), now)?;
    let authority = credentials.etcd_authority();
    let server = CertificatePlan::server("server", vec!["localhost".to_owned()], vec![LOOPBACK])
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

/// Waits until the server listens.
pub(crate) async fn listens(process: &mut Process, spec: &CommandSpec, port: u16) -> Result<(), Error> {
    let start = Instant::now();
    while let Err(error) = TcpStream::connect(SocketAddr::new(LOOPBACK, port)).await {
        let (name, log) = (spec.name.clone(), spec.log.clone());
        if let Some(report) = process.try_wait() {
            return Err(Error::Ended { name, report: report.to_string(), log });
        }
        if start.elapsed() > PATIENCE {
            return Err(Error::NotReady { name, waited: start.elapsed(), last: error.to_string(), log });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
