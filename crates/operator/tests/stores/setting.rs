//! A stage with DataStores that can be added.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use api::{DataStore, TenantControlPlane};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use launcher::Etcd;
use serde_json::Value;
use stage::{Operator, Options, Stage, eventually};

/// Longest wait for anything; a machine that compiles beside is slow.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A stage and its operator.
pub(crate) struct Setting {
    pub(crate) stage: Stage,
    #[expect(dead_code, reason = "runs as long as this is held")]
    operator: Operator,
}

impl Setting {
    pub(crate) async fn set(flags: &[&str]) -> Self {
        let stage = Box::pin(Stage::set(Options::default())).await.unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
        let operator = stage.operator(program, flags).await.unwrap();
        Self { stage, operator }
    }

    pub(crate) fn stores(&self) -> Api<DataStore> {
        Api::all(self.stage.client())
    }

    pub(crate) fn tenants(&self) -> Api<TenantControlPlane> {
        self.stage.tenants("default")
    }

    pub(crate) async fn store(&self, name: &str) -> DataStore {
        self.stores().get(name).await.unwrap()
    }

    /// Starts an etcd and makes a DataStore for it.
    pub(crate) async fn add_etcd(&self, name: &str) -> Etcd {
        let etcd = Etcd::start().await.unwrap();
        self.add(&stage::data_store(name, &etcd)).await;
        etcd
    }

    /// Makes a DataStore.
    pub(crate) async fn add(&self, object: &Value) {
        let object = serde_json::from_value(object.clone()).unwrap();
        self.stores().create(&PostParams::default(), &object).await.unwrap();
    }

    /// Lays metadata or spec over a DataStore.
    pub(crate) async fn patch_store(&self, name: &str, patch: Value) {
        self.stores().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// Makes a control plane.
    pub(crate) async fn create(&self, name: &str, spec: Value) {
        let tenant = stage::manifest(name, spec).unwrap();
        self.create_object(&tenant).await;
    }

    pub(crate) async fn create_object(&self, tenant: &TenantControlPlane) {
        self.tenants().create(&PostParams::default(), tenant).await.unwrap();
    }

    /// Waits until a control plane is ready with its state in a store.
    pub(crate) async fn ready_in(&self, name: &str, store: &str) {
        eventually(&format!("{name} is ready in {store}"), PATIENCE, || async {
            let status = self.tenants().get(name).await?.status.unwrap_or_default();
            let place = status.storage.data_store_name.as_deref();
            ensure!(place == Some(store), "it is in {place:?}: {:?}", status.conditions);
            says(&status.conditions, "Ready", "True", "")
        })
        .await
        .unwrap();
    }

    /// Waits until a condition of a DataStore has a status and a text in its message.
    pub(crate) async fn store_says(&self, name: &str, kind: &str, status: &str, text: &str) {
        eventually(&format!("{kind} of {name} is {status}"), PATIENCE, || async {
            says(&conditions(&self.stores().get(name).await?), kind, status, text)
        })
        .await
        .unwrap();
    }

    /// Waits until `DataStoreReady` of a control plane is false for a reason, with a text in its message.
    pub(crate) async fn tenant_says(&self, name: &str, reason: &str, text: &str) {
        eventually(&format!("DataStoreReady of {name} is False for {reason}"), PATIENCE, || async {
            let conditions = self.tenants().get(name).await?.status.unwrap_or_default().conditions;
            let found = conditions.iter().find(|found| found.type_ == "DataStoreReady");
            let found = found.ok_or_else(|| anyhow!("not looked at yet"))?;
            ensure!(found.reason == reason && found.message.contains(text), "{found:?}");
            Ok(())
        })
        .await
        .unwrap();
    }

    /// All control planes.
    pub(crate) async fn all(&self) -> Vec<TenantControlPlane> {
        self.tenants().list(&ListParams::default()).await.unwrap().items
    }
}

/// The conditions of a DataStore.
pub(crate) fn conditions(store: &DataStore) -> Vec<Condition> {
    store.status.clone().unwrap_or_default().conditions
}

/// Fails unless a condition has a status and a text in its message.
pub(crate) fn says(conditions: &[Condition], kind: &str, status: &str, text: &str) -> Result<()> {
    let found = conditions.iter().find(|found| found.type_ == kind);
    let found = found.ok_or_else(|| anyhow!("there is no {kind}: {conditions:?}"))?;
    ensure!(found.status == status && found.message.contains(text), "{found:?}");
    Ok(())
}
