//! `Role`: a set of rules beside the built-in ones.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a role allows.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "Role",
    plural = "roles",
    category = "flotilla",
    derive = "Default",
    derive = "PartialEq",
    doc = "What may be done with the hub's objects and inside clusters. Grants give it to users and groups. The names \
           of built-in roles cannot be taken.",
    validation = Rule::new("!self.metadata.name.startsWith('system-')").message("names that begin with system- are the hub's own"),
    validation = Rule::new("!(self.metadata.name in ['platform-admin', 'auditor', 'tenant-owner', 'cluster-owner', 'project-owner', 'project-member', 'read-only'])").message("there is a built-in role of this name, which cannot be changed"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct RoleSpec {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// The tenant in which it may be given; everywhere without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub tenant: Option<String>,
    /// What it allows with the hub's objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub hub: Vec<RoleRule>,
    /// What it allows inside clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub cluster: Vec<RoleRule>,
}

/// A rule as in Kubernetes' RBAC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleRule {
    /// Verbs, `*` for all.
    #[schemars(length(min = 1, max = 64))]
    pub verbs: Vec<String>,
    /// API groups, empty text for the core group and for the hub's objects, `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub api_groups: Vec<String>,
    /// Resources, `pods/log` for a subresource, `*` for all.
    #[schemars(length(min = 1, max = 64))]
    pub resources: Vec<String>,
    /// Names of objects; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub resource_names: Vec<String>,
}
