//! The shared tunnel on a real API server without nodes: what the operator writes for it, and takes away.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::TenantControlPlane;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Options, Stage, eventually, manifest};

const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
const SYSTEM: &str = "flotilla-system";
const TUNNEL: &str = "flotilla-system-tunnel";
const NAMESPACE: &str = "tunnelled";
/// Longest wait for a pass, the start of played pods included.
const PATIENCE: Duration = Duration::from_secs(30);

async fn set() -> Stage {
    let stage = Stage::set(Options { without_webhooks: true, ..Options::default() }).await.unwrap();
    for namespace in [NAMESPACE, TUNNEL] {
        stage.create_namespace(namespace).await.unwrap();
    }
    stage
}

fn shared(is_shared: bool) -> Value {
    json!({ "addons": { "konnectivity": { "server": { "port": 8132, "shared": is_shared } } } })
}

async fn create(stage: &Stage, name: &str, spec: Value) -> String {
    let made = manifest(name, spec).unwrap();
    stage.tenants(NAMESPACE).create(&PostParams::default(), &made).await.unwrap().uid().unwrap()
}

/// Waits for status and reason of the condition `AddonsReady`.
async fn addons(stage: &Stage, name: &str, status: &str, reason: &str) -> TenantControlPlane {
    eventually(&format!("AddonsReady={status}, {reason}"), PATIENCE, || async {
        let tenant = stage.tenants(NAMESPACE).get(name).await?;
        let conditions = tenant.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
        let found =
            conditions.iter().find(|condition| condition.type_ == "AddonsReady").context("not told")?;
        ensure!(found.status == status && found.reason == reason, "{found:?}");
        Ok(tenant)
    })
    .await
    .unwrap()
}

