//! Why something about workers could not be done.

/// Errors about workers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name of a tenant is none.
    #[error("`{text}` names no tenant: write NAME or NAMESPACE/NAME")]
    TenantName {
        /// What was written.
        text: String,
    },
    /// There is no such tenant.
    #[error("there is no TenantControlPlane `{name}`; there are: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    NoTenant {
        /// What was asked for.
        name: String,
        /// What there is, `namespace/name`.
        known: Vec<String>,
    },
    /// Several tenants have the name.
    #[error("the name `{name}` is ambiguous: write one of {}", known.join(", "))]
    AmbiguousTenant {
        /// What was asked for.
        name: String,
        /// All of them, `namespace/name`.
        known: Vec<String>,
    },
    /// The tenant has no kubeconfig of an administrator yet.
    #[error(
        "the tenant `{tenant}` has no administrator's kubeconfig yet: see `kubectl get tcp` in its namespace, and try again when it is ready"
    )]
    NoKubeconfig {
        /// `namespace/name`.
        tenant: String,
    },
    /// The tenant's kubeconfig cannot be used.
    #[error("failed to use the administrator's kubeconfig of the tenant `{tenant}`: {reason}")]
    Kubeconfig {
        /// `namespace/name`.
        tenant: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A token did not become ready in time.
    #[error(
        "the JoinToken `{name}` was not ready after {seconds} s: {last}; it stays and may become ready later, or revoke it"
    )]
    TokenNotReady {
        /// `namespace/name`.
        name: String,
        /// How long it was waited for.
        seconds: u64,
        /// What it said last.
        last: String,
    },
    /// There is no such token.
    #[error("there is no JoinToken `{name}`: see those that there are with `flotilla token list`")]
    NoToken {
        /// `namespace/name`.
        name: String,
    },
    /// There is no such node.
    #[error(
        "there is no node `{name}` in the tenant's cluster: see those that there are with `flotilla node list`"
    )]
    NoNode {
        /// Its name.
        name: String,
    },
    /// A label is none.
    #[error("`{text}` is no label: write KEY=VALUE, or KEY- to take one away")]
    Label {
        /// What was written.
        text: String,
    },
    /// Pods stand in the way of a drain; nothing was evicted.
    #[error("node `{node}` was cordoned and not drained:\n{}", obstacles.join("\n"))]
    Obstacles {
        /// Name of the node.
        node: String,
        /// Each pod with what is to be done about it.
        obstacles: Vec<String>,
    },
    /// A drain took too long.
    #[error(
        "node `{node}` was not drained within {seconds} s: {left}; it stays cordoned: try again with a longer --timeout, or take the cordon back with `flotilla node uncordon`"
    )]
    DrainTimedOut {
        /// Name of the node.
        node: String,
        /// The limit.
        seconds: u64,
        /// Pods that are left, and why.
        left: String,
    },
    /// An API server refused a request or did not answer.
    #[error("failed to {action}")]
    Request {
        /// What was tried.
        action: String,
        /// Its reason.
        #[source]
        source: Box<kube::Error>,
    },
}

impl Error {
    pub(crate) fn request(action: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let action = action.into();
        move |source| Self::Request { action, source: Box::new(source) }
    }

    /// Whether the user can mend it.
    #[must_use]
    pub fn is_users(&self) -> bool {
        match self {
            Self::Request { source, .. } => {
                matches!(&**source, kube::Error::Api(status) if status.code == 422)
            }
            Self::Kubeconfig { .. } => false,
            _ => true,
        }
    }
}
