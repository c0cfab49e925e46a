//! Nodes and tokens on a real API server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use launcher::{ControlPlane, Options};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::{Value, json};
use workers::Error;
use workers::nodes::{self, Allowed, DrainOptions, RemoveOptions};

const ALL: Allowed = Allowed { uncontrolled: true, with_local_data: true };

struct World {
    client: Client,
    _control_plane: ControlPlane,
    told: Mutex<Vec<String>>,
}

impl World {
    /// A cluster with the node `a`.
    async fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let control_plane = ControlPlane::start(&Options::default()).await.unwrap();
        let read = Kubeconfig::read_from(control_plane.kubeconfig_path()).unwrap();
        let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
        // As the client for tenants has it.
        config.default_retry = false;
        let client = Client::try_from(config).unwrap();
        let node: Node = serde_json::from_value(json!({ "metadata": { "name": "a" } })).unwrap();
        Api::all(client.clone()).create(&PostParams::default(), &node).await.unwrap();
        Self { client, _control_plane: control_plane, told: Mutex::default() }
    }

    fn nodes(&self) -> Api<Node> {
        Api::all(self.client.clone())
    }

    fn pods(&self) -> Api<Pod> {
        Api::default_namespaced(self.client.clone())
    }

    async fn names(&self) -> Vec<String> {
        let pods = self.pods().list(&ListParams::default()).await.unwrap();
        pods.items.into_iter().filter_map(|pod| pod.metadata.name).collect()
    }

    async fn create_pod(&self, name: &str, owner: Option<&str>) {
        let owners: Vec<Value> = owner
            .iter()
            .map(|kind| json!({ "apiVersion": "apps/v1", "kind": kind, "name": "o", "uid": "u", "controller": true }))
            .collect();
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": name, "labels": { "app": name }, "ownerReferences": owners },
            "spec": { "nodeName": "a", "containers": [{ "name": "c", "image": "i" }] },
        }))
        .unwrap();
        self.pods().create(&PostParams::default(), &pod).await.unwrap();
    }

    async fn drain(&self, allowed: Allowed, seconds: u64) -> Result<(), Error> {
        // Nobody ends the pods here, so they get no time.
        let limit = Duration::from_secs(seconds);
        let options = DrainOptions { allowed, grace_seconds: Some(0), limit };
        nodes::drain(&self.client, "a", options, &|line| self.told.lock().unwrap().push(line.to_owned()))
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_leaves_daemons_and_refuses_what_would_be_lost() {
    let world = World::new().await;
    world.create_pod("web", Some("ReplicaSet")).await;
    world.create_pod("daemon", Some("DaemonSet")).await;
    world.create_pod("alone", None).await;
    let refused = world.drain(Allowed::default(), 10).await.unwrap_err();
    assert!(refused.to_string().contains("default/alone"), "{refused}");
    assert_eq!(world.names().await.len(), 3, "nothing is evicted while something stands in the way");
    assert_eq!(world.nodes().get("a").await.unwrap().spec.unwrap().unschedulable, Some(true));

    world.drain(ALL, 10).await.unwrap();
    assert_eq!(world.names().await, ["daemon"]);
    nodes::set_schedulable(&world.client, "a", true).await.unwrap();
    assert_eq!(world.nodes().get("a").await.unwrap().spec.and_then(|spec| spec.unschedulable), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_holds_a_drain_up_until_it_allows_it() {
    let world = World::new().await;
    world.create_pod("web", Some("ReplicaSet")).await;
    // Budgets do not hold pods that have not started.
    let running = Patch::Merge(json!({ "status": { "phase": "Running" } }));
    world.pods().patch_status("web", &PatchParams::default(), &running).await.unwrap();
    let budget: PodDisruptionBudget = serde_json::from_value(json!({
        "metadata": { "name": "web" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "web" } } },
    }))
    .unwrap();
    let budgets: Api<PodDisruptionBudget> = Api::default_namespaced(world.client.clone());
    budgets.create(&PostParams::default(), &budget).await.unwrap();
    let held = world.drain(ALL, 1).await.unwrap_err();
    assert!(
        matches!(held, Error::DrainTimedOut { .. }) && held.to_string().contains("default/web"),
        "{held}"
    );
    assert_eq!(world.names().await, ["web"]);

    world.told.lock().unwrap().clear();
    let allow = async {
        let is_held = || world.told.lock().unwrap().iter().any(|line| line.contains("default/web waits"));
        tokio::time::timeout(Duration::from_secs(20), async {
            while !is_held() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .unwrap();
        budgets.delete("web", &DeleteParams::default()).await.unwrap();
    };
    let (drained, ()) = tokio::join!(world.drain(ALL, 30), allow);
    drained.unwrap();
    assert!(world.names().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_node_goes_with_the_requests_that_are_pending_for_it() {
    let world = World::new().await;
    let requests: Api<CertificateSigningRequest> = Api::all(world.client.clone());
    for node in ["a", "b"] {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
        params.distinguished_name.push(DnType::CommonName, format!("system:node:{node}"));
        let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
        let request = serde_json::from_value(json!({
            "metadata": { "name": format!("of-{node}") },
            "spec": {
                "request": k8s_openapi::ByteString(request.into_bytes()),
                "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
                "usages": ["digital signature", "client auth"],
            },
        }))
        .unwrap();
        requests.create(&PostParams::default(), &request).await.unwrap();
    }
    nodes::label(&world.client, "a", &["pool=x".to_owned()]).await.unwrap();
    let known = nodes::list(&world.client).await.unwrap();
    assert_eq!((known.len(), known[0].status), (1, "Unknown"));
    nodes::remove(&world.client, "a", RemoveOptions { drain: None }, &|_| ()).await.unwrap();
    assert!(world.nodes().get_opt("a").await.unwrap().is_none());
    let left = requests.list(&ListParams::default()).await.unwrap();
    let left: Vec<String> = left.items.into_iter().filter_map(|request| request.metadata.name).collect();
    assert_eq!(left, ["of-b"]);
    let gone = nodes::remove(&world.client, "a", RemoveOptions { drain: None }, &|_| ()).await.unwrap_err();
    assert!(matches!(gone, Error::NoNode { .. }));
}
