//! The status that Kamaji has written for a control plane that runs.

use anyhow::{Context, Result};
use api::TenantControlPlane;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};

use super::Facts;
use super::objects::Made;

const TIME: &str = "2026-03-01T08:00:00Z";

pub(crate) fn status(
    facts: &Facts,
    tenant: &TenantControlPlane,
    secrets: &[Made],
    kubeadm_config: &Made,
    service: &Service,
    deployment: &Deployment,
) -> Result<Value> {
    let of = |suffix: &str| -> Result<Value> {
        let name = format!("{}-{suffix}", facts.name);
        let secret = secrets.iter().find(|secret| secret.name() == name).context(name.clone())?;
        Ok(json!({"secretName": name, "checksum": secret.annotated_checksum(), "lastUpdate": TIME}))
    };
    let config = of("datastore-config")?;
    let mut deployed = serde_json::to_value(deployment.status.clone().unwrap_or_default())?;
    deployed["selector"] = json!(format!("kamaji.clastix.io/name={}", facts.name));
    let mut served = serde_json::to_value(service.status.clone().unwrap_or_default())?;
    served["port"] = json!(facts.port);
    for place in [&mut deployed, &mut served] {
        place["name"] = json!(facts.name);
        place["namespace"] = json!(facts.namespace);
    }
    deployed["lastUpdate"] = json!(TIME);
    Ok(json!({
        "observedGeneration": tenant.metadata.generation,
        "controlPlaneEndpoint": format!("{}:{}", facts.address, facts.port),
        "storage": {
            "driver": "etcd",
            "dataStoreName": facts.store,
            "config": {"secretName": config["secretName"], "checksum": config["checksum"]},
            "setup": {
                "schema": facts.uid, "user": facts.uid, "checksum": config["checksum"], "lastUpdate": TIME,
            },
            "certificate": of("datastore-certificate")?,
        },
        "certificates": {
            "ca": of("ca")?,
            "frontProxyCA": of("front-proxy-ca-certificate")?,
            "sa": of("sa-certificate")?,
            "apiServer": of("api-server-certificate")?,
            "apiServerKubeletClient": of("api-server-kubelet-client-certificate")?,
            "frontProxyClient": of("front-proxy-client-certificate")?,
        },
        "kubeconfig": {
            "admin": of("admin-kubeconfig")?,
            "controllerManager": of("controller-manager-kubeconfig")?,
            "scheduler": of("scheduler-kubeconfig")?,
        },
        "kubeadmconfig": {
            "configmapName": kubeadm_config.name(),
            "checksum": kubeadm_config.annotated_checksum(),
            "lastUpdate": TIME,
        },
        "kubeadmPhase": {"bootstrapToken": {"checksum": "0cc175b9c0f1b6a831c399e269772661", "lastUpdate": TIME}},
        "kubernetesResources": {
            "version": {"version": facts.version, "status": "Ready"},
            "deployment": deployed,
            "service": served,
        },
        "addons": {
            "coreDNS": {"enabled": false},
            "kubeProxy": {"enabled": false},
            "konnectivity": {"enabled": false},
        },
    }))
}
