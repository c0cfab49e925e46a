//! Workers join from behind a router that lets nothing in, run workloads, get lost and come back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants, Workers, eventually};
use machines::Machine;
use serde_json::json;

use crate::{tunnels, workloads};

const NAMESPACE: &str = "workers";
const PATIENCE: Duration = Duration::from_mins(2);

const ADDONS: [&str; 3] = ["deployment/coredns", "daemonset/kube-proxy", "daemonset/konnectivity-agent"];

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
    tenants.create(&TenantSpec::with_workers("one")).await?;
    let soon = json!(["--cluster-signing-duration=3m"]);
    let two = TenantSpec::with_workers("two")
        .with("/controlPlane/deployment/extraArgs/controllerManager", soon)
        .with("/addons/konnectivity/server", json!({ "shared": true, "port": 8132 }));
    tenants.create(&two).await?;
    let workers = Workers::create(cluster, 0).await?;
    let machines = [workers.start(1, "attic")?, workers.start(2, "barn")?, workers.start(3, "cellar")?];
    for (name, joining) in [("one", &machines[..2]), ("two", &machines[2..])] {
        tenants.ready(name).await?;
        let kubeconfig = tenants.kubeconfig(name).await?;
        let script = script(cluster, name)?;
        let joining: Vec<&Machine> = joining.iter().collect();
        workers.join(&kubeconfig, &script, &joining).await?;
        addons_run(cluster, &kubeconfig, ADDONS).await?;
    }
    Ok(())
}

/// The node script for a tenant.
fn script(cluster: &Cluster, tenant: &str) -> Result<String> {
    script_for(cluster, tenant, &[]).map(|(script, _)| script)
}

/// The node script for a tenant, and the name of its token.
fn script_for(cluster: &Cluster, tenant: &str, options: &[&str]) -> Result<(String, String)> {
    let tenant = format!("{NAMESPACE}/{tenant}");
    let arguments = [&["--tenant", &tenant, "--output", "script"][..], options].concat();
    let told = cluster.flotilla(&["join-command"], &arguments)?;
    let name = told.err.split('`').nth(1).unwrap_or_default().to_owned();
    Ok((told.success()?, name))
}

