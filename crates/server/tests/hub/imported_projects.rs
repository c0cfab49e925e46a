//! Grants at projects reach into imported clusters, and what brings that about can do nothing else there.

use api::Cluster;
use http::{Method, Request};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ResourceQuota};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::imports::{Elsewhere, is};
use crate::support::{World, eventually};
use crate::{config_map, create};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// The status of making a ConfigMap in a namespace.
async fn makes(client: &Client, namespace: &str, name: &str) -> u16 {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    match api.create(&PostParams::default(), &config_map(name)).await {
        Ok(_) => 201,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    }
}

async fn make_namespace(client: &Client, name: &str) {
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
}

/// The status of what the hub's own group tries in the cluster.
async fn as_the_hub(client: &Client, method: &str, path: &str, body: &Value) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("impersonate-user", "flotilla:user:system:hub")
        .header("impersonate-group", "flotilla:cluster:system-rights")
        .header(
            "content-type",
            if method == "PATCH" { "application/merge-patch+json" } else { "application/json" },
        );
    match client.request::<Value>(request.body(body.to_string().into_bytes()).unwrap()).await {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    }
}

fn binding(role: &str) -> Value {
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role });
    let group = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "flotilla:project:shop:x" });
    json!({ "metadata": { "generateName": "x-" }, "roleRef": role, "subjects": [group] })
}

/// Waits until the cluster says how the rights in it are.
async fn rights_are(world: &World, reason: &str) {
    let clusters: Api<Cluster> = Api::all(world.client.clone());
    eventually(&format!("rights are {reason}"), || async {
        let conditions = clusters.get("edge").await.unwrap().status.unwrap_or_default().conditions;
        conditions.iter().any(|condition| condition.type_ == "RightsCurrent" && condition.reason == reason)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_project_have_their_roles_in_its_namespaces_of_an_imported_cluster() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let import = json!({ "name": "edge", "spec": { "tenant": "acme" } });
    assert_eq!(world.ask(&olga, Method::POST, "/api/v1/imports", Some(import)).await.status, 201);
    let told = world.ask(&olga, Method::POST, "/api/v1/imports/edge/token", None).await.body;
    let path = told["url"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    let cluster = Box::pin(Elsewhere::of(&world, &path)).await;
    make_namespace(&cluster.client, "web").await;
    let mut agent = cluster.agent(&world.url);
    is(&world, &olga, "Ready").await;
    rights_are(&world, "AsWished").await;

    // After the manifest was applied.
    let place = |namespace: &str| json!({ "cluster": "edge", "namespace": namespace });
    let project =
        |namespaces: Value| json!({ "name": "shop", "spec": { "tenant": "acme", "namespaces": namespaces } });
    let mut both = project(json!([place("web"), place("late")]));
    both["spec"]["quota"] = json!({ "pods": "many" });
    let refused = world.ask(&olga, Method::POST, "/api/v1/projects", Some(both.clone())).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    both["spec"]["quota"] = json!({ "pods": "1000" });
    assert_eq!(world.ask(&olga, Method::POST, "/api/v1/projects", Some(both)).await.status, 201);
    let piet = world.holder(&admin, "piet", "project-member", json!({ "project": "shop" })).await;
    let member = world.through("edge", &piet);
    eventually("piet works in the project", || async { makes(&member, "web", "first").await == 201 }).await;
    assert_eq!(makes(&member, "default", "second").await, 403);
    let quotas: Api<ResourceQuota> = Api::namespaced(cluster.client.clone(), "web");
    eventually("the project is limited", || async {
        quotas.get_opt("flotilla-project").await.unwrap().is_some()
    })
    .await;
    let own: Api<ResourceQuota> = Api::namespaced(member.clone(), "web");
    assert!(own.get("flotilla-project").await.is_ok());
    let freed = own.delete("flotilla-project", &DeleteParams::default()).await;
    assert!(matches!(freed, Err(kube::Error::Api(status)) if status.code == 403));
    rights_are(&world, "NamespaceMissing").await;
    make_namespace(&cluster.client, "late").await;
    eventually("piet works in the other namespace", || async {
        makes(&member, "late", "third").await == 201
    })
    .await;

    // A role that is made now is not on the agent's list. It gives nothing, and takes nothing away.
    let reading = json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["nodes"] });
    let role = json!({ "name": "node-reader", "spec": { "tenant": "acme", "cluster": [reading] } });
    let made = world.ask(&olga, Method::POST, "/api/v1/roles", Some(role)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let spec = json!({ "user": "olga", "role": "node-reader", "scope": { "tenant": "acme" } });
    let grant = json!({ "name": "olga-node-reader", "spec": spec });
    let given = world.ask(&olga, Method::POST, "/api/v1/grants", Some(grant)).await;
    assert_eq!(given.status, 201, "{}", given.body);
    create(&world.through("edge", &olga), "fourth").await.unwrap();
    rights_are(&world, "RoleMissing").await;

    let bindings = format!("{RBAC}/namespaces/web/rolebindings");
    let all = json!({ "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }] });
    for (method, path, body) in [
        ("GET", "/api/v1/secrets".to_owned(), json!({})),
        ("POST", bindings.clone(), binding("cluster-admin")),
        ("DELETE", "/api/v1/namespaces/web/resourcequotas/other".to_owned(), json!({})),
        ("POST", format!("{RBAC}/clusterrolebindings"), binding("flotilla:role:read-only")),
        ("PATCH", format!("{RBAC}/clusterroles/flotilla-agent"), all.clone()),
        ("PATCH", format!("{RBAC}/clusterroles/flotilla:role:read-only"), all),
    ] {
        assert_eq!(as_the_hub(&cluster.client, method, &path, &body).await, 403, "{method} {path}");
    }
    assert_eq!(
        as_the_hub(&cluster.client, "POST", &bindings, &binding("flotilla:role:read-only")).await,
        200
    );

    let path = "/api/v1/projects/shop";
    let less = project(json!([place("late")]));
    let taken = world.ask(&olga, Method::PUT, path, Some(less)).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    eventually("piet's rights in the first namespace end", || async {
        makes(&member, "web", "first").await == 403
    })
    .await;
    assert_eq!(makes(&member, "late", "fifth").await, 201);
    eventually("the namespace is free again", || async {
        quotas.get_opt("flotilla-project").await.unwrap().is_none()
    })
    .await;
    agent.kill();
    agent.wait().await;
}
