//! Who gets a place in which store.

use std::collections::BTreeMap;

use api::TenantControlPlane;
use futures::future::join_all;
use kube::api::DeleteParams;
use serde_json::json;
use stage::eventually;

use crate::setting::{PATIENCE, Setting};

const SELECTOR: &str = "flotilla.dev/datastore-selector";

/// A control plane that names no store, and says which will do.
fn choosing(name: &str, selector: &str) -> TenantControlPlane {
    let mut tenant = stage::manifest(name, json!({"dataStore": null})).unwrap();
    tenant.metadata.annotations = Some(BTreeMap::from([(SELECTOR.to_owned(), selector.to_owned())]));
    tenant
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_fill_no_store_beyond_its_capacity_and_the_rest_follow_when_there_is_room() {
    let setting = Setting::set(&["--datastore-policy=fewest-tenants", "--datastore-selector=!spare"]).await;
    let _etcds = (setting.add_etcd("second").await, setting.add_etcd("spare").await);
    let capacity =
        |number: usize| json!({"metadata": {"annotations": {"flotilla.dev/capacity": number.to_string()}}});
    setting.patch_store("store", capacity(20)).await;
    setting.patch_store("second", capacity(15)).await;
    setting.patch_store("spare", json!({"metadata": {"labels": {"spare": "yes"}}})).await;
    for store in ["store", "second", "spare"] {
        setting.store_says(store, "Reachable", "True", "").await;
    }

    let names: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
    // Half of them name no store; the others fight for the same one.
    let creating = names.iter().enumerate().map(|(number, name)| {
        let spec = if number % 2 == 0 { json!({"dataStore": null}) } else { json!({"dataStore": "second"}) };
        setting.create(name, spec)
    });
    join_all(creating).await;
    let in_stores = async || {
        let mut counts = BTreeMap::<String, usize>::new();
        let mut refused = 0;
        for tenant in setting.all().await {
            let status = tenant.status.unwrap_or_default();
            let reason = status.conditions.iter().find(|found| found.type_ == "DataStoreReady");
            refused += usize::from(reason.is_some_and(|found| found.reason == "DataStoreFull"));
            if let Some(store) = status.storage.data_store_name {
                *counts.entry(store).or_default() += 1;
            }
        }
        let count = |store: &str| counts.get(store).copied().unwrap_or_default();
        assert!(count("store") <= 20 && count("second") <= 15 && count("spare") == 0, "{counts:?}");
        (counts.values().sum::<usize>(), refused)
    };
    eventually("all are placed or refused", PATIENCE, || async {
        let (placed, refused) = in_stores().await;
        anyhow::ensure!(placed + refused == 50 && placed == 35, "{placed} placed, {refused} refused");
        Ok(())
    })
    .await
    .unwrap();

    setting.patch_store("second", capacity(30)).await;
    setting.patch_store("store", capacity(21)).await;
    let placed = async || {
        let all = setting.all().await;
        all.into_iter()
            .filter(|tenant| {
                tenant.status.as_ref().is_some_and(|status| status.storage.data_store_name.is_some())
            })
            .count()
    };
    eventually("room is made, and the rest follow", PATIENCE, || async {
        let placed = placed().await;
        anyhow::ensure!(placed >= 48, "{placed} placed");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_annotation_chooses_by_labels_and_a_place_that_is_left_is_given_again() {
    let setting = Setting::set(&["--datastore=store"]).await;
    let _gold = setting.add_etcd("gold").await;
    setting.create_object(&choosing("early", "tier in (gold, platinum)")).await;
    setting.tenant_says("early", "DataStoreFull", "`tier in (gold, platinum)`").await;
    let patch = json!({
        "metadata": {"labels": {"tier": "gold"}, "annotations": {"flotilla.dev/capacity": "1"}},
    });
    setting.patch_store("gold", patch).await;
    setting.ready_in("early", "gold").await;
    assert_eq!(setting.tenants().get("early").await.unwrap().spec.data_store.as_deref(), Some("gold"));

    setting.create_object(&choosing("late", "tier=gold")).await;
    setting.tenant_says("late", "DataStoreFull", "takes 1").await;
    setting.create_object(&choosing("odd", "tier gold")).await;
    setting.tenant_says("odd", "DataStoreFull", "is no selector").await;
    setting.create("plain", json!({"dataStore": null})).await;
    setting.ready_in("plain", "store").await;
    setting.tenants().delete("early", &DeleteParams::default()).await.unwrap();
    setting.ready_in("late", "gold").await;
}
