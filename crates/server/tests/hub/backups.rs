//! Backups of hosted clusters: taken, scheduled, brought back and deleted by those who may, and by nobody else.

use api::{ArchivePolicy, TenantBackup, TenantBackupSchedule, TenantControlPlane, TenantRestore};
use http::Method;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Resource};
use serde_json::{Value, json};

use crate::support::{Answer, World, control_plane, eventually};

const PROD: &str = "/api/v1/clusters/acme.prod";

fn objects<K>(world: &World, namespace: &str) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    Api::namespaced(world.client.clone(), namespace)
}

fn bucket(endpoint: Option<&str>) -> Value {
    json!({ "s3": { "bucket": "b", "endpoint": endpoint, "secretName": "keys" } })
}

/// Says how a backup stands, as the operator does.
async fn ends(world: &World, name: &str, is_complete: bool) {
    let (status, reason) = if is_complete { ("True", "Completed") } else { ("False", "Failed") };
    let said = json!({
        "type": "Completed", "status": status, "reason": reason, "message": "so it is",
        "lastTransitionTime": "2026-11-30T12:00:00Z",
    });
    let status = json!({ "status": {
        "completedAt": "2026-11-30T12:00:00Z", "conditions": [said], "size": 4096, "objects": 12,
    } });
    let backups = objects::<TenantBackup>(world, "acme");
    backups.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

struct Set {
    world: World,
    admin: String,
    olga: String,
}

impl Set {
    /// A tenant `acme` with clusters `prod` and `other`, its owner, and another tenant.
    async fn new() -> Self {
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
        Self { world, admin, olga }
    }

    async fn ask(&self, session: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.world.ask(session, method, path, body).await
    }

    /// A restore is called off until it may have replaced something.
    async fn calls_off(&self, name: &str) {
        let path = format!("{PROD}/restores/{name}");
        let restores = objects::<TenantRestore>(&self.world, "acme");
        let clusters = objects::<TenantControlPlane>(&self.world, "acme");
        let held = json!({ "metadata": { "annotations": { "flotilla.dev/hold": name } } });
        clusters.patch("prod", &PatchParams::default(), &Patch::Merge(held)).await.unwrap();
        let says = async |reason: &str| {
            let status = json!({ "status": { "conditions": [{
                "type": "Completed", "status": "False", "reason": reason, "message": "so it is",
                "lastTransitionTime": "2026-11-30T12:00:00Z",
            }] } });
            restores.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
        };
        says("Restoring").await;
        let late = self.ask(&self.olga, Method::DELETE, &path, None).await;
        assert_eq!(late.status, 409, "{}", late.body);
        assert!(restores.get(name).await.is_ok());
        says("Stopping").await;
        let elsewhere = format!("/api/v1/clusters/acme.other/restores/{name}");
        assert_eq!(self.ask(&self.olga, Method::DELETE, &elsewhere, None).await.status, 404);
        assert_eq!(self.ask(&self.olga, Method::DELETE, &path, None).await.status, 204);
        assert!(restores.get_opt(name).await.unwrap().is_none());
    }

    async fn take(&self, session: &str, path: &str, body: Value) -> Answer {
        self.ask(session, Method::POST, &format!("{path}/backups"), Some(body)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_taken_shown_brought_back_and_deleted() {
    let set = Set::new().await;
    let (world, olga) = (&set.world, &set.olga);
    let unknown = set.take(olga, PROD, json!({})).await;
    assert_eq!(unknown.status, 422, "nobody has said where: {}", unknown.body);
    let body = json!({ "name": "first", "target": bucket(None), "archivePolicy": "Delete" });
    let made = set.take(olga, PROD, body.clone()).await;
    assert_eq!((made.status.as_u16(), &made.body), (201, &json!({ "name": "first" })));
    assert_eq!(set.take(olga, PROD, body).await.status, 409);
    let found = objects::<TenantBackup>(world, "acme").get("first").await.unwrap();
    assert_eq!(
        (found.spec.tenant_control_plane.as_str(), found.spec.archive_policy),
        ("prod", ArchivePolicy::Delete)
    );
    let list = async || set.ask(olga, Method::GET, &format!("{PROD}/backups"), None).await.body;
    let waiting = list().await;
    assert_eq!((&waiting["total"], &waiting["items"][0]["state"]), (&json!(1), &json!("Waiting")));
    assert_eq!(waiting["kept"]["target"]["s3"]["bucket"], "b");

    // The next one goes where the first is, under a name of its own.
    let second = set.take(olga, PROD, json!({})).await;
    assert_eq!(second.status, 201, "{}", second.body);
    let name = second.body["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("prod-2"), "{name}");
    let restores = format!("{PROD}/restores");
    let restore =
        async |backup: &str| set.ask(olga, Method::POST, &restores, Some(json!({ "backup": backup }))).await;
    let early = restore("first").await;
    assert_eq!(early.status, 422);
    assert!(early.body["detail"].as_str().unwrap().contains("has not completed"), "{}", early.body);
    ends(world, "first", true).await;
    ends(world, &name, false).await;
    let rows = list().await;
    let row = rows["items"].as_array().unwrap().iter().find(|row| row["name"] == "first").unwrap().clone();
    assert_eq!((&row["state"], &row["size"]), (&json!("Completed"), &json!(4096)));
    let failed = restore(&name).await;
    assert!(failed.body["detail"].as_str().unwrap().contains("failed"), "{}", failed.body);

    let begun = restore("first").await;
    assert_eq!(begun.status, 201, "{}", begun.body);
    let name = begun.body["name"].as_str().unwrap();
    let found = objects::<TenantRestore>(world, "acme").get(name).await.unwrap();
    assert_eq!(
        (found.spec.tenant_control_plane.as_str(), found.spec.backup.as_deref()),
        ("prod", Some("first"))
    );
    let said = json!({
        "type": "Completed", "status": "False", "reason": "Stopping", "message": "1 pod is left",
        "lastTransitionTime": "2026-11-30T12:00:00Z",
    });
    let status = Patch::Merge(json!({ "status": { "conditions": [said] } }));
    let at_hand = objects::<TenantRestore>(world, "acme");
    at_hand.patch_status(name, &PatchParams::default(), &status).await.unwrap();
    let shown = set.ask(olga, Method::GET, &restores, None).await.body;
    let first = &shown["items"][0];
    assert_eq!(
        (&first["state"], &first["reason"], &first["message"], &first["backup"]),
        (&json!("Running"), &json!("Stopping"), &json!("1 pod is left"), &json!("first"))
    );
    set.calls_off(name).await;
    // Both may be of the same second.
    let page =
        async |query: &str| set.ask(olga, Method::GET, &format!("{PROD}/backups{query}"), None).await.body;
    let newest = page("?limit=1").await;
    let next = newest["next"].as_str().unwrap();
    let older = page(&format!("?limit=1&after={next}")).await;
    assert_ne!(newest["items"][0]["name"], older["items"][0]["name"]);
    assert!(older["next"].is_null() && older["items"].as_array().unwrap().len() == 1, "{older}");

    let gone = set.ask(olga, Method::DELETE, &format!("{PROD}/backups/first"), None).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert_eq!(set.ask(olga, Method::DELETE, &format!("{PROD}/backups/first"), None).await.status, 404);
    let audit = set.ask(&set.admin, Method::GET, "/api/v1/audit?cluster=acme.prod", None).await.body;
    let verbs: Vec<&str> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["verb"].as_str().unwrap()).collect();
    assert!(verbs.contains(&"backup") && verbs.contains(&"restore"), "{verbs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_of_backups_is_set_changed_and_removed() {
    let set = Set::new().await;
    let (world, olga) = (&set.world, &set.olga);
    let path = format!("{PROD}/backup-schedule");
    let show = async || set.ask(olga, Method::GET, &path, None).await.body;
    assert_eq!(show().await, json!({ "schedule": null }));
    let put = async |body: Value| set.ask(olga, Method::PUT, &path, Some(body)).await;
    let nightly = json!({
        "schedule": "30 2 * * *", "timeZone": "Europe/Berlin", "retention": { "daily": 7 }, "target": bucket(None),
    });
    let made = put(nightly.clone()).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let row = &made.body["schedule"];
    assert_eq!((&row["schedule"], &row["retention"]), (&json!("30 2 * * *"), &json!({ "daily": 7 })));
    // What is said anew takes the place of what was said, but where they are kept is known.
    let changed = put(json!({ "schedule": "0 4 * * *", "suspend": true })).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let shown = show().await;
    assert_eq!((&shown["schedule"]["suspend"], &shown["schedule"]["retention"]), (&json!(true), &json!({})));
    assert_eq!(shown["schedule"]["target"]["s3"]["bucket"], "b");
    for (wrong, words) in [
        (json!({ "schedule": "at night" }), "schedule: `at night`"),
        (json!({ "schedule": "0 4 * * *", "timeZone": "Mars/Base" }), "timeZone"),
        (json!({ "schedule": "0 4 * * *", "keep": 3 }), "unknown field"),
    ] {
        let refused = put(wrong).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body["detail"].as_str().unwrap().contains(words), "{}", refused.body);
    }
    // That of another cluster is another one.
    let other = set.ask(olga, Method::GET, "/api/v1/clusters/acme.other/backup-schedule", None).await;
    assert_eq!(other.body, json!({ "schedule": null }));
    assert_eq!(set.ask(olga, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(show().await, json!({ "schedule": null }));
    let left = objects::<TenantBackupSchedule>(world, "acme").list(&ListParams::default()).await.unwrap();
    assert!(left.items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_backups_that_are_not_theirs() {
    let set = Set::new().await;
    let (world, admin, olga) = (&set.world, &set.admin, &set.olga);
    let taken = set.take(olga, PROD, json!({ "name": "first", "target": bucket(None) })).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    ends(world, "first", true).await;
    let gus = world.member(admin, "gus", "tenant-owner", "globex").await;
    let carl = world.holder(admin, "carl", "cluster-owner", json!({ "cluster": "acme.other" })).await;
    let mona = world.member(admin, "mona", "project-member", "acme").await;
    let rules = json!([{ "apiGroups": [""], "resources": ["clusters"], "verbs": ["get", "list", "backup"] }]);
    let role = json!({ "name": "keeper", "spec": { "hub": rules, "cluster": [] } });
    assert_eq!(set.ask(admin, Method::POST, "/api/v1/roles", Some(role)).await.status, 201);
    let kim = world.member(admin, "kim", "keeper", "acme").await;

    let requests = |path: &str| {
        let nightly = json!({ "schedule": "0 3 * * *", "target": bucket(None) });
        [
            (Method::POST, format!("{path}/backups"), Some(json!({ "target": bucket(None) }))),
            (Method::DELETE, format!("{path}/backups/first"), None),
            (Method::PUT, format!("{path}/backup-schedule"), Some(nightly)),
            (Method::DELETE, format!("{path}/backup-schedule"), None),
            (Method::POST, format!("{path}/restores"), Some(json!({ "backup": "first" }))),
            (Method::DELETE, format!("{path}/restores/first"), None),
            (Method::GET, format!("{path}/backups"), None),
            (Method::GET, format!("{path}/backup-schedule"), None),
            (Method::GET, format!("{path}/restores"), None),
        ]
    };
    for (method, path, body) in requests(PROD) {
        let is_reading = method == Method::GET;
        for who in [&gus, &carl] {
            let answer = set.ask(who, method.clone(), &path, body.clone()).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
        }
        let answer = set.ask(&mona, method.clone(), &path, body).await;
        assert_eq!(answer.status, if is_reading { 200 } else { 403 }, "{method} {path}: {}", answer.body);
    }
    // Who backs up does not bring back.
    let path = format!("{PROD}/restores");
    let refused = set.ask(&kim, Method::POST, &path, Some(json!({ "backup": "first" }))).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    // A backup of one cluster is none of another, under whatever name.
    let other = "/api/v1/clusters/acme.other";
    for name in ["first", "..%2Ftenantbackups%2Ffirst", "first%3Fx", "%2E%2E"] {
        let answer = set.ask(&carl, Method::DELETE, &format!("{other}/backups/{name}"), None).await;
        assert_eq!(answer.status, 404, "{name}: {}", answer.body);
    }
    for name in ["first", "../tenantbackups/first", "first?x", "../../acme/tenantbackups/first"] {
        let body = Some(json!({ "backup": name }));
        let answer = set.ask(&carl, Method::POST, &format!("{other}/restores"), body).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.body);
    }
    assert!(set.ask(&carl, Method::GET, &format!("{other}/backups"), None).await.body["items"] == json!([]));

    // Only the platform has Jobs go to addresses that are new.
    let inside = json!({ "target": bucket(Some("https://10.0.0.1")) });
    let refused = set.take(olga, PROD, inside.clone()).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body["detail"].as_str().unwrap().contains("https://10.0.0.1"), "{}", refused.body);
    let nightly = json!({ "schedule": "0 3 * * *", "target": bucket(Some("https://10.0.0.1")) });
    let path = format!("{PROD}/backup-schedule");
    assert_eq!(set.ask(olga, Method::PUT, &path, Some(nightly)).await.status, 422);
    assert_eq!(set.take(admin, PROD, inside.clone()).await.status, 201);
    assert_eq!(set.take(olga, other, inside).await.status, 201, "it is known now");
    let both = json!({ "target": { "directory": {}, "s3": bucket(None)["s3"] } });
    assert_eq!(set.take(olga, PROD, both).await.status, 422, "the management cluster takes one of them");

    let restores = objects::<TenantRestore>(world, "acme").list(&ListParams::default()).await.unwrap();
    assert!(restores.items.is_empty());
    assert!(objects::<TenantBackup>(world, "acme").get("first").await.is_ok());
    assert_eq!(
        objects::<TenantControlPlane>(world, "acme").list(&ListParams::default()).await.unwrap().items.len(),
        2
    );
}
