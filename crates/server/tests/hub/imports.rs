//! A cluster is imported by its agent, the real program, with the manifest's rights, and used through the hub.

use std::path::Path;

use http::{Method, Request};
use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use kubekit::Remote;
use launcher::{CommandSpec, ControlPlane, Distribution, Options, Process, free_ports};
use serde_json::{Value, json};

use crate::create;
use crate::support::{World, eventually};

/// A cluster that runs elsewhere.
pub(crate) struct Elsewhere {
    control_plane: ControlPlane,
    pub(crate) client: Client,
    directory: tempfile::TempDir,
}

impl Elsewhere {
    async fn new() -> Self {
        let control_plane = ControlPlane::start(&Options::default()).await.unwrap();
        let client = kubekit::client(Some(&control_plane.kubeconfig_path())).await.unwrap();
        Self { control_plane, client, directory: tempfile::tempdir().unwrap() }
    }

    /// One to which the manifest behind a path was applied.
    pub(crate) async fn of(world: &World, path: &str) -> Self {
        let manifest = world.send(Method::GET, path, &[], None).await;
        assert_eq!(manifest.status, 200, "{}", manifest.body);
        let cluster = Box::pin(Self::new()).await;
        cluster.apply(manifest.body.as_str().unwrap()).await;
        cluster
    }

    /// `kubectl apply -f`, and what a kubelet would put beside the agent.
    async fn apply(&self, manifest: &str) {
        let remote = Remote::new(self.client.clone(), "test");
        for document in manifest.split("\n---\n") {
            let object: Value = serde_saphyr::from_str(document).unwrap();
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            Box::pin(remote.apply(&collection(&object), &name, &object)).await.unwrap();
        }
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), uplink::NAMESPACE);
        for (key, value) in secrets.get(uplink::IMPORT_SECRET).await.unwrap().data.unwrap() {
            std::fs::write(self.directory.path().join(key), value.0).unwrap();
        }
        let path = format!("/api/v1/namespaces/{0}/serviceaccounts/{0}/token", uplink::NAMESPACE);
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let request = Request::post(path).body(body.to_string().into_bytes()).unwrap();
        let answer: Value = self.client.request(request).await.unwrap();
        let account = self.account();
        std::fs::create_dir_all(&account).unwrap();
        std::fs::write(account.join("token"), answer["status"]["token"].as_str().unwrap()).unwrap();
        let authority = self.control_plane.directory().join("pki/ca.crt");
        std::fs::copy(authority, account.join("ca.crt")).unwrap();
    }

    fn account(&self) -> std::path::PathBuf {
        self.directory.path().join("account")
    }

    pub(crate) fn agent(&self, hub: &str) -> Process {
        let program = Distribution::find(None).unwrap().program("flotilla-agent").unwrap();
        let [health] = free_ports().unwrap();
        let path = |path: &Path| path.display().to_string();
        let port = self.control_plane.server().rsplit(':').next().unwrap();
        let log = self.directory.path().join("agent.log");
        let spec = CommandSpec::new("flotilla-agent", program, log).args([
            format!("--hub={hub}"),
            format!("--ca-file={}", path(&self.directory.path().join("ca.crt"))),
            format!("--token-file={}", path(&self.directory.path().join("token"))),
            "--api-server-host=127.0.0.1".to_owned(),
            format!("--api-server-port={port}"),
            format!("--service-account={}", path(&self.account())),
            format!("--health-probe-bind-address=127.0.0.1:{health}"),
        ]);
        Process::spawn(&spec).unwrap()
    }
}

