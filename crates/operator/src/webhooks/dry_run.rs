//! Has the API server judge what a user says of the pods: the Deployment is applied without being kept.

use std::time::Duration;

use api::names::FIELD_MANAGER;
use api::validation::Fault;
use api::{DeploymentSpec, TenantControlPlane};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Map, Value};

/// Longest wait for the API server, which itself waits for this webhook.
const PATIENCE: Duration = Duration::from_secs(3);

/// The fault that the API server finds in what is new. Only what it calls invalid counts: a quota or a
/// missing right may be mended before the Deployment is made.
pub(super) async fn check(
    old: Option<&TenantControlPlane>,
    new: &TenantControlPlane,
    client: &Client,
) -> Option<Fault> {
    let before = old.map_or_else(Map::new, fields);
    let changed: Vec<String> = fields(new)
        .into_iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .map(|(key, _)| key)
        .collect();
    if changed.is_empty() {
        return None;
    }
    let wanted = desired::preview(&desired::validate(new).ok()?);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &new.namespace()?);
    let parameters = PatchParams::apply(FIELD_MANAGER).force().dry_run();
    let (name, patch) = (wanted.name_any(), Patch::Apply(&wanted));
    let applying = deployments.patch(&name, &parameters, &patch);
    match tokio::time::timeout(PATIENCE, applying).await {
        Ok(Err(kube::Error::Api(status))) if is_refusal(&status) => {
            let message = format!("makes a Deployment that the API server refuses: {}", status.message);
            Some(Fault::new("spec.controlPlane.deployment", changed.join(", "), message))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a Deployment could not be tried");
            None
        }
        Ok(Ok(_)) | Err(_) => None,
    }
}

/// Invalid, or not to be merged because a key is there twice.
fn is_refusal(status: &kube::core::Status) -> bool {
    matches!(status.code, 400 | 422) || status.message.contains("duplicate entries")
}

/// What the user says of the pods, by field; the number of pods and their images can only be right.
fn fields(tenant: &TenantControlPlane) -> Map<String, Value> {
    let said = tenant.spec.control_plane.deployment.clone().unwrap_or_default();
    let said = DeploymentSpec { replicas: None, registry_settings: None, ..said };
    match serde_json::to_value(said) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
