//! Arguments of the command.

use std::path::PathBuf;

use base::KubernetesVersion;
use clap::{Args, Parser, Subcommand, ValueEnum};
use local::ClusterName;

pub(crate) use workers::{
    Drain, JoinCommand, JoinOutput, Management, NodeCommand, NodeRemove, Nodes, Tenant, Token, TokenCommand,
};

mod workers;

/// Kubernetes control planes as pods, and a management cluster on one machine.
#[derive(Debug, Parser)]
#[command(name = "flotilla", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the local management cluster, install the platform and create a first tenant.
    Up(Up),
    /// End the local management cluster and remove what it made on the machine; keep its data.
    Down(Down),
    /// Show what runs.
    Status(Status),
    /// Show the output of a component.
    Logs(Logs),
    /// Work with container images.
    Image(Image),
    /// Print the command that makes a machine a worker of a tenant.
    JoinCommand(JoinCommand),
    /// Work with the tokens by which workers join.
    Token(Token),
    /// Work with the nodes of a tenant.
    Node(workers::Node),
    /// Run kubectl against the management cluster.
    Kubectl(Kubectl),
    /// Keep the processes of a local cluster running (started by `up`).
    #[command(hide = true)]
    Supervise(Target),
}

/// Which local cluster.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Name of the local cluster.
    #[arg(long, default_value = "flotilla")]
    pub(crate) name: ClusterName,
    /// Directory of its data [default: /var/lib/flotilla/NAME].
    #[arg(long, value_parser = directory)]
    pub(crate) dir: Option<PathBuf>,
}

/// The same directory has one name, however it is written: the cluster is known by it.
fn directory(text: &str) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(text)?;
    path.canonicalize().or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            Ok(parent.canonicalize().map_or(path.clone(), |parent| parent.join(name)))
        }
        _ => Ok(path.clone()),
    })
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) target: Target,
    /// How many nodes [default: as before, or 1].
    #[arg(long)]
    pub(crate) nodes: Option<u8>,
    /// Kubernetes version of the management cluster [default: as before, or the newest that is built].
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<KubernetesVersion>,
    /// Only the management cluster, without the platform.
    #[arg(long, conflicts_with_all = ["kubeconfig", "chart"])]
    pub(crate) bare: bool,
    /// Install the platform into the cluster of this kubeconfig instead of a local one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nodes", "kubernetes"])]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Directory of the built Kubernetes and tools [default: `dist` near this program].
    #[arg(long, env = "FLOTILLA_DIST", value_name = "DIR")]
    pub(crate) dist: Option<PathBuf>,
    /// Directory of the platform's Helm chart [default: charts/flotilla of the source tree].
    #[arg(long, env = "FLOTILLA_CHART", value_name = "DIR")]
    pub(crate) chart: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Delete the data too.
    #[arg(long)]
    pub(crate) purge: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Form of the output.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The component, such as `kubelet`, `kube-apiserver` or `supervisor`.
    pub(crate) component: String,
    /// Node on which it runs.
    #[arg(long, default_value_t = 0)]
    pub(crate) node: u8,
    /// Go on with what is written later.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Image {
    #[command(subcommand)]
    pub(crate) command: ImageCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Put an image archive (OCI or Docker format) onto all nodes.
    Load(ImageLoad),
}

#[derive(Debug, Args)]
pub(crate) struct ImageLoad {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The archive.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Kubectl {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Arguments of kubectl.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub(crate) args: Vec<std::ffi::OsString>,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, Command, directory};

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_directory_has_one_name_however_it_is_written_and_whether_it_is_there_or_not() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("a")).unwrap();
        let written = |tail: &str| directory(&format!("{}/{tail}", place.path().display())).unwrap();
        assert_eq!(written("a/../a"), real.join("a"));
        assert_eq!(written("a/../new"), real.join("new"));
    }

    #[test]
    fn kubectl_gets_its_flags_untouched() {
        let parsed = Arguments::parse_from(["flotilla", "kubectl", "get", "ns", "-o", "yaml", "--name=x"]);
        let Command::Kubectl(kubectl) = parsed.command else { panic!("another command") };
        assert_eq!(kubectl.args, ["get", "ns", "-o", "yaml", "--name=x"]);
        assert_eq!(kubectl.target.name.as_str(), "flotilla");
    }

    #[test]
    fn a_wrong_version_is_refused_with_an_example() {
        let error = Arguments::try_parse_from(["flotilla", "up", "--kubernetes", "1.36"]).unwrap_err();
        assert!(error.to_string().contains("v1.36.3"), "{error}");
    }
}
