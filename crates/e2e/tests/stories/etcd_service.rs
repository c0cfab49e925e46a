//! The chart's etcd looks after itself: it frees space when it is full, and takes snapshots.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::{Cluster, Platform, TenantSpec, Tenants};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

const NAMESPACE: &str = "space";
const PATIENCE: Duration = Duration::from_mins(3);
/// Bytes that the store may hold in this story; what stands in it already is much less.
const QUOTA: &str = "etcd.quotaBackendBytes=201326592";
/// What the chart has otherwise.
const USUAL: &str = "etcd.quotaBackendBytes=8589934592";

pub(crate) async fn a_full_store_is_freed_without_a_hand(cluster: &Cluster) -> Result<()> {
    let platform = Platform::of(cluster).await?;
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    tenants.create(&TenantSpec::new("greedy")).await?;
    tenants.ready("greedy").await?;
    platform.change(&[QUOTA])?.success()?;
    platform.etcd_is_whole(1, PATIENCE).await?;

    let kubeconfig = tenants.kubeconfig("greedy").await?;
    let client = kubekit::client(Some(&kubeconfig)).await?;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let mut round = 0_u32;
    // One object, written over and over: its history fills the store.
    let mut write = async || {
        round += 1;
        let large: BTreeMap<&str, String> = [("data", format!("{round:09}").repeat(100_000))].into();
        let body =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}, "data": large});
        maps.patch("large", &PatchParams::apply("story").force(), &Patch::Apply(body)).await
    };
    // Other refusals are of the moment: the store was restarted for its new quota.
    let began = Instant::now();
    let mut is_full = false;
    while !is_full {
        ensure!(began.elapsed() < PATIENCE, "the store never became full");
        is_full = write().await.is_err_and(|error| error.to_string().contains("database space exceeded"));
    }

    let began = Instant::now();
    let mut last = None;
    while began.elapsed() < PATIENCE {
        match write().await {
            Ok(_) => break,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    ensure!(began.elapsed() < PATIENCE, "writes are refused for good: {last:?}");
    println!("    full, and freed after {:.1} s", began.elapsed().as_secs_f64());
    for reason in ["NoSpace", "Defragmented", "SpaceFreed"] {
        platform.told(reason, Duration::from_secs(10)).await?;
    }
    platform.change(&[USUAL])?.success()?;
    platform.etcd_is_whole(1, PATIENCE).await?;
    tenants.ready("greedy").await?;
    tenants.delete("greedy").await
}

pub(crate) async fn a_snapshot_is_taken_and_checked(cluster: &Cluster) -> Result<()> {
    let platform = Platform::of(cluster).await?;
    platform.take_snapshot("story-snapshot").map(drop)
}
