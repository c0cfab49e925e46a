//! What Kamaji's charts have put into the management cluster.

use anyhow::Result;
use api::DataStore;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::{Facts, as_kamaji, create};
use crate::eventually;

/// The definitions, with the conversion webhook that Kamaji's have.
pub(super) async fn definitions(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in api::crds() {
        let mut body = serde_json::to_value(&definition)?;
        body["metadata"]["annotations"]["cert-manager.io/inject-ca-from"] =
            json!("kamaji-system/kamaji-serving-cert");
        if definition.name_any().starts_with("tenantcontrolplanes") {
            body["spec"]["conversion"] = json!({
                "strategy": "Webhook",
                "webhook": {
                    "conversionReviewVersions": ["v1"],
                    "clientConfig": {"service": {
                        "name": "kamaji-webhook-service", "namespace": "kamaji-system", "path": "/convert",
                    }},
                },
            });
        }
        create(&definitions, &serde_json::from_value(body)?).await?;
    }
    let stores: Api<DataStore> = Api::all(client.clone());
    eventually("the definitions are served", super::PATIENCE, || async {
        stores.list(&ListParams::default()).await?;
        Ok(())
    })
    .await
}

/// The operator, scaled down as the how-to has it, and the lease that it leaves.
pub(super) async fn operator(client: &Client, namespace: &str) -> Result<()> {
    let pod = json!({
        "metadata": {"labels": {"app.kubernetes.io/name": "kamaji"}},
        "spec": {"containers": [{"name": "manager", "image": "docker.io/clastix/kamaji:latest"}]},
    });
    let operator = json!({
        "metadata": {"name": "kamaji"},
        "spec": {
            "replicas": 0, "template": pod, "selector": {"matchLabels": {"app.kubernetes.io/name": "kamaji"}},
        },
    });
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    create(&deployments, &serde_json::from_value(operator)?).await?;
    let lease = json!({
        "metadata": {"name": "kamaji.clastix.io"},
        "spec": {"holderIdentity": "kamaji-0", "leaseDurationSeconds": 15},
    });
    create::<Lease>(&Api::namespaced(client.clone(), namespace), &serde_json::from_value(lease)?).await
}

/// The webhooks, which refuse every change of a control plane while nobody answers.
pub(super) async fn webhooks(client: &Client) -> Result<()> {
    let mutating = webhook("kamaji-mutating-webhook-configuration", "mtenantcontrolplane.kb.io", "mutate");
    let validating =
        webhook("kamaji-validating-webhook-configuration", "vtenantcontrolplane.kb.io", "validate");
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(client.clone());
    create(&configurations, &serde_json::from_value(mutating)?).await?;
    let configurations: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    create(&configurations, &serde_json::from_value(validating)?).await
}

fn webhook(name: &str, webhook: &str, verb: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "webhooks": [{
            "name": webhook,
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {
                "name": "kamaji-webhook-service", "namespace": "kamaji-system",
                "path": format!("/{verb}-kamaji-clastix-io-v1alpha1-tenantcontrolplane"),
            }},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "rules": [{
                "apiGroups": ["kamaji.clastix.io"], "apiVersions": ["v1alpha1"],
                "operations": ["CREATE", "UPDATE"], "resources": ["tenantcontrolplanes"],
            }],
        }],
    })
}

/// The DataStore as Kamaji leaves one that is in use.
pub(super) async fn mark_store(client: &Client, facts: &Facts) -> Result<()> {
    let stores: Api<DataStore> = Api::all(client.clone());
    let finalizers =
        Patch::Merge(json!({"metadata": {"finalizers": ["kamaji.clastix.io/TenantControlPlane"]}}));
    let store = stores.patch(&facts.store, &as_kamaji(), &finalizers).await?;
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": "",
            "lastTransitionTime": "2026-03-01T08:00:00Z",
        })
    };
    let report = json!({"status": {
        "observedGeneration": store.metadata.generation,
        "ready": true,
        "usedBy": [format!("{}/{}", facts.namespace, facts.name)],
        "conditions": [
            condition("kamaji.clastix.io/DataStoreValidation", "True", "DataStoreIsValid"),
            condition("kamaji.clastix.io/DataStoreAllowedDeletion", "False", "DataStoreStillUsed"),
        ],
    }});
    stores.patch_status(&facts.store, &PatchParams::default(), &Patch::Merge(report)).await?;
    Ok(())
}
