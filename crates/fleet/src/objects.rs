//! What stands in the clusters: the same in each at first, then what was written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use uplink::{IDENTITY_SECRET, NAMESPACE, PROJECT_GROUPS_ROLE};

const VERSION: &str = "v1.36.3";
const NODES: usize = 3;

/// Objects by cluster and path.
#[derive(Clone, Default)]
pub(crate) struct Objects(Arc<Mutex<HashMap<(usize, String), Value>>>);

impl Objects {
    pub(crate) fn get(&self, cluster: usize, path: &str) -> Option<Value> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.get(&(cluster, path.to_owned())).cloned().or_else(|| at_first(cluster, path))
    }

    /// Writes an object over what is there, field by field. Answers with what it is then.
    pub(crate) fn put(&self, cluster: usize, path: &str, body: &[u8]) -> Option<Value> {
        let wanted: Value = serde_json::from_slice(body).ok()?;
        let mut object = self.get(cluster, path).unwrap_or_else(|| json!({}));
        merge(&mut object, encoded(wanted));
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((cluster, path.to_owned()), object.clone());
        Some(object)
    }
}

/// A JSON merge patch (RFC 7396).
fn merge(object: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *object = patch;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    for (name, value) in fields {
        match object.as_object_mut() {
            Some(all) if value.is_null() => drop(all.remove(&name)),
            Some(all) => merge(all.entry(name).or_insert(Value::Null), value),
            None => {}
        }
    }
}

/// Texts of a Secret as the API server keeps them.
fn encoded(mut patch: Value) -> Value {
    let Some(Value::Object(texts)) = patch.as_object_mut().and_then(|patch| patch.remove("stringData"))
    else {
        return patch;
    };
    let data: Map<String, Value> = texts
        .into_iter()
        .map(|(name, text)| (name, STANDARD.encode(text.as_str().unwrap_or_default()).into()))
        .collect();
    merge(&mut patch, json!({ "data": data }));
    patch
}

fn at_first(cluster: usize, path: &str) -> Option<Value> {
    let list = |version: &str, kind: &str, items: Vec<Value>| {
        json!({
            "apiVersion": version, "kind": format!("{kind}List"), "metadata": { "resourceVersion": "1" },
            "items": items,
        })
    };
    let rbac = "rbac.authorization.k8s.io/v1";
    let secret = format!("/api/v1/namespaces/{NAMESPACE}/secrets/{IDENTITY_SECRET}");
    let role = format!("/apis/{rbac}/clusterroles/{PROJECT_GROUPS_ROLE}");
    match path {
        "/version" => Some(json!({
            "major": "1", "minor": "36", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.26", "compiler": "gc", "platform": "linux/amd64",
        })),
        "/api/v1/nodes" => Some(list("v1", "Node", (0..NODES).map(node).collect())),
        "/api/v1/namespaces/kube-system" => Some(json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": "kube-system", "uid": format!("cluster-{cluster}") },
        })),
        "/apis/rbac.authorization.k8s.io/v1/clusterroles" => Some(list(rbac, "ClusterRole", Vec::new())),
        "/apis/rbac.authorization.k8s.io/v1/rolebindings" => Some(list(rbac, "RoleBinding", Vec::new())),
        "/api/v1/resourcequotas" => Some(list("v1", "ResourceQuota", Vec::new())),
        path if path == secret => Some(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": IDENTITY_SECRET, "namespace": NAMESPACE },
        })),
        path if path == role => Some(json!({
            "apiVersion": rbac, "kind": "ClusterRole", "metadata": { "name": PROJECT_GROUPS_ROLE }, "rules": [],
        })),
        _ => None,
    }
}

fn node(number: usize) -> Value {
    json!({
        "metadata": { "name": format!("worker-{number}"), "resourceVersion": "1" },
        "status": {
            "capacity": { "cpu": "8", "memory": "32Gi", "pods": "110" },
            "allocatable": { "cpu": "7900m", "memory": "31Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Objects;

    #[test]
    fn clusters_share_nothing_and_keep_what_is_written() {
        let objects = Objects::default();
        let path = "/api/v1/namespaces/flotilla-agent/secrets/flotilla-agent-identity";
        assert!(objects.get(0, "/api/v1/nodes").unwrap()["items"].as_array().unwrap().len() == 3);
        let wanted = json!({ "stringData": { "token": "a" } }).to_string();
        let written = objects.put(1, path, wanted.as_bytes()).unwrap();
        assert_eq!(written["data"], json!({ "token": "YQ==" }));
        let wanted = json!({ "data": { "token": null, "other": "Yg==" } }).to_string();
        let written = objects.put(1, path, wanted.as_bytes()).unwrap();
        assert_eq!(written["data"], json!({ "other": "Yg==" }));
        let other = objects.get(2, path);
        assert!(other.is_none_or(|other| other["data"].is_null()));
    }
}
