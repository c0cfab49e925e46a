//! The chart's etcd grows from one member to three, loses members and disks, and loses no write.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Platform, TenantSpec, Tenants, Writer, eventually};

/// Name of the cluster of its own.
const CLUSTER: &str = "etcd";
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) async fn one_member_becomes_three_and_any_of_them_may_be_lost(_: &Cluster) -> Result<()> {
    let cluster = Cluster::new(CLUSTER);
    let is_kept = std::env::var_os("FLOTILLA_E2E_KEEP").is_some();
    if !is_kept {
        cluster.flotilla(&["down"], &["--purge"])?;
    }
    let told = Box::pin(tell(&cluster)).await;
    if !is_kept {
        cluster.flotilla(&["down"], &["--purge"])?.success()?;
    }
    told
}

async fn tell(cluster: &Cluster) -> Result<()> {
    cluster.flotilla(&["up"], &[])?.success()?;
    let platform = Platform::of(cluster).await?;
    let tenants = Tenants::new(cluster, "members").await?;
    tenants.create(&TenantSpec::new("writer")).await?;
    tenants.ready("writer").await?;
    let writer = Writer::start(&tenants.kubeconfig("writer").await?, "written").await?;
    writer.goes_on(PATIENCE).await?;

    platform.change(&["etcd.replicas=3"])?.success()?;
    platform.etcd_is_whole(3, PATIENCE).await?;
    platform.told("MemberJoined", Duration::from_secs(5)).await?;
    let refused = platform.change(&["etcd.replicas=1"])?;
    ensure!(refused.code != 0 && refused.err.contains("etcd.replicas cannot go"), "{}", refused.err);

    for number in 0..3 {
        platform.kill_member(number).await?;
        writer.goes_on(PATIENCE).await?;
        platform.etcd_is_whole(3, PATIENCE).await?;
    }

    platform.lose_disk(1).await?;
    writer.goes_on(PATIENCE).await?;
    platform.told("MemberRemoved", PATIENCE).await?;
    platform.etcd_is_whole(3, PATIENCE).await?;
    // The new member counts: with it, another one may go.
    platform.lose_disk(0).await?;
    writer.goes_on(PATIENCE).await?;
    platform.etcd_is_whole(3, PATIENCE).await?;

    tenants.ready("writer").await?;
    ensure!(tenants.restarts("writer").await? == 0, "the tenant's pods were restarted");
    let written = writer.stop().await?;
    println!("    {written:?}");

    // The store ends here as far as tenants can tell: what comes back is the snapshot.
    let snapshot = platform.take_snapshot("before-the-end")?;
    let kubeconfig = tenants.kubeconfig("writer").await?;
    let names = |cluster: &Cluster| {
        cluster.kubectl(&kubeconfig, &["get", "configmaps", "-o", "name"])?.success().map(|text| text.len())
    };
    let before = names(cluster)?;
    cluster.kubectl(&kubeconfig, &["create", "configmap", "after-the-snapshot"])?.success()?;
    let version = latest(cluster, &kubeconfig)?;
    platform.lose_all_disks(3).await?;
    platform.restore_as_documented(&snapshot)?;
    platform.etcd_is_whole(3, PATIENCE).await?;
    cluster
        .kubectl(&cluster.kubeconfig(), &["rollout", "restart", "deployment", "-n", "members", "writer"])?;
    eventually("the tenant has what the snapshot had", PATIENCE, || async {
        let now = names(cluster)?;
        ensure!(now == before, "{before} bytes of names before, {now} now");
        Ok(())
    })
    .await?;
    tenants.ready("writer").await?;
    let now = latest(cluster, &kubeconfig)?;
    ensure!(now > version, "the resource version went from {version} to {now}");
    tenants.delete("writer").await
}

/// The resource version of the tenant's contents.
fn latest(cluster: &Cluster, kubeconfig: &Path) -> Result<u64> {
    let path = ["get", "--raw", "/api/v1/namespaces/default/configmaps?limit=1"];
    let list: serde_json::Value = serde_json::from_str(&cluster.kubectl(kubeconfig, &path)?.success()?)?;
    list["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).context("no version")
}
