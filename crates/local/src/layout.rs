//! Where the files of a local cluster are.

use std::path::{Path, PathBuf};

use crate::ClusterName;

/// Where all clusters keep what lives no longer than the machine runs.
pub(crate) const RUN_ROOT: &str = "/run/flotilla";

/// Paths of one cluster: the data directory, which outlives `down`, and the run directory.
#[derive(Debug, Clone)]
pub struct Layout {
    name: ClusterName,
    data: PathBuf,
}

impl Layout {
    /// The paths of the cluster `name` in `data` (absolute).
    #[must_use]
    pub fn new(name: ClusterName, data: PathBuf) -> Self {
        Self { name, data }
    }

    /// Where a cluster's data is unless the user says otherwise.
    #[must_use]
    pub fn default_data(name: &ClusterName) -> PathBuf {
        Path::new("/var/lib/flotilla").join(name.as_str())
    }

    /// The cluster's name.
    #[must_use]
    pub fn name(&self) -> &ClusterName {
        &self.name
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What the cluster consists of; see [`crate::Record`].
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.data.join("cluster.json")
    }

    /// What runs; see [`crate::State`].
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.data.join("state.json")
    }

    /// Kubeconfig with all rights on the management cluster.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.data.join("admin.kubeconfig")
    }

    /// Directory of the tenants' kubeconfigs.
    #[must_use]
    pub fn tenants(&self) -> PathBuf {
        self.data.join("tenants")
    }

    /// Directory of links to programs, such as `kubectl`.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.data.join("bin")
    }

    /// Output of a component.
    #[must_use]
    pub fn log(&self, node: u8, component: &str) -> PathBuf {
        self.logs().join(format!("node-{node}")).join(format!("{component}.log"))
    }

    /// Directory of the logs; `supervisor.log` is in it.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    pub(crate) fn supervisor_log(&self) -> PathBuf {
        self.logs().join("supervisor.log")
    }

    pub(crate) fn pki(&self) -> PathBuf {
        self.data.join("pki")
    }

    pub(crate) fn etcd(&self) -> PathBuf {
        self.data.join("etcd")
    }

    pub(crate) fn kubeconfig(&self, component: &str) -> PathBuf {
        self.data.join("kubeconfigs").join(component)
    }

    /// Fingerprints of image sources and the digests of the images made from them.
    pub(crate) fn image_index(&self) -> PathBuf {
        self.data.join("images.json")
    }

    pub(crate) fn node(&self, index: u8) -> PathBuf {
        self.data.join("nodes").join(index.to_string())
    }

    /// Directory of the persistent volumes of a node.
    pub(crate) fn volumes(&self, index: u8) -> PathBuf {
        self.node(index).join("volumes")
    }

    pub(crate) fn run(&self) -> PathBuf {
        Path::new(RUN_ROOT).join(self.name.as_str())
    }

    /// Names the data directory of the cluster that runs under this name.
    pub(crate) fn owner(&self) -> PathBuf {
        self.run().join("data-directory")
    }

    /// Directory of mount namespace files; a private mount, as such files need.
    pub(crate) fn namespaces(&self) -> PathBuf {
        self.run().join("namespaces")
    }

    pub(crate) fn mount_namespace(&self, index: u8) -> PathBuf {
        self.namespaces().join(format!("mount-{index}"))
    }

    pub(crate) fn network_namespace(&self, index: u8) -> PathBuf {
        Path::new("/run/netns").join(self.name.scope(index))
    }

    pub(crate) fn node_run(&self, index: u8) -> PathBuf {
        self.run().join(format!("node-{index}"))
    }

    /// Socket of a node's containerd as seen from the host.
    #[must_use]
    pub fn containerd_socket(&self, index: u8) -> PathBuf {
        self.node_run(index).join("containerd/containerd.sock")
    }
}
