//! Why a command failed, and with which exit code.

use std::error::Error as _;
use std::fmt::Write;
use std::path::PathBuf;

/// Errors of the command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The local cluster.
    #[error(transparent)]
    Local(#[from] local::Error),
    /// Programs of the distribution.
    #[error(transparent)]
    Launch(#[from] launcher::Error),
    /// Workers of a tenant.
    #[error(transparent)]
    Workers(#[from] workers::Error),
    /// There is no cluster of that name in that directory.
    #[error("there is no cluster `{name}` in {}: start one with `flotilla up`, or name another with --name or --dir", directory.display())]
    NoCluster {
        /// The name.
        name: String,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// A component has no log.
    #[error("there is no log of `{component}` on node {node}; there are: {}", known.join(", "))]
    NoLog {
        /// What was asked for.
        component: String,
        /// On which node.
        node: u8,
        /// What has one.
        known: Vec<String>,
    },
    /// There is no such archive.
    #[error("there is no image archive {}: name an existing file", path.display())]
    NoArchive {
        /// What was named.
        path: PathBuf,
    },
    /// The chart was not found.
    #[error("there is no Helm chart at {}: name its directory with --chart or FLOTILLA_CHART", path.display())]
    NoChart {
        /// Where it should be.
        path: PathBuf,
    },
    /// The custom resource definitions were refused.
    #[error("failed to apply the custom resource definitions")]
    Definitions(#[source] kubekit::ApplyError),
    /// Helm refused.
    #[error("helm failed to install the platform:\n{output}")]
    Helm {
        /// What it said.
        output: String,
    },
    /// The example tenant did not become ready.
    #[error(
        "the tenant control plane `{name}` was not ready after {seconds} s: {last}; see `flotilla kubectl describe tcp -n {namespace} {name}`"
    )]
    TenantNotReady {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// How long it was waited for.
        seconds: u64,
        /// Its last condition.
        last: String,
    },
    /// The API server of the management cluster refused a request.
    #[error("failed to {action}")]
    Request {
        /// What was tried.
        action: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// Nobody is signed in to the hub, or the session has ended.
    #[error("you are not signed in to {hub}: run `flotilla login {hub}`")]
    NotSignedIn {
        /// The hub.
        hub: String,
    },
    /// The hub refused.
    #[error("the hub refused: {detail}")]
    Hub {
        /// In its words.
        detail: String,
    },
    /// The user may not do it.
    #[error("the hub refused: {detail}")]
    Denied {
        /// In the hub's words.
        detail: String,
    },
    /// There is no such thing, or the user may not know of it.
    #[error("the hub refused: {detail}")]
    NotFound {
        /// In the hub's words.
        detail: String,
    },
    /// What was given is no field.
    #[error("`{field}` is no field: write it like `tenant=acme` or `quota.clusters=5`")]
    Field {
        /// What was given.
        field: String,
    },
    /// What was given is no parameter of a template.
    #[error("`{said}` is no parameter: write it like `replicas=3`")]
    Parameter {
        /// What was given.
        said: String,
    },
    /// A file, or an answer, is no YAML of an object.
    #[error("an object cannot be read or written: {detail}")]
    Yaml {
        /// Which, and why.
        detail: String,
    },
    /// What is to be sent is no JSON.
    #[error("the body is no JSON: {detail}; write it like '{{\"name\": \"acme\"}}'")]
    Body {
        /// Where and why.
        detail: String,
    },
    /// A new cluster did not become ready.
    #[error("the cluster `{id}` was not ready after {seconds} s: {last}; see `flotilla cluster show {id}`")]
    ClusterNotReady {
        /// Its id.
        id: String,
        /// How long it was waited for.
        seconds: u64,
        /// Its last state.
        last: String,
    },
    /// A clone did not get its contents.
    #[error("the cluster `{id}` did not get its contents: {detail} (delete it before you try again)")]
    NotCloned {
        /// Its id.
        id: String,
        /// Why not.
        detail: String,
    },
    /// A cluster was not given to another tenant.
    #[error("the cluster was not transferred and goes on as it was: {detail}")]
    NotTransferred {
        /// Why not.
        detail: String,
    },
    /// No client for the hub.
    #[error("failed to make a client for the hub")]
    Client(#[source] kubekit::ClientError),
    /// The file of sessions was damaged.
    #[error("{} cannot be read; delete it and sign in again", path.display())]
    Sessions {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A file or process of the machine.
    #[error("failed to {action}")]
    System {
        /// What was tried.
        action: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn request(action: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let action = action.into();
        move |source| Self::Request { action, source: Box::new(source) }
    }

    pub(crate) fn system(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::System { action, source }
    }

    /// 1 if the user can mend it, 2 if it was not expected; of a hub, 3 if it denied it or nobody is signed in, and 4 if
    /// there is no such thing.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let is_users = match self {
            Self::NotSignedIn { .. } | Self::Denied { .. } => return 3,
            Self::NotFound { .. } => return 4,
            Self::Local(error) => error.is_users(),
            Self::Workers(error) => error.is_users(),
            Self::Launch(_)
            | Self::NoCluster { .. }
            | Self::Field { .. }
            | Self::Parameter { .. }
            | Self::Yaml { .. }
            | Self::Body { .. }
            | Self::Hub { .. }
            | Self::Client(_)
            | Self::Sessions { .. }
            | Self::NoLog { .. }
            | Self::NoArchive { .. }
            | Self::NoChart { .. } => true,
            Self::Definitions(_)
            | Self::Helm { .. }
            | Self::TenantNotReady { .. }
            | Self::ClusterNotReady { .. }
            | Self::NotCloned { .. }
            | Self::NotTransferred { .. }
            | Self::Request { .. }
            | Self::System { .. } => false,
        };
        if is_users { 1 } else { 2 }
    }

    /// The message with those of its causes.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            // The client's own text for this repeats the message three times.
            if let Some(kube::Error::Api(status)) = error.downcast_ref() {
                let _ = write!(text, ": {}", status.message);
                return text;
            }
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn a_wrong_name_is_the_users_and_a_failed_request_is_not() {
        let name = "A".parse::<local::ClusterName>().unwrap_err();
        assert_eq!(Error::from(name).exit_code(), 1);
        let error = Error::system("read a file")(std::io::ErrorKind::NotFound.into());
        assert_eq!(error.exit_code(), 2);
        assert_eq!(error.chain(), "failed to read a file: entity not found");
    }
}
