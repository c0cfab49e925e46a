//! Clones of hosted clusters: who may make them, from what, and how they are told of.

use api::{
    ArchivePolicy, ServiceType, TenantBackup, TenantBackupSchedule, TenantControlPlane, TenantRestore,
};
use http::Method;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use serde_json::{Value, json};

use crate::support::{Answer, World, control_plane, eventually};

async fn clone(world: &World, session: &str, id: &str, body: Value) -> Answer {
    world.ask(session, Method::POST, &format!("/api/v1/clusters/{id}/clone"), Some(body)).await
}

fn objects<K>(world: &World, namespace: &str) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    Api::namespaced(world.client.clone(), namespace)
}

/// A backup of `cluster` that has ended well, or badly.
async fn backup(world: &World, name: &str, cluster: &str, is_complete: bool) {
    let spec = json!({ "tenantControlPlane": cluster, "target": { "persistentVolumeClaim": { "claimName": "disk" } } });
    let backup = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantBackup", "metadata": { "name": name }, "spec": spec,
    });
    let backups = objects::<TenantBackup>(world, "acme");
    backups.create(&PostParams::default(), &serde_json::from_value(backup).unwrap()).await.unwrap();
    let said = json!({
        "type": "Completed", "status": if is_complete { "True" } else { "False" }, "reason": "x", "message": "",
        "lastTransitionTime": "2026-11-30T12:00:00Z",
    });
    let status = json!({ "status": { "completedAt": "2026-11-30T12:00:00Z", "conditions": [said] } });
    backups.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

