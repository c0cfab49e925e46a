//! The custom resources of the platform and everything that can be said about one from its text alone.
//!
//! `kamaji.clastix.io/v1alpha1` is taken over from CLASTIX Kamaji to the letter, so that manifests,
//! `GitOps` repositories and Cluster API providers written for it keep working; what we add is optional.
//!
//! - the types: [`TenantControlPlane`], [`DataStore`], [`KubeconfigGenerator`] and what they are made of;
//! - [`TenantBackup`], [`TenantBackupSchedule`], [`TenantRestore`], [`JoinToken`], [`Tenant`], [`ClusterTransfer`],
//!   [`Cluster`], [`Project`], [`Role`], [`Grant`], [`User`], [`IdentityProvider`], [`Template`] and [`HubSettings`],
//!   which are ours
//!   (`flotilla.dev`);
//! - [`crds`]: their definitions as the API server of the management cluster wants them;
//! - [`names`]: labels, annotations, finalizers and names of the objects made for a control plane;
//! - [`gateway_api`]: the routes and gateways of Gateway API, which are not ours;
//! - [`condition`]: the vocabulary of conditions and how one is set;
//! - [`validation`] and [`defaulting`]: the rules that admission and reconciliation share;
//! - [`new_cluster`] and [`templating`]: how the spec of a new control plane is put together, from scratch or by a template.
//!
//! The crate never talks to a cluster and never reads the clock.

pub mod condition;
pub mod defaulting;
pub mod gateway_api;
pub mod names;
pub mod new_cluster;
pub mod templating;
pub mod validation;

mod backup;
mod cluster_transfer;
mod data_store;
mod hub;
mod join_token;
mod kubeconfig_generator;
mod schema;
mod tenant;
mod tenant_control_plane;

pub use backup::{
    ArchivePolicy, BackupEncryption, BackupTarget, DirectoryTarget, Retention, S3Target, TenantBackup,
    TenantBackupSchedule, TenantBackupScheduleSpec, TenantBackupScheduleStatus, TenantBackupSpec,
    TenantBackupStatus, TenantRestore, TenantRestoreSpec, TenantRestoreStatus, VolumeTarget,
};
pub use cluster_transfer::{
    ClusterTransfer, ClusterTransferSpec, ClusterTransferStatus, TransferDestination, TransferredControlPlane,
};
pub use data_store::{
    BasicAuth, CertificateAuthorityRef, ClientCertificateRef, ContentRef, DataStore, DataStoreSpec,
    DataStoreStatus, Driver, SecretKeyRef, TlsConfig,
};
pub use hub::{
    Branding, Cluster, ClusterConnection, ClusterNodes, ClusterResources, ClusterSpec, ClusterStatus, Grant,
    GrantScope, GrantSpec, HUB_SETTINGS, HubSettings, HubSettingsSpec, IdentityProvider,
    IdentityProviderSpec, LdapProvider, OidcProvider, ParameterType, Project, ProjectNamespace, ProjectSpec,
    Role, RoleRule, RoleSpec, SignInSettings, Template, TemplateParameter, TemplateSpec, TemplateVersion,
    User, UserSpec, hard_limits, quota_fault,
};
pub use join_token::{JoinToken, JoinTokenSpec, JoinTokenStatus, JoinedNode};
pub use kubeconfig_generator::{
    CompoundValue, KubeconfigGenerator, KubeconfigGeneratorSpec, KubeconfigGeneratorStatus,
    KubeconfigGeneratorStatusError,
};
pub use schema::crds;
pub use tenant::{Tenant, TenantQuota, TenantSpec, TenantState, TenantStatus, TenantUsage};
pub use tenant_control_plane::{
    AdditionalMetadata, AdditionalPort, AdditionalVolumeMounts, AddonSpec, AddonStatus, AddonsSpec,
    AddonsStatus, AgentMode, CertificateEnd, CertificatesStatus, CgroupDriver, ComponentExtraArgs,
    ComponentProbes, ComponentResources, ComponentSecurityContexts, ControlPlaneSpec, DEFAULT_CLUSTER_DOMAIN,
    DEFAULT_PORT, DEFAULT_REPLICAS, DataStoreOverride, DeploymentSpec, DeploymentStatus,
    EtcdCertificatesStatus, GatewayAccessPoint, GatewaySpec, GatewayStatus, IngressSpec, IngressStatus,
    JsonPatch, JsonPatchOperation, KonnectivityAgentSpec, KonnectivityAgentStatus,
    KonnectivityConfigMapStatus, KonnectivityServerSpec, KonnectivitySpec, KonnectivityStatus, KubeProxySpec,
    KubeadmConfigStatus, KubeadmPhaseStatus, KubeadmPhasesStatus, KubeconfigsStatus, KubeletSpec,
    KubernetesResourcesStatus, KubernetesSpec, MigrationPhase, MigrationStatus, NetworkProfileSpec,
    ObjectStatus, ParentReference, PortProtocol, PreferredAddressType, ProbeSet, ProbeSpec, RegistrySettings,
    RouteParentStatus, SecretStatus, ServiceSpec, ServiceStatus, ServiceType, SleepAction, SleepRefusal,
    SleepSchedule, SleepScheduleStatus, StorageConfigStatus, StorageSetupStatus, StorageStatus,
    TenantControlPlane, TenantControlPlaneSpec, TenantControlPlaneStatus, VersionState, VersionStatus,
    WritePermissions,
};

/// Whether a value is what its type starts with, and therefore not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
