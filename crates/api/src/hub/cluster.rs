//! `Cluster`: a cluster that was imported, which an agent connects to the hub.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose cluster it is.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "Cluster",
    plural = "clusters",
    category = "flotilla",
    status = "ClusterStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A cluster that runs elsewhere and was imported: an agent inside connects it to the hub. Its name is the \
           id by which the hub knows it. Hosted clusters have none; they are TenantControlPlanes.",
    // A hosted cluster's id has a dot.
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')").message("must have 1 to 63 small letters, digits and dashes, and begin and end with a letter or digit"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(
        name = "Connected",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Connected\")].status"
    ),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.kubernetesVersion"),
    printcolumn(name = "Nodes", type_ = "integer", json_path = ".status.nodes.total"),
    printcolumn(name = "Last seen", type_ = "date", json_path = ".status.lastSeen"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSpec {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// The tenant that it belongs to; to the platform without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub tenant: Option<String>,
}

/// How a cluster stands, by its agent's word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// `Connected`: an agent of it is connected to the hub. `Reachable`: the agent reaches its API server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The hub's replicas by which its agent is connected.
    #[serde(default)]
    pub connections: Vec<ClusterConnection>,
    /// UID of its namespace `kube-system`, by which a cluster is known again.
    #[serde(rename = "clusterUID", skip_serializing_if = "Option::is_none")]
    pub cluster_uid: Option<String>,
    /// Version of its API server, such as `v1.36.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
    /// Version of its agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Its nodes.
    #[serde(default)]
    pub nodes: ClusterNodes,
    /// What its nodes have.
    #[serde(default)]
    pub capacity: ClusterResources,
    /// What its nodes have for pods.
    #[serde(default)]
    pub allocatable: ClusterResources,
    /// What is used of it, where the cluster measures that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<ClusterResources>,
    /// When its agent was last heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
}

/// An agent's connection to a replica of the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterConnection {
    /// Name of the replica.
    pub replica: String,
    /// When it last heard of the agent.
    pub last_seen: Time,
}

/// How many nodes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterNodes {
    /// All.
    #[serde(default)]
    pub total: i64,
    /// Those that are ready.
    #[serde(default)]
    pub ready: i64,
}

/// Amounts of what nodes have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterResources {
    /// CPU.
    #[serde(default)]
    pub cpu: Quantity,
    /// Memory.
    #[serde(default)]
    pub memory: Quantity,
    /// Pods.
    #[serde(default)]
    pub pods: i64,
}
