//! Arguments of `flotilla cluster`.

use clap::{ArgGroup, Args, Subcommand};

use super::{BackupList, BackupRestore, BackupTake, Form, HubChoice, ObjectDelete, ObjectShow};

#[derive(Debug, Args)]
pub(crate) struct Clusters {
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// List the clusters that you may see.
    List(ClusterList),
    /// Show a cluster.
    Show(ObjectShow),
    /// Make a hosted cluster.
    Create(ClusterCreate),
    /// Change the version of a hosted cluster.
    Upgrade(ClusterUpgrade),
    /// Change how many pods the control plane of a hosted cluster has.
    Scale(ClusterScale),
    /// Take the pods of a hosted cluster's control plane away.
    Sleep(ClusterOne),
    /// Bring them back.
    Wake(ClusterOne),
    /// Have a hosted cluster sleep and wake at set times, or no longer.
    Schedule(ClusterSchedule),
    /// Make a hosted cluster with the contents of another one, in the same tenant.
    Clone(ClusterClone),
    /// Give a hosted cluster to another tenant.
    Transfer(ClusterTransfer),
    /// List the backups of a hosted cluster, or what was brought back.
    Backups(BackupList),
    /// Take a backup of a hosted cluster.
    Backup(BackupTake),
    /// Bring a backup of a hosted cluster back into it: it stops, and what was made since is lost.
    Restore(BackupRestore),
    /// Delete a hosted cluster with all that is in it.
    Delete(ObjectDelete),
    /// Import a cluster that runs elsewhere: print the command to run there. It works once, for a day.
    Import(ClusterImport),
    /// Print a kubeconfig for a cluster. It holds no secret.
    Kubeconfig(ClusterOne),
}

#[derive(Debug, Args)]
pub(crate) struct ClusterList {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Text in name, id, version or tenant.
    #[arg(long)]
    pub(crate) search: Option<String>,
    /// Of this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// In this state, such as `Ready`.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Labels, such as `tier=gold,zone!=a`.
    #[arg(long, short = 'l')]
    pub(crate) labels: Option<String>,
    /// Go on with a line for each change.
    #[arg(long, short, conflicts_with_all = ["search", "tenant", "state", "labels", "output"])]
    pub(crate) watch: bool,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Form,
}

/// How long it is waited.
#[derive(Debug, Args)]
pub(crate) struct Waiting {
    /// Wait until it is done, and show how it goes.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Seconds after which waiting ends with a failure.
    #[arg(long, default_value_t = 600, requires = "wait", value_name = "SECONDS")]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterCreate {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Its name, unique in its tenant.
    pub(crate) name: String,
    /// The tenant that it belongs to.
    #[arg(long)]
    pub(crate) tenant: String,
    /// Version of Kubernetes, such as `v1.36.3`, of a cluster that is made from scratch.
    #[arg(long, required_unless_present = "template")]
    pub(crate) version: Option<String>,
    /// Pods of the control plane [default: 2].
    #[arg(long)]
    pub(crate) replicas: Option<u8>,
    /// How workers and people reach it: `LoadBalancer`, `NodePort` or `ClusterIP` [default: `LoadBalancer`].
    #[arg(long, value_name = "TYPE")]
    pub(crate) service_type: Option<String>,
    /// Data store [default: the hub chooses].
    #[arg(long, value_name = "NAME")]
    pub(crate) data_store: Option<String>,
    #[command(flatten)]
    pub(crate) template: TemplateChoice,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// What a cluster is made from.
#[derive(Debug, Args)]
pub(crate) struct TemplateChoice {
    /// Template that says what the cluster has, such as `small` or `small@1.2` [default version: the newest that is not
    /// deprecated].
    #[arg(
        long,
        value_name = "NAME[@VERSION]",
        conflicts_with_all = ["version", "replicas", "service_type", "data_store"]
    )]
    pub(crate) template: Option<String>,
    /// A parameter of the template; once for each.
    #[arg(long, value_name = "NAME=VALUE", requires = "template")]
    pub(crate) set: Vec<String>,
    /// Make nothing; print the TenantControlPlane that the template would give.
    #[arg(long, requires = "template", conflicts_with = "wait")]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterUpgrade {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster, such as `acme.prod`.
    pub(crate) id: String,
    /// Version of Kubernetes, such as `v1.36.3`.
    #[arg(long)]
    pub(crate) version: String,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterScale {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster, such as `acme.prod`.
    pub(crate) id: String,
    /// Pods of the control plane.
    #[arg(long)]
    pub(crate) replicas: u8,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("times").args(["sleep", "wake", "none"]).required(true).multiple(true)))]
pub(crate) struct ClusterSchedule {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster, such as `acme.prod`.
    pub(crate) id: String,
    /// When it sleeps, as cron writes it, such as `0 20 * * 1-5`.
    #[arg(long, value_name = "CRON")]
    pub(crate) sleep: Option<String>,
    /// When it wakes, as cron writes it, such as `0 7 * * 1-5`.
    #[arg(long, value_name = "CRON")]
    pub(crate) wake: Option<String>,
    /// Time zone of both, such as `Europe/Berlin` [default: UTC].
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Take the schedule away.
    #[arg(long, conflicts_with_all = ["sleep", "wake", "time_zone"])]
    pub(crate) none: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterClone {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster that is cloned, such as `acme.prod`.
    pub(crate) id: String,
    /// Name of the clone, unique in the tenant.
    pub(crate) name: String,
    /// Backup of the cluster that the clone is filled from [default: one is taken].
    #[arg(long, value_name = "NAME")]
    pub(crate) backup: Option<String>,
    /// Port of the nodes by which the clone is reached, if the cluster is reached by one.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterTransfer {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster that is given away, such as `acme.prod`.
    pub(crate) id: String,
    /// The tenant that gets it.
    #[arg(long)]
    pub(crate) tenant: String,
    /// What it is called there [default: as before].
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterOne {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// Id of the cluster, such as `acme.prod`.
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterImport {
    #[command(flatten)]
    pub(crate) choice: HubChoice,
    /// What the cluster is called; one that was imported before gets a new command.
    pub(crate) name: String,
    /// The tenant that it shall belong to [default: the platform].
    #[arg(long)]
    pub(crate) tenant: Option<String>,
}
