//! How a control plane is reached: node ports, load balancers, Ingresses, both address families.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;

/// How long a change of the spec may take to be brought about, a roll-out of the pods included.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long objects that need no pods may take.
const SOON: Duration = Duration::from_secs(10);

pub(crate) async fn a_changed_node_port_is_followed_by_service_status_and_kubeconfig(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, "ports").await?;
    let address = node_address(cluster).await?;
    let tenant = TenantSpec::new("moving")
        .with("/controlPlane/service/serviceType", json!("NodePort"))
        .with("/networkProfile/address", json!(address))
        .with("/networkProfile/port", json!(30002));
    tenants.create(&tenant).await?;
    for port in [30002, 30003, 30004] {
        tenants.change("moving", json!({ "networkProfile": { "port": port } })).await?;
        eventually(&format!("port {port} is everywhere"), PATIENCE, || async {
            let tenant = tenants.api().get("moving").await?;
            let status = tenant.status.unwrap_or_default();
            ensure!(status.observed_generation == tenant.metadata.generation, "not looked at");
            let told = status.kubernetes_resources.service.map(|service| service.port);
            ensure!(told == Some(port), "status tells {told:?}");
            let service: Service = tenants.beside().get("moving").await?;
            let ports = service.spec.and_then(|spec| spec.ports).unwrap_or_default();
            ensure!(ports.len() == 1 && ports[0].node_port == Some(port), "{ports:?}");
            let kubeconfig = tenants.kubeconfig("moving").await?;
            let text = std::fs::read_to_string(&kubeconfig)?;
            ensure!(text.contains(&format!("https://{address}:{port}")), "the kubeconfig is that of before");
            let version = cluster.kubectl(&kubeconfig, &["version", "--request-timeout=3s"])?.success()?;
            ensure!(version.contains("Server Version: v1.36.3"), "{version}");
            Ok(())
        })
        .await?;
    }
    tenants.delete("moving").await
}

pub(crate) async fn a_load_balancer_is_used_as_the_spec_says(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "balanced").await?;
    let tenant = TenantSpec::new("balanced")
        .with("/controlPlane/service/serviceType", json!("LoadBalancer"))
        .with("/networkProfile/loadBalancerSourceRanges", json!(["10.0.0.0/8"]));
    tenants.create(&tenant).await?;
    let ready = tenants.ready("balanced").await?;
    let service: Service = tenants.beside().get("balanced").await?;
    let handed_out = service.status.clone().and_then(|status| status.load_balancer?.ingress);
    let address = handed_out.and_then(|entries| entries.first()?.ip.clone()).context("no address")?;
    let status = ready.status.unwrap_or_default();
    ensure!(status.control_plane_endpoint == Some(format!("{address}:6443")), "{status:?}");
    cluster.kubectl(&tenants.kubeconfig("balanced").await?, &["get", "namespaces"])?.success()?;
    let spec = service.spec.unwrap_or_default();
    ensure!(spec.load_balancer_source_ranges == Some(vec!["10.0.0.0/8".to_owned()]), "{spec:?}");
    ensure!(spec.ports.iter().flatten().all(|port| port.node_port.is_some()), "{spec:?}");

    let less = json!({
        "controlPlane": { "service": { "allocateLoadBalancerNodePorts": false } },
        "networkProfile": { "loadBalancerSourceRanges": null },
    });
    tenants.change("balanced", less).await?;
    eventually("node ports and ranges are given back", SOON, || async {
        let spec = tenants.beside::<Service>().get("balanced").await?.spec.unwrap_or_default();
        ensure!(spec.load_balancer_source_ranges.is_none(), "{spec:?}");
        ensure!(spec.ports.iter().flatten().all(|port| port.node_port.is_none()), "{spec:?}");
        Ok(())
    })
    .await?;
    cluster.kubectl(&tenants.kubeconfig("balanced").await?, &["get", "namespaces"])?.success()?;
    tenants.delete("balanced").await
}

