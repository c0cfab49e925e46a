//! `TenantRestore`: brings a backup back, into its control plane or into a new one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BackupEncryption, BackupTarget};

/// What is restored, and where to.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "TenantRestore",
    plural = "tenantrestores",
    shortname = "tr",
    category = "flotilla",
    namespaced,
    status = "TenantRestoreStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Brings a backup back once, into the control plane that it names: its pods end first, its contents \
           become those of the backup, then it goes on. A control plane annotated with flotilla.dev/hold \
           before its first start becomes a clone.",
    printcolumn(name = "Control plane", type_ = "string", json_path = ".spec.tenantControlPlane"),
    printcolumn(
        name = "Completed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Completed\")].reason"
    ),
    printcolumn(name = "Objects", type_ = "integer", json_path = ".status.objects"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self == oldSelf", "message": "a restore is done once: its spec cannot be changed"},
    {"rule": "has(self.backup) != has(self.target) && has(self.target) == has(self.archive)", "message": "either backup, or target and archive must be set"}
]))]
pub struct TenantRestoreSpec {
    /// Name of the control plane that gets the contents, in the same namespace. One that does not exist is
    /// made like the one that was backed up.
    #[schemars(length(min = 1, max = 253))]
    pub tenant_control_plane: String,
    /// Name of the `TenantBackup`, in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// Where the archive is, if no `TenantBackup` tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<BackupTarget>,
    /// Name of the archive in `target`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// What the archive is encrypted with; the backup's own without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<BackupEncryption>,
}

/// How a restore stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantRestoreStatus {
    /// Generation of the spec that this speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Completed`: the control plane has the contents of the backup and may run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, well or badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// Objects that the backup held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<i64>,
    /// Milliseconds that reading the backup and writing the contents took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_milliseconds: Option<i64>,
}
