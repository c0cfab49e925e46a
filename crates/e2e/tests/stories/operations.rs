//! Stories of the operator's own life: two replicas, and one of them goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::TenantControlPlane;
use e2e::{Cluster, TenantSpec, Tenants, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

const NAMESPACE: &str = "flotilla-system";
const OPERATOR: &str = "flotilla-operator";

pub(crate) async fn a_leader_that_goes_is_followed_and_admission_never_fails(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, "operations").await?;
    let client = cluster.client().await?;
    scale(&client, 2).await?;
    let outcome = leaders_go(&tenants, &client).await;
    scale(&client, 1).await?;
    outcome
}

async fn leaders_go(tenants: &Tenants, client: &Client) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let first = holder(client).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(ask_for_admission(tenants.clone(), is_over.clone()));
    pods.delete(&first, &DeleteParams::default()).await?;
    let second = follower(client, &first).await?;
    eventually("the pod that ends is gone", Duration::from_mins(1), || async {
        ensure!(pods.get_opt(&first).await?.is_none(), "{first} is still there");
        Ok(())
    })
    .await?;
    is_over.store(true, Ordering::Relaxed);
    let asked = asking.await.context("the requests ended early")??;
    ensure!(asked > 20, "only {asked} requests were admitted");

    eventually("two operators are ready", Duration::from_mins(1), || ready(client, 2)).await?;
    pods.delete(&second, &DeleteParams::default().grace_period(0)).await?;
    tenants.create(&TenantSpec::new("after")).await?;
    follower(client, &second).await?;
    tenants.ready("after").await?;
    tenants.delete("after").await
}

/// Has control planes admitted, without making them, until told to stop. Returns how many.
async fn ask_for_admission(tenants: Tenants, is_over: Arc<AtomicBool>) -> Result<u32> {
    let trial = PostParams { dry_run: true, ..PostParams::default() };
    let object: TenantControlPlane = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1",
        "kind": "TenantControlPlane",
        "metadata": {"name": "trial"},
        "spec": {
            "dataStore": "default",
            "controlPlane": {"service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
    }))?;
    let mut asked = 0;
    while !is_over.load(Ordering::Relaxed) {
        tenants.api().create(&trial, &object).await.context("admission failed")?;
        asked += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(asked)
}

async fn holder(client: &Client) -> Result<String> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), NAMESPACE);
    let lease = leases.get(OPERATOR).await?;
    let holder = lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default();
    ensure!(holder.starts_with(OPERATOR), "the lease is held by `{holder}`");
    Ok(holder)
}

async fn follower(client: &Client, before: &str) -> Result<String> {
    eventually("another pod leads", Duration::from_secs(30), || async {
        let now = holder(client).await?;
        ensure!(now != before, "{now} still leads");
        Ok(now)
    })
    .await
}

async fn scale(client: &Client, replicas: i32) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    deployments.patch(OPERATOR, &PatchParams::default(), &patch).await?;
    eventually("the operators are ready", Duration::from_mins(1), || ready(client, replicas)).await
}

async fn ready(client: &Client, wanted: i32) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let status = deployments.get(OPERATOR).await?.status.unwrap_or_default();
    if (status.ready_replicas, status.replicas) != (Some(wanted), Some(wanted)) {
        bail!("{:?} of {:?} are ready", status.ready_replicas, status.replicas);
    }
    Ok(())
}
