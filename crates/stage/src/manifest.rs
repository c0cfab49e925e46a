//! Manifests of control planes.

use anyhow::Result;
use api::TenantControlPlane;
use serde_json::{Value, json};

/// A control plane of one replica on DataStore `store`, with `spec` laid over.
pub fn manifest(name: &str, spec: Value) -> Result<TenantControlPlane> {
    let mut whole = json!({
        "dataStore": "store",
        "controlPlane": {"deployment": {"replicas": 1}, "service": {"serviceType": "ClusterIP"}},
        "kubernetes": {"version": "v1.36.3", "kubelet": {}},
    });
    lay_over(&mut whole, spec);
    let body = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": name}, "spec": whole,
    });
    Ok(serde_json::from_value(body)?)
}

/// Merges as a JSON merge patch does: null removes.
pub(crate) fn lay_over(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                if value.is_null() {
                    into.remove(&key);
                } else {
                    lay_over(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (into, from) => *into = from,
    }
}
