//! The program with the rights of its manifest, between a hub and a real API server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

#[path = "../../uplink/tests/world/mod.rs"]
mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use authn::{Identity, Issuer};
use base::{Clock, SystemClock};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Namespace, Node, Secret};
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kubekit::Remote;
use launcher::{CommandSpec, ControlPlane, Options, Process, free_ports};
use pki::{KeyAlgorithm, ServiceAccountPair};
use serde_json::{Value, json};
use uplink::{IDENTITY_SECRET, Installation, Report, Status};
use world::hub::TestHub;
use world::{eventually, within};

const ISSUER: &str = "https://hub.example.com/issuer";
const EDITORS: &str = "flotilla:cluster:edit";

struct World {
    control_plane: ControlPlane,
    client: Client,
    hub: TestHub,
    issuer: Issuer,
    cluster: String,
    directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let control_plane =
            Box::pin(ControlPlane::start(&Options { own: true, ..Options::default() })).await.unwrap();
        let client = Box::pin(kubekit::client(Some(&control_plane.kubeconfig_path()))).await.unwrap();
        let authority = world::authority("hub");
        let hub = TestHub::start(&authority, 1).await;
        let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let issuer = Issuer::new(ISSUER, [pair.private_key.expose_pem()]).unwrap();
        *hub.issuer.lock().unwrap() = json!({ "issuer": ISSUER, "keys": issuer.key_set() });
        apply_manifest(&client, &hub, &authority.pair().certificate).await;
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("hub.crt", &authority.pair().certificate);
        write("import", "import\n");
        write("token", &service_account_token(&client).await);
        write("ca.crt", &std::fs::read_to_string(control_plane.directory().join("pki/ca.crt")).unwrap());
        let cluster =
            Api::<Namespace>::all(client.clone()).get("kube-system").await.unwrap().metadata.uid.unwrap();
        Self { control_plane, client, hub, issuer, cluster, directory }
    }

    fn agent(&self) -> Process {
        let [health] = free_ports().unwrap();
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        let port = self.control_plane.server().rsplit(':').next().unwrap();
        let log = self.directory.path().join("agent.log");
        let spec = CommandSpec::new("flotilla-agent", env!("CARGO_BIN_EXE_flotilla-agent"), log).args([
            format!("--hub={}", self.hub.url()),
            format!("--ca-file={}", path("hub.crt")),
            format!("--token-file={}", path("import")),
            "--api-server-host=127.0.0.1".to_owned(),
            format!("--api-server-port={port}"),
            format!("--service-account={}", self.directory.path().display()),
            format!("--health-probe-bind-address=127.0.0.1:{health}"),
            "--log=info,agent=debug,uplink=debug".to_owned(),
        ]);
        Process::spawn(&spec).unwrap()
    }

    async fn connected(&self) {
        eventually(&format!("the agent connects; {}", self.log()), || async {
            self.hub.sessions().is_connected(&self.cluster)
        })
        .await;
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("agent.log")).unwrap_or_default()
    }

    /// What a user in groups gets.
    async fn ask(&self, groups: &[&str], method: &str, path: &str, body: &str) -> http::Response<Incoming> {
        let identity = Identity {
            user: "olga".to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        let token = self
            .issuer
            .issue(&identity, &self.cluster, SignedDuration::from_mins(10), SystemClock.now())
            .unwrap();
        let stream = self.hub.sessions().open(&self.cluster).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", "c-1");
        let request = request.header("authorization", format!("Bearer {token}"));
        let request =
            request.header("content-type", "application/json").header("impersonate-group", "system:masters");
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        within("an answer", sender.send_request(request)).await.unwrap()
    }

    async fn status_where(&mut self, what: &str, holds: impl Fn(&Status) -> bool) -> Status {
        loop {
            let (_, report) = within(what, self.hub.reports.recv()).await.unwrap();
            if let Report::Status(status) = report
                && holds(&status)
            {
                return *status;
            }
        }
    }
}

async fn apply_manifest(client: &Client, hub: &TestHub, authority: &str) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": "flotilla-test-edit" },
        "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "list", "watch"] }],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "flotilla-test-edit" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "flotilla-test-edit" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": EDITORS }],
    });
    let objects = uplink::manifest(&Installation {
        hub: &hub.url(),
        authority,
        import_token: "import",
        image: "flotilla-agent:test",
        groups: &[EDITORS.to_owned()],
        bindings: &[role, binding],
        https_proxy: None,
        no_proxy: None,
    });
    let remote = Remote::new(client.clone(), "test");
    for object in objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        Box::pin(remote.apply(&collection(&object), name, &object)).await.unwrap();
    }
}

fn collection(object: &Value) -> String {
    let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
    let root = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    let namespace = object["metadata"]["namespace"].as_str();
    let namespace = namespace.map(|name| format!("/namespaces/{name}")).unwrap_or_default();
    format!("{root}{namespace}/{}s", kind.to_lowercase())
}

async fn service_account_token(client: &Client) -> String {
    let path = format!("/api/v1/namespaces/{0}/serviceaccounts/{0}/token", uplink::NAMESPACE);
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let request = Request::post(path).body(body.to_string().into_bytes()).unwrap();
    let answer: Value = client.request(request).await.unwrap();
    answer["status"]["token"].as_str().unwrap().to_owned()
}