fn collection(object: &Value) -> String {
    let (version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
    let root = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    let namespace = object["metadata"]["namespace"].as_str();
    let namespace = namespace.map(|name| format!("/namespaces/{name}")).unwrap_or_default();
    format!("{root}{namespace}/{}s", kind.to_lowercase())
}

/// Waits until the inventory shows the cluster in a state.
pub(crate) async fn is(world: &World, token: &str, state: &str) {
    eventually(&format!("the cluster is {state}"), || async {
        let row = world.ask(token, Method::GET, "/api/v1/clusters/edge", None).await.body;
        row["state"] == state
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_imported_once_used_by_its_people_and_missed_when_its_agent_goes() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let rita = world.member(&admin, "rita", "read-only", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let import = json!({ "name": "edge", "spec": { "tenant": "acme", "displayName": "Edge" } });
    assert_eq!(world.ask(&gus, Method::POST, "/api/v1/imports", Some(import.clone())).await.status, 404);
    assert_eq!(world.ask(&olga, Method::POST, "/api/v1/imports", Some(import)).await.status, 201);
    assert_eq!(world.ask(&gus, Method::POST, "/api/v1/imports/edge/token", None).await.status, 404);
    let told = world.ask(&olga, Method::POST, "/api/v1/imports/edge/token", None).await.body;
    let path = told["url"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    let cluster = Box::pin(Elsewhere::of(&world, &path)).await;
    add_node(&cluster.client).await;
    let mut agent = cluster.agent(&world.url);
    is(&world, &olga, "Ready").await;
    eventually("its node is counted", || async {
        let row = world.ask(&olga, Method::GET, "/api/v1/clusters/edge", None).await.body;
        row["nodes"] == json!({ "total": 1, "ready": 1 }) && row["allocatable"]["cpuMilli"] == 2000
    })
    .await;
    assert_eq!(world.send(Method::GET, &path, &[], None).await.status, 401, "the token was used");

    let (owner, reader) = (world.through("edge", &olga), world.through("edge", &rita));
    create(&owner, "first").await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(reader.clone(), "default");
    assert!(maps.get("first").await.is_ok());
    assert_eq!(create(&reader, "second").await.map(drop), Err(403));
    assert_eq!(create(&world.through("edge", &gus), "third").await.map(drop), Err(404));
    let identity = world.ask(&olga, Method::POST, "/api/v1/clusters/edge/credential", None).await.body;
    let direct = identity["token"].as_str().unwrap();
    assert!(direct.contains('.'));
    let masters = [("authorization", &*format!("Bearer {rita}")), ("impersonate-group", "system:masters")];
    let secrets = world.send(Method::GET, "/k8s/clusters/edge/api/v1/secrets", &masters, None).await;
    assert_eq!(secrets.status, 403);

    agent.kill();
    agent.wait().await;
    is(&world, &olga, "Lost").await;
    let missed = world.ask(&olga, Method::GET, "/k8s/clusters/edge/api/v1/namespaces", None).await;
    assert_eq!((missed.status.as_u16(), &missed.body["reason"]), (503, &json!("ServiceUnavailable")));
    let mut agent = cluster.agent(&world.url);
    is(&world, &olga, "Ready").await;
    create(&owner, "fourth").await.unwrap();

    assert_eq!(world.ask(&olga, Method::DELETE, "/api/v1/imports/edge", None).await.status, 204);
    assert_eq!(world.ask(&olga, Method::GET, "/api/v1/clusters/edge", None).await.status, 404);
    assert_eq!(create(&owner, "fifth").await.map(drop), Err(404));
    agent.kill();
    agent.wait().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_answer_was_lost_is_answered_again_and_nobody_else_is() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let import = json!({ "name": "edge", "spec": { "tenant": "acme" } });
    assert_eq!(world.ask(&admin, Method::POST, "/api/v1/imports", Some(import)).await.status, 201);
    let told = world.ask(&admin, Method::POST, "/api/v1/imports/edge/token", None).await.body;
    let token = told["url"].as_str().unwrap().rsplit_once('/').unwrap().1.trim_end_matches(".yaml");
    let bearer = format!("Bearer {token}");
    let register = async |uid: &str| {
        let body = json!({ "clusterUid": uid, "kubernetesVersion": "v1.36.3", "agentVersion": "0.1.0" });
        let headers = [("authorization", bearer.as_str())];
        world.send(Method::POST, uplink::REGISTER_PATH, &headers, Some(body)).await
    };
    let (first, second) = (register("one").await, register("one").await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200), "{} {}", first.body, second.body);
    assert_ne!(first.body["token"], second.body["token"]);
    let refused = register("another").await;
    assert!(matches!(refused.status.as_u16(), 401 | 403), "{}", refused.body);
    let kept: Api<Secret> = Api::namespaced(world.client.clone(), "flotilla-system");
    let of_agents = ListParams::default().labels("flotilla.dev/agent-of=edge");
    assert_eq!(kept.list(&of_agents).await.unwrap().items.len(), 1, "the answer that was lost opens nothing");
}

async fn add_node(client: &Client) {
    let nodes: Api<Node> = Api::all(client.clone());
    let node: Node = serde_json::from_value(json!({ "metadata": { "name": "worker" } })).unwrap();
    nodes.create(&PostParams::default(), &node).await.unwrap();
    let status = json!({ "status": {
        "capacity": { "cpu": "2", "memory": "4Gi", "pods": "110" },
        "allocatable": { "cpu": "2", "memory": "4Gi", "pods": "110" },
        "conditions": [{ "type": "Ready", "status": "True" }],
    } });
    nodes.patch_status("worker", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
}