/// A pod of the tunnel, as its kubelet would tell of it.
async fn play_pod(stage: &Stage, name: &str, address: &str) {
    let pods: Api<Pod> = stage.objects(SYSTEM);
    let pod: Pod = serde_json::from_value(json!({
        "metadata": { "name": name, "labels": { "app.kubernetes.io/component": "tunnel" } },
        "spec": { "containers": [{ "name": "tunnel", "image": "i" }] },
    }))
    .unwrap();
    pods.create(&PostParams::default(), &pod).await.unwrap();
    let ready = json!({ "type": "Ready", "status": "True" });
    let status =
        json!({ "status": { "podIP": address, "podIPs": [{ "ip": address }], "conditions": [ready] } });
    pods.patch_status(name, &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
}

async fn leads_to(stage: &Stage, expected: &[&str]) {
    eventually("the endpoints", PATIENCE, || async {
        let slice = stage.objects::<EndpointSlice>(NAMESPACE).get("blue-shared-tunnel").await?;
        let found: Vec<String> =
            slice.endpoints.iter().flatten().flat_map(|place| place.addresses.clone()).collect();
        ensure!(found == expected, "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn told(stage: &Stage) -> Vec<String> {
    let secrets = stage.objects::<Secret>(TUNNEL).list(&ListParams::default()).await.unwrap();
    secrets.iter().map(ResourceExt::name_any).collect()
}

async fn is_told(stage: &Stage, expected: &[&str]) -> Result<()> {
    let found = told(stage).await;
    ensure!(found == expected, "{found:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_comes_to_the_tunnel_and_leaves_it() {
    let stage = set().await;
    let flags = ["--datastore=store", "--tunnel-namespace=flotilla-system-tunnel"];
    let mut operator = stage.operator(Path::new(OPERATOR), &flags).await.unwrap();
    play_pod(&stage, "tunnel-a", "10.1.0.1").await;
    let uid = create(&stage, "blue", shared(true)).await;
    let known = format!("tunnel-{uid}");
    addons(&stage, "blue", "True", "Applied").await;
    leads_to(&stage, &["10.1.0.1"]).await;
    is_told(&stage, &[&known, "tunnel-server"]).await.unwrap();
    let secret = stage.objects::<Secret>(TUNNEL).get(&known).await.unwrap();
    let keys: Vec<String> = secret.data.clone().unwrap().into_keys().collect();
    assert_eq!(keys, ["issuer", "sa.pub", "tls.crt", "tls.key"]);
    let authority = stage.objects::<Secret>(SYSTEM).get("flotilla-tunnel-ca").await.unwrap();
    assert!(authority.data.unwrap().contains_key("ca.key"));
    let service = stage.objects::<Service>(NAMESPACE).get("blue").await.unwrap();
    let agents = service.spec.unwrap().ports.unwrap().into_iter().find(|port| port.port == 8132).unwrap();
    assert_eq!(serde_json::to_value(agents.target_port).unwrap(), json!("shared-tunnel"));
    let inside = stage.inside(&uid);
    let agent = inside.values().find(|object| object["kind"] == "DaemonSet").map(ToString::to_string);
    assert!(agent.unwrap().contains(&format!("--alpn-proto=flotilla-{uid}")));

    play_pod(&stage, "tunnel-b", "10.1.0.2").await;
    leads_to(&stage, &["10.1.0.1", "10.1.0.2"]).await;

    // What somebody takes away comes back, with the keys that it had.
    stage
        .objects::<EndpointSlice>(NAMESPACE)
        .delete("blue-shared-tunnel", &DeleteParams::default())
        .await
        .unwrap();
    leads_to(&stage, &["10.1.0.1", "10.1.0.2"]).await;

    // Own again: the tunnel is told nothing any more.
    let patch = Patch::Merge(json!({ "spec": shared(false) }));
    stage.tenants(NAMESPACE).patch("blue", &PatchParams::default(), &patch).await.unwrap();
    eventually("the tunnel forgets", PATIENCE, || async { is_told(&stage, &["tunnel-server"]).await })
        .await
        .unwrap();
    eventually("the container is back", PATIENCE, || async {
        let pods = stage.objects::<Deployment>(NAMESPACE).get("blue").await?;
        let containers = pods.spec.unwrap().template.spec.unwrap().containers;
        ensure!(containers.iter().any(|container| container.name == "konnectivity-server"));
        let slice = stage.objects::<EndpointSlice>(NAMESPACE).get_opt("blue-shared-tunnel").await?;
        ensure!(slice.is_none(), "the endpoints are left");
        Ok(())
    })
    .await
    .unwrap();

    // Shared again, and deleted while the operator is away.
    let patch = Patch::Merge(json!({ "spec": shared(true) }));
    stage.tenants(NAMESPACE).patch("blue", &PatchParams::default(), &patch).await.unwrap();
    eventually("the tunnel is told", PATIENCE, || async {
        is_told(&stage, &[&known, "tunnel-server"]).await
    })
    .await
    .unwrap();
    operator.kill().await;
    let finalizers = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    stage.tenants(NAMESPACE).delete("blue", &DeleteParams::default()).await.unwrap();
    stage.tenants(NAMESPACE).patch("blue", &PatchParams::default(), &finalizers).await.unwrap();
    operator.restart().await.unwrap();
    eventually("the tunnel forgets", PATIENCE, || async { is_told(&stage, &["tunnel-server"]).await })
        .await
        .unwrap();

    // And the ordinary way.
    let uid = create(&stage, "green", shared(true)).await;
    let known = format!("tunnel-{uid}");
    eventually("the tunnel is told", PATIENCE, || async {
        is_told(&stage, &[&known, "tunnel-server"]).await
    })
    .await
    .unwrap();
    stage.tenants(NAMESPACE).delete("green", &DeleteParams::default()).await.unwrap();
    eventually("the tunnel forgets", PATIENCE, || async { is_told(&stage, &["tunnel-server"]).await })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tunnel_the_condition_says_what_to_do() {
    let stage = set().await;
    let _operator = stage.operator(Path::new(OPERATOR), &["--datastore=store"]).await.unwrap();
    create(&stage, "blue", shared(true)).await;
    let tenant = addons(&stage, "blue", "False", "NoSharedTunnel").await;
    let conditions = tenant.status.unwrap().conditions;
    let message = &conditions.iter().find(|condition| condition.type_ == "AddonsReady").unwrap().message;
    assert!(message.contains("tunnel.enabled=true"), "{message}");
    assert!(told(&stage).await.is_empty());
}
