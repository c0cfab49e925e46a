//! A control plane on loopback for tests: etcd and kube-apiserver, if wanted also controller manager
//! and scheduler, in a temporary directory, gone when the value is dropped. Needs no root.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::{Clock, KubernetesVersion, SystemClock};
use ipnet::Ipv4Net;
use tokio::time::Instant;

use crate::{
    ApiServerFlags, CommandSpec, ControllerManagerFlags, Credentials, Distribution, Error, EtcdFlags, Probe,
    Process, SchedulerFlags, User, free_ports, write_private,
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Nothing is ever sent to service addresses of such a control plane; the range is kubeadm's.
const SERVICES: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 96, 0, 0), 16);
const PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 244, 0, 0), 16);
/// Place of the API server among the processes.
const API_SERVER: usize = 1;
/// An API server is ready in 3 to 5 s on an idle machine; tests share it with compilers.
const PATIENCE: Duration = Duration::from_mins(2);

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Kubernetes version, the newest one that is built by default.
    pub version: Option<KubernetesVersion>,
    /// Also run the controller manager. Without it there are no service accounts, so the admission
    /// plugin that asks for them is off.
    pub controller_manager: bool,
    /// Also run the scheduler.
    pub scheduler: bool,
    /// Further arguments of kube-apiserver.
    pub api_server_args: Vec<String>,
    /// Range of service addresses, kubeadm's by default. One in 127.0.0.0/8 leads to this machine.
    pub services: Option<Ipv4Net>,
}

/// A running control plane. Dropping it ends its processes and removes its files.
#[derive(Debug)]
pub struct ControlPlane {
    // In the order of their start: etcd and the API server first.
    processes: Vec<Process>,
    api_server: CommandSpec,
    server: String,
    etcd: String,
    version: KubernetesVersion,
    services: Ipv4Net,
    // Last, so that the files outlive the processes.
    directory: tempfile::TempDir,
}

