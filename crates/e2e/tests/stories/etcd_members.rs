//! The chart's etcd grows from one member to three, loses members and disks, and loses no write.

use std::time::Duration;

use anyhow::{Result, ensure};
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
    goes_on(&writer).await?;

    platform.change(&["etcd.replicas=3"])?.success()?;
    platform.etcd_is_whole(3, PATIENCE).await?;
    platform.told("MemberJoined", Duration::from_secs(5)).await?;
    let refused = platform.change(&["etcd.replicas=1"])?;
    ensure!(refused.code != 0 && refused.err.contains("etcd.replicas cannot go"), "{}", refused.err);

    for number in 0..3 {
        platform.kill_member(number).await?;
        goes_on(&writer).await?;
        platform.etcd_is_whole(3, PATIENCE).await?;
    }

    platform.lose_disk(1).await?;
    goes_on(&writer).await?;
    platform.told("MemberRemoved", PATIENCE).await?;
    platform.etcd_is_whole(3, PATIENCE).await?;
    // The new member counts: with it, another one may go.
    platform.lose_disk(0).await?;
    goes_on(&writer).await?;
    platform.etcd_is_whole(3, PATIENCE).await?;

    tenants.ready("writer").await?;
    ensure!(tenants.restarts("writer").await? == 0, "the tenant's pods were restarted");
    let written = writer.stop().await?;
    println!("    {written:?}");
    tenants.delete("writer").await
}

/// Waits until further writes are acknowledged.
async fn goes_on(writer: &Writer) -> Result<()> {
    let before = writer.acknowledged();
    eventually("writes are acknowledged", Duration::from_mins(1), || async {
        let now = writer.acknowledged();
        ensure!(now > before + 20, "{before} before, {now} now");
        Ok(())
    })
    .await
}
