//! The objects of a store in the management cluster.

use anyhow::{Context, Result};
use kube::Resource;
use kube::api::{Api, DeleteParams, PostParams};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::programs::{USER, container, volumes};
use crate::store::Backing;

impl Backing {
    pub(crate) fn service(&self) -> Value {
        json!({
            "metadata": {"name": self.name},
            "spec": {"selector": self.labels(), "ports": [{"port": self.kind.port()}]},
        })
    }

    pub(crate) fn stateful_set(&self) -> Value {
        let (kind, encrypted) = (self.kind, self.is_encrypted());
        json!({
            "metadata": {"name": self.name},
            "spec": {
                "replicas": 1,
                "serviceName": self.name,
                "selector": {"matchLabels": self.labels()},
                "template": {
                    "metadata": {"labels": self.labels()},
                    "spec": {
                        "terminationGracePeriodSeconds": 1,
                        "automountServiceAccountToken": false,
                        "enableServiceLinks": false,
                        "securityContext": {"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER},
                        "containers": [container(kind, encrypted, &format!("{}-root", self.name))],
                        "volumes": volumes(kind, encrypted, &self.name),
                    },
                },
                "volumeClaimTemplates": [{
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }],
            },
        })
    }

    pub(crate) fn data_store(&self) -> Value {
        let reference = |suffix: &str, key: &str| {
            let name = format!("{}-{suffix}", self.name);
            json!({"secretReference": {"name": name, "namespace": self.namespace, "keyPath": key}})
        };
        let mut spec = json!({
            "driver": self.kind.driver_name(),
            "endpoints": [self.endpoint()],
            "basicAuth": {"username": reference("root", "username"), "password": reference("root", "password")},
        });
        if self.is_encrypted() {
            spec["tlsConfig"] = json!({"certificateAuthority": {"certificate": reference("ca", "ca.crt")}});
        }
        json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1",
            "kind": "DataStore",
            "metadata": {"name": self.name},
            "spec": spec,
        })
    }

    fn labels(&self) -> Value {
        json!({"app.kubernetes.io/name": self.name})
    }
}

/// Creates an object unless there is one of its name; returns what is there.
pub(crate) async fn create<K>(api: &Api<K>, body: Value) -> Result<K>
where
    K: Resource + Clone + std::fmt::Debug + serde::Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(body)?;
    let name = object.meta().name.clone().unwrap_or_default();
    match api.create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(api.get(&name).await?),
        other => other.with_context(|| format!("create {name}")),
    }
}

/// Deletes an object if there is one.
pub(crate) async fn delete<K>(api: &Api<K>, name: &str) -> Result<()>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
{
    match api.delete(name, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other.map(|_| ()).with_context(|| format!("delete {name}")),
    }
}
