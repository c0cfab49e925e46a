//! `TenantControlPlane`: one tenant's Kubernetes control plane, run as pods.

mod addons;
mod control_plane;
mod deployment;
mod kubernetes;
mod network;
mod routes;
mod sleep;
mod status;

pub use addons::{
    AddonSpec, AddonsSpec, AgentMode, KonnectivityAgentSpec, KonnectivityServerSpec, KonnectivitySpec,
    KubeProxySpec,
};
pub use control_plane::{
    AdditionalMetadata, AdditionalPort, ControlPlaneSpec, GatewaySpec, IngressSpec, PortProtocol,
    ServiceSpec, ServiceType,
};
pub use deployment::{
    AdditionalVolumeMounts, ComponentExtraArgs, ComponentProbes, ComponentResources,
    ComponentSecurityContexts, DEFAULT_REPLICAS, DeploymentSpec, ProbeSet, ProbeSpec, RegistrySettings,
};
pub use kubernetes::{
    CgroupDriver, JsonPatch, JsonPatchOperation, KubeletSpec, KubernetesSpec, PreferredAddressType,
};
pub use network::{DEFAULT_CLUSTER_DOMAIN, DEFAULT_PORT, NetworkProfileSpec};
pub use routes::{GatewayAccessPoint, GatewayStatus, ParentReference, RouteParentStatus};
pub use sleep::{SleepAction, SleepRefusal, SleepSchedule, SleepScheduleStatus};
pub use status::{
    AddonStatus, AddonsStatus, CertificateEnd, CertificatesStatus, DeploymentStatus, EtcdCertificatesStatus,
    IngressStatus, KonnectivityAgentStatus, KonnectivityConfigMapStatus, KonnectivityStatus,
    KubeadmConfigStatus, KubeadmPhaseStatus, KubeadmPhasesStatus, KubeconfigsStatus,
    KubernetesResourcesStatus, MigrationPhase, MigrationStatus, ObjectStatus, SecretStatus, ServiceStatus,
    StorageConfigStatus, StorageSetupStatus, StorageStatus, TenantControlPlaneStatus, VersionState,
    VersionStatus,
};

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_default;

