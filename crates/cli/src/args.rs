//! Arguments of the command.

use std::path::PathBuf;

use base::KubernetesVersion;
use clap::{Args, Parser, Subcommand, ValueEnum};
use local::ClusterName;

pub(crate) use account::{
    Access, Audit, ContextCommand, Contexts, KeyCommand, KeyCreate, KeyList, Keys, Password, Whoami,
};
pub(crate) use api::Api;
pub(crate) use backups::{BackupList, BackupRestore, BackupTake};
pub(crate) use cluster::{
    ClusterClone, ClusterCommand, ClusterCreate, ClusterImport, ClusterList, ClusterSchedule,
    ClusterTransfer, Clusters, Waiting,
};
pub(crate) use holdings::{Members, Metering, MeteringBy};
pub(crate) use hub::{Credential, Decide, HubChoice, Login, LoginCommand, LoginHub, Logout};
pub(crate) use resource::{
    Form, ObjectApply, ObjectCommand, ObjectDelete, ObjectList, ObjectShow, ObjectWrite, Objects,
};
pub(crate) use workers::{
    Drain, JoinCommand, JoinOutput, Management, NodeCommand, NodeRemove, Nodes, Tenant, Token, TokenCommand,
};

mod account;
mod api;
mod backups;
mod cluster;
mod holdings;
mod hub;
mod resource;
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
    /// Sign in to a hub.
    Login(Login),
    /// Sign out of a hub.
    Logout(Logout),
    /// Work with the clusters of a hub.
    Cluster(Clusters),
    /// Work with the tenants of a hub.
    Tenant(Objects),
    /// Work with the projects of a hub.
    Project(Objects),
    /// Work with the roles of a hub.
    Role(Objects),
    /// Work with the grants of a hub: who has which role where.
    Grant(Objects),
    /// Work with the users of a hub.
    User(Objects),
    /// Work with the identity providers of a hub: who else vouches for people.
    Provider(Objects),
    /// Work with the templates of a hub: what clusters are made from.
    Template(Objects),
    /// Work with the clusters that are imported into a hub.
    Import(Objects),
    /// Work with your keys, by which programs use a hub.
    Key(Keys),
    /// Set a password, your own or that of another user.
    Password(Password),
    /// Show who you are.
    Whoami(Whoami),
    /// Show what somebody may do somewhere, and by which grant.
    Access(Access),
    /// Show who has which role in a tenant, a project or a cluster.
    Members(Members),
    /// Show what tenants and clusters use, by day.
    Metering(Metering),
    /// Show who changed what, and what was denied.
    Audit(Audit),
    /// Ask whatever the API of a hub has, and print what it answers.
    Api(Api),
    /// Work with the hubs that you are signed in to.
    Context(Contexts),
    /// Print the completion of a shell.
    Completion(Completion),
    /// Print a credential for kubectl, which calls this by itself.
    Credential(Credential),
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
pub(crate) struct Completion {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
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
    fn signing_in_takes_a_url_or_a_code_to_decide_on() {
        let read = |words: &[&str]| Arguments::try_parse_from([&["flotilla", "login"], words].concat());
        let login = |words: &[&str]| match read(words).unwrap().command {
            Command::Login(login) => login,
            command => panic!("another command: {command:?}"),
        };
        assert_eq!(login(&["https://hub"]).hub.unwrap().hub, "https://hub");
        assert!(matches!(login(&["approve", "BCDF-GHJK"]).command, Some(super::LoginCommand::Approve(_))));
        for wrong in [&[][..], &["approve"], &["https://hub", "--password-stdin"], &["--user", "olga"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_version_is_refused_with_an_example() {
        let error = Arguments::try_parse_from(["flotilla", "up", "--kubernetes", "1.36"]).unwrap_err();
        assert!(error.to_string().contains("v1.36.3"), "{error}");
    }
}
