//! A second local cluster, which reaches the hub and is reached by nobody, in the hub's inventory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Hub, eventually};
use local::Layout;
use machines::{Told, open_outlet};
use serde_json::{Value, json};

/// How long an agent may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
const TENANT: &str = "dune";
const NAME: &str = "oasis";
const IMAGE: &str = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

pub(crate) async fn a_cluster_that_only_dials_out_is_imported(cluster: &Cluster) -> Result<()> {
    let edge = Cluster::new("edge");
    edge.flotilla(&["down"], &["--purge"])?.success()?;
    let told = Box::pin(told(cluster, &edge)).await;
    edge.flotilla(&["down"], &["--purge"])?.success()?;
    told
}

async fn told(cluster: &Cluster, edge: &Cluster) -> Result<()> {
    edge.flotilla(&["up"], &["--bare"])?.success()?;
    open_outlet(&layout(edge)?, &layout(cluster)?)?;
    let hub = Hub::find(cluster).await?;
    let admin = hub.admin(cluster).await?;
    hub.expect(&admin, 201, "POST", "/api/v1/tenants", Some(json!({ "name": TENANT, "spec": {} }))).await?;
    let dora = hub.member(&admin, "dora", "tenant-owner", TENANT).await?;
    let ron = hub.member(&admin, "ron", "read-only", TENANT).await?;
    import(&hub, &dora, edge).await?;
    let row = inventory(&hub, &ron).await?;
    ensure!(row["nodes"]["ready"] == 1 && row["version"] == "v1.36.3", "{row}");
    let home = tempfile::tempdir()?;
    let owner = config(&hub, home.path(), "dora", &dora)?;
    by_kubectl(cluster, &owner, &config(&hub, home.path(), "ron", &ron)?)?;
    lost_and_found(&hub, &dora, edge, || cluster.kubectl(&owner, &["get", "--raw", "/version"])).await?;
    hub.expect(&dora, 204, "DELETE", &format!("/api/v1/imports/{NAME}"), None).await?;
    let gone = hub.ask(Some(&dora), "GET", &format!("/k8s/clusters/{NAME}/version"), None).await?;
    ensure!(gone.status == 404, "{} {}", gone.status, gone.body);
    clear_away(&hub, &admin).await
}

/// One line in the cluster, as the hub tells it.
async fn import(hub: &Hub, owner: &str, edge: &Cluster) -> Result<()> {
    let new = json!({ "name": NAME, "spec": { "tenant": TENANT } });
    hub.expect(owner, 201, "POST", "/api/v1/imports", Some(new)).await?;
    let token = hub.expect(owner, 200, "POST", &format!("/api/v1/imports/{NAME}/token"), None).await?;
    let command = token["command"].as_str().context("no command")?;
    let path = format!("{}:{}", edge.directory().join("bin").display(), std::env::var("PATH")?);
    let mut shell = Command::new("sh");
    shell.args(["-ec", command]).env("PATH", path).env("KUBECONFIG", edge.kubeconfig());
    Told::from(shell.output()?).success().map(drop)
}

/// The cluster's row once its agent has come.
async fn inventory(hub: &Hub, user: &str) -> Result<Value> {
    let path = format!("/api/v1/clusters/{NAME}");
    eventually("the cluster is ready in the inventory", PATIENCE, || async {
        let row = hub.expect(user, 200, "GET", &path, None).await?;
        ensure!(row["state"] == "Ready", "{row}");
        Ok(row)
    })
    .await
}

/// A kubeconfig of somebody, which leads through the hub.
fn config(hub: &Hub, home: &Path, user: &str, token: &str) -> Result<PathBuf> {
    let (authority, config) = (home.join("ca.crt"), home.join(user));
    std::fs::write(&authority, &hub.authority)?;
    let server = format!("{}/k8s/clusters/{NAME}", hub.url);
    std::fs::write(&config, kubeconfig(&server, &authority.display().to_string(), token))?;
    Ok(config)
}

/// All that kubectl does with pods, through hub and agent.
fn by_kubectl(cluster: &Cluster, owner: &Path, reader: &Path) -> Result<()> {
    let dora = |arguments: &[&str]| cluster.kubectl(owner, arguments);
    let run = ["run", "echo", "--image", IMAGE, "--restart=Never", "--", "netexec", "--http-port=8080"];
    dora(&run)?.success()?;
    dora(&["wait", "--for=condition=Ready", "pod/echo", "--timeout=120s"])?.success()?;
    let said = dora(&["exec", "echo", "--", "/agnhost", "--version"])?.success()?;
    ensure!(said.contains("version"), "{said}");
    let logs = dora(&["logs", "echo"])?.success()?;
    ensure!(logs.contains("Started HTTP server on port 8080"), "{logs}");
    let echoed = dora(&["get", "--raw", "/api/v1/namespaces/default/pods/echo:8080/proxy/echo?msg=oasis"])?;
    ensure!(echoed.success()?.contains("oasis"), "a pod is reached through the API server's proxy");
    let seen = cluster.kubectl(reader, &["get", "pods"])?.success()?;
    ensure!(seen.contains("Running"), "{seen}");
    let denied = cluster.kubectl(reader, &["delete", "pod", "echo"])?;
    ensure!(denied.code == 1 && denied.err.contains("Forbidden"), "{denied:?}");
    dora(&["delete", "pod", "echo", "--now"])?.success().map(drop)
}

/// Without its agent the cluster is told to be away, and comes back with it.
async fn lost_and_found(
    hub: &Hub,
    owner: &str,
    edge: &Cluster,
    ask: impl Fn() -> Result<Told>,
) -> Result<()> {
    let scale = |replicas: &str| {
        let replicas = format!("--replicas={replicas}");
        let agent = ["-n", "flotilla-agent", "scale", "deployment/flotilla-agent", &replicas];
        edge.kubectl(&edge.kubeconfig(), &agent)?.success()
    };
    scale("0")?;
    eventually("the loss is seen", PATIENCE, || async {
        let row = hub.expect(owner, 200, "GET", &format!("/api/v1/clusters/{NAME}"), None).await?;
        ensure!(row["state"] == "Lost", "{row}");
        Ok(())
    })
    .await?;
    let away = ask()?;
    ensure!(away.code == 1 && away.err.contains("no agent of cluster"), "{away:?}");
    scale("1")?;
    inventory(hub, owner).await?;
    ask()?.success().map(drop)
}

async fn clear_away(hub: &Hub, admin: &str) -> Result<()> {
    for user in ["dora", "ron"] {
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/grants/{user}"), None).await?;
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/users/{user}"), None).await?;
    }
    eventually("the tenant is empty and deleted", PATIENCE, || async {
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/tenants/{TENANT}"), None).await.map(drop)
    })
    .await
}

fn kubeconfig(server: &str, authority: &str, token: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "hub", "cluster": { "server": server, "certificate-authority": authority } }],
        "users": [{ "name": "person", "user": { "token": token } }],
        "contexts": [{ "name": "hub", "context": { "cluster": "hub", "user": "person" } }],
        "current-context": "hub",
    })
    .to_string()
}

fn layout(cluster: &Cluster) -> Result<Layout> {
    Ok(Layout::new(cluster.name().parse()?, cluster.directory()))
}
