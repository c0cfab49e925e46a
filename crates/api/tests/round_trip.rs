//! Objects as Kamaji and its users write them come out as they went in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use api::{DataStore, KubeconfigGenerator, TenantControlPlane};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[test]
fn a_small_control_plane_is_unchanged() {
    unchanged::<TenantControlPlane>(include_str!("objects/small.yaml"));
}

#[test]
fn a_control_plane_that_uses_every_part_of_the_spec_is_unchanged() {
    unchanged::<TenantControlPlane>(include_str!("objects/full.yaml"));
}

#[test]
fn a_running_control_plane_of_kamaji_with_its_status_is_unchanged() {
    unchanged::<TenantControlPlane>(include_str!("objects/running.yaml"));
}

#[test]
fn data_stores_are_unchanged() {
    unchanged::<DataStore>(include_str!("objects/datastore-etcd.yaml"));
    unchanged::<DataStore>(include_str!("objects/datastore-postgresql.yaml"));
}

#[test]
fn a_generator_is_unchanged() {
    unchanged::<KubeconfigGenerator>(include_str!("objects/generator.yaml"));
}

#[test]
fn an_old_status_with_parts_missing_is_read() {
    let text = r"
        apiVersion: kamaji.clastix.io/v1alpha1
        kind: TenantControlPlane
        metadata: { name: a, namespace: b }
        spec:
          controlPlane: { service: { serviceType: NodePort } }
          kubernetes: { version: v1.30.0, kubelet: {} }
        status: { kubernetesResources: { version: { status: Ready } } }
    ";
    let object: TenantControlPlane = serde_saphyr::from_str(text).unwrap();
    assert_eq!(object.status.unwrap().certificates.ca.secret_name, None);
}

fn unchanged<T: DeserializeOwned + Serialize>(text: &str) {
    let before: Value = serde_saphyr::from_str(text).unwrap();
    let object: T = serde_saphyr::from_str(text).unwrap();
    let after = serde_json::to_value(&object).unwrap();
    let mut lines = Vec::new();
    compare("", &before, &after, &mut lines);
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

fn compare(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys().filter(|key| !left.contains_key(*key))) {
                let value =
                    |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
                compare(&format!("{path}.{key}"), &value(left), &value(right), lines);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                compare(&format!("{path}[{index}]"), left, right, lines);
            }
        }
        (left, right) if left == right => {}
        (left, right) => lines.push(format!("{path}: {left} became {right}")),
    }
}