async fn body(answer: http::Response<Incoming>) -> Value {
    let bytes = within("a body", answer.into_body().collect()).await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

async fn add_node(client: &Client) {
    let nodes: Api<Node> = Api::all(client.clone());
    let node: Node = serde_json::from_value(json!({ "metadata": { "name": "worker" } })).unwrap();
    nodes.create(&PostParams::default(), &node).await.unwrap();
    let status = json!({ "status": {
        "capacity": { "cpu": "2", "memory": "4Gi", "pods": "110" },
        "conditions": [{ "type": "Ready", "status": "True" }],
    } });
    nodes.patch_status("worker", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn users_get_what_their_groups_may_and_the_hub_learns_how_the_cluster_is() {
    let mut world = Box::pin(World::new()).await;
    let mut agent = world.agent();
    world.connected().await;
    assert_eq!(world.hub.registered.load(Ordering::SeqCst), 1);

    let configmaps = "/api/v1/namespaces/default/configmaps";
    let made = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "made" } }).to_string();
    let created = body(world.ask(&[EDITORS], "POST", configmaps, &made).await).await;
    assert_eq!(created["metadata"]["name"], "made", "{created}");
    let listed = body(world.ask(&[EDITORS], "GET", configmaps, "").await).await;
    let names: Vec<&Value> =
        listed["items"].as_array().unwrap().iter().map(|item| &item["metadata"]["name"]).collect();
    assert!(names.contains(&&json!("made")), "{names:?}");
    let mut watch = world.ask(&[EDITORS], "GET", &format!("{configmaps}?watch=true"), "").await;
    assert_eq!(watch.status(), StatusCode::OK);
    let event = within("an event", watch.frame()).await.unwrap().unwrap().into_data().unwrap();
    assert!(event.starts_with(br#"{"type":"ADDED""#), "{event:?}");

    // Without a group, with one that is not on the list, and with one that is never asserted.
    for groups in [&[][..], &["flotilla:cluster:other"], &["system:masters"], &["cluster-admins"]] {
        let answer = world.ask(groups, "GET", configmaps, "").await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{groups:?}");
    }
    let secret = format!("/api/v1/namespaces/{}/secrets/{IDENTITY_SECRET}", uplink::NAMESPACE);
    assert_eq!(world.ask(&[], "GET", &secret, "").await.status(), StatusCode::FORBIDDEN);

    add_node(&world.client).await;
    let status = world.status_where("the node is reported", |status| status.totals.ready == 1).await;
    assert_eq!(status.kubernetes_version.as_deref(), Some(&*world.control_plane.version().to_string()));
    assert!(status.api_server.reachable);
    let node = &status.nodes.unwrap()[0];
    assert_eq!(
        (node.name.as_str(), node.capacity.cpu_millis, node.capacity.memory_bytes),
        ("worker", 2000, 4 << 30)
    );
    drop(watch);

    // Told to stop, it says so and goes; its successor needs the import token no more.
    assert_eq!(agent.stop(Duration::from_secs(30)).await, launcher::ExitReport::Code(0), "{}", world.log());
    let farewell = async { while !matches!(world.hub.reports.recv().await, Some((_, Report::Leaving))) {} };
    within("the farewell", farewell).await;
    eventually("the loss is seen", || async { !world.hub.sessions().is_connected(&world.cluster) }).await;
    let _successor = world.agent();
    world.connected().await;
    assert_eq!(world.hub.registered.load(Ordering::SeqCst), 1);
    assert_eq!(world.ask(&[EDITORS], "GET", configmaps, "").await.status(), StatusCode::OK);

    // The API server away is no reason to be away too.
    let World { control_plane, hub, directory: _directory, .. } = world;
    drop(control_plane);
    let mut reports = hub.reports;
    let away = async {
        loop {
            if let Some((_, Report::Status(status))) = reports.recv().await
                && !status.api_server.reachable
            {
                break status;
            }
        }
    };
    let status = within("the loss of the API server is reported", away).await;
    assert!(status.api_server.reason.is_some() && status.kubernetes_version.is_some());
    assert_eq!(status.totals.nodes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_hub_wants_replaced_is_kept_and_used_from_then_on() {
    let world = Box::pin(World::new()).await;
    let mut agent = world.agent();
    world.connected().await;
    let (old, new) = (format!("agent-{}", world.cluster), format!("agent-{}-renewed", world.cluster));
    *world.hub.outdated.lock().unwrap() = Some(old.clone());
    world.hub.sessions().close(&world.cluster);
    let uses = |token: String| {
        let shown = world.hub.shown.clone();
        async move { *shown.lock().unwrap() == token }
    };
    eventually(&format!("the new token is used; {}", world.log()), || uses(new.clone())).await;
    world.connected().await;
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), uplink::NAMESPACE);
    let kept = secrets.get(IDENTITY_SECRET).await.unwrap().data.unwrap();
    assert_eq!(kept["token"].0, new.as_bytes());
    assert_eq!(kept["cluster"].0, world.cluster.as_bytes(), "the rest stays as it was");
    agent.kill();
    agent.wait().await;

    world.hub.shown.lock().unwrap().clear();
    let _successor = world.agent();
    world.connected().await;
    eventually("the successor uses it too", || uses(new.clone())).await;
    assert_eq!(world.hub.registered.load(Ordering::SeqCst), 1);
}
