//! Workers join from behind a router that lets nothing in, run workloads, get lost and come back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants, Workers, eventually};
use machines::Machine;
use serde_json::{Value, json};

use crate::workloads;

const NAMESPACE: &str = "workers";
const PATIENCE: Duration = Duration::from_mins(2);

/// A tenant with all addons. Its nodes are namespaces of one machine: control groups of version 1, a disk
/// that is nobody's own, and settings of the kernel that they may not write.
fn tenant(name: &str) -> TenantSpec {
    let patch = |path: &str, value: Value| json!({ "op": "add", "path": path, "value": value });
    let eviction = json!({ "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" });
    TenantSpec::new(name)
        .with("/controlPlane/service/serviceType", json!("LoadBalancer"))
        .with(
            "/kubernetes/kubelet/configurationJSONPatches",
            json!([
                patch("/failCgroupV1", json!(false)),
                patch("/evictionHard", eviction),
                patch("/imageGCHighThresholdPercent", json!(100)),
                patch("/imageGCLowThresholdPercent", json!(99)),
            ]),
        )
        .with(
            "/addons",
            json!({
                "coreDNS": {},
                "konnectivity": {},
                "kubeProxy": { "configurationJSONPatches": [
                    patch("/conntrack", json!({
                        "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
                    })),
                ] },
            }),
        )
}

/// What the stories of this module share.
struct Scene {
    workers: Workers,
    tenants: Tenants,
    one: PathBuf,
}

impl Scene {
    async fn open(cluster: &Cluster) -> Result<Self> {
        let tenants = Tenants::new(cluster, NAMESPACE).await?;
        let one = tenants.kubeconfig("one").await?;
        Ok(Self { workers: Workers::open(cluster, 0).await?, tenants, one })
    }

    fn machines(&self) -> [Machine; 2] {
        [self.workers.machine(1, "attic"), self.workers.machine(2, "barn")]
    }
}

pub(crate) async fn workers_of_two_tenants_join_from_behind_a_router(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    for name in ["one", "two"] {
        tenants.create(&tenant(name)).await?;
    }
    let workers = Workers::create(cluster, 0).await?;
    let machines = [workers.start(1, "attic")?, workers.start(2, "barn")?, workers.start(3, "cellar")?];
    for (name, joining) in [("one", &machines[..2]), ("two", &machines[2..])] {
        tenants.ready(name).await?;
        let kubeconfig = tenants.kubeconfig(name).await?;
        let script = script(cluster, name)?;
        let joining: Vec<&Machine> = joining.iter().collect();
        workers.join(&kubeconfig, &script, &joining).await?;
        addons_run(cluster, &kubeconfig).await?;
    }
    Ok(())
}

/// The node script for a tenant.
fn script(cluster: &Cluster, tenant: &str) -> Result<String> {
    let tenant = format!("{NAMESPACE}/{tenant}");
    cluster.flotilla(&["join-command"], &["--tenant", &tenant, "--output", "script"])?.success()
}

async fn addons_run(cluster: &Cluster, kubeconfig: &Path) -> Result<()> {
    for workload in ["deployment/coredns", "daemonset/kube-proxy", "daemonset/konnectivity-agent"] {
        eventually(&format!("{workload} runs"), PATIENCE, || async {
            let arguments = ["-n", "kube-system", "rollout", "status", workload, "--timeout=5s"];
            cluster.kubectl(kubeconfig, &arguments)?.success().map(|_| ())
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn pods_are_served_named_logged_and_entered(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    workloads::web(cluster, &scene.one).await?;
    workloads::service_answers(cluster, &scene.one).await?;
    workloads::names_resolve(cluster, &scene.one).await?;
    workloads::pods_are_reached_by_kubectl(cluster, &scene.one).await
}

pub(crate) async fn webhooks_and_metrics_are_served_from_pods(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    workloads::a_webhook_in_a_pod_refuses(cluster, &scene.one).await?;
    workloads::usage_is_told_through_an_aggregated_api(cluster, &scene.one).await
}

pub(crate) async fn a_lost_worker_is_seen_its_pods_move_and_it_comes_back(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    let [attic, barn] = scene.machines();
    let on_barn = workloads::containers(&barn)?;
    ensure!(!on_barn.is_empty(), "nothing runs on barn");
    barn.set_plugged(false)?;
    scene.workers.ready(&scene.one, "barn", "Unknown").await?;
    eventually("all pods of the web are on attic", PATIENCE, || async {
        let places = workloads::places(cluster, &scene.one)?;
        ensure!(places.len() == 3 && places.iter().all(|node| node == attic.hostname()), "{places:?}");
        Ok(())
    })
    .await?;
    let left = workloads::containers(&barn)?;
    ensure!(on_barn.iter().all(|container| left.contains(container)), "{on_barn:?} became {left:?}");
    barn.set_plugged(true)?;
    scene.workers.ready(&scene.one, "barn", "True").await
}

pub(crate) async fn a_worker_is_drained_and_removed(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    let tenant = format!("{NAMESPACE}/one");
    cluster.flotilla(&["node", "remove"], &["--tenant", &tenant, "barn", "--delete-emptydir-data"])?.success()?;
    let places = workloads::places(cluster, &scene.one)?;
    ensure!(places.iter().all(|node| node != "barn"), "{places:?}");
    let nodes = cluster.kubectl(&scene.one, &["get", "nodes", "-o", "name"])?.success()?;
    ensure!(nodes.trim() == "node/attic", "{nodes}");
    scene.tenants.delete("one").await?;
    scene.tenants.delete("two").await?;
    scene.workers.close().context("end the machines")
}
