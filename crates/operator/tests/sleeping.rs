//! Control planes that sleep and wake by a schedule, on a real API server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::names::annotations::{REPLICAS_BEFORE, REPLICAS_BEFORE_SLEEP, SLEEP_SCHEDULE_FOLLOWED};
use api::{SleepAction, SleepScheduleStatus, Tenant, TenantControlPlane};
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually, manifest};

const SOON: Duration = Duration::from_mins(1);
/// Longest wait for room that was granted a moment ago.
const LATER: Duration = Duration::from_mins(2);
/// A day of the year, so that it is known which time was the last one.
const ONCE_A_YEAR: &str = "0 0 1 1 *";

struct Setting {
    stage: Stage,
    _operator: Operator,
}

impl Setting {
    /// An operator and a tenant `acme`.
    async fn set(spec: Value) -> Self {
        let stage = Stage::set(Options::default()).await.unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
        let operator =
            stage.operator_directly(program, &["--datastore=store", "--start-slots=4"]).await.unwrap();
        let tenant = json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "acme"}, "spec": spec,
        });
        let tenants: Api<Tenant> = Api::all(stage.client());
        tenants.create(&PostParams::default(), &serde_json::from_value(tenant).unwrap()).await.unwrap();
        eventually("the tenant has its namespace", SOON, || async {
            let status = tenants.get("acme").await?.status.unwrap_or_default();
            status.namespace.context("it has none")
        })
        .await
        .unwrap();
        Self { stage, _operator: operator }
    }

    fn clusters(&self) -> Api<TenantControlPlane> {
        self.stage.tenants("acme")
    }

    async fn create(&self, name: &str, replicas: i32, schedule: Value) -> Result<(), kube::Error> {
        let spec = json!({
            "controlPlane": {"deployment": {"replicas": replicas}}, "sleepSchedule": schedule,
        });
        self.clusters().create(&PostParams::default(), &manifest(name, spec).unwrap()).await.map(drop)
    }

    async fn change(&self, name: &str, change: Value) {
        self.clusters().patch(name, &PatchParams::default(), &Patch::Merge(change)).await.unwrap();
    }

    async fn scale(&self, name: &str, replicas: i32) {
        self.change(name, json!({"spec": {"controlPlane": {"deployment": {"replicas": replicas}}}})).await;
    }

    async fn suspend(&self, state: &str) {
        let tenants: Api<Tenant> = Api::all(self.stage.client());
        let change = Patch::Merge(json!({"spec": {"state": state}}));
        tenants.patch("acme", &PatchParams::default(), &change).await.unwrap();
    }

    /// What was refused a moment ago; by now it may be done.
    async fn try_again(&self, name: &str) {
        let tried = json!({"status": {"sleepSchedule": {"refused": {"triedAt": "2020-06-01T00:00:00Z"}}}});
        let _ = self.clusters().patch_status(name, &PatchParams::default(), &Patch::Merge(tried)).await;
    }

    /// As if times of the schedule had passed while nobody looked.
    async fn miss_a_time(&self, name: &str) {
        self.follows(name, |_| Ok(())).await;
        let since = Patch::Merge(json!({"status": {"sleepSchedule": {"since": "2020-06-01T00:00:00Z"}}}));
        self.clusters().patch_status(name, &PatchParams::default(), &since).await.unwrap();
    }

    /// Waits until the status of the schedule is as it should be.
    async fn follows(&self, name: &str, check: impl Fn(&SleepScheduleStatus) -> Result<()>) {
        eventually(&format!("the schedule of {name} is followed"), SOON, || async {
            let status = self.clusters().get(name).await?.status.unwrap_or_default();
            check(status.sleep_schedule.as_ref().context("it says nothing of the schedule")?)
        })
        .await
        .unwrap();
    }

    async fn has(&self, name: &str, replicas: i32) -> TenantControlPlane {
        eventually(&format!("{name} has {replicas} replicas"), SOON, || async {
            let found = self.clusters().get(name).await?;
            ensure!(found.spec.replicas() == replicas, "{}", found.spec.replicas());
            Ok(found)
        })
        .await
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_cannot_be_followed_is_refused_with_what_is_wrong() {
    let setting = Setting::set(json!({})).await;
    let cases = [
        (json!({"sleep": "at night"}), "spec.sleepSchedule.sleep: `at night` is no cron expression"),
        (json!({"wake": "0 0 31 6 *"}), "spec.sleepSchedule.wake: `0 0 31 6 *` names no time that comes"),
        (json!({"sleep": "0 20 * * *", "timeZone": "Mars/Base"}), "write it like `Europe/Berlin`"),
        (json!({"sleep": "0 7 * * *", "wake": "0 7 * * *"}), "is when it wakes too"),
        (json!({"timeZone": "UTC"}), "at least one of sleep and wake must be set"),
    ];
    for (schedule, words) in cases {
        let refused = setting.create("wrong", 0, schedule.clone()).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{schedule}: {refused}");
    }
    setting.create("right", 0, json!({"sleep": "0 20 * * 1-5", "timeZone": "Europe/Berlin"})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_was_missed_counts_once_and_who_is_woken_by_hand_stays_awake() {
    let setting = Setting::set(json!({})).await;
    setting.create("shop", 1, json!({"sleep": ONCE_A_YEAR})).await.unwrap();
    setting.miss_a_time("shop").await;
    let asleep = setting.has("shop", 0).await;
    assert_eq!(asleep.annotations().get(REPLICAS_BEFORE_SLEEP).map(String::as_str), Some("1"));
    assert!(asleep.annotations()[SLEEP_SCHEDULE_FOLLOWED].starts_with("Sleep 20"));
    setting
        .follows("shop", |status| {
            ensure!(status.last_action == Some(SleepAction::Sleep), "{status:?}");
            ensure!(status.next_sleep.is_some() && status.next_wake.is_none(), "{status:?}");
            Ok(())
        })
        .await;

    setting.scale("shop", 1).await;
    eventually("it is awake and was looked at", SOON, || async {
        let found = setting.clusters().get("shop").await?;
        let status = found.status.clone().unwrap_or_default();
        ensure!(status.observed_generation == found.metadata.generation, "{:?}", status.observed_generation);
        ensure!(found.spec.replicas() == 1, "it was put to sleep again");
        Ok(())
    })
    .await
    .unwrap();
    setting.change("shop", json!({"spec": {"sleepSchedule": null}})).await;
    eventually("nothing is said of a schedule that is gone", SOON, || async {
        let status = setting.clusters().get("shop").await?.status.unwrap_or_default();
        ensure!(status.sleep_schedule.is_none(), "{:?}", status.sleep_schedule);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wakes_by_a_schedule_needs_room_and_is_woken_when_there_is() {
    let setting = Setting::set(json!({"quota": {"controlPlaneReplicas": 1}})).await;
    setting.create("busy", 1, Value::Null).await.unwrap();
    setting.create("late", 0, json!({"wake": ONCE_A_YEAR})).await.unwrap();
    setting.miss_a_time("late").await;
    setting
        .follows("late", |status| {
            let refused = status.refused.as_ref().context("nothing was refused")?;
            ensure!(refused.message.contains("quota of tenant `acme`"), "{}", refused.message);
            Ok(())
        })
        .await;
    assert_eq!(setting.clusters().get("late").await.unwrap().spec.replicas(), 0);

    setting.scale("busy", 0).await;
    eventually("it is woken when there is room", LATER, || async {
        let found = setting.clusters().get("late").await?;
        if found.spec.replicas() == 0 {
            setting.try_again("late").await;
        }
        ensure!(found.spec.replicas() == 1, "it sleeps");
        Ok(())
    })
    .await
    .unwrap();
    setting
        .follows("late", |status| {
            ensure!(status.refused.is_none() && status.last_action == Some(SleepAction::Wake), "{status:?}");
            Ok(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenants_control_planes_are_not_woken_and_its_end_forgets_no_time() {
    let setting = Setting::set(json!({})).await;
    setting.create("awake", 1, json!({"sleep": ONCE_A_YEAR})).await.unwrap();
    setting.create("asleep", 0, json!({"wake": ONCE_A_YEAR})).await.unwrap();
    setting.suspend("Suspended").await;
    setting.has("awake", 0).await;
    setting.miss_a_time("awake").await;
    setting.miss_a_time("asleep").await;
    setting
        .follows("asleep", |status| {
            let refused = status.refused.as_ref().context("nothing was refused")?;
            ensure!(refused.message.contains("is suspended"), "{}", refused.message);
            Ok(())
        })
        .await;
    let held = setting.clusters().get("awake").await.unwrap();
    assert_eq!(held.annotations().get(REPLICAS_BEFORE).map(String::as_str), Some("1"));
    assert!(!held.annotations().contains_key(SLEEP_SCHEDULE_FOLLOWED), "the suspension is waited for");

    setting.suspend("Active").await;
    eventually("the time to sleep that came meanwhile counts", SOON, || async {
        let found = setting.clusters().get("awake").await?;
        let before = found.annotations().get(REPLICAS_BEFORE_SLEEP).map(String::as_str);
        ensure!(before == Some("1") && found.spec.replicas() == 0, "{:?}", found.annotations());
        ensure!(!found.annotations().contains_key(REPLICAS_BEFORE), "the suspension still holds it");
        Ok(())
    })
    .await
    .unwrap();
    eventually("the time to wake counts too", SOON, || async {
        setting.try_again("asleep").await;
        let found = setting.clusters().get("asleep").await?;
        ensure!(found.spec.replicas() == 1, "it sleeps");
        Ok(())
    })
    .await
    .unwrap();
}
