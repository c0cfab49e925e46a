//! `Tenant`: an organisation, or a part of one, that has clusters; tenants stand in a tree.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_default;

/// How long a tenant that leaves can be kept back, unless it says otherwise.
const DEFAULT_GRACE: SignedDuration = SignedDuration::from_hours(72);

/// Where a tenant stands, what it may have, and whether it may use it.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "Tenant",
    plural = "tenants",
    category = "flotilla",
    status = "TenantStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "An organisation, or a part of one. Its control planes live in its namespace; what it and all tenants \
           below it have together stays within its quota and those of the tenants above it.",
    printcolumn(name = "Parent", type_ = "string", json_path = ".spec.parent"),
    printcolumn(name = "State", type_ = "string", json_path = ".spec.state"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Namespace", type_ = "string", json_path = ".status.namespace"),
    printcolumn(name = "Clusters", type_ = "integer", json_path = ".status.total.clusters"),
    printcolumn(name = "Quota", type_ = "integer", json_path = ".spec.quota.clusters"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct TenantSpec {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// The tenant above it; at the top of the tree without it. Another one hands it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub parent: Option<String>,
    /// Where its control planes live; its own name if empty. It cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub namespace: Option<String>,
    /// What it and all tenants below it may have together.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quota: TenantQuota,
    /// Whether it and all tenants below it may use what they have.
    #[serde(default)]
    pub state: TenantState,
    /// How long it can be kept back after its state has become `Leaving`, such as `72h`.
    #[serde(default = "default_grace")]
    #[schemars(length(min = 2, max = 20), regex(pattern = "^([0-9]{1,7}h)?([0-9]{1,7}m)?([0-9]{1,7}s)?$"))]
    pub deletion_grace_period: String,
}

fn default_grace() -> String {
    "72h".to_owned()
}

impl Default for TenantSpec {
    fn default() -> Self {
        Self {
            display_name: None,
            parent: None,
            namespace: None,
            quota: TenantQuota::default(),
            state: TenantState::default(),
            deletion_grace_period: default_grace(),
        }
    }
}

impl TenantSpec {
    /// How long it can be kept back. The schema refuses what cannot be read.
    #[must_use]
    pub fn grace(&self) -> SignedDuration {
        self.deletion_grace_period.parse().unwrap_or(DEFAULT_GRACE)
    }
}

impl Tenant {
    /// The namespace that is wanted for its control planes.
    #[must_use]
    pub fn wanted_namespace(&self) -> String {
        self.spec.namespace.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| self.name_any())
    }
}

/// Whether a tenant may use what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TenantState {
    /// It may.
    #[default]
    Active,
    /// Its control planes sleep, and it gets no more.
    Suspended,
    /// The same, and it is deleted when its grace period is over.
    Leaving,
}

/// What a tenant and all below it may have. What is not named is limited from above only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantQuota {
    /// Clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub clusters: Option<i32>,
    /// Pods of control planes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub control_plane_replicas: Option<i32>,
    /// CPU that the specs of control planes request, for all their pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// Memory that the specs of control planes request, for all their pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// Nodes of hosted clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub workers: Option<i32>,
    /// Versions of Kubernetes, as `v1.36` with all its patches or `v1.36.3`; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(regex(pattern = "^v[0-9]+\\.[0-9]+(\\.[0-9]+)?$")))]
    pub versions: Vec<String>,
    /// DataStores; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 253)))]
    pub data_stores: Vec<String>,
}

/// How a tenant stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// Generation of the spec that this speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: its namespace is there and it may use what it has. `WithinQuota`: it and those below it have no
    /// more than its quota.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Where its control planes live, once the namespace is its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The tenants above it, from the top.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<String>,
    /// How many tenants are directly below it.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub children: i32,
    /// What it has by itself.
    #[serde(default)]
    pub own: TenantUsage,
    /// What it and all below it have.
    #[serde(default)]
    pub total: TenantUsage,
    /// When its own grace period is over and it is deleted, unless its state changes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves_at: Option<Time>,
}

/// What there is of everything that quotas limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantUsage {
    /// Clusters.
    #[serde(default)]
    pub clusters: i64,
    /// Pods of control planes.
    #[serde(default)]
    pub control_plane_replicas: i64,
    /// CPU.
    #[serde(default)]
    pub cpu: Quantity,
    /// Memory.
    #[serde(default)]
    pub memory: Quantity,
    /// Nodes of hosted clusters; counted while a quota limits them.
    #[serde(default)]
    pub workers: i64,
}

#[cfg(test)]
mod tests {
    use super::{Tenant, TenantSpec, TenantState};
    use serde_json::json;

    #[test]
    fn what_is_left_out_is_filled_in() {
        let spec: TenantSpec = serde_json::from_value(json!({})).unwrap();
        assert_eq!((spec.state, spec.grace().as_hours()), (TenantState::Active, 72));
        assert_eq!(spec, TenantSpec::default());
        let tenant = Tenant::new("acme", spec);
        assert_eq!(tenant.wanted_namespace(), "acme");
        let spec = TenantSpec { namespace: Some("acme-clusters".to_owned()), ..TenantSpec::default() };
        assert_eq!(Tenant::new("acme", spec).wanted_namespace(), "acme-clusters");
    }
}
