//! Control planes that are given to other tenants, on a real API server with a real store. Pods are played.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/etcd.rs"]
mod etcd;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{ClusterTransfer, DataStore, Tenant, TenantControlPlane};
use datastore::EtcdStore;
use etcd::{administrator, connection};
use etcd_client::{Client, GetOptions};
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use launcher::Etcd;
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually, manifest};

/// Longest wait for anything; a machine that compiles beside is slow.
const PATIENCE: Duration = Duration::from_mins(2);
const GIVEN_AWAY: &str = "flotilla.dev/given-away-by";
const AWAITED: &str = "flotilla.dev/awaited-by";

struct Setting {
    stage: Stage,
    etcd: Etcd,
    _operator: Operator,
}

impl Setting {
    /// Tenants `acme`, which has a control plane `shop` that is ready, and `globex` with the quota.
    async fn set(quota: Value) -> Self {
        Box::pin(Self::set_up(quota)).await
    }

    async fn set_up(quota: Value) -> Self {
        let stage = Stage::set(Options::default()).await.unwrap();
        let etcd = Etcd::start().await.unwrap();
        EtcdStore::connect(&connection(&etcd)).await.unwrap().enable_authentication().await.unwrap();
        let stores: Api<DataStore> = Api::all(stage.client());
        let object = serde_json::from_value(stage::data_store("first", &etcd)).unwrap();
        stores.create(&PostParams::default(), &object).await.unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
        let flags = ["--datastore=first", "--start-slots=4"];
        let operator = stage.operator_directly(program, &flags).await.unwrap();
        let setting = Self { stage, etcd, _operator: operator };
        setting.tenant("acme", json!({})).await;
        setting.tenant("globex", json!({"quota": quota})).await;
        let shop = manifest("shop", json!({"dataStore": "first"})).unwrap();
        setting.clusters("acme").create(&PostParams::default(), &shop).await.unwrap();
        setting.ready("acme", "shop").await;
        setting
    }

