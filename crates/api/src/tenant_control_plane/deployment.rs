//! The pods of a control plane: what users may set on the Deployment and its containers.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::DeploymentStrategy;
use k8s_openapi::api::core::v1::{
    Affinity, Container, PodSecurityContext, ResourceRequirements, SecurityContext, Toleration,
    TopologySpreadConstraint, Volume, VolumeMount,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AdditionalMetadata;

/// Number of pods unless the spec says another.
pub const DEFAULT_REPLICAS: i32 = 2;

/// The pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentSpec {
    /// Registry and names of the components' images.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"registry": "registry.k8s.io", "apiServerImage": "kube-apiserver", "controllerManagerImage": "kube-controller-manager", "schedulerImage": "kube-scheduler"}))]
    pub registry_settings: Option<RegistrySettings>,
    /// Number of pods; 0 puts the control plane to sleep.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 2))]
    pub replicas: Option<i32>,
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Runtime class of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class_name: Option<String>,
    /// How pods are replaced; by default new ones start before old ones stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}}))]
    pub strategy: Option<DeploymentStrategy>,
    /// Tolerations of the pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Affinity of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// How pods spread over nodes and zones; one without selector gets that of the control plane.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// Compute resources per component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ComponentResources>,
    /// Further flags per component, each `--name=value`. They can break a component: know what you do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_args: Option<ComponentExtraArgs>,
    /// Labels and annotations to add to the Deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_metadata: Option<AdditionalMetadata>,
    /// Labels and annotations to add to the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_additional_metadata: Option<AdditionalMetadata>,
    /// Init containers to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_init_containers: Vec<Container>,
    /// Containers to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_containers: Vec<Container>,
    /// Volumes to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_volumes: Vec<Volume>,
    /// Volume mounts to add per component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_volume_mounts: Option<AdditionalVolumeMounts>,
    /// Timing of the components' probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<ComponentProbes>,
    /// Service account of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "default"))]
    pub service_account_name: Option<String>,
    /// Whether the pods get a token of their service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automount_service_account_token: Option<bool>,
    /// Security contexts per component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_security_contexts: Option<ComponentSecurityContexts>,
    /// Security context of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_security_context: Option<PodSecurityContext>,
}

/// Registry and names of the components' images: `registry/name:version` and suffix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistrySettings {
    /// Registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "registry.k8s.io"))]
    pub registry: Option<String>,
    /// Name of the API server's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "kube-apiserver"))]
    pub api_server_image: Option<String>,
    /// Name of the controller manager's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "kube-controller-manager"))]
    pub controller_manager_image: Option<String>,
    /// Name of the scheduler's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "kube-scheduler"))]
    pub scheduler_image: Option<String>,
    /// Appended to the version in the tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_suffix: Option<String>,
}

/// Compute resources per component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentResources {
    /// Of the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_server: Option<ResourceRequirements>,
    /// Of the controller manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_manager: Option<ResourceRequirements>,
    /// Of the scheduler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<ResourceRequirements>,
    /// Of kine, which stands before a SQL or NATS `DataStore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kine: Option<ResourceRequirements>,
}

/// Further flags per component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentExtraArgs {
    /// Of the API server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_server: Vec<String>,
    /// Of the controller manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controller_manager: Vec<String>,
    /// Of the scheduler.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduler: Vec<String>,
    /// Of kine, which stands before a SQL or NATS `DataStore`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kine: Vec<String>,
}

/// Volume mounts to add per component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalVolumeMounts {
    /// Into the API server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_server: Vec<VolumeMount>,
    /// Into the controller manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controller_manager: Vec<VolumeMount>,
    /// Into the scheduler.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduler: Vec<VolumeMount>,
}

/// Timing of the components' probes: what is set for a component wins over what is set for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentProbes {
    /// Liveness of all components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<ProbeSpec>,
    /// Readiness of all components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<ProbeSpec>,
    /// Startup of all components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<ProbeSpec>,
    /// Of the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_server: Option<ProbeSet>,
    /// Of the controller manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_manager: Option<ProbeSet>,
    /// Of the scheduler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<ProbeSet>,
}

/// Timing of one component's probes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeSet {
    /// Liveness probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<ProbeSpec>,
    /// Readiness probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<ProbeSpec>,
    /// Startup probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<ProbeSpec>,
}

/// Timing of one probe; what is unset keeps its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbeSpec {
    /// Seconds from the container's start to the first probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub initial_delay_seconds: Option<i32>,
    /// Seconds after which a probe has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub timeout_seconds: Option<i32>,
    /// Seconds between probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub period_seconds: Option<i32>,
    /// Successes in a row that count as one; must be 1 for liveness and startup.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub success_threshold: Option<i32>,
    /// Failures in a row that count as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub failure_threshold: Option<i32>,
}

/// Security contexts per component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentSecurityContexts {
    /// Of the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_server: Option<SecurityContext>,
    /// Of the controller manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_manager: Option<SecurityContext>,
    /// Of the scheduler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<SecurityContext>,
}
