//! Stories that come last: they look at what all others left in the logs, and end clusters.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, eventually};
use serde_json::Value;

pub(crate) async fn operator_is_denied_nothing_that_it_asks_for(cluster: &Cluster) -> Result<()> {
    let logs = cluster
        .kubectl(&cluster.kubeconfig(), &["logs", "-n", "flotilla-system", "deployment/flotilla-operator"])?
        .success()?;
    let denied: Vec<&str> = logs.lines().filter(|line| line.to_lowercase().contains("forbidden")).collect();
    ensure!(denied.is_empty(), "{}", denied.join("\n"));
    Ok(())
}

pub(crate) async fn a_second_cluster_with_two_nodes_stands_beside(cluster: &Cluster) -> Result<()> {
    let pair = Cluster::new("pair");
    pair.flotilla(&["down"], &["--purge"])?.success()?;
    let told = two_nodes(&pair).await;
    pair.flotilla(&["down"], &["--purge"])?.success()?;
    told?;
    let tenant = cluster.directory().join("tenants/tenants_first.kubeconfig");
    cluster.kubectl(&tenant, &["get", "namespaces"])?.success().map(|_| ())
}

async fn two_nodes(pair: &Cluster) -> Result<()> {
    pair.flotilla(&["up"], &["--bare", "--nodes", "2"])?.success()?;
    eventually("both nodes are ready", Duration::from_mins(1), || async {
        let nodes = pair.kubectl(&pair.kubeconfig(), &["get", "nodes", "--no-headers"])?.success()?;
        ensure!(nodes.lines().filter(|line| line.contains(" Ready ")).count() == 2, "{nodes}");
        Ok(())
    })
    .await
}

pub(crate) async fn a_crash_in_the_middle_stops_no_next_up(cluster: &Cluster) -> Result<()> {
    let supervisor = state(cluster)?["supervisor"]["pid"].as_i64().context("no pid of the supervisor")?;
    Command::new("kill").args(["-9", &supervisor.to_string()]).status()?;
    cluster.flotilla(&["up"], &[])?.success()?;
    let tenant = cluster.directory().join("tenants/tenants_first.kubeconfig");
    eventually("the first tenant answers again", Duration::from_mins(2), || async {
        cluster.kubectl(&tenant, &["get", "namespaces", "--request-timeout=5s"])?.success()
    })
    .await
    .map(|_| ())
}

pub(crate) async fn up_says_what_is_wrong_and_what_to_do(cluster: &Cluster) -> Result<()> {
    let version = cluster.flotilla(&["up"], &["--kubernetes", "1.30.1"])?;
    ensure!(version.code == 1, "{version:?}");
    ensure!(version.err.contains("1.36.3") || version.err.contains("another version"), "{}", version.err);
    let program = cluster.root().join("target/debug/flotilla");
    let nobody = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["up", "--name", "nobody"])
        .output()?;
    let text = String::from_utf8_lossy(&nobody.stderr).into_owned();
    ensure!(
        !nobody.status.success() && (text.contains("root") || text.contains("ermission denied")),
        "{text}"
    );
    Ok(())
}

fn state(cluster: &Cluster) -> Result<Value> {
    let text = std::fs::read_to_string(cluster.directory().join("state.json")).context("read state.json")?;
    Ok(serde_json::from_str(&text)?)
}
