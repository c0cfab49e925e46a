//! `TenantBackup`, `TenantBackupSchedule` and `TenantRestore`: what a tenant's state is kept in beside its store.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod restore;
mod schedule;

pub use restore::{TenantRestore, TenantRestoreSpec, TenantRestoreStatus};
pub use schedule::{Retention, TenantBackupSchedule, TenantBackupScheduleSpec, TenantBackupScheduleStatus};

/// What is backed up, and where to.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "TenantBackup",
    plural = "tenantbackups",
    shortname = "tb",
    category = "flotilla",
    namespaced,
    status = "TenantBackupStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "One backup of a control plane's state, taken once: consistent, encrypted and read back.",
    printcolumn(name = "Control plane", type_ = "string", json_path = ".spec.tenantControlPlane"),
    printcolumn(
        name = "Completed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Completed\")].reason"
    ),
    printcolumn(name = "Objects", type_ = "integer", json_path = ".status.objects"),
    printcolumn(name = "Bytes", type_ = "integer", json_path = ".status.size"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{"rule": "self.tenantControlPlane == oldSelf.tenantControlPlane && self.target == oldSelf.target", "message": "a backup is taken once: tenantControlPlane and target cannot be changed"}]))]
pub struct TenantBackupSpec {
    /// Name of the control plane, in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub tenant_control_plane: String,
    /// Where the archive is kept.
    pub target: BackupTarget,
    /// What the archive is encrypted with.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub encryption: BackupEncryption,
    /// What becomes of the archive when this object is deleted.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub archive_policy: ArchivePolicy,
}

/// What becomes of an archive when its `TenantBackup` is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "a description of a variant would change the shape of the schema")]
pub enum ArchivePolicy {
    #[default]
    Keep,
    Delete,
}

/// Where archives are kept; exactly one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{"rule": "[has(self.directory), has(self.persistentVolumeClaim), has(self.s3)].filter(given, given).size() == 1", "message": "exactly one of directory, persistentVolumeClaim and s3 must be set"}]))]
pub struct BackupTarget {
    /// A directory of the node, below the one that the operator's setting `--backup-directory` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectoryTarget>,
    /// A volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<VolumeTarget>,
    /// A bucket that speaks S3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Target>,
}

/// The operator's directory; each namespace has a part of its own in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectoryTarget {}

/// A volume that archives are kept on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeTarget {
    /// Name of the claim, in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub claim_name: String,
}

/// A bucket that speaks S3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct S3Target {
    /// Address of the service, such as `https://s3.example.com`; AWS itself without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^https?://[^/]+/?$"))]
    pub endpoint: Option<String>,
    /// Region; `us-east-1` without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Name of the bucket.
    #[schemars(length(min = 1))]
    pub bucket: String,
    /// What the names of all objects begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Secret in the same namespace with the keys `accessKeyId` and `secretAccessKey`, and `ca.crt` if the
    /// service's certificate is signed by an authority of its own.
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: String,
}

/// The key of archives. The operator makes one for a control plane that has none, and keeps it when the
/// control plane is deleted; without it no archive can be read, so keep a copy elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupEncryption {
    /// Secret in the same namespace whose key `key` holds 32 bytes in base64; `<control plane>-backup-key`
    /// without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
}

/// How a backup stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantBackupStatus {
    /// Generation of the spec that this speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Completed`: the archive is in its place. `Verified`: it was read back and is whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Name of the archive in its target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, well or badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The moment that the archive shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Time>,
    /// Objects in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<i64>,
    /// Bytes of the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// The store's revision at that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// Milliseconds that it took to write the archive and read it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_milliseconds: Option<i64>,
    /// Fingerprint of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Version of Kubernetes that wrote the objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
}
