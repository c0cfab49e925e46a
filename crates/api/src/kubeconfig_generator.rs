//! `KubeconfigGenerator`: kubeconfigs for many control planes at once.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which control planes get a kubeconfig, and for whom.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kamaji.clastix.io",
    version = "v1alpha1",
    kind = "KubeconfigGenerator",
    plural = "kubeconfiggenerators",
    shortname = "kc",
    category = "kamaji",
    status = "KubeconfigGeneratorStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Makes a kubeconfig for a user in every control plane that it selects.",
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Age"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct KubeconfigGeneratorSpec {
    /// Namespaces in which control planes are selected; empty selects all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub namespace_selector: Option<LabelSelector>,
    /// Control planes that are selected; empty selects all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub tenant_control_plane_selector: Option<LabelSelector>,
    /// Groups of the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<CompoundValue>,
    /// Name of the user.
    pub user: CompoundValue,
    /// Key of the administrator's kubeconfig Secret that the server's address is taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "admin.svc"))]
    pub control_plane_endpoint_from: Option<String>,
}

/// A fixed text, or one taken from the control plane; exactly one of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{"rule": "(has(self.stringValue) || has(self.fromDefinition)) && !(has(self.stringValue) && has(self.fromDefinition))", "message": "Either stringValue or fromDefinition must be set, but not both."}]))]
pub struct CompoundValue {
    /// A fixed text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// Path of a text in the control plane's object, such as `metadata.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_definition: Option<String>,
}

/// The observed state of a generator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeconfigGeneratorStatus {
    /// Generation of the spec that was last brought about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Number of selected control planes.
    #[schemars(extend("default" = 0))]
    pub resources: i64,
    /// Number of kubeconfigs that exist.
    #[schemars(extend("default" = 0))]
    pub available_resources: i64,
    /// What failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<KubeconfigGeneratorStatusError>,
}

/// A kubeconfig that could not be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KubeconfigGeneratorStatusError {
    /// Control plane, `namespace/name`.
    pub resource: String,
    /// What failed.
    pub message: String,
}
