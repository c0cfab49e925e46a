//! The programs of the cluster with their command lines.

use std::net::SocketAddr;
use std::path::PathBuf;

use launcher::{
    ApiServerFlags, CommandSpec, ControllerManagerFlags, Distribution, EtcdFlags, Probe, SchedulerFlags,
};
use tokio::sync::watch;

use super::component::{Component, Need, Stage};
use crate::host::cgroups;
use crate::requirements::{SYSTEM_PATH, find_program};
use crate::{Error, Layout, Record};

const ETCD_PORT: u16 = 2379;
const API_SERVER_PORT: u16 = 6443;

/// Makes the components of a cluster.
pub(crate) struct Catalog<'a> {
    layout: &'a Layout,
    record: &'a Record,
    program: PathBuf,
}

impl<'a> Catalog<'a> {
    pub(crate) fn new(layout: &'a Layout, record: &'a Record) -> Result<Self, Error> {
        let distribution = Distribution::find(Some(&record.distribution))?;
        let version = distribution.pick(Some(&record.version()?))?;
        Ok(Self { layout, record, program: distribution.kubernetes(&version) })
    }

    /// etcd, API server, controller manager and scheduler.
    pub(crate) fn control_plane(&self) -> Vec<Component> {
        let ready = || vec![Need::Server(Probe::ApiServer(self.layout.admin_kubeconfig()))];
        vec![
            self.component(0, "etcd", Stage::Storage, self.etcd_args(), vec![]),
            self.component(
                0,
                "kube-apiserver",
                Stage::ApiServer,
                self.api_server_args(),
                vec![self.serves(ETCD_PORT)],
            ),
            // Started before the bootstrap of the roles, the controller manager ends at once.
            self.component(
                0,
                "kube-controller-manager",
                Stage::Managers,
                self.controller_manager_args(),
                ready(),
            ),
            self.component(0, "kube-scheduler", Stage::Managers, self.scheduler_args(), ready()),
        ]
    }

    /// containerd, kubelet and kube-proxy of a node. The kubelet waits for the first images: a pod
    /// that does not find its image would be tried again only after a long back-off.
    pub(crate) fn node(&self, node: u8, images: watch::Receiver<bool>) -> Vec<Component> {
        let directory = self.layout.node(node);
        let socket = Need::Server(Probe::Unix(self.layout.containerd_socket(node)));
        let config = |file: &str| format!("--config={}", directory.join(file).display());
        let mut containerd = self.component(node, "containerd", Stage::Storage, vec![], vec![]);
        containerd.spec.program = find_program("containerd").unwrap_or_else(|| "containerd".into());
        containerd.spec.args = vec![config("containerd.toml").into()];
        let kubelet = vec![
            config("kubelet.json"),
            format!("--kubeconfig={}", self.layout.kubeconfig(&format!("kubelet-{node}")).display()),
            format!("--hostname-override={}", self.layout.name().node(node)),
            format!("--node-ip={}", self.record.addresses.node(node)),
            "--root-dir=/var/lib/kubelet".to_owned(),
        ];
        let kubelet_needs = vec![socket, Need::Done(images), self.serves(API_SERVER_PORT)];
        let mut kubelet = self.component(node, "kubelet", Stage::Nodes, kubelet, kubelet_needs);
        for component in [&mut containerd, &mut kubelet] {
            component.spec.mount_namespace = Some(self.layout.mount_namespace(node));
        }
        let proxy = vec![config("kube-proxy.json")];
        let ready = Need::Server(Probe::ApiServer(self.layout.admin_kubeconfig()));
        vec![containerd, kubelet, self.component(node, "kube-proxy", Stage::Nodes, proxy, vec![ready])]
    }

    fn component(
        &self,
        node: u8,
        name: &'static str,
        stage: Stage,
        args: Vec<String>,
        needs: Vec<Need>,
    ) -> Component {
        let mut spec =
            CommandSpec::new(name, &self.program, self.layout.log(node, name)).args([name]).args(args);
        spec.network_namespace = Some(self.layout.network_namespace(node));
        spec.cgroups = cgroups::entries_for_programs(self.layout.name(), node);
        spec.env = vec![("PATH".into(), SYSTEM_PATH.into())];
        spec.own_group = true;
        Component { node, stage, spec, needs }
    }

    fn serves(&self, port: u16) -> Need {
        Need::Server(Probe::Tcp(SocketAddr::from((self.record.addresses.node(0), port))))
    }

    fn etcd_args(&self) -> Vec<String> {
        EtcdFlags {
            pki: &self.layout.pki(),
            data: &self.layout.etcd(),
            address: self.record.addresses.node(0).into(),
            port: ETCD_PORT,
            peer_port: 2380,
            sync: true,
        }
        .args()
    }

    fn api_server_args(&self) -> Vec<String> {
        let plan = self.record.addresses;
        ApiServerFlags {
            pki: &self.layout.pki(),
            etcd: &format!("https://{}:{ETCD_PORT}", plan.node(0)),
            address: plan.node(0).into(),
            port: API_SERVER_PORT,
            services: plan.services(),
        }
        .args()
    }

    fn controller_manager_args(&self) -> Vec<String> {
        ControllerManagerFlags {
            pki: &self.layout.pki(),
            kubeconfig: &self.layout.kubeconfig("controller-manager"),
            port: 10257,
            services: self.record.addresses.services(),
            pods: self.record.addresses.pods(),
        }
        .args()
    }

    fn scheduler_args(&self) -> Vec<String> {
        SchedulerFlags { kubeconfig: &self.layout.kubeconfig("scheduler"), port: 10259 }.args()
    }
}
