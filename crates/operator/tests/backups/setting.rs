//! A stage with a control plane that has contents, and a node that runs the Jobs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::{DataStore, TenantBackup, TenantControlPlane, TenantRestore};
use datastore::EtcdStore;
use etcd_client::GetOptions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::api::{Api, PostParams};
use launcher::Etcd;
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually};
use tokio::task::JoinHandle;

use crate::etcd::{administrator, connection};
use crate::kubelet;

/// Longest wait for anything; a machine that compiles beside is slow.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const NAMESPACE: &str = "default";

/// What stands in the store: values by key.
pub(crate) type Contents = BTreeMap<String, String>;

pub(crate) struct Setting {
    pub(crate) stage: Stage,
    pub(crate) etcd: Etcd,
    pub(crate) operator: Operator,
    node: tempfile::TempDir,
    kubelet: JoinHandle<()>,
}

impl Drop for Setting {
    fn drop(&mut self) {
        self.kubelet.abort();
    }
}

impl Setting {
    pub(crate) async fn set(flags: &[&str]) -> Self {
        Box::pin(Self::set_up(flags)).await
    }

    async fn set_up(flags: &[&str]) -> Self {
        let stage = Stage::set(Options::default()).await.unwrap();
        let etcd = Etcd::start().await.unwrap();
        EtcdStore::connect(&connection(&etcd)).await.unwrap().enable_authentication().await.unwrap();
        let stores: Api<DataStore> = Api::all(stage.client());
        let object = serde_json::from_value(stage::data_store("first", &etcd)).unwrap();
        stores.create(&PostParams::default(), &object).await.unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
        let operator = stage.operator(program, flags).await.unwrap();
        let node = tempfile::tempdir().unwrap();
        let kubelet = tokio::spawn(kubelet::play(stage.client(), node.path().to_owned()));
        Self { stage, etcd, operator, node, kubelet }
    }

    pub(crate) fn tenants(&self) -> Api<TenantControlPlane> {
        self.stage.tenants(NAMESPACE)
    }

    pub(crate) fn backups(&self) -> Api<TenantBackup> {
        self.stage.objects(NAMESPACE)
    }

    pub(crate) fn restores(&self) -> Api<TenantRestore> {
        self.stage.objects(NAMESPACE)
    }

    /// Makes a control plane and waits until it is ready.
    pub(crate) async fn tenant(&self, name: &str) {
        let tenant = stage::manifest(name, json!({"dataStore": "first"})).unwrap();
        self.tenants().create(&PostParams::default(), &tenant).await.unwrap();
        self.ready(name).await;
    }

    pub(crate) async fn ready(&self, name: &str) {
        eventually(&format!("{name} is ready"), PATIENCE, || async {
            let status = self.tenants().get(name).await?.status.unwrap_or_default();
            let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
            anyhow::ensure!(
                ready.is_some_and(|condition| condition.status == "True"),
                "{:?}",
                status.conditions
            );
            Ok(())
        })
        .await
        .unwrap();
    }

    async fn root_of(&self, name: &str) -> String {
        format!("/{}/", self.tenants().get(name).await.unwrap().uid().unwrap())
    }

    /// What a control plane has in the store.
    pub(crate) async fn contents(&self, name: &str) -> Contents {
        let root = self.root_of(name).await;
        let mut client = administrator(&self.etcd).await.kv_client().max_decoding_message_size(256 << 20);
        let found = client.get(root.as_str(), Some(GetOptions::new().with_prefix())).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry =
            |entry: &etcd_client::KeyValue| (text(entry.key()).replacen(&root, "", 1), text(entry.value()));
        found.kvs().iter().map(entry).collect()
    }

    /// Writes as the control plane's API server would; no value removes.
    pub(crate) async fn write(&self, name: &str, entries: impl Iterator<Item = (String, Option<String>)>) {
        let root = self.root_of(name).await;
        let mut client = administrator(&self.etcd).await;
        for (key, value) in entries {
            let key = format!("{root}{key}");
            match value {
                Some(value) => drop(client.put(key, value, None).await.unwrap()),
                None => drop(client.delete(key, None).await.unwrap()),
            }
        }
    }

    pub(crate) async fn back_up(&self, name: &str, spec: Value) -> TenantBackup {
        let body = json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantBackup",
            "metadata": {"name": name}, "spec": spec,
        });
        self.backups().create(&PostParams::default(), &serde_json::from_value(body).unwrap()).await.unwrap()
    }

    pub(crate) async fn restore(&self, name: &str, spec: Value) {
        let body = json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantRestore",
            "metadata": {"name": name}, "spec": spec,
        });
        self.restores().create(&PostParams::default(), &serde_json::from_value(body).unwrap()).await.unwrap();
    }

    /// Waits until a backup has one of the reasons in its condition Completed.
    pub(crate) async fn backup_is(&self, name: &str, reason: &str) -> TenantBackup {
        eventually(&format!("backup {name} is {reason}"), PATIENCE, || async {
            let found = self.backups().get(name).await?;
            let conditions = found.status.clone().unwrap_or_default().conditions;
            anyhow::ensure!(has(&conditions, reason), "{conditions:?}");
            Ok(found)
        })
        .await
        .unwrap()
    }

    pub(crate) async fn restore_is(&self, name: &str, reason: &str) -> TenantRestore {
        eventually(&format!("restore {name} is {reason}"), PATIENCE, || async {
            let found = self.restores().get(name).await?;
            let conditions = found.status.clone().unwrap_or_default().conditions;
            anyhow::ensure!(has(&conditions, reason), "{conditions:?}");
            Ok(found)
        })
        .await
        .unwrap()
    }

    /// Where an archive of the directory `/backups` is.
    pub(crate) fn file(&self, backup: &TenantBackup) -> PathBuf {
        let archive = backup.status.as_ref().unwrap().archive.clone().unwrap();
        self.node.path().join("backups").join(NAMESPACE).join(archive)
    }
}

pub(crate) fn message(conditions: &[Condition]) -> String {
    let found = conditions.iter().find(|condition| condition.type_ == "Completed");
    found.map(|condition| condition.message.clone()).unwrap_or_default()
}

fn has(conditions: &[Condition], reason: &str) -> bool {
    conditions.iter().any(|condition| condition.type_ == "Completed" && condition.reason == reason)
}
