//! Control planes behind a Gateway that is real, and the tunnel to their workers through it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::gateway_api::TlsRoute;
use e2e::{Cluster, Gateway, TenantSpec, Tenants, eventually};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;

/// How long a change of the spec may take to be brought about.
const PATIENCE: Duration = Duration::from_mins(2);

fn behind_gateway(name: &str) -> TenantSpec {
    let hostname = format!("{name}.example.com");
    TenantSpec::new(name).with("/networkProfile/certSANs", json!([hostname])).with(
        "/controlPlane/gateway",
        json!({ "hostname": hostname, "parentRefs": [Gateway::reference("control-planes", 6443)] }),
    )
}

pub(crate) async fn a_gateway_that_comes_later_leads_to_the_control_plane(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "gateway").await?;
    let gateway = Gateway::serve(cluster).await?;
    // The operator was there before Gateway API.
    eventually("Gateway API is noticed", Duration::from_secs(30), || async {
        Ok(tenants.create(&behind_gateway("gated")).await.map(|_| ())?)
    })
    .await?;
    let ready = tenants.ready("gated").await?;

    let route: TlsRoute = tenants.beside().get("gated").await?;
    let parent = route.spec.parent_refs.first().context("no parent")?;
    let section = (parent.section_name.as_deref(), parent.port);
    ensure!(section == (Some("control-planes"), Some(6443)), "{section:?}");
    ensure!(tenants.beside::<TlsRoute>().get_opt("gated-konnectivity").await?.is_none(), "a route too many");
    let status = ready.status.unwrap_or_default();
    let told = status.kubernetes_resources.gateway.context("no status of the route")?;
    let values: Vec<&str> = told.access_points.iter().map(|point| point.value.as_str()).collect();
    ensure!(values == ["https://gated.example.com:6443"], "{values:?}");
    ensure!(
        status.control_plane_endpoint.is_some_and(|endpoint| !endpoint.contains("example.com")),
        "endpoint"
    );

    let kubeconfig = tenants.kubeconfig("gated").await?;
    let text = std::fs::read_to_string(&kubeconfig)?;
    ensure!(text.contains("https://gated.example.com:6443"), "the kubeconfig leads elsewhere");
    let through = format!("https://{}:6443", gateway.address());
    let arguments = [
        "get",
        "namespaces",
        "--server",
        &through,
        "--tls-server-name",
        "gated.example.com",
        "--request-timeout=5s",
    ];
    eventually("kubectl gets through the Gateway", Duration::from_secs(30), || async {
        cluster.kubectl(&kubeconfig, &arguments)?.success()
    })
    .await?;

    tenants.change("gated", json!({ "controlPlane": { "gateway": null } })).await?;
    eventually("the route is gone", PATIENCE, || async {
        ensure!(tenants.beside::<TlsRoute>().get_opt("gated").await?.is_none(), "it is still there");
        let status = tenants.api().get("gated").await?.status.unwrap_or_default();
        ensure!(status.kubernetes_resources.gateway.is_none(), "the status still tells of it");
        let kubeconfig = tenants.kubeconfig("gated").await?;
        cluster.kubectl(&kubeconfig, &["get", "namespaces", "--request-timeout=5s"])?.success().map(|_| ())
    })
    .await?;
    tenants.delete("gated").await
}

pub(crate) async fn the_tunnel_through_a_gateway_carries_requests_to_workers(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, "gateway").await?;
    let gateway = Gateway::serve(cluster).await?;
    let tenant = behind_gateway("tunnel").with("/addons/konnectivity", json!({}));
    eventually("Gateway API is noticed", Duration::from_secs(30), || async {
        Ok(tenants.create(&tenant).await.map(|_| ())?)
    })
    .await?;
    tenants.ready("tunnel").await?;
    let routes = tenants.beside::<TlsRoute>();
    let (api_server, tunnel) = (routes.get("tunnel").await?, routes.get("tunnel-konnectivity").await?);
    ensure!(api_server.spec.hostnames == tunnel.spec.hostnames, "{:?}", tunnel.spec.hostnames);
    let parent = tunnel.spec.parent_refs.first().context("no parent")?;
    ensure!(parent.section_name.as_deref() == Some("konnectivity-server"), "{parent:?}");

    let own = ListParams::default().labels("kamaji.clastix.io/name=tunnel");
    let templates = tenants.beside::<ReplicaSet>().list(&own).await?.items.len();
    ensure!(templates == 1, "the tunnel came by {templates} templates of the pods");

    let worker = Worker { cluster, tenants: &tenants, gateway: &gateway };
    worker.start("tunnel").await?;
    let raw = "/api/v1/nodes/http:worker:8134/proxy/healthz";
    let kubeconfig = tenants.kubeconfig("tunnel").await?;
    let through = format!("https://{}:6443", gateway.address());
    let server = ["--server", &through, "--tls-server-name", "tunnel.example.com"];
    eventually("the API server reaches the worker", PATIENCE, || async {
        let arguments = [&["get", "--raw", raw, "--request-timeout=5s"][..], &server].concat();
        let answer = cluster.kubectl(&kubeconfig, &arguments)?.success()?;
        ensure!(answer.contains("ok"), "{answer}");
        Ok(())
    })
    .await?;

    // Without the agent nothing answers: it was the tunnel that carried the request.
    let at_once = DeleteParams::default().grace_period(0);
    tenants.beside::<Pod>().delete("worker", &at_once).await?;
    tenants.beside::<Secret>().delete("worker", &at_once).await?;
    eventually("the worker is out of reach", PATIENCE, || async {
        let arguments = [&["get", "--raw", raw, "--request-timeout=5s"][..], &server].concat();
        let told = cluster.kubectl(&kubeconfig, &arguments)?;
        ensure!(told.code != 0, "it still answers: {}", told.out);
        Ok(())
    })
    .await?;

    tenants.change("tunnel", json!({ "addons": { "konnectivity": null } })).await?;
    eventually("nothing of the tunnel is left", PATIENCE, || async {
        ensure!(routes.get_opt("tunnel-konnectivity").await?.is_none(), "its route is still there");
        for name in ["tunnel-konnectivity-certificate", "tunnel-konnectivity-kubeconfig"] {
            ensure!(tenants.beside::<Secret>().get_opt(name).await?.is_none(), "{name} is still there");
        }
        let status = tenants.api().get("tunnel").await?.status.unwrap_or_default();
        ensure!(!status.addons.konnectivity.enabled, "the status still tells of it");
        ensure!(status.addons.konnectivity.config_map.name.is_none(), "the status tells of its ConfigMap");
        let deployment = serde_json::to_string(&tenants.beside::<Deployment>().get("tunnel").await?.spec)?;
        ensure!(!deployment.contains("konnectivity") && !deployment.contains("egress"), "{deployment}");
        Ok(())
    })
    .await?;
    tenants.delete("tunnel").await
}

