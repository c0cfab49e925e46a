//! Why the local cluster could not be started, changed or ended.

use std::path::PathBuf;

/// Errors of this crate; each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name cannot name a cluster.
    #[error(
        "`{name}` cannot name a cluster: use at most 20 lower-case letters, digits and dashes, with a letter \
         first and no dash last"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// Not root.
    #[error("a local cluster needs root for its namespaces: run the command with sudo")]
    NotRoot,
    /// Programs are missing on the machine.
    #[error("{} {} missing: run `apt-get install {}`", missing.join(", "), if missing.len() == 1 { "is" } else { "are" }, packages.join(" "))]
    Requirements {
        /// The missing programs.
        missing: Vec<String>,
        /// The Debian packages that hold them.
        packages: Vec<String>,
    },
    /// Too little disk space.
    #[error(
        "{} has {free_mib} MiB free, a cluster needs {needed_mib} MiB: free some space or choose another \
         directory with --dir",
        directory.display()
    )]
    DiskSpace {
        /// The data directory.
        directory: PathBuf,
        /// What is free.
        free_mib: u64,
        /// What is needed.
        needed_mib: u64,
    },
    /// No range of addresses is free.
    #[error(
        "no range 10.200.0.0/16 to 10.243.0.0/16 is free on this machine (see `ip route`): remove a route or another local cluster"
    )]
    NoFreeNetwork,
    /// The recorded range of addresses is used by something else.
    #[error(
        "the network {network} of the cluster `{name}` is in use by {used_by}: remove that, or give up the \
         cluster's data with `flotilla down --name {name} --purge`, after which another range is chosen"
    )]
    NetworkInUse {
        /// The range.
        network: String,
        /// The cluster.
        name: String,
        /// The address or route in the way.
        used_by: String,
    },
    /// A cluster of this name runs with another data directory.
    #[error(
        "a cluster named `{name}` already runs with its data in {}: pass --dir {}, choose another --name, or \
         end that one with `flotilla down --name {name} --dir {}`",
        directory.display(), directory.display(), directory.display()
    )]
    OtherDirectory {
        /// The cluster.
        name: String,
        /// Where its data is.
        directory: PathBuf,
    },
    /// The data directory is of no use.
    #[error(
        "the data in {} cannot be used ({reason}): move it away, choose another --dir, or delete it with \
         `flotilla down --name {name} --dir {} --purge`",
        directory.display(), directory.display()
    )]
    IncompatibleData {
        /// The directory.
        directory: PathBuf,
        /// What is wrong.
        reason: String,
        /// The cluster.
        name: String,
    },
    /// The directory holds files of somebody else.
    #[error(
        "{} holds `{entry}`, which no cluster wrote: choose a directory of its own with --dir, since \
         `flotilla down --purge` deletes it",
        directory.display()
    )]
    ForeignDirectory {
        /// The directory.
        directory: PathBuf,
        /// One of the files.
        entry: String,
    },
    /// The cluster does not run.
    #[error("the cluster `{name}` does not run: start it with `flotilla up`")]
    NotRunning {
        /// The cluster.
        name: String,
    },
    /// Too many nodes.
    #[error("{nodes} nodes are not possible: use 1 to {most}")]
    Nodes {
        /// What was asked for.
        nodes: u8,
        /// The bound.
        most: u8,
    },
    /// Another command is at work on this cluster.
    #[error("another flotilla command is at work on the cluster `{name}`: wait until it has ended")]
    Busy {
        /// The cluster.
        name: String,
    },
    /// A command of the system failed.
    #[error("`{command}` failed: {output}")]
    Command {
        /// Program and arguments.
        command: String,
        /// What it said.
        output: String,
    },
    /// A file or directory could not be read or written.
    #[error("failed to {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Something of the cluster could not be removed.
    #[error("failed to remove {what}: {reason}; run `flotilla down` again")]
    Remove {
        /// What is left.
        what: String,
        /// Why.
        reason: String,
    },
    /// The supervisor could not start the cluster.
    #[error("{step}: {reason}; see {}", log.display())]
    Start {
        /// The step that failed.
        step: String,
        /// Why.
        reason: String,
        /// The supervisor's log.
        log: PathBuf,
    },
    /// The cluster did not become usable in time.
    #[error("{what} took longer than {seconds} s ({last}); see `flotilla status` and `flotilla logs`")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// The last thing seen.
        last: String,
    },
    /// An object of the cluster could not be written.
    #[error("failed to apply {what}")]
    Apply {
        /// Kind and name.
        what: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// A manifest that this program brings along is unreadable; a defect.
    #[error("failed to read the built-in manifest {name}: {reason}")]
    Manifest {
        /// Which.
        name: &'static str,
        /// The parser's words.
        reason: String,
    },
    /// A client of the API server could not be made.
    #[error("failed to make a client from {}: {reason}", kubeconfig.display())]
    Client {
        /// The kubeconfig.
        kubeconfig: PathBuf,
        /// Why.
        reason: String,
    },
    /// A program could not be found or started.
    #[error(transparent)]
    Launch(#[from] launcher::Error),
}

impl Error {
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// Whether the user can mend it: a wrong argument, a missing package, a busy network.
    #[must_use]
    pub fn is_users(&self) -> bool {
        matches!(
            self,
            Self::Name { .. }
                | Self::NotRoot
                | Self::Requirements { .. }
                | Self::DiskSpace { .. }
                | Self::NoFreeNetwork
                | Self::NetworkInUse { .. }
                | Self::OtherDirectory { .. }
                | Self::IncompatibleData { .. }
                | Self::ForeignDirectory { .. }
                | Self::NotRunning { .. }
                | Self::Nodes { .. }
                | Self::Busy { .. }
                | Self::Launch(
                    launcher::Error::FindDistribution { .. }
                        | launcher::Error::FindVersion { .. }
                        | launcher::Error::FindTool { .. }
                )
        )
    }
}
