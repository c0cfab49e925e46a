//! The local cluster and the platform on it, as a newcomer meets them.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, eventually};
use serde_json::Value;

pub(crate) async fn first_tenant_answers_kubectl_from_the_host(cluster: &Cluster) -> Result<()> {
    let tenant = cluster.directory().join("tenants/tenants_first.kubeconfig");
    let namespaces = cluster.kubectl(&tenant, &["get", "namespaces", "-o", "name"])?.success()?;
    ensure!(namespaces.contains("namespace/kube-system"), "{namespaces}");
    cluster.kubectl(&tenant, &["create", "deployment", "web", "--image=nginx"])?.success()?;
    eventually("the pod is pending", Duration::from_secs(30), || async {
        let pods = cluster.kubectl(&tenant, &["get", "pods", "--no-headers"])?.success()?;
        ensure!(pods.contains("Pending"), "{pods}");
        Ok(())
    })
    .await?;
    cluster.kubectl(&tenant, &["delete", "deployment", "web"])?.success()?;
    let version = cluster.kubectl(&tenant, &["version", "-o", "json"])?.success()?;
    let version: Value = serde_json::from_str(&version)?;
    ensure!(version["serverVersion"]["gitVersion"] == "v1.36.3", "{version}");
    Ok(())
}

pub(crate) async fn second_up_changes_nothing(cluster: &Cluster) -> Result<()> {
    let before = components(cluster)?;
    cluster.flotilla(&["up"], &[])?.success()?;
    ensure!(components(cluster)? == before, "processes were started anew");
    Ok(())
}

pub(crate) async fn volumes_and_load_balancers_are_served(cluster: &Cluster) -> Result<()> {
    let volumes = cluster
        .kubectl(&cluster.kubeconfig(), &["get", "pvc", "-A", "-o", "jsonpath={.items[*].status.phase}"])?
        .success()?;
    ensure!(volumes.contains("Bound"), "{volumes}");
    let address = cluster
        .kubectl(
            &cluster.kubeconfig(),
            &[
                "get",
                "service",
                "-n",
                "tenants",
                "first",
                "-o",
                "jsonpath={.status.loadBalancer.ingress[0].ip}",
            ],
        )?
        .success()?;
    ensure!(!address.is_empty(), "the first tenant has no address");
    Ok(())
}

pub(crate) async fn image_archives_are_loaded_onto_the_node(cluster: &Cluster) -> Result<()> {
    let missing = cluster.flotilla(&["image", "load"], &["/no/such/archive.tar"])?;
    ensure!(missing.code == 1 && missing.err.contains("/no/such/archive.tar"), "{missing:?}");

    // An archive with a name that the node does not know.
    let name = "docker.io/library/story:1";
    let archive = cluster.directory().join("story.tar");
    let file = archive.to_string_lossy().into_owned();
    let pause = ctr(cluster, &["images", "list", "-q", "name~=pause:"])?;
    let pause = pause.lines().next().context("no pause image")?;
    ctr(cluster, &["images", "tag", pause, name])?;
    ctr(cluster, &["images", "export", &file, name])?;
    ctr(cluster, &["images", "remove", "--sync", name])?;
    ensure!(!ctr(cluster, &["images", "list", "-q"])?.contains(name), "the image is still there");
    cluster.flotilla(&["image", "load"], &[&file])?.success()?;
    ensure!(ctr(cluster, &["images", "list", "-q"])?.contains(name), "the image was not loaded");
    Ok(())
}

/// Runs containerd's own client on the first node.
fn ctr(cluster: &Cluster, arguments: &[&str]) -> Result<String> {
    let socket = format!("/run/flotilla/{}/node-0/containerd/containerd.sock", cluster.name());
    let output = Command::new("ctr").args(["-n", "k8s.io", "-a", &socket]).args(arguments).output()?;
    ensure!(output.status.success(), "ctr {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) async fn a_dead_component_is_restarted_and_reported(cluster: &Cluster) -> Result<()> {
    let pid = component(cluster, "kube-scheduler")?["pid"].as_i64().context("no pid")?;
    Command::new("kill").args(["-9", &pid.to_string()]).status()?;
    eventually("the scheduler runs again", Duration::from_secs(30), || async {
        let now = component(cluster, "kube-scheduler")?;
        ensure!(now["pid"].as_i64().is_some_and(|new| new != pid) && now["restarts"] == 1, "{now}");
        Ok(())
    })
    .await?;
    let logs = cluster.flotilla(&["logs", "supervisor"], &[])?.success()?;
    ensure!(logs.contains("kube-scheduler"), "the supervisor says nothing of it");
    Ok(())
}

/// The components as `flotilla status -o json` lists them.
fn components(cluster: &Cluster) -> Result<Vec<Value>> {
    let told = cluster.flotilla(&["status"], &["-o", "json"])?.success()?;
    let status: Value = serde_json::from_str(&told)?;
    let listed = status["components"].as_array().cloned().context("no components")?;
    Ok(listed
        .into_iter()
        .map(|component| {
            serde_json::json!({
                "name": component["component"], "node": component["node"],
                "pid": component["process"]["pid"], "restarts": component["restarts"],
            })
        })
        .collect())
}

fn component(cluster: &Cluster, name: &str) -> Result<Value> {
    let all = components(cluster)?;
    all.into_iter().find(|component| component["name"] == name).with_context(|| format!("no {name}"))
}
