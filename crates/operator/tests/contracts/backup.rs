//! A restore as Velero makes it: Secrets and control planes come back with labels and status, without
//! owners, and the control planes under new UIDs.

use std::collections::BTreeMap;

use api::TenantControlPlane;
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Stage, eventually};

use crate::{NAMESPACE, PATIENCE, create, ready, set, spec};

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_control_plane_keeps_its_authorities_and_its_place_in_the_store() {
    let (stage, mut operator) = set().await;
    let mut fixed = spec();
    // An address that does not hang on the management cluster: the new Service gets another one.
    fixed["networkProfile"] = json!({"address": "192.0.2.7"});
    create(&stage, "blue", fixed).await;
    let before = ready(&stage, "blue").await;
    let saved = secrets(&stage).await;

    lose_everything(&stage, &saved).await;
    operator.kill().await;
    operator.restart().await.unwrap();

    for secret in &saved {
        stage.objects(NAMESPACE).create(&PostParams::default(), &restored(secret)).await.unwrap();
    }
    let body = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": "blue", "finalizers": before.finalizers()}, "spec": before.spec,
    });
    let tenants = stage.tenants(NAMESPACE);
    let body = serde_json::from_value(body).unwrap();
    eventually("the control plane is admitted", PATIENCE, || async {
        Ok(tenants.create(&PostParams::default(), &body).await?)
    })
    .await
    .unwrap();
    let status = Patch::Merge(json!({"status": before.status}));
    tenants.patch_status("blue", &PatchParams::default(), &status).await.unwrap();

    let after = runs(&stage, &before).await;
    assert_ne!(after.uid(), before.uid());
    assert_eq!(entries(&secrets(&stage).await), entries(&saved));
    for secret in secrets(&stage).await {
        let owner = secret.metadata.owner_references.unwrap();
        assert_eq!(Some(owner[0].uid.clone()), after.uid(), "{:?}", secret.metadata.name);
    }
    let place = |tenant: &TenantControlPlane| tenant.status.clone().unwrap().storage.setup;
    assert_eq!(place(&after).schema, before.uid());
    assert_eq!(place(&after).user, before.uid());
}

/// Waits until pods run for the restored control plane: the restored status alone says Ready too.
async fn runs(stage: &Stage, before: &TenantControlPlane) -> TenantControlPlane {
    let uid = before.uid().unwrap();
    eventually("pods run again", PATIENCE, || async {
        let deployment: Deployment = stage.objects(NAMESPACE).get("blue").await?;
        let ready = deployment.status.and_then(|status| status.ready_replicas);
        anyhow::ensure!(ready == Some(1), "{ready:?}");
        let pod = deployment.spec.unwrap().template.spec.unwrap();
        let arguments = pod.containers[0].args.clone().unwrap_or_default();
        anyhow::ensure!(arguments.contains(&format!("--etcd-prefix=/{uid}")), "{arguments:?}");
        Ok(())
    })
    .await
    .unwrap();
    ready(stage, "blue").await
}

async fn secrets(stage: &Stage) -> Vec<Secret> {
    let own = ListParams::default().labels("kamaji.clastix.io/name=blue");
    stage.objects(NAMESPACE).list(&own).await.unwrap().items
}

/// Every entry of every Secret, by its place.
fn entries(secrets: &[Secret]) -> BTreeMap<String, String> {
    let texts = |secret: &Secret| -> Vec<(String, String)> {
        let name = secret.name_any();
        let data = secret.data.clone().unwrap_or_default();
        let text = |(key, value): (String, ByteString)| {
            (format!("{name}/{key}"), String::from_utf8_lossy(&value.0).into_owned())
        };
        data.into_iter().map(text).collect()
    };
    secrets.iter().flat_map(texts).collect()
}

/// What Velero writes: of the metadata only name, labels and annotations.
fn restored(secret: &Secret) -> Secret {
    let mut restored = secret.clone();
    restored.metadata = serde_json::from_value(json!({
        "name": secret.name_any(), "labels": secret.labels(), "annotations": secret.annotations(),
    }))
    .unwrap();
    restored
}

/// The management cluster is lost, the store is not: everything goes while the operator looks on.
async fn lose_everything(stage: &Stage, saved: &[Secret]) {
    let pause = Patch::Merge(json!({"metadata": {"annotations": {"kamaji.clastix.io/paused": ""}}}));
    let free = Patch::Merge(json!({"metadata": {"finalizers": Value::Null}}));
    let (tenants, all) = (stage.tenants(NAMESPACE), stage.objects::<Secret>(NAMESPACE));
    for patch in [&pause, &free] {
        tenants.patch("blue", &PatchParams::default(), patch).await.unwrap();
    }
    for secret in saved {
        all.patch(&secret.name_any(), &PatchParams::default(), &free).await.unwrap();
    }
    tenants.delete("blue", &DeleteParams::background()).await.unwrap();
    let (deployments, services): (Api<Deployment>, Api<Service>) =
        (stage.objects(NAMESPACE), stage.objects(NAMESPACE));
    eventually("everything is gone", PATIENCE, || async {
        let left = secrets(stage).await.len();
        let deployment = deployments.get_opt("blue").await?;
        let service = services.get_opt("blue").await?;
        anyhow::ensure!(left == 0 && deployment.is_none() && service.is_none(), "{left} Secrets left");
        Ok(())
    })
    .await
    .unwrap();
}
