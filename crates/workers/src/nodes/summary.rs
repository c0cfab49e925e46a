//! What is worth knowing about a node, in one line.

use std::collections::BTreeMap;

use base::KubernetesVersion;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use serde::Serialize;

use crate::Error;

const ROLE: &str = "node-role.kubernetes.io/";
/// Most minor versions that a kubelet may be older than its API server.
const OLDEST_SKEW: u64 = 3;

/// A node in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// `Ready`, `NotReady` or `Unknown`.
    pub status: &'static str,
    /// When its kubelet was heard of last.
    pub last_heartbeat: Option<Timestamp>,
    /// Whether new pods come to it.
    pub schedulable: bool,
    /// Its roles.
    pub roles: Vec<String>,
    /// Version of its kubelet.
    pub version: String,
    /// What is wrong with that version beside the control plane's.
    pub warning: Option<String>,
    /// Container runtime with its version.
    pub runtime: String,
    /// Architecture of its processor.
    pub architecture: String,
    /// Its addresses by kind.
    pub addresses: BTreeMap<String, Vec<String>>,
    /// When it joined.
    pub created: Option<Timestamp>,
}

/// All nodes of a cluster.
pub async fn list(client: &Client) -> Result<Vec<Summary>, Error> {
    let version = client.apiserver_version().await.map_err(Error::request("ask the API server's version"))?;
    let nodes: Api<Node> = Api::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await.map_err(Error::request("list nodes"))?;
    let leases: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let leases = leases.list(&ListParams::default()).await.map_err(Error::request("list leases of nodes"))?;
    let renewed: BTreeMap<String, Timestamp> = leases
        .items
        .into_iter()
        .filter_map(|lease| Some((lease.name_any(), lease.spec?.renew_time?.0)))
        .collect();
    let control_plane = version.git_version;
    let summaries =
        nodes.iter().map(|node| summary(node, renewed.get(&node.name_any()).copied(), &control_plane));
    Ok(summaries.collect())
}

/// A node in short; `renewed` is when its lease was renewed last.
#[must_use]
pub fn summary(node: &Node, renewed: Option<Timestamp>, control_plane: &str) -> Summary {
    let status = node.status.clone().unwrap_or_default();
    let info = status.node_info.unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    let said = ready.and_then(|ready| ready.last_heartbeat_time.as_ref()).map(|time| time.0);
    let mut addresses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for address in status.addresses.into_iter().flatten() {
        addresses.entry(address.type_).or_default().push(address.address);
    }
    Summary {
        name: node.name_any(),
        status: match ready.map(|ready| ready.status.as_str()) {
            Some("True") => "Ready",
            Some("False") => "NotReady",
            _ => "Unknown",
        },
        last_heartbeat: renewed.max(said),
        schedulable: node.spec.as_ref().and_then(|spec| spec.unschedulable) != Some(true),
        roles: node.labels().keys().filter_map(|key| key.strip_prefix(ROLE)).map(str::to_owned).collect(),
        warning: skew_warning(&info.kubelet_version, control_plane),
        version: info.kubelet_version,
        runtime: info.container_runtime_version,
        architecture: info.architecture,
        addresses,
        created: node.creation_timestamp().map(|time| time.0),
    }
}

/// What is wrong with a kubelet's version beside that of the control plane, and what to do.
#[must_use]
pub fn skew_warning(kubelet: &str, control_plane: &str) -> Option<String> {
    let minor = |text: &str| text.parse::<KubernetesVersion>().ok().map(|version| version.minor());
    let (own, theirs) = (minor(kubelet)?, minor(control_plane)?);
    if own > theirs {
        return Some(format!(
            "kubelet {kubelet} is newer than the control plane ({control_plane}): upgrade the control plane first"
        ));
    }
    (theirs - own > OLDEST_SKEW).then(|| {
        format!("kubelet {kubelet} is more than {OLDEST_SKEW} minor versions older than the control plane ({control_plane}): upgrade the node")
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Node;
    use serde_json::json;

    use super::{skew_warning, summary};

    #[test]
    fn versions_that_do_not_go_together_are_warned_of() {
        assert_eq!(skew_warning("v1.36.3", "v1.36.3"), None);
        assert_eq!(skew_warning("v1.33.0", "v1.36.3"), None);
        assert_eq!(skew_warning("v1.36.9", "v1.36.3"), None, "patches do not matter");
        assert!(skew_warning("v1.37.0", "v1.36.3").unwrap().contains("newer"));
        assert!(skew_warning("v1.32.9", "v1.36.3").unwrap().contains("older"));
        assert_eq!(skew_warning("", "v1.36.3"), None);
    }

    #[test]
    fn the_newer_sign_of_life_counts_and_what_is_missing_is_unknown() {
        let node: Node = serde_json::from_value(json!({
            "metadata": { "name": "a", "labels": { "node-role.kubernetes.io/worker": "" } },
            "spec": { "unschedulable": true },
            "status": {
                "addresses": [
                    { "type": "InternalIP", "address": "10.0.0.1" }, { "type": "InternalIP", "address": "fd00::1" },
                ],
                "conditions": [
                    { "type": "Ready", "status": "False", "lastHeartbeatTime": "2026-01-01T00:00:00Z" },
                ],
            },
        }))
        .unwrap();
        let renewed = "2026-01-01T00:05:00Z".parse().unwrap();
        let known = summary(&node, Some(renewed), "v1.36.3");
        assert_eq!(
            (known.status, known.last_heartbeat, known.schedulable),
            ("NotReady", Some(renewed), false)
        );
        assert_eq!(known.roles, ["worker"]);
        assert_eq!(known.addresses["InternalIP"], ["10.0.0.1", "fd00::1"]);
        assert_eq!(summary(&Node::default(), None, "v1.36.3").status, "Unknown");
    }
}
