//! `Project`: namespaces of one or several clusters that share members.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which namespaces it has, and whose it is.
#[expect(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "Project",
    plural = "projects",
    category = "flotilla",
    derive = "Default",
    derive = "PartialEq",
    doc = "Namespaces of one or several clusters of a tenant. A grant at a project holds in all of them.",
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSpec {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// The tenant that it belongs to. It cannot be changed.
    #[schemars(
        length(min = 1, max = 63),
        extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "a project stays in its tenant; create another Project"}])
    )]
    pub tenant: String,
    /// Its namespaces, in clusters of its tenant, of those below it, or of those above it that share theirs. Others are
    /// not heeded, nor are those that an older project has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub namespaces: Vec<ProjectNamespace>,
    /// What each of its namespaces may use at most, by the names of a Kubernetes `ResourceQuota`: `requests.cpu`,
    /// `limits.memory`, `pods`, `count/deployments.apps`. Names and amounts that Kubernetes has not are not heeded.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub quota: BTreeMap<String, String>,
}

/// A namespace of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectNamespace {
    /// Id of the cluster: `namespace.name` of a hosted one, the name of an imported one.
    #[schemars(length(min = 1, max = 127))]
    pub cluster: String,
    /// Name of the namespace inside it.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
}
