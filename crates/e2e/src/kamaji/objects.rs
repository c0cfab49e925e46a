//! Service, ConfigMap and Deployment as Kamaji leaves them, and what all its objects have in common.

use std::fmt::Write as _;

use k8s_openapi::ByteString;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::Facts;

/// An object that Kamaji made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// Collection of its API, such as `secrets`.
    pub(crate) plural: &'static str,
    pub(crate) object: Value,
}

impl Made {
    pub(crate) fn labelled(mut self, key: &str, value: &str) -> Self {
        self.object["metadata"]["labels"][key] = json!(value);
        self
    }

    pub(crate) fn annotated(mut self, key: &str, value: &str) -> Self {
        self.object["metadata"]["annotations"][key] = json!(value);
        self
    }

    pub(crate) fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// MD5 of the values in the order of their keys: what Kamaji writes into the pod template too.
    pub(crate) fn checksum(&self) -> String {
        let entries = self.object["data"].as_object().cloned().unwrap_or_default();
        let values = entries.values().map(|value| match self.plural {
            "secrets" => serde_json::from_value::<ByteString>(value.clone()).unwrap_or_default().0,
            _ => value.as_str().unwrap_or_default().as_bytes().to_vec(),
        });
        let mut digest = Md5::new();
        values.for_each(|value| digest.update(value));
        digest.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The checksum that stands in the object's annotation.
    pub(crate) fn annotated_checksum(&self) -> &str {
        self.object["metadata"]["annotations"]["kamaji.clastix.io/checksum"].as_str().unwrap_or_default()
    }
}

/// A Secret with its checksum.
pub(crate) fn secret(facts: &Facts, component: &str, entries: &[(&str, &str)]) -> Made {
    let mut metadata = metadata(facts, component);
    metadata["name"] = json!(format!("{}-{component}", facts.name));
    let data: serde_json::Map<String, Value> = entries
        .iter()
        .map(|(key, text)| ((*key).to_owned(), json!(ByteString(text.as_bytes().to_vec()))))
        .collect();
    let made = Made {
        plural: "secrets",
        object: json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}),
    };
    let checksum = made.checksum();
    made.annotated("kamaji.clastix.io/checksum", &checksum)
}

/// The ConfigMap with kubeadm's structures, under their Go names.
pub(crate) fn kubeadm_config(facts: &Facts) -> Made {
    let mut metadata = metadata(facts, "kubeadmconfig");
    metadata["name"] = json!(format!("{}-kubeadmconfig", facts.name));
    let fill = |template: &str| {
        template
            .replace("@NAME@", &facts.name)
            .replace("@NAMESPACE@", &facts.namespace)
            .replace("@ADDRESS@", &facts.address)
            .replace("@PORT@", &facts.port.to_string())
            .replace("@STORE@", &facts.store_endpoint)
            .replace("@VERSION@", &facts.version)
    };
    let made = Made {
        plural: "configmaps",
        object: json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata,
            "data": {
                "InitConfiguration": fill(include_str!("kubeadm-init.json")),
                "ClusterConfiguration": fill(include_str!("kubeadm-cluster.json")),
            },
        }),
    };
    let checksum = made.checksum();
    made.annotated("kamaji.clastix.io/checksum", &checksum)
}

/// The Service: a first one to learn the address from, the same afterwards.
pub(crate) fn service(facts: &Facts) -> Made {
    let spec = json!({
        "type": "LoadBalancer",
        "allocateLoadBalancerNodePorts": true,
        "selector": {"kamaji.clastix.io/name": facts.name},
        "ports": [{
            "name": "kube-apiserver", "protocol": "TCP", "port": facts.port, "targetPort": facts.port,
        }],
    });
    let object =
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata(facts, "service"), "spec": spec});
    Made { plural: "services", object }
}

/// Name, namespace, labels and owner.
pub(crate) fn metadata(facts: &Facts, component: &str) -> Value {
    json!({
        "name": facts.name,
        "namespace": facts.namespace,
        "labels": {
            "kamaji.clastix.io/project": "kamaji",
            "kamaji.clastix.io/name": facts.name,
            "kamaji.clastix.io/component": component,
        },
        "ownerReferences": [{
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane", "name": facts.name,
            "uid": facts.uid, "controller": true, "blockOwnerDeletion": true,
        }],
    })
}