/// A tenant `acme` with clusters `prod` and `other`, and its owner.
async fn set() -> (World, String, String) {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    for name in ["prod", "other"] {
        let object = control_plane("acme", name);
        objects(&world, "acme").create(&PostParams::default(), &object).await.unwrap();
    }
    eventually("both are in the inventory", || async {
        world.ask(&olga, Method::GET, "/api/v1/clusters", None).await.body["total"] == 2
    })
    .await;
    (world, admin, olga)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_is_held_until_it_is_filled_and_tells_how_that_goes() {
    let (world, _, olga) = set().await;
    backup(&world, "first", "prod", true).await;
    let made = clone(&world, &olga, "acme.prod", json!({ "name": "copy", "backup": "first" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.body["id"], &made.body["backup"]), (&json!("acme.copy"), &json!("first")));
    let name = made.body["restore"].as_str().unwrap();
    let copy = objects::<TenantControlPlane>(&world, "acme").get("copy").await.unwrap();
    assert_eq!(copy.annotations().get("flotilla.dev/hold").map(String::as_str), Some(name));
    let restores = objects::<TenantRestore>(&world, "acme");
    let restore = restores.get(name).await.unwrap();
    assert_eq!(
        (restore.spec.tenant_control_plane.as_str(), restore.spec.backup.as_deref()),
        ("copy", Some("first"))
    );
    assert_eq!(restore.owner_references()[0].uid, copy.uid().unwrap(), "it goes with the clone");

    let row = async || world.ask(&olga, Method::GET, "/api/v1/clusters/acme.copy", None).await.body;
    let is = async |state: &str, reason: &str| {
        let row = row().await;
        row["state"] == state
            && row["conditions"][0]["type"] == "Restored"
            && row["conditions"][0]["reason"] == reason
    };
    eventually("it waits", || is("Restoring", "Waiting")).await;
    let say = async |reason: &str, ended: Option<&str>| {
        let said = json!({
            "type": "Completed", "status": "False", "reason": reason, "message": "so it is",
            "lastTransitionTime": "2026-11-30T12:00:00Z",
        });
        let status = Patch::Merge(json!({ "status": { "conditions": [said], "completedAt": ended } }));
        restores.patch_status(name, &PatchParams::default(), &status).await.unwrap();
    };
    say("Verifying", None).await;
    eventually("it is being filled", || is("Restoring", "Verifying")).await;
    say("Failed", Some("2026-11-30T12:00:00Z")).await;
    eventually("it has failed", || is("RestoreFailed", "Failed")).await;
    let free = Patch::Merge(json!({ "metadata": { "annotations": { "flotilla.dev/hold": null } } }));
    let control_planes = objects::<TenantControlPlane>(&world, "acme");
    control_planes.patch("copy", &PatchParams::default(), &free).await.unwrap();
    eventually("nothing is said of it once it runs", || async { row().await["conditions"] == json!([]) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_taken_where_backups_of_the_cluster_are_kept() {
    let (world, _, olga) = set().await;
    let unknown = clone(&world, &olga, "acme.prod", json!({ "name": "copy" })).await;
    assert_eq!(unknown.status, 422);
    assert!(
        unknown.body["detail"].as_str().unwrap().contains("make a TenantBackupSchedule"),
        "{}",
        unknown.body
    );

    backup(&world, "of-other", "other", true).await;
    let still = clone(&world, &olga, "acme.prod", json!({ "name": "copy" })).await;
    assert_eq!(still.status, 422, "where another cluster's are kept does not count: {}", still.body);
    backup(&world, "failed", "prod", false).await;
    let made = clone(&world, &olga, "acme.prod", json!({ "name": "copy" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let backups = objects::<TenantBackup>(&world, "acme");
    let taken = backups.get(made.body["backup"].as_str().unwrap()).await.unwrap();
    assert_eq!(taken.spec.tenant_control_plane, "prod");
    assert_eq!(taken.spec.target.persistent_volume_claim.unwrap().claim_name, "disk");
    assert_eq!(taken.spec.archive_policy, ArchivePolicy::Delete);
    assert_eq!(taken.metadata.owner_references.unwrap()[0].name, "copy");

    // A schedule says it before backups do, and what they are encrypted with.
    let spec = json!({
        "tenantControlPlane": "prod", "schedule": "0 3 * * *", "encryption": { "secretName": "own" },
        "target": { "s3": { "bucket": "b", "secretName": "s" } },
    });
    let schedule = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantBackupSchedule", "metadata": { "name": "nightly" },
        "spec": spec,
    });
    let schedules = objects::<TenantBackupSchedule>(&world, "acme");
    schedules.create(&PostParams::default(), &serde_json::from_value(schedule).unwrap()).await.unwrap();
    let made = clone(&world, &olga, "acme.prod", json!({ "name": "third" })).await;
    let taken = backups.get(made.body["backup"].as_str().unwrap()).await.unwrap();
    assert_eq!(taken.spec.target.s3.unwrap().bucket, "b");
    assert_eq!(taken.spec.encryption.secret_name.as_deref(), Some("own"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_clones_what_is_not_theirs_and_what_cannot_be_leaves_nothing() {
    let (world, admin, olga) = set().await;
    backup(&world, "first", "prod", true).await;
    backup(&world, "failed", "prod", false).await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let carl = world.holder(&admin, "carl", "cluster-owner", json!({ "cluster": "acme.other" })).await;
    let body = |backup: &str| json!({ "name": "copy", "backup": backup });
    assert_eq!(clone(&world, &gus, "acme.prod", body("first")).await.status, 404);
    // The owner of one cluster makes no second one, and gets nothing of another.
    assert_eq!(clone(&world, &carl, "acme.other", body("first")).await.status, 403);
    assert_eq!(clone(&world, &carl, "acme.prod", body("first")).await.status, 404);
    // Who may clone and make, and not back up, names a backup.
    let rules = json!([{ "apiGroups": [""], "resources": ["clusters"], "verbs": ["get", "list", "create", "clone"] }]);
    let role = json!({ "name": "copyist", "spec": { "hub": rules, "cluster": [] } });
    assert_eq!(world.ask(&admin, Method::POST, "/api/v1/roles", Some(role)).await.status, 201);
    let cora = world.member(&admin, "cora", "copyist", "acme").await;
    assert_eq!(clone(&world, &cora, "acme.prod", json!({ "name": "copy" })).await.status, 403);

    let cases = [
        ("acme.other", body("first"), "has no backup `first`"),
        ("acme.prod", body("failed"), "`failed` failed"),
        ("acme.prod", body("nowhere"), "has no backup `nowhere`"),
        ("acme.prod", json!({ "name": "Copy", "backup": "first" }), "small letters"),
        ("acme.prod", json!({ "name": "copy", "backup": "first", "port": 30_443 }), "leave it out"),
        ("acme.prod", json!({ "name": "copy", "template": "t" }), "template"),
    ];
    for (id, body, words) in cases {
        let refused = clone(&world, &olga, id, body).await;
        assert_eq!(refused.status, 422, "{words}: {}", refused.body);
        assert!(refused.body["detail"].as_str().unwrap().contains(words), "{}", refused.body);
    }
    assert_eq!(
        clone(&world, &olga, "acme.prod", json!({ "name": "other", "backup": "first" })).await.status,
        409
    );
    let restores = objects::<TenantRestore>(&world, "acme").list(&ListParams::default()).await.unwrap().items;
    let control_planes =
        objects::<TenantControlPlane>(&world, "acme").list(&ListParams::default()).await.unwrap();
    assert_eq!((restores.len(), control_planes.items.len()), (0, 2));

    let made = clone(&world, &cora, "acme.prod", body("first")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    // By a port of the nodes: each leads to one cluster.
    let mut noded = control_plane("acme", "noded");
    noded.spec.control_plane.service.service_type = ServiceType::NodePort;
    let control_planes = objects::<TenantControlPlane>(&world, "acme");
    control_planes.create(&PostParams::default(), &noded).await.unwrap();
    backup(&world, "of-noded", "noded", true).await;
    eventually("it is in the inventory", || async {
        world.ask(&olga, Method::GET, "/api/v1/clusters/acme.noded", None).await.status == 200
    })
    .await;
    let mut body = json!({ "name": "fourth", "backup": "of-noded" });
    let without = clone(&world, &olga, "acme.noded", body.clone()).await;
    assert!(without.body["detail"].as_str().unwrap().contains("name a free one"), "{}", without.body);
    body["port"] = json!(30_443);
    assert_eq!(clone(&world, &olga, "acme.noded", body).await.status, 201);
    assert_eq!(control_planes.get("fourth").await.unwrap().spec.network_profile.unwrap().port, Some(30_443));
}
