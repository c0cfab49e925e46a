//! A Gateway for the stories: the definitions of Gateway API and a program that serves them, on the host.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{Cluster, eventually};

/// Namespace of the Gateway.
const NAMESPACE: &str = "gateways";
/// Name of the Gateway.
const NAME: &str = "public";

/// A Gateway with a listener for API servers and one for tunnels; it is served until this is dropped.
pub struct Gateway {
    address: String,
    process: Child,
}

impl Gateway {
    /// Teaches the cluster Gateway API, unless it knows it.
    pub fn install(cluster: &Cluster) -> Result<()> {
        let definitions = cluster.root().join("target/dist/tools/gateway-api");
        let directory = definitions.to_string_lossy();
        let arguments = ["apply", "--server-side", "--force-conflicts", "-f", &directory];
        cluster.kubectl(&cluster.kubeconfig(), &arguments)?.success().map(|_| ())
    }

    /// Makes the Gateway and serves it.
    pub async fn serve(cluster: &Cluster) -> Result<Self> {
        Self::install(cluster)?;
        let address = host_address(cluster)?;
        let program = cluster.root().join("target/dist/tools/gateway");
        let log = std::fs::File::create(cluster.directory().join("gateway.log"))?;
        let process = Command::new(&program)
            .args([format!("{address}:6443"), format!("{address}:8132")])
            .env("KUBECONFIG", cluster.kubeconfig())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("run {}; `cargo xtask build` makes it", program.display()))?;
        let gateway = Self { address, process };
        eventually("the Gateway is there", Duration::from_secs(30), || async {
            apply(cluster)?;
            let jsonpath = r#"jsonpath={.status.conditions[?(@.type=="Programmed")].status}"#;
            let arguments = ["get", "gateway", NAME, "-n", NAMESPACE, "-o", jsonpath];
            let programmed = cluster.kubectl(&cluster.kubeconfig(), &arguments)?.success()?;
            ensure!(programmed == "True", "Programmed is `{programmed}`");
            Ok(())
        })
        .await?;
        Ok(gateway)
    }

    /// Where it listens: the host, as seen from the cluster.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How a control plane refers to one of its listeners, `control-planes` or `konnectivity-server`.
    #[must_use]
    pub fn reference(section: &str, port: u16) -> serde_json::Value {
        json!({ "name": NAME, "namespace": NAMESPACE, "sectionName": section, "port": port })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // One that has ended already needs no ending.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn apply(cluster: &Cluster) -> Result<()> {
    let listener = |name: &str, port: u16| {
        json!({
            "name": name, "port": port, "protocol": "TLS", "tls": { "mode": "Passthrough" },
            "allowedRoutes": { "namespaces": { "from": "All" } },
        })
    };
    let objects = json!({ "apiVersion": "v1", "kind": "List", "items": [
        { "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } },
        {
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
            "metadata": { "name": "stories" },
            "spec": { "controllerName": "traefik.io/gateway-controller" },
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": { "name": NAME, "namespace": NAMESPACE },
            "spec": {
                "gatewayClassName": "stories",
                "listeners": [listener("control-planes", 6443), listener("konnectivity-server", 8132)],
            },
        },
    ] });
    let file = cluster.directory().join("story-gateway.json");
    std::fs::write(&file, objects.to_string())?;
    let path = file.to_string_lossy();
    let arguments = ["apply", "--server-side", "--force-conflicts", "-f", &path];
    cluster.kubectl(&cluster.kubeconfig(), &arguments)?.success().map(|_| ())
}

/// The host on the cluster's bridge: the first address of the network whose tenth is the first node's.
fn host_address(cluster: &Cluster) -> Result<String> {
    let jsonpath = r#"jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}"#;
    let node = cluster.kubectl(&cluster.kubeconfig(), &["get", "nodes", "-o", jsonpath])?.success()?;
    let network = node.rsplit_once('.').context("the node has no IPv4 address")?.0;
    Ok(format!("{network}.1"))
}
