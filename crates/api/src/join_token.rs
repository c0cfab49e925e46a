//! `JoinToken`: lets workers join a control plane, for a time and a number of nodes.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a token lasts that names no time.
const DEFAULT_TTL: SignedDuration = SignedDuration::from_hours(24);

/// Which control plane workers may join, how long and how many.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "JoinToken",
    plural = "jointokens",
    shortname = "jt",
    category = "flotilla",
    namespaced,
    status = "JoinTokenStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Lets workers join a control plane: the token and the command stand in the Secret that the status \
           names, and requests of new nodes are approved until the token has expired, is used up or is deleted.",
    printcolumn(name = "Control plane", type_ = "string", json_path = ".spec.tenantControlPlane"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Uses", type_ = "integer", json_path = ".status.uses"),
    printcolumn(name = "Max", type_ = "integer", json_path = ".spec.maxUses"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.secretName", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "a token stays as it was made: its spec cannot be changed; create another JoinToken"}]))]
pub struct JoinTokenSpec {
    /// Name of the control plane, in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub tenant_control_plane: String,
    /// How long the token lasts from the creation of this object, such as `90m` or `24h`; 1m to 720h.
    #[serde(default = "default_ttl")]
    #[schemars(
        length(min = 2, max = 20),
        regex(pattern = "^([0-9]{1,7}h)?([0-9]{1,7}m)?([0-9]{1,7}s)?$"),
        extend("x-kubernetes-validations" = [{"rule": "duration(self) >= duration('1m') && duration(self) <= duration('720h')", "message": "must be between 1m and 720h"}])
    )]
    pub ttl: String,
    /// How many nodes may join; any number until the token expires without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_uses: Option<i32>,
}

fn default_ttl() -> String {
    "24h".to_owned()
}

impl Default for JoinTokenSpec {
    fn default() -> Self {
        Self { tenant_control_plane: String::new(), ttl: default_ttl(), max_uses: None }
    }
}

impl JoinTokenSpec {
    /// How long the token lasts. The schema refuses what cannot be read.
    #[must_use]
    pub fn lasts(&self) -> SignedDuration {
        self.ttl.parse().unwrap_or(DEFAULT_TTL)
    }
}

/// How a token stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinTokenStatus {
    /// Generation of the spec that this speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: workers can join with the token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The public part of the token, by which the tenant's cluster knows it.
    #[serde(rename = "tokenID", skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// When the token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Secret in the same namespace with the token and the command; gone when the token has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// How many requests of nodes were granted.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub uses: i32,
    /// The last 100 requests that were granted, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<JoinedNode>,
}

/// A request of a node that was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinedNode {
    /// Name of the node.
    pub name: String,
    /// Name of its `CertificateSigningRequest` in the tenant's cluster.
    pub csr: String,
    /// UID of the request: one that comes again is a new use.
    pub uid: String,
    /// When it was granted.
    pub time: Time,
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::JoinTokenSpec;

    #[test]
    fn a_time_is_read_as_go_writes_it() {
        let lasts = |ttl: &str| JoinTokenSpec { ttl: ttl.to_owned(), ..JoinTokenSpec::default() }.lasts();
        assert_eq!(lasts("24h"), SignedDuration::from_hours(24));
        assert_eq!(lasts("1h30m0s"), SignedDuration::from_mins(90));
        assert_eq!(lasts("90m"), SignedDuration::from_mins(90));
    }
}
