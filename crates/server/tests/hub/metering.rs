//! What hosted clusters say of their nodes, what tenants use, and streams whose users lose their rights.

use std::pin::pin;

use api::TenantControlPlane;
use futures::{Stream, StreamExt};
use http::Method;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{Hosted, World, eventually};

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A node with four cores, as its kubelet would say.
async fn node(client: &Client, name: &str) {
    let nodes: Api<Node> = Api::all(client.clone());
    nodes.create(&PostParams::default(), &object(json!({ "metadata": { "name": name } }))).await.unwrap();
    let status = json!({ "status": {
        "capacity": { "cpu": "4", "memory": "8Gi", "pods": "110" },
        "allocatable": { "cpu": "3900m", "memory": "7Gi", "pods": "110" },
        "conditions": [{ "type": "Ready", "status": "True" }],
    }});
    nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

/// What the operator keeps in the cluster for the hub's own group, and what it says of the control plane.
async fn ready(world: &World, cluster: &Hosted, (namespace, name): (&str, &str)) {
    let roles: Api<ClusterRole> = Api::all(cluster.client.clone());
    let reading = json!({ "apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"] });
    let role = object(json!({ "metadata": { "name": "flotilla:inventory" }, "rules": [reading] }));
    roles.create(&PostParams::default(), &role).await.unwrap();
    cluster.binding("system-inventory", "flotilla:inventory").await;
    let control_planes: Api<TenantControlPlane> = Api::namespaced(world.client.clone(), namespace);
    let version = json!({ "version": "v1.36.3", "status": "Ready" });
    let status = json!({ "status": { "kubernetesResources": { "version": version } } });
    control_planes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

async fn metrics(world: &World) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", world.metrics)).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hosted_clusters_nodes_are_in_the_inventory_and_its_use_is_metered() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let rita = world.member(&admin, "rita", "read-only", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let cluster = Box::pin(world.hosted("acme", "prod")).await;
    node(&cluster.client, "worker-1").await;
    ready(&world, &cluster, ("acme", "prod")).await;

    let (world, olga) = (&world, &olga);
    let row = || async move { world.ask(olga, Method::GET, "/api/v1/clusters/acme.prod", None).await.body };
    eventually("the cluster has told of its node", || async { row().await["nodes"]["total"] == 1 }).await;
    let known = row().await;
    assert_eq!(known["nodes"]["ready"], 1);
    assert_eq!(known["capacity"], json!({ "cpuMilli": 4000, "memoryBytes": 8_u64 << 30, "pods": 110 }));
    assert_eq!(known["allocatable"]["cpuMilli"], 3900);
    assert_eq!(known["requested"]["pods"], 2);
    assert!(known["lastSeen"].is_string() && known["usage"].is_null(), "{known}");
    let sorted = world.ask(olga, Method::GET, "/api/v1/clusters?sort=-lastSeen", None).await;
    assert_eq!(sorted.body["items"][0]["id"], "acme.prod");

    for _ in 0..3 {
        let path = "/k8s/clusters/acme.prod/api/v1/namespaces/default/configmaps";
        world.ask(olga, Method::GET, path, None).await;
    }
    let used = || async move {
        let path = "/api/v1/metering?groupBy=cluster&cluster=acme.prod";
        world.ask(olga, Method::GET, path, None).await.body["items"][0].clone()
    };
    eventually("a minute is over and the requests are written", || async {
        let used = used().await;
        used["nodeSeconds"].as_u64() > Some(0) && used["requests"] == 3
    })
    .await;
    let told = used().await;
    assert_eq!((&told["tenant"], &told["cluster"]), (&json!("acme"), &json!("acme.prod")));
    let amount = |name: &str| told[name].as_u64().unwrap();
    assert_eq!(amount("replicaSeconds"), 2 * amount("controlPlaneSeconds"));
    assert_eq!(amount("nodeCpuMillicoreSeconds"), 4000 * amount("nodeSeconds"));
    assert!(amount("controlPlaneSeconds") >= amount("nodeSeconds"));
    let text = metrics(world).await;
    assert!(
        text.contains("flotilla_tenant_requests_total{tenant=\"acme\",cluster=\"acme.prod\"} 3"),
        "{text}"
    );

    let csv = world.ask(olga, Method::GET, "/api/v1/metering/export", None).await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let lines = csv.body.as_str().unwrap();
    assert!(lines.starts_with("day,tenant,cluster,") && lines.contains(",acme,acme.prod,"), "{lines}");

    let whole = world.ask(olga, Method::GET, "/api/v1/metering/export?after=x&limit=1", None).await;
    assert_eq!((whole.status.as_u16(), &whole.body), (200, &csv.body), "it is no page");

    // Others see nothing of it, and those without the right not even their own.
    let foreign = world.ask(&gus, Method::GET, "/api/v1/metering", None).await;
    assert_eq!((foreign.status.as_u16(), &foreign.body["items"]), (200, &json!([])));
    assert_eq!(world.ask(&gus, Method::GET, "/api/v1/metering?tenant=acme", None).await.status, 404);
    assert_eq!(world.ask(&rita, Method::GET, "/api/v1/metering?tenant=acme", None).await.status, 403);
    assert_eq!(world.ask(&rita, Method::GET, "/api/v1/metering/export", None).await.status, 403);
    for wrong in
        ["from=2026-02-02&to=2026-01-01", "from=2020-01-01", "limit=0", "after=x", "groupBy=day&after=a/b"]
    {
        let answer = world.ask(olga, Method::GET, &format!("/api/v1/metering?{wrong}"), None).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.body);
    }
}

