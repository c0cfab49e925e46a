//! Arguments of the commands about a tenant's workers.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, Target};

/// Which management cluster.
#[derive(Debug, Args)]
pub(crate) struct Management {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Kubeconfig of the management cluster [default: the local cluster's].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "dir"])]
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// Which tenant, in which management cluster.
#[derive(Debug, Args)]
pub(crate) struct Tenant {
    #[command(flatten)]
    pub(crate) management: Management,
    /// The tenant; a name alone serves while one tenant has it.
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub(crate) tenant: String,
}

#[derive(Debug, Args)]
pub(crate) struct JoinCommand {
    #[command(flatten)]
    pub(crate) tenant: Tenant,
    /// How long the token lasts, 1m to 720h.
    #[arg(long, default_value = "24h", value_name = "TIME")]
    pub(crate) ttl: String,
    /// How many nodes may join with it [default: any number].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) uses: Option<i32>,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: JoinOutput,
}

/// Form of what joins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum JoinOutput {
    /// One line to run on a machine with kubeadm and kubelet.
    #[default]
    Command,
    /// A script for Debian and Ubuntu that sets up everything; pipe it into `sudo sh` on the machine.
    Script,
    /// A cloud-init file that runs the script at a machine's first start.
    CloudInit,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Show tokens, without what is secret of them.
    List(TokenList),
    /// Let nobody join with a token any more; nodes that have joined stay.
    Revoke(TokenRevoke),
}

#[derive(Debug, Args)]
pub(crate) struct TokenList {
    #[command(flatten)]
    pub(crate) management: Management,
    /// Only those of a tenant.
    #[arg(long, value_name = "[NAMESPACE/]NAME")]
    pub(crate) tenant: Option<String>,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct TokenRevoke {
    #[command(flatten)]
    pub(crate) tenant: Tenant,
    /// Names of the tokens.
    #[arg(required = true, value_name = "TOKEN")]
    pub(crate) tokens: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Node {
    #[command(subcommand)]
    pub(crate) command: NodeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Show the nodes of a tenant.
    List(NodeList),
    /// Keep new pods from nodes.
    Cordon(Nodes),
    /// Let pods come to nodes again.
    Uncordon(Nodes),
    /// Keep new pods from nodes and evict those that are there, as their disruption budgets allow.
    Drain(NodeDrain),
    /// Set labels of a node (KEY=VALUE) or take them away (KEY-).
    Label(NodeLabel),
    /// Drain nodes and take them out of the tenant's cluster.
    Remove(NodeRemove),
}

#[derive(Debug, Args)]
pub(crate) struct NodeList {
    #[command(flatten)]
    pub(crate) tenant: Tenant,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Nodes {
    #[command(flatten)]
    pub(crate) tenant: Tenant,
    /// Names of the nodes.
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NodeLabel {
    #[command(flatten)]
    pub(crate) tenant: Tenant,
    /// Name of the node.
    pub(crate) node: String,
    /// KEY=VALUE sets a label, KEY- takes it away.
    #[arg(required = true, value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NodeDrain {
    #[command(flatten)]
    pub(crate) nodes: Nodes,
    #[command(flatten)]
    pub(crate) drain: Drain,
}

/// How nodes are drained.
#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// Evict pods too that no controller makes anew.
    #[arg(long)]
    pub(crate) force: bool,
    /// Evict pods too whose emptyDir data are lost with them.
    #[arg(long)]
    pub(crate) delete_emptydir_data: bool,
    /// Seconds that pods get to end [default: what they ask for].
    #[arg(long, value_name = "SECONDS")]
    pub(crate) grace_period: Option<u32>,
    /// Longest time that draining one node may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct NodeRemove {
    #[command(flatten)]
    pub(crate) nodes: Nodes,
    #[command(flatten)]
    pub(crate) drain: Drain,
    /// Do not drain first: for machines that are lost.
    #[arg(long)]
    pub(crate) no_drain: bool,
}