async fn addons_run(cluster: &Cluster, kubeconfig: &Path, workloads: [&str; 3]) -> Result<()> {
    for workload in workloads {
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
    workloads::web(cluster, &scene.one)?;
    workloads::service_answers(cluster, &scene.one).await?;
    workloads::names_resolve(cluster, &scene.one).await?;
    workloads::pods_are_reached_by_kubectl(cluster, &scene.one).await
}

pub(crate) async fn webhooks_and_metrics_are_served_from_pods(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    workloads::a_webhook_in_a_pod_refuses(cluster, &scene.one).await?;
    workloads::usage_is_told_through_an_aggregated_api(cluster, &scene.one).await
}

pub(crate) async fn what_cannot_join_is_told_what_to_do(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    let den = scene.workers.start_with_older_images(4, "den")?;
    let (script, name) = script_for(cluster, "one", &["--uses", "1"])?;
    let refused = |script: &str, settings: &[(&str, &str)], what: &str| -> Result<()> {
        let told = scene.workers.run_script(&den, script, settings)?;
        ensure!(told.code == 1 && told.err.contains(what), "instead of `{what}`: {} {}", told.code, told.err);
        ensure!(told.err.contains("what to do: "), "no advice: {}", told.err);
        den.run(&["kubeadm", "reset", "--force"]).map(drop)
    };
    refused(&script, &[("FLOTILLA_KUBELET", "v1.37.0")], "is newer than the control plane")?;
    refused(&script, &[("FLOTILLA_KUBELET", "v1.32.9")], "more than three minors older")?;
    refused(&script.replace("'sha256:", "'sha256:0"), &[], "is not the one that was promised")?;
    let nowhere = "FLOTILLA_ENDPOINT='10.200.0.1:1'\nFLOTILLA_TOKEN=";
    refused(&script.replacen("FLOTILLA_TOKEN=", nowhere, 1), &[], "cannot be reached from here")?;
    // A machine whose clock is an hour behind, as far as the script can see.
    den.write("/usr/local/bin/date", "#!/bin/sh\nif [ \"$*\" = +%s ]; then echo $(($(/usr/bin/date +%s) - 3600)); else exec /usr/bin/date \"$@\"; fi\n")?;
    den.run(&["chmod", "+x", "/usr/local/bin/date"])?.success()?;
    refused(&script, &[], "this machine's clock differs from the cluster's by -3")?;
    den.run(&["rm", "/usr/local/bin/date"])?.success()?;
    refused(
        &script,
        &[("FLOTILLA_NODE_NAME", "attic")],
        "a Node with name \"attic\" and status \"Ready\" already exists",
    )?;
    let (revoked, revoked_name) = script_for(cluster, "one", &[])?;
    let tenant = format!("{NAMESPACE}/one");
    cluster.flotilla(&["token", "revoke"], &["--tenant", &tenant, &revoked_name])?.success()?;
    let id = revoked
        .split("FLOTILLA_TOKEN='")
        .nth(1)
        .and_then(|rest| rest.split('.').next())
        .context("no token")?;
    eventually("the cluster no longer signs for the token", PATIENCE, || async {
        let info = ["-n", "kube-public", "get", "configmap", "cluster-info", "-o", "json"];
        ensure!(!cluster.kubectl(&scene.one, &info)?.success()?.contains(id), "it does");
        Ok(())
    })
    .await?;
    refused(&revoked, &[], "the cluster does not know the token")?;

    // The token was not used by any of these, and an older kubelet is welcome.
    let older = [("FLOTILLA_KUBELET", "v1.35.4")];
    scene.workers.run_script(&den, &script, &older)?.success()?;
    scene.workers.connect_pods(&scene.one, &[&den]).await?;
    scene.workers.ready(&scene.one, "den", "True").await?;
    let version = ["get", "node", "den", "-o", "jsonpath={.status.nodeInfo.kubeletVersion}"];
    let version = cluster.kubectl(&scene.one, &version)?.success()?;
    ensure!(version == "v1.35.4", "{version}");
    let again = scene.workers.run_script(&den, &script, &older)?;
    ensure!(again.code == 0 && again.err.contains("is a worker of"), "{}", again.err);
    let list = cluster.flotilla(&["token", "list"], &["--tenant", &tenant])?.success()?;
    let used = list.lines().find(|line| line.contains(&name)).unwrap_or_default();
    ensure!(used.contains("UsedUp"), "{list}");

    cluster.flotilla(&["node", "remove"], &["--tenant", &tenant, "den"])?.success()?;
    den.run(&["kubeadm", "reset", "--force"])?.success()?;
    let used = scene.workers.run_script(&den, &script, &older)?;
    ensure!(used.code == 1 && used.err.contains("the cluster refused this machine"), "{}", used.err);
    ensure!(used.err.contains("UsedUp") && used.err.contains("what to do: "), "{}", used.err);
    scene.workers.ready(&scene.one, "attic", "True").await
}

pub(crate) async fn a_worker_opens_no_other_tenant(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    let cellar = scene.workers.machine(3, "cellar");
    let endpoint = endpoint(&scene.tenants, "one").await?;
    let answer = |url: &str| -> Result<String> {
        let pem = "/var/lib/kubelet/pki/kubelet-client-current.pem";
        let format = "%{http_code}";
        let told = cellar.run(&[
            "curl",
            "-s",
            "-k",
            "-m",
            "10",
            "-o",
            "/dev/null",
            "-w",
            format,
            "--cert",
            pem,
            url,
        ])?;
        told.success()
    };
    let own = cellar.run(&["sed", "-n", "s/ *server: //p", "/etc/kubernetes/kubelet.conf"])?.success()?;
    let own = answer(&format!("{}/api/v1/nodes/cellar", own.trim()))?;
    ensure!(own == "200", "its own API server answers {own}");
    let other = answer(&format!("https://{endpoint}/api/v1/nodes/cellar"))?;
    ensure!(other == "401", "the other tenant's API server answers {other}");
    let kubelet = answer("https://192.168.100.11:10250/pods")?;
    ensure!(kubelet == "401", "the other tenant's kubelet answers {kubelet}");
    // Tenant one has a tunnel of its own, tenant two the one that is shared: it knows its tenants by their uids.
    foreign_agents_are_refused(cluster, &scene, &cellar, "one", None).await?;
    let [attic, _] = scene.machines();
    let [one, two] = [uid(&scene.tenants, "one").await?, uid(&scene.tenants, "two").await?];
    foreign_agents_are_refused(cluster, &scene, &attic, "two", Some(&two)).await?;
    let log = agent_at(cluster, &scene, &attic, "two", Some(&one), "one").await?;
    ensure!(log.contains(REFUSED), "a tenant that the tunnel does not serve: {log}");
    scene.workers.ready(&scene.one, "attic", "True").await
}

/// What an agent says that is not let in.
const REFUSED: &str = "cannot connect once";

/// Agents at the tunnel of a tenant: with its own token one is let in, with the other tenant's it is not.
async fn foreign_agents_are_refused(
    cluster: &Cluster,
    scene: &Scene,
    machine: &Machine,
    at: &str,
    named: Option<&str>,
) -> Result<()> {
    for token_of in ["one", "two"] {
        let log = agent_at(cluster, scene, machine, at, named, token_of).await?;
        ensure!(log.contains(REFUSED) == (token_of != at), "at {at} with the token of {token_of}: {log}");
    }
    Ok(())
}

/// Runs an agent on a machine for some seconds: at the tunnel of a tenant, which knows it by the uid that it
/// names, with the token of a tenant. Returns what it says.
async fn agent_at(
    cluster: &Cluster,
    scene: &Scene,
    machine: &Machine,
    at: &str,
    named: Option<&str>,
    token_of: &str,
) -> Result<String> {
    let authority = ["get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}"];
    let authority = cluster.kubectl(&scene.tenants.kubeconfig(at).await?, &authority)?.success()?;
    machine.write("/run/agent/ca.crt", &authority)?;
    machine.install(&e2e::tool(cluster, "konnectivity-agent")?, "foreign-agent")?;
    let create = [
        "create",
        "token",
        "konnectivity-agent",
        "-n",
        "kube-system",
        "--audience",
        "system:konnectivity-server",
    ];
    let token = cluster.kubectl(&scene.tenants.kubeconfig(token_of).await?, &create)?.success()?;
    machine.write("/run/agent/token", token.trim())?;
    let endpoint = endpoint(&scene.tenants, at).await?;
    let host = endpoint.rsplit_once(':').context("no port")?.0;
    let protocol = named.map(|uid| format!("--alpn-proto=flotilla-{uid}")).unwrap_or_default();
    let agent = format!(
        "timeout -s KILL 5 foreign-agent --ca-cert=/run/agent/ca.crt --service-account-token-path=/run/agent/token \
         --proxy-server-host={host} --proxy-server-port=8132 {protocol} \
         --admin-server-port=18133 --health-server-port=18134 2>&1"
    );
    Ok(machine.run(&["sh", "-c", &agent])?.out)
}

async fn endpoint(tenants: &Tenants, tenant: &str) -> Result<String> {
    let status = tenants.api().get(tenant).await?.status;
    status.and_then(|status| status.control_plane_endpoint).context("no endpoint")
}

async fn uid(tenants: &Tenants, tenant: &str) -> Result<String> {
    tenants.api().get(tenant).await?.metadata.uid.context("no uid")
}

pub(crate) async fn credentials_of_kubelets_are_rotated(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    let cellar = scene.workers.machine(3, "cellar");
    let two = scene.tenants.kubeconfig("two").await?;
    eventually("client and serving certificates are new", Duration::from_mins(4), || async {
        for kind in ["client", "server"] {
            let files = cellar
                .run(&["sh", "-c", &format!("ls /var/lib/kubelet/pki/kubelet-{kind}-2*.pem")])?
                .success()?;
            ensure!(files.lines().count() > 1, "{files}");
        }
        Ok(())
    })
    .await?;
    scene.workers.ready(&two, "cellar", "True").await?;
    let logs = ["-n", "kube-system", "logs", "daemonset/konnectivity-agent", "--tail=1"];
    cluster.kubectl(&two, &logs)?.success().map(|_| ())
}

pub(crate) async fn certificates_of_the_tunnels_are_renewed(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    tunnels::of_the_shared_tunnel_are_renewed(cluster, &scene.tenants, "two", "cellar").await?;
    tunnels::of_its_own_tunnel_are_renewed(cluster, &scene.tenants, "one", "attic").await
}

pub(crate) async fn what_runs_on_workers_follows_an_upgrade(cluster: &Cluster) -> Result<()> {
    let scene = Scene::open(cluster).await?;
    let three = TenantSpec::with_workers("three")
        .with("/kubernetes/version", json!("v1.35.4"))
        .with("/addons/konnectivity/agent", json!({ "mode": "Deployment", "replicas": 1 }));
    scene.tenants.create(&three).await?;
    scene.tenants.ready("three").await?;
    let kubeconfig = scene.tenants.kubeconfig("three").await?;
    let den = scene.workers.start_with_older_images(4, "den")?;
    scene.workers.join(&kubeconfig, &script(cluster, "three")?, &[&den]).await?;
    let addons = ["deployment/coredns", "daemonset/kube-proxy", "deployment/konnectivity-agent"];
    let images = || -> Result<Vec<String>> {
        let template = "jsonpath={.spec.template.spec.containers[0].image}";
        let image = |addon| {
            cluster.kubectl(&kubeconfig, &["-n", "kube-system", "get", addon, "-o", template])?.success()
        };
        addons.into_iter().map(image).collect()
    };
    let end_with =
        |images: &[String], ends: [&str; 3]| images.iter().zip(ends).all(|(image, end)| image.ends_with(end));
    addons_run(cluster, &kubeconfig, addons).await?;
    let old = images()?;
    ensure!(end_with(&old, [":v1.13.1", ":v1.35.4", ":v0.35.0"]), "{old:?}");
    tunnels::is_reached(cluster, &kubeconfig, "den").await?;
    scene.tenants.change("three", json!({"kubernetes": {"version": "v1.36.3"}})).await?;
    eventually("the addons are those of the new version", PATIENCE, || async {
        let new = images()?;
        ensure!(end_with(&new, [":v1.14.2", ":v1.36.3", ":v0.36.0"]), "{new:?}");
        Ok(())
    })
    .await?;
    addons_run(cluster, &kubeconfig, addons).await?;
    tunnels::is_reached(cluster, &kubeconfig, "den").await?;
    scene.tenants.delete("three").await
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
    cluster
        .flotilla(&["node", "remove"], &["--tenant", &tenant, "barn", "--delete-emptydir-data"])?
        .success()?;
    let places = workloads::places(cluster, &scene.one)?;
    ensure!(places.iter().all(|node| node != "barn"), "{places:?}");
    let nodes = cluster.kubectl(&scene.one, &["get", "nodes", "-o", "name"])?.success()?;
    ensure!(nodes.trim() == "node/attic", "{nodes}");
    scene.tenants.delete("one").await?;
    scene.tenants.delete("two").await?;
    scene.workers.close().context("end the machines")
}