/// A worker's half of the tunnel: the agent, in a pod that knows the control plane by its public name only.
struct Worker<'a> {
    cluster: &'a Cluster,
    tenants: &'a Tenants,
    gateway: &'a Gateway,
}

impl Worker<'_> {
    async fn start(&self, tenant: &str) -> Result<()> {
        let kubeconfig = self.tenants.kubeconfig(tenant).await?;
        let hostname = format!("{tenant}.example.com");
        let server = format!("https://{}:6443", self.gateway.address());
        let through = ["--server", &server, "--tls-server-name", &hostname];
        let token = eventually("the agent's account is there", PATIENCE, || async {
            let create = ["create", "token", "konnectivity-agent", "-n", "kube-system"];
            let audience = ["--audience", "system:konnectivity-server"];
            self.cluster.kubectl(&kubeconfig, &[&create[..], &audience, &through].concat())?.success()
        })
        .await?;
        let authority: Secret = self.tenants.beside().get(&format!("{tenant}-ca")).await?;
        let certificate = authority.data.and_then(|data| data.get("ca.crt").cloned()).context("no ca.crt")?;
        let secret: Secret = serde_json::from_value(json!({
            "metadata": { "name": "worker" },
            "stringData": { "token": token.trim(), "ca.crt": String::from_utf8_lossy(&certificate.0) },
        }))?;
        self.tenants.beside::<Secret>().create(&PostParams::default(), &secret).await?;
        let pod = serde_json::from_value(agent(self.gateway.address(), &hostname))?;
        self.tenants.beside::<Pod>().create(&PostParams::default(), &pod).await?;
        let address = eventually("the agent runs", PATIENCE, || async {
            let pod = self.tenants.beside::<Pod>().get("worker").await?;
            pod.status.and_then(|status| status.pod_ip).context("no address yet")
        })
        .await?;
        // The API server proxies to addresses of nodes; the agent's own health port stands for a kubelet.
        let node = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": { "name": "worker" },
            "status": { "addresses": [{ "type": "InternalIP", "address": address }] },
        });
        let file = self.cluster.directory().join("story-worker.json");
        std::fs::write(&file, node.to_string())?;
        let path = file.to_string_lossy();
        self.cluster.kubectl(&kubeconfig, &[&["create", "-f", &path][..], &through].concat())?.success()?;
        Ok(())
    }
}

fn agent(gateway: &str, hostname: &str) -> serde_json::Value {
    json!({
        "metadata": { "name": "worker" },
        "spec": {
            "hostAliases": [{ "ip": gateway, "hostnames": [hostname] }],
            "automountServiceAccountToken": false,
            "containers": [{
                "name": "agent",
                "image": "registry.k8s.io/kas-network-proxy/proxy-agent:v0.36.0",
                "imagePullPolicy": "IfNotPresent",
                "command": ["/proxy-agent"],
                "args": [
                    "--ca-cert=/agent/ca.crt", "--service-account-token-path=/agent/token",
                    format!("--proxy-server-host={hostname}"), "--proxy-server-port=8132",
                    "--admin-server-port=8133", "--health-server-port=8134", "--agent-identifiers=default-route=true",
                ],
                "volumeMounts": [{ "name": "agent", "mountPath": "/agent" }],
            }],
            "volumes": [{ "name": "agent", "secret": { "secretName": "worker" } }],
        },
    })
}
