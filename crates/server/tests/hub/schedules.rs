//! Clusters that sleep and wake at set times.

use api::TenantControlPlane;
use http::Method;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Answer, World, control_plane, eventually};

const PATH: &str = "/api/v1/clusters/acme.prod";

async fn set(world: &World, session: &str, schedule: Value) -> Answer {
    world.ask(session, Method::PATCH, PATH, Some(json!({ "sleepSchedule": schedule }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_set_shown_and_taken_away_by_who_may_put_to_sleep_and_wake() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    // Who may put to sleep and not wake would put to sleep for good.
    let rules = json!([{ "apiGroups": [""], "resources": ["clusters"], "verbs": ["get", "list", "sleep"] }]);
    let role = json!({ "name": "sandman", "spec": { "hub": rules, "cluster": [] } });
    let made = world.ask(&admin, Method::POST, "/api/v1/roles", Some(role)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let sandman = world.member(&admin, "sam", "sandman", "acme").await;
    let objects: Api<TenantControlPlane> = Api::namespaced(world.client.clone(), "acme");
    objects.create(&PostParams::default(), &control_plane("acme", "prod")).await.unwrap();
    let row = async || world.ask(&olga, Method::GET, PATH, None).await;
    eventually("the cluster is in the inventory", || async { row().await.status == 200 }).await;

    let nightly = json!({ "sleep": "0 20 * * 1-5", "wake": "0 7 * * 1-5", "timeZone": "Europe/Berlin" });
    assert_eq!(set(&world, &gus, nightly.clone()).await.status, 404);
    assert_eq!(set(&world, &sandman, nightly.clone()).await.status, 403);
    let answer = set(&world, &olga, nightly.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    eventually("it is shown", || async { row().await.body["sleepSchedule"] == nightly }).await;
    // As the operator tells of it; of another schedule than this one it would say nothing.
    let told = |schedule: &Value| {
        let since = "2026-11-30T12:00:00Z";
        let refused =
            json!({ "action": "Wake", "time": since, "triedAt": since, "message": "there is no room" });
        json!({ "status": { "sleepSchedule": {
            "schedule": schedule, "since": since, "refused": refused,
            "nextSleep": "2026-11-30T19:00:00Z", "nextWake": "2026-12-01T06:00:00Z",
        } } })
    };
    let status = Patch::Merge(told(&nightly));
    objects.patch_status("prod", &PatchParams::default(), &status).await.unwrap();
    eventually("it says when", || async {
        let body = row().await.body;
        body["nextSleep"] == "2026-11-30T19:00:00Z" && body["scheduleRefused"] == "there is no room"
    })
    .await;

    let answer = set(&world, &olga, json!({ "sleep": "0 0 31 6 *", "timeZone": "Europe/Berlin" })).await;
    assert_eq!(answer.status, 422);
    let detail = answer.body["detail"].as_str().unwrap();
    assert_eq!(detail, "sleepSchedule.sleep: `0 0 31 6 *` names no time that comes");
    for wrong in
        [json!({}), json!({ "sleep": "0 20 * * *", "timeZone": "Mars/Base" }), json!({ "nap": "" }), json!(7)]
    {
        assert_eq!(set(&world, &olga, wrong.clone()).await.status, 422, "{wrong}");
    }
    eventually("only the time to wake is left", || async {
        let answer = set(&world, &olga, json!({ "wake": "0 7 * * *" })).await;
        assert!(matches!(answer.status.as_u16(), 200 | 412), "{}", answer.body);
        let body = row().await.body;
        body["sleepSchedule"] == json!({ "wake": "0 7 * * *" }) && body["nextSleep"].is_null()
    })
    .await;
    eventually("it is taken away", || async {
        let answer = set(&world, &olga, Value::Null).await;
        assert!(matches!(answer.status.as_u16(), 200 | 412), "{}", answer.body);
        row().await.body["sleepSchedule"].is_null()
    })
    .await;
    assert_eq!(objects.get("prod").await.unwrap().spec.sleep_schedule, None);
}