pub(crate) async fn an_ingress_is_followed_by_names_and_kubeconfig_and_goes_with_its_wish(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, "ingress").await?;
    let tenant = TenantSpec::new("fronted").with(
        "/controlPlane/ingress",
        json!({
            "hostname": "fronted.example.com:443", "ingressClassName": "none",
            "additionalMetadata": { "annotations": { "example.com/passthrough": "true" } },
        }),
    );
    tenants.create(&tenant).await?;
    let ready = tenants.ready("fronted").await?;
    let ingress: Ingress = tenants.beside().get("fronted").await?;
    let text = serde_json::to_string(&ingress)?;
    for part in [r#""host":"fronted.example.com""#, r#""number":6443"#, "example.com/passthrough"] {
        ensure!(text.contains(part), "{part} is missing in {text}");
    }
    let status = ready.status.unwrap_or_default();
    let told = status.kubernetes_resources.ingress.context("no status of the Ingress")?;
    ensure!((told.name.as_str(), told.namespace.as_str()) == ("fronted", "ingress"), "{told:?}");

    let kubeconfig = tenants.kubeconfig("fronted").await?;
    ensure!(server(&kubeconfig)? == "https://fronted.example.com:443", "{}", server(&kubeconfig)?);
    let inside = format!("https://{}", status.control_plane_endpoint.context("no endpoint")?);
    // An Ingress controller passes the connection on; the certificate has to serve the name.
    let call = |name: &str, kubeconfig: &Path| {
        let arguments = ["get", "namespaces", "--server", &inside, "--tls-server-name", name];
        cluster.kubectl(kubeconfig, &arguments)
    };
    call("fronted.example.com", &kubeconfig)?.success()?;

    tenants
        .change("fronted", json!({ "controlPlane": { "ingress": { "hostname": "other.example.com" } } }))
        .await?;
    eventually("the new name is everywhere", PATIENCE, || async {
        let kubeconfig = tenants.kubeconfig("fronted").await?;
        ensure!(server(&kubeconfig)? == "https://other.example.com:6443", "{}", server(&kubeconfig)?);
        call("other.example.com", &kubeconfig)?.success().map(|_| ())
    })
    .await?;

    // An Ingress of somebody else stays, one of ours goes.
    let foreign = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "foreign" },
        "spec": { "defaultBackend": { "service": { "name": "fronted", "port": { "number": 6443 } } } },
    });
    let apply = PatchParams::apply("story");
    tenants.beside::<Ingress>().patch("foreign", &apply, &Patch::Apply(&foreign)).await?;
    tenants.change("fronted", json!({ "controlPlane": { "ingress": null } })).await?;
    eventually("the Ingress is gone", PATIENCE, || async {
        ensure!(tenants.beside::<Ingress>().get_opt("fronted").await?.is_none(), "it is still there");
        let status = tenants.api().get("fronted").await?.status.unwrap_or_default();
        ensure!(status.kubernetes_resources.ingress.is_none(), "the status still tells of it");
        let kubeconfig = tenants.kubeconfig("fronted").await?;
        cluster.kubectl(&kubeconfig, &["get", "namespaces"])?.success().map(|_| ())
    })
    .await?;
    tenants.beside::<Ingress>().get("foreign").await?;
    tenants.delete("fronted").await
}

pub(crate) async fn a_tenant_of_both_address_families_is_served(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "families").await?;
    // Written in the order that an API server with an IPv4 address would refuse.
    let tenant = TenantSpec::new("dual")
        .with("/networkProfile/serviceCidrs", json!(["fd00:96::/112", "10.96.0.0/16"]))
        .with("/networkProfile/podCidrs", json!(["fd00:244::/56", "10.244.0.0/16"]));
    tenants.create(&tenant).await?;
    tenants.ready("dual").await?;
    let kubeconfig = tenants.kubeconfig("dual").await?;
    let manifest = cluster.directory().join("story-families.json");
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "both", "namespace": "default" },
        "spec": { "ipFamilyPolicy": "RequireDualStack", "ports": [{ "port": 80 }] },
    });
    std::fs::write(&manifest, service.to_string())?;
    cluster.kubectl(&kubeconfig, &["apply", "-f", &manifest.to_string_lossy()])?.success()?;
    let addresses = cluster
        .kubectl(&kubeconfig, &["get", "service", "both", "-o", "jsonpath={.spec.clusterIPs}"])?
        .success()?;
    ensure!(addresses.contains("10.96.") && addresses.contains("fd00:96::"), "{addresses}");
    let deployment: Deployment = tenants.beside().get("dual").await?;
    let text = serde_json::to_string(&deployment)?;
    ensure!(text.contains("--cluster-cidr=10.244.0.0/16,fd00:244::/56"), "{text}");
    tenants.delete("dual").await
}

async fn node_address(cluster: &Cluster) -> Result<String> {
    let nodes: Api<Node> = Api::all(cluster.client().await?);
    let node = nodes.list(&ListParams::default()).await?.items.into_iter().next().context("no node")?;
    let addresses = node.status.and_then(|status| status.addresses).unwrap_or_default();
    let internal = addresses.into_iter().find(|address| address.type_ == "InternalIP");
    Ok(internal.context("the node has no address")?.address)
}

/// Where a kubeconfig leads.
fn server(kubeconfig: &Path) -> Result<String> {
    let text = std::fs::read_to_string(kubeconfig)?;
    let begin = text.find("https://").context("no server")?;
    Ok(text[begin..].split(['"', '\n']).next().unwrap_or_default().to_owned())
}