impl ControlPlane {
    /// Starts a control plane and returns when its API server is ready.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        let distribution = Distribution::find(None)?;
        let version = distribution.pick(options.version.as_ref())?;
        let directory = tempfile::Builder::new()
            .prefix("flotilla-control-plane-")
            .tempdir()
            .map_err(Error::file("create", std::env::temp_dir()))?;
        let [etcd_port, peer_port, port, scheduler_port] = free_ports()?;
        let program = distribution.kubernetes(&version);
        let mut control_plane = Self {
            processes: Vec::new(),
            api_server: CommandSpec::new("kube-apiserver", &program, directory.path()),
            server: format!("https://127.0.0.1:{port}"),
            etcd: format!("https://127.0.0.1:{etcd_port}"),
            version,
            services: options.services.unwrap_or(SERVICES),
            directory,
        };
        control_plane.write_credentials()?;
        control_plane.start_api_server(&program, options, [etcd_port, peer_port, port]).await?;
        if options.controller_manager {
            control_plane.start_controller_manager(&[])?;
        }
        if options.scheduler {
            control_plane.start_scheduler(&program, scheduler_port)?;
        }
        Ok(control_plane)
    }

    /// A kubeconfig with all rights (group `system:masters`).
    #[must_use]
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.directory.path().join("admin.kubeconfig")
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// `https://127.0.0.1:<port>` of etcd; clients show a certificate of `pki/etcd-ca.crt`.
    #[must_use]
    pub fn etcd_endpoint(&self) -> &str {
        &self.etcd
    }

    /// The running version.
    #[must_use]
    pub fn version(&self) -> &KubernetesVersion {
        &self.version
    }

    /// The temporary directory: `pki/` in kubeadm's layout, `logs/`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills the API server and starts it anew, on the same port; returns when it is ready.
    pub async fn restart_api_server(&mut self) -> Result<(), Error> {
        if let Some(process) = self.processes.get_mut(API_SERVER) {
            process.kill();
            process.wait().await;
            *process = Process::spawn(&self.api_server)?;
        }
        self.wait_for_api_server().await
    }

    fn pki(&self) -> PathBuf {
        self.directory.path().join("pki")
    }

    fn write_credentials(&self) -> Result<(), Error> {
        let credentials = Credentials::open(&self.pki(), SystemClock.now())?;
        credentials.issue_servers(&[LOOPBACK])?;
        let users = [
            ("admin", User { name: "kubernetes-admin", group: Some("system:masters") }),
            ("controller-manager", User { name: "system:kube-controller-manager", group: None }),
            ("scheduler", User { name: "system:kube-scheduler", group: None }),
        ];
        for (stem, user) in users {
            let text = credentials.kubeconfig(user, "kubernetes", &self.server)?;
            write_private(&self.directory.path().join(format!("{stem}.kubeconfig")), &text)?;
        }
        Ok(())
    }

    async fn start_api_server(
        &mut self,
        program: &Path,
        options: &Options,
        [etcd_port, peer_port, port]: [u16; 3],
    ) -> Result<(), Error> {
        let (pki, data) = (self.pki(), self.directory.path().join("etcd"));
        let etcd =
            EtcdFlags { pki: &pki, data: &data, address: LOOPBACK, port: etcd_port, peer_port, sync: false };
        self.spawn(program, "etcd", etcd.args())?;
        let flags =
            ApiServerFlags { pki: &pki, etcd: &self.etcd, address: LOOPBACK, port, services: self.services };
        let mut args = flags.args();
        if !options.controller_manager {
            args.push("--disable-admission-plugins=ServiceAccount".to_owned());
        }
        args.extend(options.api_server_args.iter().cloned());
        // It tries to reach etcd for 20 s before it gives up, so both start at once.
        self.api_server = self.spec(program, "kube-apiserver", args);
        self.processes.push(Process::spawn(&self.api_server)?);
        self.wait_for_api_server().await
    }

    /// Starts the controller manager beside a running API server, with further arguments. Its garbage
    /// collector knows the custom resources that are defined by then.
    pub fn start_controller_manager(&mut self, args: &[&str]) -> Result<(), Error> {
        let [port] = free_ports()?;
        let pki = self.pki();
        let kubeconfig = self.directory.path().join("controller-manager.kubeconfig");
        let flags = ControllerManagerFlags {
            pki: &pki,
            kubeconfig: &kubeconfig,
            port,
            services: self.services,
            pods: PODS,
        };
        let args = flags.args().into_iter().chain(args.iter().map(|arg| (*arg).to_owned()));
        let program = self.api_server.program.clone();
        self.spawn(&program, "kube-controller-manager", args.collect())
    }

    fn start_scheduler(&mut self, program: &Path, port: u16) -> Result<(), Error> {
        let kubeconfig = self.directory.path().join("scheduler.kubeconfig");
        let flags = SchedulerFlags { kubeconfig: &kubeconfig, port };
        self.spawn(program, "kube-scheduler", flags.args())
    }

    fn log(&self, component: &str) -> PathBuf {
        self.directory.path().join("logs").join(format!("{component}.log"))
    }

    fn spec(&self, program: &Path, component: &str, args: Vec<String>) -> CommandSpec {
        // In the group of the test, so that a test runner that ends a test ends these too.
        CommandSpec::new(component, program, self.log(component)).args([component]).args(args)
    }

    fn spawn(&mut self, program: &Path, component: &str, args: Vec<String>) -> Result<(), Error> {
        self.processes.push(Process::spawn(&self.spec(program, component, args))?);
        Ok(())
    }

    async fn wait_for_api_server(&mut self) -> Result<(), Error> {
        let probe = Probe::ApiServer(self.kubeconfig_path());
        let start = Instant::now();
        loop {
            let Err(last) = probe.check().await else { return Ok(()) };
            let ended = ["etcd", "kube-apiserver"]
                .into_iter()
                .zip(&mut self.processes)
                .find_map(|(name, process)| process.try_wait().map(|report| (name, report)));
            if let Some((name, report)) = ended {
                let log = keep_log(&self.log(name), name);
                return Err(Error::Ended { name: name.to_owned(), report: report.to_string(), log });
            }
            if start.elapsed() > PATIENCE {
                let (name, log) = ("kube-apiserver", self.log("kube-apiserver"));
                let log = keep_log(&log, name);
                return Err(Error::NotReady { name: name.to_owned(), waited: start.elapsed(), last, log });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.processes.iter().for_each(Process::kill);
        // A process that still writes would keep the directory from being removed. Death by SIGKILL
        // takes milliseconds; the bound is for a machine that is stuck.
        for _ in 0..200 {
            if self.processes.iter_mut().all(|process| process.try_wait().is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Copies a log out of the temporary directory, which is about to be removed.
fn keep_log(log: &Path, component: &str) -> PathBuf {
    let kept = std::env::temp_dir().join(format!("flotilla-{component}-{}.log", std::process::id()));
    if std::fs::copy(log, &kept).is_ok() { kept } else { log.to_owned() }
}
