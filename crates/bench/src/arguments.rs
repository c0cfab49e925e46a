//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// A group of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measurement {
    /// One control plane created on an idle cluster; memory and CPU while nothing happens.
    One,
    /// Many created at once.
    Herds,
    /// A newer version under requests.
    Upgrades,
    /// From waking to the first answer.
    Wakes,
    /// One control plane on each kind of data store, created and written to.
    Stores,
    /// Our operator alone with many control planes whose pods are played.
    Played,
    /// The hub: decisions, a large inventory, the way into a cluster, many watches, a storm, a fleet of agents.
    Hub,
}

impl Measurement {
    /// Whether it brings its own processes instead of a cluster.
    fn stands_alone(self) -> bool {
        matches!(self, Self::Played | Self::Hub)
    }
}

/// Measures tenant control planes on a management cluster.
#[derive(Parser)]
#[command(name = "flotilla-bench")]
pub(crate) struct Arguments {
    /// Measures the operator that already serves the custom resources; starts and installs nothing.
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Kubeconfig of the management cluster.
    #[arg(long, default_value = "/var/lib/flotilla/flotilla/admin.kubeconfig")]
    pub(crate) kubeconfig: PathBuf,
    /// Namespace for the control planes; made when absent, and then removed at the end.
    #[arg(long, default_value = "flotilla-bench")]
    pub(crate) namespace: String,
    /// Kubernetes version of the control planes.
    #[arg(long, default_value = "v1.36.3")]
    pub(crate) version: String,
    /// `DataStore` of the control planes.
    #[arg(long, default_value = "default")]
    pub(crate) data_store: String,
    /// Type of the Service of each control plane.
    #[arg(long, default_value = "ClusterIP")]
    pub(crate) service_type: String,
    /// What is measured; everything by default, but only what is measured on the cluster with --no-install.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Measurement>,
    /// Kubernetes version that upgrades begin at.
    #[arg(long, default_value = "v1.35.4")]
    pub(crate) upgrade_from: String,
    /// How often an upgrade and a wake are measured.
    #[arg(long, default_value_t = 3)]
    pub(crate) live_samples: usize,
    /// Seconds that requests go on after an upgrade, while old pods drain.
    #[arg(long, default_value_t = 15)]
    drain_seconds: u64,
    /// Writes a second to a control plane on each kind of data store.
    #[arg(long, default_value_t = 200)]
    pub(crate) store_writes: u32,
    /// Seconds that those writes go on.
    #[arg(long, default_value_t = 60)]
    store_seconds: u64,
    /// Control planes whose pods are played.
    #[arg(long, default_value_t = 1000)]
    pub(crate) played_tenants: usize,
    /// Seconds that the operator rests before its memory is read with control planes played.
    #[arg(long, default_value_t = 20)]
    played_settle_seconds: u64,
    /// Clusters in the hub's inventory.
    #[arg(long, default_value_t = 5000)]
    pub(crate) hub_clusters: usize,
    /// Agents of imported clusters that connect to the hub.
    #[arg(long, default_value_t = 1000)]
    pub(crate) hub_agents: usize,
    /// How often one control plane alone is created.
    #[arg(long, default_value_t = 5)]
    pub(crate) samples: usize,
    /// Sizes of the herds: control planes created at once.
    #[arg(long, value_delimiter = ',', default_value = "8,16")]
    pub(crate) herds: Vec<usize>,
    /// Seconds that a herd gets to become Ready.
    #[arg(long, default_value_t = 420)]
    deadline_seconds: u64,
    /// Seconds that an idle control plane rests before its memory is read.
    #[arg(long, default_value_t = 60)]
    settle_seconds: u64,
    /// Namespace of the operator.
    #[arg(long, default_value = "flotilla-system")]
    pub(crate) operator_namespace: String,
    /// Labels of the operator's pods.
    #[arg(long, default_value = "app.kubernetes.io/name=flotilla,app.kubernetes.io/component=operator")]
    pub(crate) operator_selector: String,
    /// Where the figures are written.
    #[arg(long, default_value = "target/bench/latest.json")]
    pub(crate) output: PathBuf,
}

impl Arguments {
    /// Time that a herd gets to become Ready.
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }

    /// Whether a group of figures is wanted.
    pub(crate) fn wants(&self, measurement: Measurement) -> bool {
        if self.only.is_empty() {
            return !(self.no_install && measurement.stands_alone());
        }
        self.only.contains(&measurement)
    }

    /// Whether anything is measured on the cluster.
    pub(crate) fn wants_cluster(&self) -> bool {
        Measurement::value_variants()
            .iter()
            .any(|measurement| !measurement.stands_alone() && self.wants(*measurement))
    }

    /// Time that writes to each kind of data store go on.
    pub(crate) fn store_time(&self) -> Duration {
        Duration::from_secs(self.store_seconds)
    }

    /// Time that requests go on after an upgrade.
    pub(crate) fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// Rest before memory is read, with control planes played.
    pub(crate) fn played_settle(&self) -> Duration {
        Duration::from_secs(self.played_settle_seconds)
    }

    /// Rest before memory is read.
    pub(crate) fn settle(&self) -> Duration {
        Duration::from_secs(self.settle_seconds)
    }
}
