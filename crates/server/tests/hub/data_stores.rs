//! Data stores: who sees them, that nothing secret is shown, and clusters that are moved between them.

use api::{DataStore, TenantControlPlane};
use http::Method;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{World, control_plane, eventually};

const PROD: &str = "/api/v1/clusters/acme.prod";
const SECRET: &str = "aHVudGVyMg==";

async fn store(world: &World, name: &str, used_by: &[&str]) {
    let secret = json!({ "content": SECRET });
    let store: DataStore = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore",
        "metadata": { "name": name, "annotations": { "flotilla.dev/capacity": "40" } },
        "spec": {
            "driver": "PostgreSQL", "endpoints": [format!("{name}.example:5432")],
            "basicAuth": { "username": secret, "password": secret },
        },
    }))
    .unwrap();
    let stores: Api<DataStore> = Api::all(world.client.clone());
    stores.create(&PostParams::default(), &store).await.unwrap();
    let said = json!({
        "type": "Reachable", "status": "False", "reason": "Unreachable", "message": "it does not answer",
        "lastTransitionTime": "2026-11-30T12:00:00Z",
    });
    let status = json!({ "status": { "ready": false, "usedBy": used_by, "conditions": [said] } });
    stores.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_are_for_the_platform_and_a_cluster_is_moved_by_it() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let audrey = world.holder(&admin, "audrey", "auditor", json!({ "platform": true })).await;
    let pia = world.member(&admin, "pia", "platform-admin", "acme").await;
    store(&world, "gold", &["acme/prod"]).await;
    store(&world, "silver", &[]).await;
    let objects: Api<TenantControlPlane> = Api::namespaced(world.client.clone(), "acme");
    let mut prod = control_plane("acme", "prod");
    prod.spec.data_store = Some("gold".to_owned());
    objects.create(&PostParams::default(), &prod).await.unwrap();
    let ask = async |who: &str, path: &str| world.ask(who, Method::GET, path, None).await;
    eventually("the cluster is in the inventory", || async { ask(&olga, PROD).await.status == 200 }).await;

    for who in [&admin, &audrey] {
        let list = ask(who, "/api/v1/datastores").await;
        assert_eq!(list.status, 200, "{}", list.body);
        let gold = &list.body["items"][0];
        assert_eq!((&gold["name"], &gold["driver"]), (&json!("gold"), &json!("PostgreSQL")));
        assert_eq!((&gold["controlPlanes"], &gold["capacity"]), (&json!(1), &json!(40)));
        assert_eq!(gold["conditions"][0]["message"], "it does not answer");
        let one = ask(who, "/api/v1/datastores/gold").await;
        assert_eq!(
            (&one.body["clusters"][0]["id"], &one.body["clusters"][0]["tenant"]),
            (&json!("acme.prod"), &json!("acme"))
        );
        for body in [list.body, one.body] {
            assert!(!body.to_string().contains(SECRET), "{body}");
        }
        let path = "/api/v1/datastores/gold%2F..%2Fsilver";
        assert_eq!(ask(who, path).await.status, 404);
    }
    for who in [&olga, &pia] {
        for path in ["/api/v1/datastores", "/api/v1/datastores/gold", "/api/v1/datastores/nowhere"] {
            assert_eq!(ask(who, path).await.status, 403, "{path}");
        }
    }

    let row = async || ask(&olga, PROD).await.body;
    assert_eq!(row().await["dataStore"], "gold");
    let to = |store: &str| Some(json!({ "dataStore": store }));
    for who in [&olga, &audrey] {
        assert_eq!(world.ask(who, Method::PATCH, PROD, to("silver")).await.status, 403);
    }
    let moved = world.ask(&admin, Method::PATCH, PROD, to("silver")).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    assert_eq!(objects.get("prod").await.unwrap().spec.data_store.as_deref(), Some("silver"));
    // As the operator tells of it.
    let told = |migration: Value| {
        Patch::Merge(json!({ "status": { "storage": { "dataStoreName": "gold", "migration": migration } } }))
    };
    let started = "2026-11-30T12:00:00Z";
    let copying = json!({ "from": "gold", "to": "silver", "phase": "Copying", "startedAt": started });
    objects.patch_status("prod", &PatchParams::default(), &told(copying)).await.unwrap();
    let wanted = json!({ "from": "gold", "to": "silver", "phase": "Copying", "started": started });
    eventually("the move is shown", || async { row().await["migration"] == wanted }).await;
    assert_eq!(row().await["dataStore"], "gold");
    objects.patch_status("prod", &PatchParams::default(), &told(Value::Null)).await.unwrap();
    eventually("it is over", || async { row().await["migration"].is_null() }).await;
}
