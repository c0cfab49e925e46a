//! How a cluster becomes one of the hub: the import token is given for a token of the agent's own.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an agent sends to [`crate::REGISTER_PATH`], with the import token as bearer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// Uid of the namespace `kube-system`, by which a cluster is known again.
    pub cluster_uid: String,
    /// Version of Kubernetes.
    pub kubernetes_version: String,
    /// Version of the agent.
    pub agent_version: String,
}

/// What the hub answers, and the agent keeps.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// Id of the cluster, which identities name as their audience.
    pub cluster: String,
    /// The agent's own token.
    pub token: String,
    /// URL of the issuer of identities.
    pub issuer: String,
    /// Its public keys, a JWK set (RFC 7517).
    pub keys: Value,
}

/// What the hub answers to an agent that asks for a new token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    /// The new one. The one before is taken until this was used.
    pub token: String,
}

impl fmt::Debug for Renewed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Renewed").finish_non_exhaustive()
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Registered")
            .field("cluster", &self.cluster)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