/// A watch of ConfigMaps that has told of one.
async fn watching(client: &Client) -> impl Stream<Item = kube::Result<WatchEvent<ConfigMap>>> + use<> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let mut events = Box::pin(maps.watch(&WatchParams::default(), "0").await.unwrap());
    assert!(matches!(events.next().await, Some(Ok(WatchEvent::Added(_)))));
    events
}

async fn ends(events: impl Stream<Item = kube::Result<WatchEvent<ConfigMap>>>) {
    let mut events = pin!(events);
    let ending = async { while let Some(Ok(_)) = events.next().await {} };
    // An API server itself ends watches after five minutes at the earliest.
    let ended = tokio::time::timeout(std::time::Duration::from_secs(90), ending).await;
    assert!(ended.is_ok(), "the watch goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_when_its_user_loses_the_right_to_it() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let cluster = Box::pin(world.hosted("acme", "prod")).await;
    cluster.binding("tenant-owner", "cluster-admin").await;
    let mut tokens = Vec::new();
    for user in ["olga", "otto", "oona"] {
        tokens.push(world.member(&admin, user, "tenant-owner", "acme").await);
    }
    let clients: Vec<Client> = tokens.iter().map(|token| world.through(&cluster.id, token)).collect();
    eventually("the cluster has fetched the hub's keys", || async {
        super::create(&clients[0], "first").await.is_ok()
    })
    .await;
    let (first, second, third) =
        (watching(&clients[0]).await, watching(&clients[1]).await, watching(&clients[2]).await);

    let gone = world.ask(&admin, Method::DELETE, "/api/v1/grants/olga-tenant-owner", None).await;
    assert_eq!(gone.status, 204);
    ends(first).await;
    assert_eq!(super::create(&clients[0], "second").await.map(drop), Err(404));
    assert!(world.ask(&tokens[1], Method::DELETE, "/api/v1/session", None).await.status.is_success());
    ends(second).await;

    // Whoever kept the right has lost nothing.
    super::create(&cluster.client, "third").await.unwrap();
    let mut third = pin!(third);
    loop {
        match third.next().await {
            Some(Ok(WatchEvent::Added(map))) if map.metadata.name.as_deref() == Some("third") => break,
            Some(Ok(_)) => {}
            other => panic!("the watch does not go on: {other:?}"),
        }
    }
}
