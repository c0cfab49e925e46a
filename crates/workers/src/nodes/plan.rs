//! Which pods a drain evicts, which it leaves and which stand in its way; as kubectl has it.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

/// What else may be evicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Pods without a controller, which nobody makes anew.
    pub uncontrolled: bool,
    /// Pods whose data on the node are lost with them.
    pub with_local_data: bool,
}

/// What becomes of the pods of a node.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// To be evicted, or on their way already.
    pub evicted: Vec<Pod>,
    /// What stands in the way: each pod with what is to be done.
    pub obstacles: Vec<String>,
}

/// Sorts the pods of a node.
#[must_use]
pub fn plan(pods: Vec<Pod>, allowed: Allowed) -> Plan {
    let mut plan = Plan::default();
    for pod in pods.into_iter().filter(|pod| !stays(pod)) {
        let obstacle = if is_leaving(&pod) { None } else { obstacle(&pod, allowed) };
        match obstacle {
            Some(text) => {
                let name = format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
                plan.obstacles.push(format!("pod {name} {text}"));
            }
            None => plan.evicted.push(pod),
        }
    }
    plan
}

/// Pods that belong to the node: its own static ones, and those of a `DaemonSet`.
fn stays(pod: &Pod) -> bool {
    pod.annotations().contains_key("kubernetes.io/config.mirror") || controller(pod) == Some("DaemonSet")
}

/// Pods that ended, or end now, lose nothing more.
fn is_leaving(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")) || pod.metadata.deletion_timestamp.is_some()
}

fn obstacle(pod: &Pod, allowed: Allowed) -> Option<&'static str> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let has_data = volumes.into_iter().any(|volume| volume.empty_dir.is_some());
    if controller(pod).is_none() && !allowed.uncontrolled {
        return Some("has no controller that makes it anew: delete it yourself, or use --force");
    }
    (has_data && !allowed.with_local_data)
        .then_some("loses its emptyDir data: save them, or use --delete-emptydir-data")
}

fn controller(pod: &Pod) -> Option<&str> {
    let owners = pod.owner_references();
    owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.kind.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Allowed, plan};

    fn pod(name: &str, more: &Value) -> k8s_openapi::api::core::v1::Pod {
        let mut object =
            json!({ "metadata": { "name": name, "namespace": "n" }, "spec": { "containers": [] } });
        for (part, value) in more.as_object().unwrap() {
            object[part].as_object_mut().map_or_else(
                || Value::Null,
                |known| {
                    known.extend(value.as_object().unwrap().clone());
                    Value::Null
                },
            );
            if object[part].is_null() {
                object[part] = value.clone();
            }
        }
        serde_json::from_value(object).unwrap()
    }

    fn owned(kind: &str) -> Value {
        let owner =
            json!({ "apiVersion": "apps/v1", "kind": kind, "name": "o", "uid": "u", "controller": true });
        json!({ "ownerReferences": [owner] })
    }

    #[test]
    fn pods_are_sorted_as_kubectl_does() {
        let data = json!({ "containers": [], "volumes": [{ "name": "d", "emptyDir": {} }] });
        let pods = || {
            vec![
                pod("web", &json!({ "metadata": owned("ReplicaSet") })),
                pod("agent", &json!({ "metadata": owned("DaemonSet") })),
                pod(
                    "static",
                    &json!({ "metadata": { "annotations": { "kubernetes.io/config.mirror": "x" } } }),
                ),
                pod("alone", &json!({})),
                pod("cache", &json!({ "metadata": owned("ReplicaSet"), "spec": data })),
                pod("done", &json!({ "status": { "phase": "Succeeded" } })),
                pod("ending", &json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } })),
            ]
        };
        let names = |allowed| {
            let plan = plan(pods(), allowed);
            let evicted: Vec<String> =
                plan.evicted.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
            (evicted.join(" "), plan.obstacles)
        };
        let (evicted, obstacles) = names(Allowed::default());
        assert_eq!(evicted, "web done ending");
        assert!(obstacles[0].contains("n/alone") && obstacles[0].contains("--force"), "{obstacles:?}");
        assert!(obstacles[1].contains("n/cache") && obstacles[1].contains("--delete-emptydir-data"));
        let (evicted, obstacles) = names(Allowed { uncontrolled: true, with_local_data: true });
        assert_eq!((evicted.as_str(), obstacles.len()), ("web alone cache done ending", 0));
    }
}
