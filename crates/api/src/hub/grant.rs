//! `Grant`: gives a user or a group a role somewhere.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who gets which role where.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "Grant",
    plural = "grants",
    category = "flotilla",
    derive = "Default",
    derive = "PartialEq",
    doc = "Gives a user or a group a role at the platform, a tenant, a project or a cluster, and for all below it.",
    printcolumn(name = "User", type_ = "string", json_path = ".spec.user"),
    printcolumn(name = "Group", type_ = "string", json_path = ".spec.group"),
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.role"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.scope.tenant"),
    printcolumn(name = "Project", type_ = "string", json_path = ".spec.scope.project"),
    printcolumn(name = "Cluster", type_ = "string", json_path = ".spec.scope.cluster"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self == oldSelf", "message": "a grant stays as it was made: its spec cannot be changed; create another Grant"},
    {"rule": "has(self.user) != has(self.group)", "message": "name either a user or a group"}
]))]
pub struct GrantSpec {
    /// Name of a User.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub user: Option<String>,
    /// A group as the hub calls it: `provider:group`, such as `corp:admins`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub group: Option<String>,
    /// Name of a Role or of a built-in one.
    #[schemars(length(min = 1, max = 253))]
    pub role: String,
    /// Where it holds.
    pub scope: GrantScope,
}

/// Where a grant holds: one of these; the whole platform if it is `{platform: true}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "[has(self.platform) && self.platform, has(self.tenant), has(self.project), has(self.cluster)].filter(x, x).size() == 1", "message": "name one place: platform, tenant, project or cluster"}
]))]
pub struct GrantScope {
    /// Everywhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub platform: bool,
    /// In a tenant and all below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub tenant: Option<String>,
    /// In the namespaces of a project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub project: Option<String>,
    /// In a cluster: `namespace.name` of a hosted one, the name of an imported one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub cluster: Option<String>,
}
