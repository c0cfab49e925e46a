//! What happened to control planes, and when their certificates end: for those who may read the cluster.

use api::TenantControlPlane;
use http::Method;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::{World, control_plane, eventually};

const PROD: &str = "/api/v1/clusters/acme.prod";

async fn happens(world: &World, namespace: &str, name: &str, about: Value, minute: u8) {
    let event = json!({
        "metadata": { "name": name }, "involvedObject": about, "reason": name, "message": "so it is",
        "type": "Warning", "lastTimestamp": format!("2026-11-30T12:{minute:02}:00Z"), "source": { "component": "kubelet" },
    });
    let events: Api<Event> = Api::namespaced(world.client.clone(), namespace);
    events.create(&PostParams::default(), &serde_json::from_value(event).unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_certificates_are_told_of_the_cluster_alone_and_to_those_who_may_read_it() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let carl = world.holder(&admin, "carl", "cluster-owner", json!({ "cluster": "acme.prod-2" })).await;
    let objects: Api<TenantControlPlane> = Api::namespaced(world.client.clone(), "acme");
    let made = objects.create(&PostParams::default(), &control_plane("acme", "prod")).await.unwrap();
    objects.create(&PostParams::default(), &control_plane("acme", "prod-2")).await.unwrap();
    let ask = async |who: &str, path: &str| world.ask(who, Method::GET, path, None).await;
    eventually("both are in the inventory", || async {
        ask(&olga, "/api/v1/clusters").await.body["total"] == 2
    })
    .await;

    let about = |kind: &str, name: &str, namespace: &str, uid: &str| json!({ "kind": kind, "name": name, "namespace": namespace, "uid": uid });
    let uid = made.uid().unwrap();
    happens(&world, "acme", "pulled", about("Pod", "prod-7d9f8b6c5-x2x4z", "acme", ""), 1).await;
    happens(&world, "acme", "ready", about("TenantControlPlane", "prod", "acme", &uid), 3).await;
    happens(&world, "acme", "scaled", about("ReplicaSet", "prod-7d9f8b6c5", "acme", ""), 2).await;
    happens(&world, "acme", "earlier", about("TenantControlPlane", "prod", "acme", "of-before"), 4).await;
    happens(&world, "acme", "neighbour", about("Pod", "prod-2-7d9f8b6c5-x2x4z", "acme", ""), 5).await;
    happens(&world, "globex", "foreign", about("Pod", "prod-7d9f8b6c5-x2x4z", "globex", ""), 6).await;

    let told = ask(&olga, &format!("{PROD}/events")).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let rows = told.body["items"].as_array().unwrap();
    let reasons: Vec<&str> = rows.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["ready", "scaled", "pulled"]);
    assert_eq!(
        (&rows[2]["regarding"], &rows[2]["source"], &rows[2]["kind"]),
        (&json!("Pod prod-7d9f8b6c5-x2x4z"), &json!("kubelet"), &json!("Warning"))
    );

    let ends = json!([{ "name": "ca", "notAfter": "2036-11-30T12:00:00Z" }]);
    let status = Patch::Merge(json!({ "status": { "certificateEnds": ends } }));
    objects.patch_status("prod", &PatchParams::default(), &status).await.unwrap();
    eventually("it says when certificates end", || async {
        let told = ask(&olga, &format!("{PROD}/certificates")).await.body;
        told == json!({ "items": [{ "name": "ca", "ends": "2036-11-30T12:00:00Z" }] })
    })
    .await;
    for path in [format!("{PROD}/events"), format!("{PROD}/certificates")] {
        assert_eq!(ask(&gus, &path).await.status, 404, "{path}");
        assert_eq!(ask(&carl, &path).await.status, 404, "{path}");
    }
    let own = ask(&carl, "/api/v1/clusters/acme.prod-2/events").await.body;
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["reason"], "neighbour");
}
