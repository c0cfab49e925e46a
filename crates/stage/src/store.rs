//! The DataStore that leads to the stage's own etcd.

use k8s_openapi::ByteString;
use launcher::Etcd;
use serde_json::{Value, json};

/// A DataStore of this name for an etcd.
pub fn object(name: &str, etcd: &Etcd) -> Value {
    let content = |text: &str| json!({"content": ByteString(text.as_bytes().to_vec())});
    let pair = |pair: &pki::Pair| {
        json!({
            "certificate": content(&pair.certificate), "privateKey": content(pair.private_key.expose_pem()),
        })
    };
    json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore", "metadata": {"name": name},
        "spec": {
            "driver": "etcd", "endpoints": [etcd.endpoint()],
            "tlsConfig": {
                "certificateAuthority": pair(etcd.authority()), "clientCertificate": pair(etcd.root()),
            },
        },
    })
}
