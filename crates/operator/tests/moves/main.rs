//! Moves of a control plane between stores, on a real API server with real etcds; the tenant's pods and
//! API server are played.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod across;
#[path = "../support/etcd.rs"]
mod etcd;
#[path = "../support/server.rs"]
mod server;
mod setting;

use api::names::annotations;
use api::{DataStore, MigrationPhase, VersionState};
use etcd::administrator;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use setting::{KEYS, PATIENCE, Setting, contents, may_write};
use stage::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_move_brings_every_key_into_the_other_store_and_lets_the_old_one_be() {
    let setting = Setting::set().await;
    setting.fill().await;
    let schema = setting.space().await.schema;
    let before = contents(&setting.first, &schema).await;
    // The other store is behind: its versions must not show.
    let mut source = administrator(&setting.first).await;
    let known = source.status().await.unwrap().header().unwrap().revision();

    setting.wish("other", json!({})).await;
    setting.ready_in("other").await;
    assert_eq!(contents(&setting.other, &schema).await, before);
    assert_eq!(contents(&setting.first, &schema).await, before, "the source is left as it was");
    assert!(may_write(&setting.other, &schema).await && !may_write(&setting.first, &schema).await);
    assert!(!setting.is_frozen().await, "writes are still refused");
    let mut target = administrator(&setting.other).await;
    let first = target.get(format!("/{schema}/registry/00000"), None).await.unwrap();
    assert!(first.kvs()[0].mod_revision() > known, "a version of {known} would be taken for a newer one");

    let live = setting.stage.objects::<Deployment>("default").get("nomad").await.unwrap();
    let text = serde_json::to_string(&live).unwrap();
    assert!(text.contains(&setting.other.endpoint()) && !text.contains(&setting.first.endpoint()));
    let status = setting.tenant().await.status.unwrap();
    assert_eq!(status.observed_generation, setting.tenant().await.metadata.generation);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_waits_for_its_target_is_undone_when_the_old_store_is_wished_again() {
    let mut setting = Setting::set().await;
    setting.fill().await;
    let schema = setting.space().await.schema;
    setting.other.stop().await;
    setting.wish("other", json!({})).await;
    let message = setting.store_trouble("MigrationRefused").await;
    assert!(message.contains("DataStore `other`"), "{message}");
    setting.wish("first", json!({})).await;
    setting.ready_in("first").await;

    // Cut off in the middle, with something in the target already.
    setting.other.resume().await.unwrap();
    setting.wish("other", json!({})).await;
    setting.in_phase(MigrationPhase::Copying).await;
    setting.wish("first", json!({})).await;
    setting.ready_in("first").await;
    assert!(may_write(&setting.first, &schema).await);
    assert_eq!(contents(&setting.first, &schema).await.len(), KEYS);
    assert_eq!(contents(&setting.other, &schema).await, []);
    assert!(!setting.is_frozen().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_goes_on_wherever_the_operator_was_killed() {
    let mut setting = Setting::set().await;
    setting.fill().await;
    let schema = setting.space().await.schema;
    let before = contents(&setting.first, &schema).await;
    for (round, phase) in
        [MigrationPhase::Copying, MigrationPhase::Freezing, MigrationPhase::Frozen, MigrationPhase::Switched]
            .into_iter()
            .enumerate()
    {
        let (target, source) = if round % 2 == 0 { ("other", "first") } else { ("first", "other") };
        // The store that was left holds the keys of the earlier stay.
        setting.wish(target, json!({annotations::CLEANUP_PRIOR_MIGRATION: "true"})).await;
        setting.in_phase(phase).await;
        setting.operator.kill().await;
        setting.operator.restart().await.unwrap();
        setting.ready_in(target).await;
        let (new, old) = if target == "other" {
            (&setting.other, &setting.first)
        } else {
            (&setting.first, &setting.other)
        };
        assert_eq!(contents(new, &schema).await, before, "killed when {phase:?}");
        assert!(may_write(new, &schema).await && !may_write(old, &schema).await, "{source} can be written");
        assert!(!setting.is_frozen().await, "killed when {phase:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_stay_left_is_replaced_only_when_the_user_says_so() {
    let setting = Setting::set().await;
    setting.fill().await;
    let schema = setting.space().await.schema;
    let mut target = administrator(&setting.other).await;
    target.put(format!("/{schema}/registry/old"), "of an earlier stay", None).await.unwrap();
    setting.wish("other", json!({})).await;
    let message = setting.store_trouble("MigrationRefused").await;
    assert!(message.contains(annotations::CLEANUP_PRIOR_MIGRATION), "{message}");
    assert_eq!(contents(&setting.other, &schema).await.len(), 1);

    setting.wish("other", json!({annotations::CLEANUP_PRIOR_MIGRATION: "true"})).await;
    setting.ready_in("other").await;
    assert_eq!(contents(&setting.other, &schema).await.len(), KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_time_limit_a_move_is_given_up_and_tried_again_with_a_longer_one() {
    let setting = Setting::set().await;
    setting.fill().await;
    let schema = setting.space().await.schema;
    setting.wish("other", json!({annotations::MIGRATION_TIMEOUT: "1ms"})).await;
    let message = setting.store_trouble("MigrationTimedOut").await;
    assert!(message.contains("goes on in `first`") && message.contains("1ms"), "{message}");
    assert!(may_write(&setting.first, &schema).await);
    assert_eq!(contents(&setting.other, &schema).await, []);
    let state = setting.tenant().await.status.unwrap().kubernetes_resources.version.status;
    assert_eq!(state, Some(VersionState::Ready), "the tenant goes on");

    setting.wish("other", json!({annotations::MIGRATION_TIMEOUT: "10m"})).await;
    setting.ready_in("other").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_deleted_in_the_middle_of_a_move_leaves_both_stores_empty() {
    let setting = Setting::set().await;
    setting.fill().await;
    let schema = setting.space().await.schema;
    setting.wish("other", json!({})).await;
    setting.in_phase(MigrationPhase::Copying).await;
    setting.tenants().delete("nomad", &DeleteParams::default()).await.unwrap();
    eventually("the control plane is gone", PATIENCE, || async {
        anyhow::ensure!(setting.tenants().get_opt("nomad").await?.is_none(), "it is there");
        Ok(())
    })
    .await
    .unwrap();
    for etcd in [&setting.other, &setting.first] {
        assert_eq!(contents(etcd, &schema).await, []);
        let refused = administrator(etcd).await.user_get(schema.as_str()).await.unwrap_err();
        assert!(refused.to_string().contains("not found"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_driver_that_does_not_answer_is_named_and_nothing_is_lost() {
    let setting = Setting::set().await;
    setting.fill().await;
    let stores: Api<DataStore> = Api::all(setting.stage.client());
    let login = json!({"content": "eA=="});
    let nats = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore", "metadata": {"name": "nats"},
        "spec": {
            // Nothing listens on port 1 of loopback.
            "driver": "NATS", "endpoints": ["127.0.0.1:1"],
            "basicAuth": {"username": login, "password": login},
        },
    }))
    .unwrap();
    stores.create(&PostParams::default(), &nats).await.unwrap();
    let patch = Patch::Merge(json!({"spec": {"dataStore": "nats"}}));
    eventually("the webhook has seen the store", PATIENCE, || async {
        setting.tenants().patch("nomad", &PatchParams::default(), &patch).await?;
        Ok(())
    })
    .await
    .unwrap();
    let message = setting.store_trouble("MigrationRefused").await;
    assert!(message.contains("DataStore `nats`") && message.contains("127.0.0.1:1"), "{message}");
    setting.wish("first", json!({})).await;
    setting.ready_in("first").await;
    let schema = setting.space().await.schema;
    assert_eq!(contents(&setting.first, &schema).await.len(), KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_control_plane_moves_without_being_woken() {
    let setting = Setting::set().await;
    setting.fill().await;
    let schema = setting.space().await.schema;
    let patch = json!({"spec": {"dataStore": "other", "controlPlane": {"deployment": {"replicas": 0}}}});
    setting.tenants().patch("nomad", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    eventually("it sleeps in the other store", PATIENCE, || async {
        let status = setting.tenant().await.status.unwrap_or_default();
        let state = status.kubernetes_resources.version.status;
        let is_there = status.storage.data_store_name.as_deref() == Some("other");
        anyhow::ensure!(
            is_there && status.storage.migration.is_none() && state == Some(VersionState::Sleeping),
            "{:?} {state:?}",
            status.storage
        );
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(contents(&setting.other, &schema).await.len(), KEYS);

    let patch = json!({"spec": {"controlPlane": {"deployment": {"replicas": 1}}}});
    setting.tenants().patch("nomad", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    setting.ready_in("other").await;
    assert!(!setting.is_frozen().await);
}
