//! Control planes, stores and moments for the tests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part")]

use std::sync::Arc;

use api::{Driver, TenantControlPlane};
use desired::data_store::{DataStoreMaterial, Login};
use desired::{
    Checksums, Credentials, Endpoint, Renewal, Secrets, Settings, Validated, credentials, validate,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use pki::{CertificateAuthority, CertificatePlan, TEN_YEARS};
use serde_json::{Value, json};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    at("2026-03-01T12:00:00Z")
}

pub(crate) fn renewal(now: Timestamp) -> Renewal {
    Renewal { now, deadline: SignedDuration::from_hours(24) }
}

pub(crate) fn settings() -> Settings {
    Settings { kine_image: "rancher/kine:v0.17.5".to_owned(), go_gc: Some(50) }
}

/// The smallest control plane, with `patch` merged over it.
pub(crate) fn object(patch: Value) -> TenantControlPlane {
    let mut value = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1",
        "kind": "TenantControlPlane",
        "metadata": { "name": "blue", "namespace": "tenants", "uid": "uid-blue", "generation": 1 },
        "spec": {
            "dataStore": "default",
            "controlPlane": { "service": { "serviceType": "ClusterIP" } },
            "kubernetes": { "version": "v1.36.3", "kubelet": {} },
        },
    });
    merge(&mut value, patch);
    serde_json::from_value(value).unwrap()
}

pub(crate) fn control_plane(patch: Value) -> Validated {
    validate(&object(patch)).unwrap()
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

pub(crate) fn endpoint() -> Endpoint {
    Endpoint { address: "10.0.0.7".to_owned(), port: 6443, service_ip: Some("10.0.0.7".parse().unwrap()) }
}

pub(crate) fn store(driver: Driver) -> DataStoreMaterial {
    let ca = CertificateAuthority::generate("store", TEN_YEARS, now()).unwrap();
    let root = CertificatePlan::client("root", ["store"]).issue(&ca, now()).unwrap();
    DataStoreMaterial {
        name: "default".to_owned(),
        driver,
        endpoints: vec!["store-0.store.svc:2379".to_owned(), "store-1.store.svc:2379".to_owned()],
        ca_certificate: Some(ca.pair().certificate.clone()),
        ca_private_key: Some(ca.pair().private_key.clone()),
        client_certificate: Some(root),
        basic_auth: Some(Login { username: "root".to_owned(), password: "secret".to_owned() }),
    }
}

pub(crate) fn by_name(secrets: &[Secret]) -> Secrets {
    secrets.iter().map(|secret| (secret.metadata.name.clone().unwrap(), Arc::new(secret.clone()))).collect()
}

pub(crate) fn issue(control_plane: &Validated, existing: &Secrets, now: Timestamp) -> Credentials {
    credentials(control_plane, &endpoint(), existing, renewal(now), &Checksums::new()).unwrap()
}

pub(crate) fn text(secret: &Secret, key: &str) -> String {
    String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap()
}
