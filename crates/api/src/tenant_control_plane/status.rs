//! The observed state of a control plane.
//!
//! Objects inside the status are always written, empty ones too, as Kamaji does: its readers follow
//! paths such as `status.kubeconfig.admin.secretName` without looking whether each step exists.

use k8s_openapi::api::apps::v1::DeploymentCondition;
use k8s_openapi::api::core::v1::LoadBalancerStatus;
use k8s_openapi::api::networking::v1::IngressLoadBalancerStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AgentMode, GatewayStatus, SleepScheduleStatus};
use crate::is_default;

/// The observed state of a control plane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TenantControlPlaneStatus {
    /// Generation of the spec that was last brought about completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What holds of the control plane now, each with cause and next step; `Ready` sums them up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Where the tenant's state is kept.
    pub storage: StorageStatus,
    /// Secrets with certificates.
    pub certificates: CertificatesStatus,
    /// Secrets with kubeconfigs.
    pub kubeconfig: KubeconfigsStatus,
    /// When the certificates of the control plane end. They are renewed before by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub certificate_ends: Vec<CertificateEnd>,
    /// Objects in the management cluster.
    pub kubernetes_resources: KubernetesResourcesStatus,
    /// The configuration that kubeadm would have.
    pub kubeadmconfig: KubeadmConfigStatus,
    /// Steps of kubeadm that were done in the tenant's cluster.
    pub kubeadm_phase: KubeadmPhasesStatus,
    /// Address of the API server, `address:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_plane_endpoint: Option<String>,
    /// How many nodes were counted; only while a quota of a tenant limits them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub workers: Option<i32>,
    /// Addons in the tenant's cluster.
    pub addons: AddonsStatus,
    /// How its schedule of sleep stands, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sleep_schedule: Option<SleepScheduleStatus>,
}

/// When a certificate ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateEnd {
    /// What it is of, as the label `kamaji.clastix.io/component` of its Secret says.
    pub name: String,
    /// Last moment of its validity; in a Secret with several, of the first that ends.
    pub not_after: Time,
}

/// A Secret and the checksum of its data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretStatus {
    /// Name of the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// When the data last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
    /// Checksum of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// Where the tenant's state is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageStatus {
    /// Driver of the `DataStore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// `DataStore` in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_store_name: Option<String>,
    /// Secret with the connection's settings.
    pub config: StorageConfigStatus,
    /// Database and user.
    pub setup: StorageSetupStatus,
    /// Secret with the connection's certificate.
    pub certificate: SecretStatus,
    /// Further `DataStore`s that hold, or held, resources of `spec.dataStoreOverrides`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    /// The move to another `DataStore` that is under way, or was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationStatus>,
}

/// A move to another `DataStore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationStatus {
    /// `DataStore` that is left.
    pub from: String,
    /// `DataStore` that is moved to.
    pub to: String,
    /// How far the move is.
    pub phase: MigrationPhase,
    /// When it began.
    pub started_at: Time,
    /// Generation of the spec that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// Its time limit when it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_up_after: Option<String>,
}

/// How far a move to another `DataStore` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "a description of a variant would change the shape of the schema")]
pub enum MigrationPhase {
    Copying,
    Freezing,
    Frozen,
    Switched,
    GivenUp,
}

/// Secret with the connection's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageConfigStatus {
    /// Name of the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// Checksum of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// Database and user of the tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageSetupStatus {
    /// Database, key prefix or bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// User.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When they were last set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
    /// Checksum of the settings they were set up with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// Secrets with certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CertificatesStatus {
    /// Certificate authority of the cluster.
    pub ca: SecretStatus,
    /// Certificate of the API server.
    pub api_server: SecretStatus,
    /// Certificate by which the API server speaks to kubelets.
    pub api_server_kubelet_client: SecretStatus,
    /// Certificate authority of the front proxy.
    #[serde(rename = "frontProxyCA")]
    pub front_proxy_ca: SecretStatus,
    /// Certificate of the front proxy.
    pub front_proxy_client: SecretStatus,
    /// Key pair for service-account tokens.
    pub sa: SecretStatus,
    /// Not filled; kept because old objects may have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etcd: Option<EtcdCertificatesStatus>,
}

/// Not filled; kept because old objects may have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EtcdCertificatesStatus {
    /// Client certificate of the API server.
    pub api_server: SecretStatus,
    /// Certificate authority of etcd.
    pub ca: SecretStatus,
}

/// Secrets with kubeconfigs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeconfigsStatus {
    /// Of the administrator.
    pub admin: SecretStatus,
    /// Of the controller manager.
    pub controller_manager: SecretStatus,
    /// Of the scheduler.
    pub scheduler: SecretStatus,
}