    async fn tenant(&self, name: &str, spec: Value) {
        let tenant = json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": name}, "spec": spec,
        });
        let tenants: Api<Tenant> = Api::all(self.stage.client());
        tenants.create(&PostParams::default(), &serde_json::from_value(tenant).unwrap()).await.unwrap();
        eventually("the tenant has its namespace", PATIENCE, || async {
            let status = tenants.get(name).await?.status.unwrap_or_default();
            status.namespace.context("it has none")
        })
        .await
        .unwrap();
    }

    fn clusters(&self, namespace: &str) -> Api<TenantControlPlane> {
        self.stage.tenants(namespace)
    }

    fn transfers(&self) -> Api<ClusterTransfer> {
        Api::all(self.stage.client())
    }

    async fn secret(&self, namespace: &str, name: &str) -> Secret {
        self.stage.objects::<Secret>(namespace).get(name).await.unwrap()
    }

    async fn annotate(&self, namespace: &str, name: &str, key: &str, value: Value) {
        let change = Patch::Merge(json!({"metadata": {"annotations": {key: value}}}));
        self.clusters(namespace).patch(name, &PatchParams::default(), &change).await.unwrap();
    }

    async fn transfer(&self, name: &str, called: Option<&str>) {
        let spec = json!({"from": {"namespace": "acme", "name": "shop"}, "tenant": "globex", "name": called});
        let body = json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "ClusterTransfer", "metadata": {"name": name}, "spec": spec,
        });
        let wanted = serde_json::from_value(body).unwrap();
        self.transfers().create(&PostParams::default(), &wanted).await.unwrap();
    }

    /// Waits until a transfer has ended with the reason; returns what it says.
    async fn ends(&self, name: &str, reason: &str) -> String {
        eventually(&format!("{name} is {reason}"), PATIENCE, || async {
            let status = self.transfers().get(name).await?.status.unwrap_or_default();
            let said = status.conditions.first().cloned().context("it says nothing")?;
            ensure!(said.reason == reason && status.completed_at.is_some(), "{said:?}");
            Ok(said.message)
        })
        .await
        .unwrap()
    }

    async fn ready(&self, namespace: &str, name: &str) -> TenantControlPlane {
        eventually(&format!("{name} is ready"), PATIENCE, || async {
            let found = self.clusters(namespace).get(name).await?;
            let conditions = found.status.clone().unwrap_or_default().conditions;
            let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
            ensure!(ready.is_some_and(|ready| ready.status == "True"), "{conditions:?}");
            Ok(found)
        })
        .await
        .unwrap()
    }

    /// `shop` goes on where it was, and `globex` has nothing of it.
    async fn goes_on(&self) {
        eventually("nothing holds it", PATIENCE, || async {
            let found = self.clusters("acme").get("shop").await?;
            ensure!(!found.annotations().contains_key(GIVEN_AWAY), "{:?}", found.annotations());
            Ok(())
        })
        .await
        .unwrap();
        self.ready("acme", "shop").await;
        self.gone("globex", "shop").await;
        eventually("its Secrets are gone too", PATIENCE, || async {
            let left = self.stage.objects::<Secret>("globex").get_opt("shop-ca").await?;
            ensure!(left.is_none(), "the authority is left");
            Ok(())
        })
        .await
        .unwrap();
        let place = self.clusters("acme").get("shop").await.unwrap().uid().unwrap();
        assert_eq!(self.value(&place).await.as_deref(), Some("kept"));
    }

    async fn gone(&self, namespace: &str, name: &str) {
        eventually(&format!("{name} is gone"), PATIENCE, || async {
            let found = self.clusters(namespace).get_opt(name).await?;
            ensure!(found.is_none(), "{:?}", found.map(|found| found.metadata));
            Ok(())
        })
        .await
        .unwrap();
    }

    async fn store(&self) -> Client {
        administrator(&self.etcd).await
    }

    /// Writes as the control plane's API server would.
    async fn keep(&self, place: &str) {
        self.store().await.put(format!("/{place}/registry/thing"), "kept", None).await.unwrap();
    }

    async fn value(&self, place: &str) -> Option<String> {
        let key = format!("/{place}/registry/thing");
        let found = self.store().await.get(key, Some(GetOptions::new())).await.unwrap();
        found.kvs().first().map(|entry| String::from_utf8_lossy(entry.value()).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_goes_on_at_another_tenant_with_all_that_it_is() {
    let setting = Setting::set(json!({"clusters": 1})).await;
    let before = setting.clusters("acme").get("shop").await.unwrap();
    let place = before.uid().unwrap();
    setting.keep(&place).await;
    let parts = ["ca", "front-proxy-ca-certificate", "sa-certificate"];
    let mut kept = Vec::new();
    for part in parts {
        kept.push(setting.secret("acme", &format!("shop-{part}")).await.data);
    }
    setting.transfer("first", Some("store")).await;
    let message = setting.ends("first", "Completed").await;
    assert_eq!(message, "tenant `globex` has the control plane as `store` in namespace `globex`");
    let after = setting.ready("globex", "store").await;
    let setup = after.status.as_ref().unwrap().storage.setup.clone();
    assert_eq!((setup.schema.as_deref(), setup.user.as_deref()), (Some(&*place), Some(&*place)));
    assert_eq!(setting.value(&place).await.as_deref(), Some("kept"));
    for (part, data) in parts.iter().zip(kept) {
        assert_eq!(setting.secret("globex", &format!("store-{part}")).await.data, data, "{part}");
    }
    assert!(!after.annotations().contains_key(AWAITED), "{:?}", after.annotations());
    setting.gone("acme", "shop").await;
    let object = setting.transfers().get("first").await.unwrap();
    assert!(object.finalizers().is_empty(), "it can be deleted while no operator runs");

    // What was given away is the new tenant's: it goes with the new control plane, and with no other.
    let again = manifest("shop", json!({"dataStore": "first", "dataStoreSchema": place})).unwrap();
    setting.clusters("acme").create(&PostParams::default(), &again).await.unwrap();
    eventually("the place is taken", PATIENCE, || async {
        let status = setting.clusters("acme").get("shop").await?.status.unwrap_or_default();
        let text = format!("{:?}", status.conditions);
        ensure!(text.contains("dataStoreSchema belongs to another control plane"), "{text}");
        Ok(())
    })
    .await
    .unwrap();
    setting.clusters("acme").delete("shop", &DeleteParams::default()).await.unwrap();
    setting.gone("acme", "shop").await;
    assert_eq!(setting.value(&place).await.as_deref(), Some("kept"));
    setting.clusters("globex").delete("store", &DeleteParams::default()).await.unwrap();
    setting.gone("globex", "store").await;
    assert_eq!(setting.value(&place).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_given_away_goes_on_as_it_was() {
    let setting = Setting::set(json!({"clusters": 0})).await;
    setting.keep(&setting.clusters("acme").get("shop").await.unwrap().uid().unwrap()).await;
    setting.transfer("full", None).await;
    let message = setting.ends("full", "Failed").await;
    assert!(message.contains("`globex` may not have it") && message.contains("clusters 0 of 0"), "{message}");
    setting.goes_on().await;

    let tenants: Api<Tenant> = Api::all(setting.stage.client());
    let more = Patch::Merge(json!({"spec": {"quota": {"clusters": 3}}}));
    tenants.patch("globex", &PatchParams::default(), &more).await.unwrap();
    setting.annotate("acme", "shop", "flotilla.dev/hold", json!("somebody")).await;
    setting.transfer("held", None).await;
    assert!(setting.ends("held", "Failed").await.contains("TenantRestore `somebody` works on it"));
    setting.annotate("acme", "shop", "flotilla.dev/hold", Value::Null).await;

    let other = manifest("shop", json!({"controlPlane": {"deployment": {"replicas": 0}}})).unwrap();
    setting.clusters("globex").create(&PostParams::default(), &other).await.unwrap();
    eventually("there is another one of its name", PATIENCE, || async {
        let found = setting.stage.objects::<Service>("globex").get_opt("shop").await?;
        found.map(drop).context("it has no Service yet")
    })
    .await
    .unwrap();
    setting.transfer("taken", None).await;
    let message = setting.ends("taken", "Failed").await;
    assert!(message.contains("name this one differently") || message.contains("has a Secret"), "{message}");
    assert!(!setting.clusters("globex").get("shop").await.unwrap().annotations().contains_key(AWAITED));
    setting.clusters("globex").delete("shop", &DeleteParams::default()).await.unwrap();
    setting.goes_on().await;
}

/// Keeps the pods of a control plane from ending, so that a transfer stays half-way.
async fn half_way(setting: &Setting, name: &str) -> Result<()> {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "lingers", "namespace": "acme", "labels": {"kamaji.clastix.io/name": "shop"}},
        "spec": {"containers": [{"name": "c", "image": "x"}], "automountServiceAccountToken": false},
    });
    let pods = setting.stage.objects::<k8s_openapi::api::core::v1::Pod>("acme");
    pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
    setting.transfer(name, None).await;
    eventually("the control plane is stopped", PATIENCE, || async {
        let status = setting.transfers().get(name).await?.status.unwrap_or_default();
        let said = status.conditions.first().cloned().context("it says nothing")?;
        ensure!(said.message.contains("still there: 1"), "{said:?}");
        Ok(())
    })
    .await
}

async fn let_go(setting: &Setting) {
    let pods = setting.stage.objects::<k8s_openapi::api::core::v1::Pod>("acme");
    pods.delete("lingers", &DeleteParams::default().grace_period(0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_is_broken_off_half_way_loses_nothing() {
    let setting = Setting::set(json!({})).await;
    let place = setting.clusters("acme").get("shop").await.unwrap().uid().unwrap();
    setting.keep(&place).await;

    half_way(&setting, "deleted").await.unwrap();
    setting.transfers().delete("deleted", &DeleteParams::default()).await.unwrap();
    setting.goes_on().await;
    let_go(&setting).await;

    // Whoever gets it does not want it.
    half_way(&setting, "unwanted").await.unwrap();
    setting.clusters("globex").delete("shop", &DeleteParams::default()).await.unwrap();
    assert!(setting.ends("unwanted", "Failed").await.contains("was deleted"));
    setting.goes_on().await;
    let_go(&setting).await;

    // Whoever gets it wants it at once: nothing runs before the transfer says so.
    half_way(&setting, "hasty").await.unwrap();
    setting.annotate("globex", "shop", AWAITED, Value::Null).await;
    eventually("it is awaited again, or waits for its place", PATIENCE, || async {
        let found = setting.clusters("globex").get("shop").await?;
        ensure!(found.annotations().contains_key(AWAITED), "{:?}", found.annotations());
        Ok(())
    })
    .await
    .unwrap();
    let_go(&setting).await;
    setting.ends("hasty", "Completed").await;
    setting.ready("globex", "shop").await;
    assert_eq!(setting.value(&place).await.as_deref(), Some("kept"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_is_deleted_meanwhile_is_deleted_and_not_given_away() {
    let setting = Setting::set(json!({})).await;
    let place = setting.clusters("acme").get("shop").await.unwrap().uid().unwrap();
    setting.keep(&place).await;
    half_way(&setting, "late").await.unwrap();
    setting.clusters("acme").delete("shop", &DeleteParams::default()).await.unwrap();
    assert!(setting.ends("late", "Failed").await.contains("is being deleted"));
    let_go(&setting).await;
    setting.gone("acme", "shop").await;
    setting.gone("globex", "shop").await;
    assert_eq!(setting.value(&place).await, None);
}
