//! A stage with two stores and a control plane that has something to lose.

use std::path::Path;
use std::time::Duration;

use api::{DataStore, MigrationPhase, TenantControlPlane};
use datastore::{EtcdStore, TenantSpace};
use etcd_client::GetOptions;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams, PostParams};
use launcher::Etcd;
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually};

use crate::etcd::{administrator, connection};

/// Longest wait for anything; a machine that compiles beside is slow.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Keys that the tenant has before it moves.
pub(crate) const KEYS: usize = 1200;
const TENANT: &str = "nomad";

/// Stores `first` and `other`, and a control plane in the first.
pub(crate) struct Setting {
    pub(crate) stage: Stage,
    pub(crate) first: Etcd,
    pub(crate) other: Etcd,
    pub(crate) operator: Operator,
}

impl Setting {
    pub(crate) async fn set() -> Self {
        Box::pin(Self::set_up()).await
    }

    async fn set_up() -> Self {
        let stage = Stage::set(Options::default()).await.unwrap();
        let (first, other) = (Etcd::start().await.unwrap(), Etcd::start().await.unwrap());
        let stores: Api<DataStore> = Api::all(stage.client());
        for (name, etcd) in [("first", &first), ("other", &other)] {
            EtcdStore::connect(&connection(etcd)).await.unwrap().enable_authentication().await.unwrap();
            let object = serde_json::from_value(stage::data_store(name, etcd)).unwrap();
            stores.create(&PostParams::default(), &object).await.unwrap();
        }
        let operator = stage.operator(Path::new(env!("CARGO_BIN_EXE_flotilla-operator")), &[]).await.unwrap();
        let setting = Self { stage, first, other, operator };
        let tenant = stage::manifest(TENANT, json!({"dataStore": "first"})).unwrap();
        setting.tenants().create(&PostParams::default(), &tenant).await.unwrap();
        setting.ready_in("first").await;
        setting
    }

    pub(crate) fn tenants(&self) -> Api<TenantControlPlane> {
        self.stage.tenants("default")
    }

    pub(crate) async fn tenant(&self) -> TenantControlPlane {
        self.tenants().get(TENANT).await.unwrap()
    }

    pub(crate) async fn space(&self) -> TenantSpace {
        let uid = self.tenant().await.uid().unwrap();
        TenantSpace { schema: uid.clone(), user: uid }
    }

    /// Puts the tenant's keys into its store, as its API server would.
    pub(crate) async fn fill(&self) {
        let schema = self.space().await.schema;
        let mut client = administrator(&self.first).await;
        for key in 0..KEYS {
            client.put(format!("/{schema}/registry/{key:05}"), format!("value {key}"), None).await.unwrap();
        }
    }

    /// Wishes for a store, and sets or removes annotations.
    pub(crate) async fn wish(&self, store: &str, annotations: Value) {
        let patch = json!({"metadata": {"annotations": annotations}, "spec": {"dataStore": store}});
        self.tenants().patch(TENANT, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// Waits until the control plane is ready with its state in a store, and no move is left to do.
    pub(crate) async fn ready_in(&self, store: &str) {
        eventually(&format!("ready in {store}"), PATIENCE, || async {
            let status = self.tenant().await.status.unwrap_or_default();
            let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
            let is_ready = ready.is_some_and(|condition| condition.status == "True");
            let is_there = status.storage.data_store_name.as_deref() == Some(store);
            anyhow::ensure!(
                is_ready && is_there && status.storage.migration.is_none(),
                "{:?} {:?}",
                status.storage,
                status.conditions
            );
            Ok(())
        })
        .await
        .unwrap();
    }

    /// Waits until `DataStoreReady` is false for a reason; returns its message.
    pub(crate) async fn store_trouble(&self, reason: &str) -> String {
        eventually(&format!("DataStoreReady is False for {reason}"), PATIENCE, || async {
            let conditions = self.tenant().await.status.unwrap_or_default().conditions;
            conditions
                .iter()
                .find(|found| (&*found.type_, &*found.reason) == ("DataStoreReady", reason))
                .map(|found| found.message.clone())
                .ok_or_else(|| anyhow::anyhow!("{conditions:?}"))
        })
        .await
        .unwrap()
    }

    /// Waits until the move has come so far.
    pub(crate) async fn in_phase(&self, phase: MigrationPhase) {
        eventually(&format!("the move is {phase:?}"), PATIENCE, || async {
            let storage = self.tenant().await.status.unwrap_or_default().storage;
            let found = storage.migration.as_ref().map(|record| record.phase);
            anyhow::ensure!(found.is_some_and(|found| found >= phase), "{storage:?}");
            Ok(())
        })
        .await
        .unwrap();
    }

    /// Whether the tenant's cluster refuses changes.
    pub(crate) async fn is_frozen(&self) -> bool {
        let uid = self.tenant().await.uid().unwrap();
        self.stage.inside(&uid).keys().any(|path| path.ends_with("/kamaji-freeze"))
    }
}

/// A tenant's keys with their values.
pub(crate) async fn contents(etcd: &Etcd, schema: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut client = administrator(etcd).await;
    let answer = client.get(format!("/{schema}/"), Some(GetOptions::new().with_prefix())).await.unwrap();
    answer.kvs().iter().map(|entry| (entry.key().to_vec(), entry.value().to_vec())).collect()
}

/// Whether the tenant's role may write.
pub(crate) async fn may_write(etcd: &Etcd, schema: &str) -> bool {
    let Ok(role) = administrator(etcd).await.role_get(schema).await else { return false };
    role.permissions().iter().any(|held| held.get_type() == etcd_client::PermissionType::Readwrite as i32)
}
