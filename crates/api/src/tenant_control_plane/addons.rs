//! What is installed into the tenant's cluster.

use k8s_openapi::api::core::v1::{ResourceRequirements, SecurityContext, Toleration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JsonPatch;

/// What is installed into the tenant's cluster; an addon is on when its object is present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddonsSpec {
    /// Cluster DNS.
    #[serde(rename = "coreDNS", skip_serializing_if = "Option::is_none")]
    pub core_dns: Option<AddonSpec>,
    /// Tunnel from the API server to workers in another network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub konnectivity: Option<KonnectivitySpec>,
    /// Service routing on the workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_proxy: Option<KubeProxySpec>,
}

/// Image of an addon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddonSpec {
    /// Registry and path of the image, without its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_repository: Option<String>,
    /// Tag of the image; fixes the addon's version across upgrades of the control plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
}

/// Service routing on the workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeProxySpec {
    /// Image of kube-proxy.
    #[serde(flatten)]
    pub image: AddonSpec,
    /// Changes of kube-proxy's configuration, one after the other.
    #[serde(rename = "configurationJSONPatches", default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_json_patches: Vec<JsonPatch>,
}

/// Tunnel from the API server to workers in another network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KonnectivitySpec {
    /// The half beside the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"image": "registry.k8s.io/kas-network-proxy/proxy-server", "port": 8132}))]
    pub server: Option<KonnectivityServerSpec>,
    /// The half on the workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"image": "registry.k8s.io/kas-network-proxy/proxy-agent", "mode": "DaemonSet"}))]
    pub agent: Option<KonnectivityAgentSpec>,
}

/// The half of the tunnel beside the API server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KonnectivityServerSpec {
    /// Port that agents connect to.
    pub port: i32,
    /// Version of the image; derived from the Kubernetes version if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Image without tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "registry.k8s.io/kas-network-proxy/proxy-server"))]
    pub image: Option<String>,
    /// Compute resources of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Further flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_args: Vec<String>,
    /// Security context of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<SecurityContext>,
    /// Uses the tunnel that all tenants of the installation share, in place of a container beside the API
    /// server; of the other fields only the port counts then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
}

/// The half of the tunnel on the workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{"rule": "!(self.mode == 'DaemonSet' && has(self.replicas) && self.replicas != 0) && !(self.mode == 'Deployment' && has(self.replicas) && self.replicas == 0)", "message": "replicas must be 0 (or unset) when mode is DaemonSet, and greater than 0 (or unset) when mode is Deployment"}]))]
pub struct KonnectivityAgentSpec {
    /// Image without tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "registry.k8s.io/kas-network-proxy/proxy-agent"))]
    pub image: Option<String>,
    /// Version of the image; derived from the Kubernetes version if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Tolerations of the pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [{"key": "CriticalAddonsOnly", "operator": "Exists"}]))]
    pub tolerations: Vec<Toleration>,
    /// Further flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_args: Vec<String>,
    /// Runs the agent in the network of the worker, before a CNI plugin is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub host_network: Option<bool>,
    /// Kind of the agent's workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "DaemonSet"))]
    pub mode: Option<AgentMode>,
    /// Number of agents in mode `Deployment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
}

/// Kind of the agent's workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are those of the workload kinds")]
pub enum AgentMode {
    #[default]
    DaemonSet,
    Deployment,
}