/// The configuration that kubeadm would have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeadmConfigStatus {
    /// Name of the `ConfigMap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configmap_name: Option<String>,
    /// When the data last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
    /// Checksum of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// Steps of kubeadm that were done in the tenant's cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeadmPhasesStatus {
    /// What joining workers need.
    pub bootstrap_token: KubeadmPhaseStatus,
}

/// One step of kubeadm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeadmPhaseStatus {
    /// Checksum of what was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
}

/// Objects in the management cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubernetesResourcesStatus {
    /// Version that runs and state of the control plane.
    pub version: VersionStatus,
    /// The Deployment; absent until it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentStatus>,
    /// The Service; absent until it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceStatus>,
    /// The Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressStatus>,
    /// The route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayStatus>,
}

/// Version that runs and state of the control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VersionStatus {
    /// Version that last ran completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// State of the control plane.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Provisioning"))]
    pub status: Option<VersionState>,
}

/// State of a control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "a description of a variant would change the shape of the schema")]
pub enum VersionState {
    Unknown,
    Provisioning,
    CertificateAuthorityRotating,
    Upgrading,
    Migrating,
    Ready,
    NotReady,
    Sleeping,
    WriteLimited,
}

impl VersionState {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Provisioning => "Provisioning",
            Self::CertificateAuthorityRotating => "CertificateAuthorityRotating",
            Self::Upgrading => "Upgrading",
            Self::Migrating => "Migrating",
            Self::Ready => "Ready",
            Self::NotReady => "NotReady",
            Self::Sleeping => "Sleeping",
            Self::WriteLimited => "WriteLimited",
        }
    }
}

/// The Deployment: its own status, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentStatus {
    /// Available pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_replicas: Option<i32>,
    /// Collisions of the template's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i32>,
    /// Conditions of the Deployment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<DeploymentCondition>,
    /// Generation that the Deployment controller has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,
    /// Pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Pods that are ending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminating_replicas: Option<i32>,
    /// Missing or unavailable pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable_replicas: Option<i32>,
    /// Pods of the newest template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_replicas: Option<i32>,
    /// Label selector of the pods, for the scale subresource.
    pub selector: String,
    /// Name of the Deployment.
    pub name: String,
    /// Namespace of the Deployment.
    pub namespace: String,
    /// When the Deployment last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
}

/// The Service: its own status, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Conditions of the Service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What the load balancer handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancerStatus>,
    /// Name of the Service.
    pub name: String,
    /// Namespace of the Service.
    pub namespace: String,
    /// Port of the Service.
    pub port: i32,
}

/// The Ingress: its own status, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressStatus {
    /// What the load balancer handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<IngressLoadBalancerStatus>,
    /// Name of the Ingress.
    pub name: String,
    /// Namespace of the Ingress.
    pub namespace: String,
}

/// Addons in the tenant's cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AddonsStatus {
    /// Cluster DNS.
    #[serde(rename = "coreDNS")]
    pub core_dns: AddonStatus,
    /// Service routing on the workers.
    pub kube_proxy: AddonStatus,
    /// Tunnel to the workers.
    pub konnectivity: KonnectivityStatus,
}

/// One addon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddonStatus {
    /// Whether the addon is on.
    pub enabled: bool,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
}

/// The tunnel to the workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KonnectivityStatus {
    /// Whether the addon is on.
    pub enabled: bool,
    /// Configuration of the API server's side.
    #[serde(rename = "configMap", default)]
    pub config_map: KonnectivityConfigMapStatus,
    /// Secret with the certificate.
    #[serde(default)]
    pub certificate: SecretStatus,
    /// Secret with the kubeconfig.
    #[serde(default)]
    pub kubeconfig: SecretStatus,
    /// Service account of the agents.
    #[serde(default)]
    pub sa: ObjectStatus,
    /// Rights of the server.
    #[serde(default)]
    pub clusterrolebinding: ObjectStatus,
    /// The agents.
    #[serde(default)]
    pub agent: KonnectivityAgentStatus,
    /// Service that the agents connect to; absent until it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceStatus>,
    /// Route that the agents connect to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayStatus>,
}

/// Configuration of the tunnel on the API server's side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KonnectivityConfigMapStatus {
    /// Name of the `ConfigMap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Checksum of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// An object in the tenant's cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectStatus {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
}

/// The agents of the tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KonnectivityAgentStatus {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Time>,
    /// Kind of the workload.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(with = "Option<String>")]
    pub mode: Option<AgentMode>,
}