/// The wished state of a tenant's control plane.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kamaji.clastix.io",
    version = "v1alpha1",
    kind = "TenantControlPlane",
    plural = "tenantcontrolplanes",
    shortname = "tcp",
    category = "kamaji",
    namespaced,
    status = "TenantControlPlaneStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A tenant's Kubernetes control plane: API server, controller manager and scheduler as pods of the management cluster.",
    scale(
        spec_replicas_path = ".spec.controlPlane.deployment.replicas",
        status_replicas_path = ".status.kubernetesResources.deployment.replicas",
        label_selector_path = ".status.kubernetesResources.deployment.selector"
    ),
    printcolumn(
        name = "Version",
        type_ = "string",
        json_path = ".spec.kubernetes.version",
        description = "Kubernetes version"
    ),
    printcolumn(
        name = "Installed Version",
        type_ = "string",
        json_path = ".status.kubernetesResources.version.version",
        description = "Kubernetes version that runs"
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.kubernetesResources.version.status",
        description = "State of the control plane"
    ),
    printcolumn(
        name = "Control-Plane endpoint",
        type_ = "string",
        json_path = ".status.controlPlaneEndpoint",
        description = "Address of the tenant's API server"
    ),
    printcolumn(
        name = "Kubeconfig",
        type_ = "string",
        json_path = ".status.kubeconfig.admin.secretName",
        description = "Secret with the administrator's kubeconfig"
    ),
    printcolumn(
        name = "Datastore",
        type_ = "string",
        json_path = ".status.storage.dataStoreName",
        description = "DataStore in use"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Age"
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(oldSelf.dataStore) || has(self.dataStore)", "message": "unsetting the dataStore is not supported"},
    {"rule": "!has(oldSelf.dataStoreSchema) || has(self.dataStoreSchema)", "message": "unsetting the dataStoreSchema is not supported"},
    {"rule": "!has(oldSelf.dataStoreUsername) || has(self.dataStoreUsername)", "message": "unsetting the dataStoreUsername is not supported"},
    {"rule": "!has(self.networkProfile.loadBalancerSourceRanges) || (size(self.networkProfile.loadBalancerSourceRanges) == 0 || self.controlPlane.service.serviceType == 'LoadBalancer')", "message": "LoadBalancer source ranges are supported only with LoadBalancer service type"},
    {"rule": "!has(self.networkProfile.loadBalancerClass) || self.controlPlane.service.serviceType == 'LoadBalancer'", "message": "LoadBalancerClass is supported only with LoadBalancer service type"},
    {"rule": "!has(self.controlPlane.service.allocateLoadBalancerNodePorts) || self.controlPlane.service.serviceType == 'LoadBalancer'", "message": "allocateLoadBalancerNodePorts is supported only with LoadBalancer service type"},
    {"rule": "self.controlPlane.service.serviceType != 'LoadBalancer' || (oldSelf.controlPlane.service.serviceType != 'LoadBalancer' && self.controlPlane.service.serviceType == 'LoadBalancer') || has(self.networkProfile.loadBalancerClass) == has(oldSelf.networkProfile.loadBalancerClass)", "message": "LoadBalancerClass cannot be set or unset at runtime"}
]))]
pub struct TenantControlPlaneSpec {
    /// Operations that the tenant's API server refuses; by default none. Blocking all of them makes
    /// the tenant read-only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_permissions: Option<WritePermissions>,
    /// `DataStore` that keeps the tenant's state. Empty means the operator's default one. Once set it
    /// cannot be unset; a change moves the data to another `DataStore` of the same driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_store: Option<String>,
    /// Name of the tenant's database, key prefix or bucket in the `DataStore`; the object's UID if
    /// empty. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "changing the dataStoreSchema is not supported"}]))]
    pub data_store_schema: Option<String>,
    /// Name of the tenant's user in the `DataStore`; the object's UID if empty. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "changing the dataStoreUsername is not supported"}]))]
    pub data_store_username: Option<String>,
    /// Resources that are kept in a `DataStore` of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_store_overrides: Vec<DataStoreOverride>,
    /// The objects that the control plane is made of in the management cluster.
    pub control_plane: ControlPlaneSpec,
    /// The tenant's Kubernetes.
    pub kubernetes: KubernetesSpec,
    /// Addresses, ports and ranges.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {}))]
    pub network_profile: Option<NetworkProfileSpec>,
    /// What is installed into the tenant's cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addons: Option<AddonsSpec>,
    /// When the control plane sleeps and wakes by itself. Not in Kamaji.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sleep_schedule: Option<SleepSchedule>,
}

impl TenantControlPlaneSpec {
    /// Pods that are asked for; 0 is asleep.
    #[must_use]
    pub fn replicas(&self) -> i32 {
        let deployment = self.control_plane.deployment.as_ref();
        deployment.and_then(|deployment| deployment.replicas).unwrap_or(DEFAULT_REPLICAS)
    }
}

/// Operations that the tenant's API server refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WritePermissions {
    /// Refuse the creation of objects.
    #[serde(default, skip_serializing_if = "is_default")]
    pub block_creation: bool,
    /// Refuse changes of objects.
    #[serde(default, skip_serializing_if = "is_default")]
    pub block_update: bool,
    /// Refuse the deletion of objects.
    #[serde(default, skip_serializing_if = "is_default")]
    pub block_deletion: bool,
}

impl WritePermissions {
    /// Whether any operation is refused.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.block_creation || self.block_update || self.block_deletion
    }
}

/// Keeps one resource in another `DataStore`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataStoreOverride {
    /// Resource as the API server's flag wants it: `group/resource`, `/events` for the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// `DataStore` that keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_store: Option<String>,
}
