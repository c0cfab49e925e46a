//! Control planes that sleep: what puts them to sleep and wakes them, by hand or by their schedule.

mod due;
mod plan;

pub use due::{Due, Tick, due, faults};
pub use plan::{Plan, RETRY_REFUSED, plan};

use api::TenantControlPlane;
use api::names::annotations;
use kube::ResourceExt;
use serde_json::{Value, json};

/// Pods of one that is woken and of which nobody knows how many it had.
const LEAST: i32 = 1;

/// The change that takes the pods away and remembers how many there were; none if it sleeps.
#[must_use]
pub fn asleep(cluster: &TenantControlPlane) -> Option<Value> {
    let replicas = cluster.spec.replicas();
    (replicas > 0).then(|| change(cluster, 0, &json!(replicas.to_string())))
}

/// The change that brings the pods back; none if it is awake.
#[must_use]
pub fn awake(cluster: &TenantControlPlane) -> Option<Value> {
    let before = cluster.annotations().get(annotations::REPLICAS_BEFORE_SLEEP);
    let before = before.and_then(|text| text.parse().ok()).filter(|before| *before > 0).unwrap_or(LEAST);
    (cluster.spec.replicas() == 0).then(|| change(cluster, before, &Value::Null))
}

/// With the version that was read: what somebody changes meanwhile is not written over.
fn change(cluster: &TenantControlPlane, replicas: i32, before: &Value) -> Value {
    json!({
        "metadata": {
            "resourceVersion": cluster.metadata.resource_version,
            "annotations": { annotations::REPLICAS_BEFORE_SLEEP: before },
        },
        "spec": { "controlPlane": { "deployment": { "replicas": replicas } } },
    })
}

#[cfg(test)]
mod tests;
