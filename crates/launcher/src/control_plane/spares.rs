//! Control planes that tests hand on to one another: one test at a time has each, and gets it as if it were new.
//!
//! An API server takes more of a processor to start than most tests take with it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::KubernetesVersion;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::{Place, Ports};
use super::servers::Servers;
use super::{Options, Services, baseline};
use crate::{Error, Probe};

/// Names the directory of the spares. Whoever sets it ends the processes in `*/pids` when the tests have ended.
const DIRECTORY: &str = "FLOTILLA_TEST_CONTROL_PLANES";
/// Says which ports one has. Written when it is complete.
const PORTS: &str = "ports";
/// Files of a control plane; all others are of the test that had it.
const FILES: [&str; 8] = [
    "admin.kubeconfig",
    "controller-manager.kubeconfig",
    "etcd",
    "logs",
    "pids",
    "pki",
    PORTS,
    "scheduler.kubeconfig",
];

/// Whoever has this value has the control plane.
#[derive(Debug)]
pub(super) struct Spare {
    _lock: File,
}

/// Where the spares are, if these options describe one that is like others.
pub(super) fn directory(options: &Options) -> Option<PathBuf> {
    let special =
        options.own || options.controller_manager || options.scheduler || !options.api_server_args.is_empty();
    std::env::var_os(DIRECTORY).filter(|_| !special).map(PathBuf::from)
}

impl Spare {
    /// Takes the first that no test has, or starts one more.
    pub(super) async fn take(
        directory: &Path,
        program: PathBuf,
        version: KubernetesVersion,
        options: &Options,
    ) -> Result<(Place, Self), Error> {
        std::fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        let flavour = flavour(&version, options);
        let (home, lock) = lock_first(directory, &flavour)?;
        let spare = Self { _lock: lock };
        if let Some(ports) = ports(&home) {
            let place = Place::at(&home, program.clone(), version.clone(), options.services, ports);
            if renew(&place).await.is_ok() {
                return Ok((place, spare));
            }
        }
        let place = start(&home, program, version, options).await?;
        Ok((place, spare))
    }
}

/// The first place whose lock nobody holds.
fn lock_first(directory: &Path, flavour: &str) -> Result<(PathBuf, File), Error> {
    let mut number = 0;
    loop {
        let home = directory.join(format!("{flavour}-{number}"));
        let path = directory.join(format!("{flavour}-{number}.lock"));
        let lock = File::create(&path).map_err(Error::file("create", &path))?;
        match lock.try_lock() {
            Ok(()) => return Ok((home, lock)),
            Err(std::fs::TryLockError::WouldBlock) => number += 1,
            Err(std::fs::TryLockError::Error(source)) => return Err(Error::file("lock", path)(source)),
        }
    }
}

/// Puts one back to how it was at first. An error says that it is of no use any more.
async fn renew(place: &Place) -> Result<(), Error> {
    for entry in std::fs::read_dir(&place.directory).map_err(Error::file("list", &place.directory))?.flatten()
    {
        if FILES.iter().any(|file| entry.file_name() == *file) {
            continue;
        }
        let path = entry.path();
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.map_err(Error::file("remove", path))?;
    }
    baseline::restore(place).await?;
    let probe = Probe::ApiServer(place.kubeconfig("admin"));
    probe.check().await.map_err(|reason| Error::Restore { reason })
}

/// Starts one, after what was there before and served no more.
async fn start(
    home: &Path,
    program: PathBuf,
    version: KubernetesVersion,
    options: &Options,
) -> Result<Place, Error> {
    if home.exists() {
        end_those_of(home).await;
        std::fs::remove_dir_all(home).map_err(Error::file("remove", home))?;
    }
    std::fs::create_dir_all(home).map_err(Error::file("create", home))?;
    let place = Place::new(home, program, version, options.services)?;
    let servers = Servers::start(&place, options).await?;
    baseline::remember(&place).await?;
    write(&home.join("pids"), &servers.leave())?;
    let Ports { etcd, peers, api_server } = place.ports;
    write(&home.join(PORTS), &[etcd, peers, api_server])?;
    Ok(place)
}

/// Kills what `pids` names, if it is of this place still, and waits for its end.
async fn end_those_of(home: &Path) {
    let text = std::fs::read_to_string(home.join("pids")).unwrap_or_default();
    let pids: Vec<i32> =
        text.lines().filter_map(|line| line.parse().ok()).filter(|pid| is_of(home, *pid)).collect();
    for pid in &pids {
        // A failure means that it has ended.
        let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
    }
    while pids.iter().any(|pid| is_of(home, *pid)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_of(home: &Path, pid: i32) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // With what follows: the tenth begins as the first does.
    String::from_utf8_lossy(&line).contains(&format!("{}/", home.display()))
}

fn ports(home: &Path) -> Option<Ports> {
    let text = std::fs::read_to_string(home.join(PORTS)).ok()?;
    let mut numbers = text.lines().map_while(|line| line.parse().ok());
    Some(Ports { etcd: numbers.next()?, peers: numbers.next()?, api_server: numbers.next()? })
}

fn write<N: ToString>(path: &Path, numbers: &[N]) -> Result<(), Error> {
    let text: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    std::fs::write(path, text.join("\n")).map_err(Error::file("write", path))
}

/// Two with the same are alike: those who define custom resources at all define the same ones.
fn flavour(version: &KubernetesVersion, options: &Options) -> String {
    let services = match options.services {
        Services::Kubeadm => "kubeadm",
        Services::Loopback => "loopback",
    };
    let definitions = if options.definitions.is_some() { "defined" } else { "bare" };
    format!("{version}-{services}-{definitions}")
}
