//! `Template`: what a tenant's people make clusters from.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whose it is, who may use it, and its versions.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "Template",
    plural = "templates",
    category = "flotilla",
    derive = "Default",
    derive = "PartialEq",
    doc = "What clusters are made from: a control plane with parameters, in versions that do not change once they are \
           published.",
    validation = Rule::new("self.metadata.name.size() <= 63").message("must have at most 63 characters, since clusters bear it as a label"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName"),
    printcolumn(name = "Shared", type_ = "boolean", json_path = ".spec.shareDown"),
    printcolumn(name = "Versions", type_ = "string", json_path = ".spec.versions[*].version"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.tenant) == has(oldSelf.tenant) && (!has(self.tenant) || self.tenant == oldSelf.tenant)", "message": "a template stays in its tenant; create another Template"}
]))]
pub struct TemplateSpec {
    /// The tenant that it belongs to; the platform without it. It cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub tenant: Option<String>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// What it is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Whether tenants below may use it; of the platform's, whether any may.
    #[serde(default = "shared")]
    pub share_down: bool,
    /// Its versions. They can be added, deprecated and removed; what is published does not change.
    #[schemars(
        length(min = 1, max = 32),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["version"])
    )]
    pub versions: Vec<TemplateVersion>,
}

impl Default for TemplateSpec {
    fn default() -> Self {
        Self {
            tenant: None,
            display_name: None,
            description: None,
            share_down: shared(),
            versions: Vec::new(),
        }
    }
}

fn shared() -> bool {
    true
}

/// A version of a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateVersion {
    /// One to three numbers, such as `1`, `1.2` or `1.2.3`. The highest that is not deprecated is the newest.
    #[schemars(length(max = 32), regex(pattern = r"^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,2}$"))]
    pub version: String,
    /// If it is there, the version is used only where it is named. Says why, and what to take instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub deprecated: Option<String>,
    /// What whoever makes a cluster may say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub parameters: Vec<TemplateParameter>,
    /// Spec of the `TenantControlPlane`, merged over what clusters have otherwise. In texts `${name}` stands for a
    /// parameter and `$${` for `${`. A text that is nothing but `${name}` becomes the value, with its type; the field is
    /// left out if nothing is said.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::any_object")]
    pub control_plane: Map<String, Value>,
    /// Fields of the spec that clusters have otherwise and these have not, such as `addons.kubeProxy`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 253)))]
    pub without: Vec<String>,
    /// Labels of the cluster, with parameters as in `controlPlane`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub labels: BTreeMap<String, String>,
}

/// A parameter of a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateParameter {
    /// Its name.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9_-]*$"))]
    pub name: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// What it is if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::any_value")]
    pub default: Option<Value>,
    /// Whether something must be said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Least `integer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// Greatest `integer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// Regular expression that a `string` as a whole matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub pattern: Option<String>,
    /// Fewest characters of a `string`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4096))]
    pub min_length: Option<i32>,
    /// Most characters of a `string`; 4096 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4096))]
    pub max_length: Option<i32>,
    /// What a `choice` is chosen from; of a `version`, which may be chosen, all that can be run without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 253)))]
    pub choices: Vec<String>,
}

/// What the values of a parameter are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// One of some texts.
    Choice,
    /// A version of Kubernetes.
    Version,
}
