//! etcd and the API server on it, as children of the test.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::place::{LOOPBACK, Place};
use super::{Options, definitions};
use crate::{ApiServerFlags, CommandSpec, Error, EtcdFlags, Probe, Process};

/// An API server is ready in 3 to 5 s on an idle machine; tests share it with compilers.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two running servers. Dropping the value ends them.
#[derive(Debug)]
pub(super) struct Servers {
    etcd: Process,
    api_server: Process,
    spec: CommandSpec,
}

impl Servers {
    /// Starts both, and returns when the API server is ready and serves the custom resources.
    pub(super) async fn start(place: &Place, options: &Options) -> Result<Self, Error> {
        let etcd = Process::spawn(&etcd(place))?;
        // It tries to reach etcd for 20 s before it gives up, so both start at once.
        let spec = api_server(place, options);
        let mut servers = Self { etcd, api_server: Process::spawn(&spec)?, spec };
        servers.wait(place).await?;
        if let Some(definitions) = options.definitions {
            definitions::create(&place.kubeconfig("admin"), &definitions()).await?;
        }
        Ok(servers)
    }

    /// Kills the API server and starts it anew.
    pub(super) async fn restart_api_server(&mut self, place: &Place) -> Result<(), Error> {
        self.api_server.kill();
        self.api_server.wait().await;
        self.api_server = Process::spawn(&self.spec)?;
        self.wait(place).await
    }

    /// Lets them go on without the test; answers with their process ids.
    pub(super) fn leave(self) -> [u32; 2] {
        let left = ManuallyDrop::new(self);
        [left.etcd.pid(), left.api_server.pid()]
    }

    async fn wait(&mut self, place: &Place) -> Result<(), Error> {
        let probe = Probe::ApiServer(place.kubeconfig("admin"));
        let start = Instant::now();
        loop {
            let Err(last) = probe.check().await else { return Ok(()) };
            let processes = [("etcd", &mut self.etcd), ("kube-apiserver", &mut self.api_server)];
            for (name, process) in processes {
                if let Some(report) = process.try_wait() {
                    let log = keep_log(&place.log(name), name);
                    return Err(Error::Ended { name: name.to_owned(), report: report.to_string(), log });
                }
            }
            if start.elapsed() > PATIENCE {
                let name = "kube-apiserver";
                let log = keep_log(&place.log(name), name);
                return Err(Error::NotReady { name: name.to_owned(), waited: start.elapsed(), last, log });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        end(&mut [&mut self.etcd, &mut self.api_server]);
    }
}

/// Kills processes and waits for their end: one that still writes would keep its directory from being removed.
pub(super) fn end(processes: &mut [&mut Process]) {
    for process in processes.iter() {
        process.kill();
    }
    // Death by SIGKILL takes milliseconds; the bound is for a machine that is stuck.
    for _ in 0..200 {
        if processes.iter_mut().all(|process| process.try_wait().is_some()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn etcd(place: &Place) -> CommandSpec {
    let flags = EtcdFlags {
        pki: &place.pki(),
        data: &place.data(),
        address: LOOPBACK,
        port: place.ports.etcd,
        peer_port: place.ports.peers,
        sync: false,
    };
    place.spec("etcd", flags.args())
}

fn api_server(place: &Place, options: &Options) -> CommandSpec {
    let flags = ApiServerFlags {
        pki: &place.pki(),
        etcd: &place.etcd,
        address: LOOPBACK,
        port: place.ports.api_server,
        services: place.services,
    };
    let mut args = flags.args();
    if !options.controller_manager {
        args.push("--disable-admission-plugins=ServiceAccount".to_owned());
    }
    args.extend(options.api_server_args.iter().cloned());
    place.spec("kube-apiserver", args)
}

/// Copies a log out of the temporary directory, which is about to be removed.
fn keep_log(log: &Path, component: &str) -> PathBuf {
    let kept = std::env::temp_dir().join(format!("flotilla-{component}-{}.log", std::process::id()));
    if std::fs::copy(log, &kept).is_ok() { kept } else { log.to_owned() }
}
