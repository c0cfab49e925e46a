//! Transfers of hosted clusters: who may give what to whom, and how they are told of.

use api::{ClusterTransfer, TenantControlPlane};
use http::Method;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::{Answer, World, control_plane, eventually};

async fn transfer(world: &World, session: &str, id: &str, body: Value) -> Answer {
    world.ask(session, Method::POST, &format!("/api/v1/clusters/{id}/transfer"), Some(body)).await
}

fn transfers(world: &World) -> Api<ClusterTransfer> {
    Api::all(world.client.clone())
}

fn clusters(world: &World) -> Api<TenantControlPlane> {
    Api::namespaced(world.client.clone(), "acme")
}

/// Tenants `acme`, which has a cluster `prod` with a place in a store, and `globex`.
async fn set() -> (World, String) {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for tenant in ["acme", "globex"] {
        world.tenant(&admin, tenant, None).await;
    }
    let mut object = control_plane("acme", "prod");
    object.spec.data_store = Some("first".to_owned());
    clusters(&world).create(&PostParams::default(), &object).await.unwrap();
    let status = json!({ "status": {
        "storage": { "dataStoreName": "first", "setup": { "schema": "s", "user": "u" } },
        "kubeadmPhase": { "bootstrapToken": {} },
    } });
    clusters(&world).patch_status("prod", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    eventually("it is in the inventory", || async {
        world.ask(&admin, Method::GET, "/api/v1/clusters", None).await.body["total"] == 1
    })
    .await;
    (world, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_told_of_until_it_has_ended() {
    let (world, admin) = set().await;
    let begun = transfer(&world, &admin, "acme.prod", json!({ "tenant": "globex", "name": "shop" })).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    assert_eq!(begun.body["id"], "globex.shop");
    let name = begun.body["transfer"].as_str().unwrap();
    let spec = transfers(&world).get(name).await.unwrap().spec;
    assert_eq!((spec.from.namespace.as_str(), spec.from.name.as_str()), ("acme", "prod"));
    assert_eq!((spec.tenant.as_str(), spec.name.as_deref()), ("globex", Some("shop")));

    let row = async || world.ask(&admin, Method::GET, "/api/v1/clusters/acme.prod", None).await.body;
    let is = async |state: &str, reason: &str| {
        let row = row().await;
        row["state"] == state
            && row["conditions"][0]["type"] == "Transferred"
            && row["conditions"][0]["reason"] == reason
    };
    let hold = async |holder: Value| {
        let change =
            Patch::Merge(json!({ "metadata": { "annotations": { "flotilla.dev/given-away-by": holder } } }));
        clusters(&world).patch("prod", &PatchParams::default(), &change).await.unwrap();
    };
    hold(json!(name)).await;
    eventually("it waits", || is("Transferring", "Waiting")).await;
    let uid = clusters(&world).get("prod").await.unwrap().uid();
    let say = async |reason: &str, ended: Option<&str>| {
        let said = json!({
            "type": "Completed", "status": "False", "reason": reason, "message": "so it is",
            "lastTransitionTime": "2026-11-30T12:00:00Z",
        });
        let status = json!({ "status": { "conditions": [said], "completedAt": ended, "sourceUID": uid } });
        transfers(&world).patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    };
    say("Stopping", None).await;
    eventually("it stops", || is("Transferring", "Stopping")).await;
    say("Failed", Some("2026-11-30T12:00:00Z")).await;
    hold(Value::Null).await;
    eventually("it goes on, and it is said why", || async {
        let row = row().await;
        let said = row["conditions"][0]["message"].as_str().unwrap_or_default();
        row["state"] != "Transferring" && said == format!("ClusterTransfer `{name}`: so it is")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_away_what_is_not_theirs_nor_to_whom_they_may_not() {
    let (world, admin) = set().await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let carl = world.holder(&admin, "carl", "cluster-owner", json!({ "cluster": "acme.prod" })).await;
    let to = |tenant: &str| json!({ "tenant": tenant });
    // Neither the one who has it nor the one who would like it is enough.
    assert_eq!(transfer(&world, &olga, "acme.prod", to("globex")).await.status, 404);
    assert_eq!(transfer(&world, &gus, "acme.prod", to("globex")).await.status, 404);
    assert_eq!(transfer(&world, &carl, "acme.prod", to("globex")).await.status, 404);
    let cases = [
        (to("acme"), "has the cluster already"),
        (json!({ "tenant": "globex", "name": "Shop" }), "small letters"),
        (json!({ "tenant": "globex", "force": true }), "force"),
    ];
    for (body, words) in cases {
        let refused = transfer(&world, &admin, "acme.prod", body).await;
        assert_eq!(refused.status, 422, "{words}: {}", refused.body);
        assert!(refused.body["detail"].as_str().unwrap().contains(words), "{}", refused.body);
    }
    let change = Patch::Merge(json!({ "metadata": { "annotations": { "flotilla.dev/hold": "r" } } }));
    clusters(&world).patch("prod", &PatchParams::default(), &change).await.unwrap();
    eventually("it is held", || async {
        let refused = transfer(&world, &admin, "acme.prod", to("globex")).await;
        refused.status == 422 && refused.body["detail"].as_str().unwrap().contains("TenantRestore `r`")
    })
    .await;
    assert!(transfers(&world).list(&ListParams::default()).await.unwrap().items.is_empty());
    // Who has rights at both ends.
    let change = Patch::Merge(json!({ "metadata": { "annotations": { "flotilla.dev/hold": null } } }));
    clusters(&world).patch("prod", &PatchParams::default(), &change).await.unwrap();
    let grant = json!({ "user": "olga", "role": "tenant-owner", "scope": { "tenant": "globex" } });
    let body = Some(json!({ "name": "olga-too", "spec": grant }));
    assert_eq!(world.ask(&admin, Method::POST, "/api/v1/grants", body).await.status, 201);
    eventually("who has rights at both ends gives it", || async {
        transfer(&world, &olga, "acme.prod", to("globex")).await.status == 202
    })
    .await;
}
