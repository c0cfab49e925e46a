//! A control plane on loopback for tests: etcd and kube-apiserver, if wanted also controller manager
//! and scheduler. Needs no root.

mod baseline;
mod definitions;
mod place;
mod servers;
mod spares;

use std::path::{Path, PathBuf};

use base::KubernetesVersion;
use ipnet::Ipv4Net;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::{ControllerManagerFlags, Distribution, Error, Process, SchedulerFlags, free_ports};
use place::{PODS, Place};
use servers::Servers;
use spares::Spare;

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
    /// Where Services have their addresses.
    pub services: Services,
    /// Custom resources that are served from the start; asked for only when a control plane is new.
    pub definitions: Option<fn() -> Vec<CustomResourceDefinition>>,
    /// For what harms the servers themselves: none that other tests use is taken.
    pub own: bool,
}

impl Options {
    /// An empty management cluster: these custom resources, and Services that lead to this machine.
    #[must_use]
    pub fn management(definitions: fn() -> Vec<CustomResourceDefinition>) -> Self {
        Self { services: Services::Loopback, definitions: Some(definitions), ..Self::default() }
    }
}

/// Range of the addresses of Services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Services {
    /// kubeadm's, 10.96.0.0/16: nothing that is sent there arrives.
    #[default]
    Kubeadm,
    /// A part of 127.0.0.0/8 with room for 4,096 Services, which lead to this machine.
    Loopback,
}

/// A running control plane. Dropping it ends its processes and removes its files, unless it is one that tests
/// hand on: where `FLOTILLA_TEST_CONTROL_PLANES` names a directory, a control plane that is like any other is
/// left there, and put back to how it was at first before another test gets it.
#[derive(Debug)]
pub struct ControlPlane {
    // Before the servers that they ask.
    further: Vec<Process>,
    keeping: Keeping,
    place: Place,
}

#[derive(Debug)]
enum Keeping {
    Own { servers: Box<Servers>, _directory: tempfile::TempDir },
    Spare { _taken: Spare },
}

impl ControlPlane {
    /// Starts a control plane, or takes one that is there, and returns when its API server is ready.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        let distribution = Distribution::find(None)?;
        let version = distribution.pick(options.version.as_ref())?;
        let program = distribution.kubernetes(&version);
        let (place, keeping) = if let Some(spares) = spares::directory(options) {
            let (place, spare) = Box::pin(Spare::take(&spares, program, version, options)).await?;
            (place, Keeping::Spare { _taken: spare })
        } else {
            let directory = crate::server::directory("flotilla-control-plane-")?;
            let place = Place::new(directory.path(), program, version, options.services)?;
            let servers = Box::new(Box::pin(Servers::start(&place, options)).await?);
            (place, Keeping::Own { servers, _directory: directory })
        };
        let mut control_plane = Self { further: Vec::new(), keeping, place };
        if options.controller_manager {
            control_plane.start_controller_manager(&[])?;
        }
        if options.scheduler {
            control_plane.start_scheduler()?;
        }
        Ok(control_plane)
    }

    /// A kubeconfig with all rights (group `system:masters`).
    #[must_use]
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.place.kubeconfig("admin")
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.place.server
    }

    /// `https://127.0.0.1:<port>` of etcd; clients show a certificate of `pki/etcd-ca.crt`.
    #[must_use]
    pub fn etcd_endpoint(&self) -> &str {
        &self.place.etcd
    }

    /// The running version.
    #[must_use]
    pub fn version(&self) -> &KubernetesVersion {
        &self.place.version
    }

    /// Range of the addresses of Services.
    #[must_use]
    pub fn services(&self) -> Ipv4Net {
        self.place.services
    }

    /// Directory of its files: `pki/` in kubeadm's layout, `logs/`. What a test puts there goes with the test.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.place.directory
    }

    /// Kills the API server and starts it anew, on the same port; returns when it is ready. The control plane must be
    /// the test's own ([`Options::own`]).
    pub async fn restart_api_server(&mut self) -> Result<(), Error> {
        match &mut self.keeping {
            Keeping::Own { servers, .. } => servers.restart_api_server(&self.place).await,
            Keeping::Spare { .. } => Err(Error::NotOwn),
        }
    }

    /// Starts the controller manager beside a running API server, with further arguments. Its garbage
    /// collector knows the custom resources that are defined by then.
    pub fn start_controller_manager(&mut self, args: &[&str]) -> Result<(), Error> {
        let [port] = free_ports()?;
        let (pki, kubeconfig) = (self.place.pki(), self.place.kubeconfig("controller-manager"));
        let services = self.place.services;
        let flags = ControllerManagerFlags { pki: &pki, kubeconfig: &kubeconfig, port, services, pods: PODS };
        let args = flags.args().into_iter().chain(args.iter().map(|arg| (*arg).to_owned()));
        self.spawn("kube-controller-manager", args.collect())
    }

    fn start_scheduler(&mut self) -> Result<(), Error> {
        let [port] = free_ports()?;
        let kubeconfig = self.place.kubeconfig("scheduler");
        let flags = SchedulerFlags { kubeconfig: &kubeconfig, port };
        self.spawn("kube-scheduler", flags.args())
    }

    fn spawn(&mut self, component: &str, args: Vec<String>) -> Result<(), Error> {
        self.further.push(Process::spawn(&self.place.spec(component, args))?);
        Ok(())
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        servers::end(&mut self.further.iter_mut().collect::<Vec<_>>());
    }
}
