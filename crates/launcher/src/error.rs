//! Why a process could not be found, started or awaited.

use std::path::PathBuf;
use std::time::Duration;

use base::KubernetesVersion;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no distribution directory at any of the places where it is looked for.
    #[error(
        "no Kubernetes distribution found (looked in {}): run `cargo xtask build`, or name its directory \
         with --dist or FLOTILLA_DIST",
        places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    FindDistribution {
        /// The directories that were tried.
        places: Vec<PathBuf>,
    },
    /// The distribution does not hold the wanted version.
    #[error(
        "Kubernetes {wanted} is not in {}, which holds {}: build it with `cargo xtask build --kubernetes {}`",
        directory.display(),
        if built.is_empty() { "none".to_owned() } else { built.join(", ") },
        wanted.major_minor()
    )]
    FindVersion {
        /// What was asked for.
        wanted: KubernetesVersion,
        /// Where it was looked for.
        directory: PathBuf,
        /// What is there.
        built: Vec<String>,
    },
    /// A tool of the distribution is missing.
    #[error("{} is missing: run `cargo xtask build`", path.display())]
    FindTool {
        /// Where it should be.
        path: PathBuf,
    },
    /// A program of the system's packages is missing.
    #[error(
        "{package} is not installed (looked for {}): run `cargo xtask setup`, or install that package",
        places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    FindPackage {
        /// Debian's name of the package.
        package: &'static str,
        /// The files that were looked for.
        places: Vec<PathBuf>,
    },
    /// A file or directory could not be read or written.
    #[error("failed to {action} {}", path.display())]
    File {
        /// What was tried: `write`, `read`, `create`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A directory did not do what was asked.
    #[error("the directory did not do what was asked")]
    Directory {
        /// Its reason.
        #[source]
        source: ldap3::LdapError,
    },
    /// A process could not be started.
    #[error("failed to start {program}")]
    Spawn {
        /// The component.
        program: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// No free port on loopback.
    #[error("failed to find a free port on 127.0.0.1")]
    FindPort {
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A component did not become ready in time.
    #[error("{name} was not ready after {} s ({last}); its log is {}", waited.as_secs(), log.display())]
    NotReady {
        /// The component.
        name: String,
        /// How long it was waited for.
        waited: Duration,
        /// What the last probe said.
        last: String,
        /// Where its output is.
        log: PathBuf,
    },
    /// A component ended while it was waited for.
    #[error("{name} ended ({report}) before it was ready; its log is {}", log.display())]
    Ended {
        /// The component.
        name: String,
        /// How it ended.
        report: String,
        /// Where its output is.
        log: PathBuf,
    },
    /// Custom resources could not be defined.
    #[error("failed to define the custom resources: {reason}")]
    Define {
        /// What the API server said.
        reason: String,
    },
    /// A control plane could not be put back to how it was when it was new.
    #[error("failed to make a control plane as new: {reason}")]
    Restore {
        /// What etcd or the API server said.
        reason: String,
    },
    /// etcd of a control plane did not do what was asked.
    #[error("etcd of a control plane did not do what was asked")]
    ControlPlaneEtcd(#[from] etcd_client::Error),
    /// Something that only the owner of a control plane may do.
    #[error(
        "the control plane is one that tests hand on: set `own` in its options to get one for this test alone"
    )]
    NotOwn,
    /// Certificates could not be made.
    #[error("failed to make certificates")]
    Certificates(#[from] pki::Error),
}

impl Error {
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
