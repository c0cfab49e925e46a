//! Which versions of Kubernetes are offered to whom.

use api::TenantControlPlane;
use http::Method;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{World, control_plane, eventually};

const PATH: &str = "/api/v1/versions";

/// A cluster that runs a version, as the operator tells of it.
async fn running(world: &World, tenant: &str, version: &str) {
    let objects: Api<TenantControlPlane> = Api::namespaced(world.client.clone(), tenant);
    objects.create(&PostParams::default(), &control_plane(tenant, "prod")).await.unwrap();
    let status = json!({ "status": { "kubernetesResources": { "version": { "version": version } } } });
    objects.patch_status("prod", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

/// Lines such as `v1.36: v1.36.3`, of minor versions with versions that are known.
fn known(body: &Value) -> Vec<String> {
    let items = body["items"].as_array().unwrap().iter();
    let line = |item: &Value| {
        let versions = item["versions"].as_array().unwrap().iter().map(|version| version.as_str().unwrap());
        format!("{}: {}", item["minor"].as_str().unwrap(), versions.collect::<Vec<_>>().join(" "))
    };
    items.map(line).filter(|line| !line.ends_with(": ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_offered_of_clusters_that_one_sees_and_as_quotas_allow() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let body = json!({ "name": "acme", "spec": { "quota": { "versions": ["v1.36", "v1.35.9"] } } });
    world.tenant(&admin, "acme", None).await;
    eventually("the quota is set", || async {
        world.ask(&admin, Method::PUT, "/api/v1/tenants/acme", Some(body.clone())).await.status == 200
    })
    .await;
    world.tenant(&admin, "acme-dev", Some("acme")).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme-dev").await;
    for (tenant, version) in [("acme", "v1.36.3"), ("acme-dev", "v1.35.4"), ("globex", "v1.34.2")] {
        running(&world, tenant, version).await;
    }
    eventually("all versions are offered", || async {
        let body = world.ask(&admin, Method::GET, PATH, None).await.body;
        known(&body) == ["v1.36: v1.36.3", "v1.35: v1.35.4", "v1.34: v1.34.2"]
    })
    .await;

    let all = world.ask(&admin, Method::GET, PATH, None).await.body;
    assert_eq!(all["items"].as_array().unwrap().len(), 7, "{all}");
    let own = world.ask(&olga, Method::GET, PATH, None).await.body;
    assert_eq!(known(&own), ["v1.35: v1.35.4"], "what others run is not told");
    let allowed = world.ask(&olga, Method::GET, &format!("{PATH}?tenant=acme-dev"), None).await.body;
    let minors: Vec<&Value> =
        allowed["items"].as_array().unwrap().iter().map(|item| &item["minor"]).collect();
    assert_eq!(minors, ["v1.36", "v1.35"], "the tenant above allows no other");
    assert_eq!(known(&allowed), ["v1.35: v1.35.9"], "what runs, and is not allowed any more, is not offered");

    let nowhere = world.ask(&olga, Method::GET, &format!("{PATH}?tenant=nowhere"), None).await;
    let hidden = world.ask(&olga, Method::GET, &format!("{PATH}?tenant=globex"), None).await;
    assert_eq!(hidden.status, 404);
    assert_eq!(hidden.body.to_string().replace("globex", "nowhere"), nowhere.body.to_string());
    assert_eq!(world.ask(&admin, Method::GET, &format!("{PATH}?tenant=nowhere"), None).await.status, 404);
    assert_eq!(world.ask(&admin, Method::GET, &format!("{PATH}?other=1"), None).await.status, 422);
    assert_eq!(world.send(Method::GET, PATH, &[], None).await.status, 401);
}
