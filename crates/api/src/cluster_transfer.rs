//! `ClusterTransfer`: gives a hosted cluster to another tenant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_default;

/// Which control plane is given to whom.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "ClusterTransfer",
    plural = "clustertransfers",
    shortname = "ct",
    category = "flotilla",
    status = "ClusterTransferStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Gives a control plane to another tenant once: its pods end, then it goes on in the namespace of that \
           tenant, with the same contents, authorities and keys. If that cannot be, it goes on where it was.",
    printcolumn(name = "From", type_ = "string", json_path = ".spec.from.namespace"),
    printcolumn(name = "Control plane", type_ = "string", json_path = ".spec.from.name"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(
        name = "Completed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Completed\")].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self == oldSelf", "message": "a transfer is done once: its spec cannot be changed"}
]))]
pub struct ClusterTransferSpec {
    /// The control plane that is given away.
    pub from: TransferredControlPlane,
    /// The tenant that gets it.
    #[schemars(length(min = 1, max = 63))]
    pub tenant: String,
    /// What it is called there; as before without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub name: Option<String>,
}

/// A control plane by where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferredControlPlane {
    /// Its namespace.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// How a transfer stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTransferStatus {
    /// Generation of the spec that this speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Completed`: the tenant has the control plane and it may run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, well or badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// UID of the control plane that is given away: another of its name is left alone.
    #[serde(rename = "sourceUID", skip_serializing_if = "Option::is_none")]
    pub source_uid: Option<String>,
    /// Where it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<TransferDestination>,
    /// What the store has of it belongs to the one at the destination. From here on the transfer is not undone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub handed_over: bool,
}

/// The control plane that was made for the tenant who gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferDestination {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}
