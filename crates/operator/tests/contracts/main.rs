//! What other programs rely on: Cluster API's provider for Kamaji, a restore from a backup, and users who
//! bring an authority of their own. API server and store are real; what nodes would do is played.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backup;
mod cluster_api;
mod own_authority;

use std::path::Path;
use std::time::Duration;

use api::TenantControlPlane;
use kube::api::PostParams;
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually};

const PATIENCE: Duration = Duration::from_mins(1);
const NAMESPACE: &str = "default";

async fn set() -> (Stage, Operator) {
    let stage = Stage::set(Options::default()).await.unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
    let operator = stage.operator_directly(program, &["--datastore=store"]).await.unwrap();
    (stage, operator)
}

/// Creates a control plane once the webhooks are called for it.
async fn create(stage: &Stage, name: &str, spec: Value) -> TenantControlPlane {
    let tenant = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": name}, "spec": spec,
    }))
    .unwrap();
    let rehearsal = PostParams { dry_run: true, ..PostParams::default() };
    eventually("admission fills in what is left open", PATIENCE, || async {
        let filled = stage.tenants(NAMESPACE).create(&rehearsal, &tenant).await?;
        anyhow::ensure!(filled.spec.network_profile.is_some(), "the webhook was not called");
        Ok(())
    })
    .await
    .unwrap();
    stage.tenants(NAMESPACE).create(&PostParams::default(), &tenant).await.unwrap()
}

/// The smallest spec.
fn spec() -> Value {
    json!({
        "controlPlane": {"deployment": {"replicas": 1}, "service": {"serviceType": "ClusterIP"}},
        "kubernetes": {"version": "v1.36.3", "kubelet": {}},
    })
}

async fn ready(stage: &Stage, name: &str) -> TenantControlPlane {
    eventually(&format!("{name} is ready"), PATIENCE, || async {
        let tenant = stage.tenants(NAMESPACE).get(name).await?;
        let status = tenant.status.clone().unwrap_or_default();
        let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
        anyhow::ensure!(ready.is_some_and(|ready| ready.status == "True"), "{:?}", status.conditions);
        Ok(tenant)
    })
    .await
    .unwrap()
}
