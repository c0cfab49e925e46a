//! Stores: resources kept elsewhere, moves between stores, credentials that are wrong for a while.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{DataStore, MigrationPhase, VersionState};
use e2e::{Cluster, Etcd, TenantSpec, Tenants, Writer, eventually};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use pki::{Pair, PrivateKey};
use serde_json::json;

const NAMESPACE: &str = "stores";
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) async fn overrides_are_kept_in_stores_of_other_authorities(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let events = Etcd::deploy(cluster, NAMESPACE, "events").await?;
    let spec = TenantSpec::new("split")
        .with("/dataStoreOverrides", json!([{"resource": "/events", "dataStore": "events"}]));
    tenants.create(&spec).await?;
    let tenant = tenants.ready("split").await?;
    let uid = tenant.uid().context("no UID")?;

    let kubeconfig = tenants.kubeconfig("split").await?;
    let event = r#"{"apiVersion": "v1", "kind": "Event", "metadata": {"name": "story", "namespace": "default"},
        "involvedObject": {"namespace": "default"}, "reason": "Told", "message": "m", "type": "Normal"}"#;
    let file = cluster.directory().join("story-event.json");
    std::fs::write(&file, event)?;
    let file = file.to_string_lossy();
    cluster.kubectl(&kubeconfig, &["create", "-f", &file])?.success()?;
    cluster.kubectl(&kubeconfig, &["create", "configmap", "story"])?.success()?;
    ensure!(events.count(&format!("/{uid}/events/default/story")).await? == 1, "the event is elsewhere");
    ensure!(events.count(&format!("/{uid}/configmaps/")).await? == 0, "everything went to the override");

    // The one certificate opens the tenant's range there, and nothing else.
    let secret: Secret = tenants.beside().get("split-datastore-certificate").await?;
    let mut own = events.client_as(&pair(&secret)?).await?;
    own.get(format!("/{uid}/x"), None).await?;
    let refused = own.put("/other/x", "", None).await.err().context("another range was opened")?;
    ensure!(refused.to_string().contains("permission denied"), "{refused}");

    let stores: Api<DataStore> = Api::all(cluster.client().await?);
    eventually("the store knows its user", PATIENCE, || async {
        let used_by = stores.get("events").await?.status.unwrap_or_default().used_by;
        ensure!(used_by == [format!("{NAMESPACE}/split")], "{used_by:?}");
        Ok(())
    })
    .await?;
    tenants.delete("split").await?;
    ensure!(events.count(&format!("/{uid}/")).await? == 0, "the deleted control plane left its events");
    let gone =
        events.administrator().await?.user_get(uid.as_str()).await.err().context("its user is left")?;
    ensure!(gone.to_string().contains("not found"), "{gone}");
    events.remove().await
}

pub(crate) async fn a_move_between_stores_loses_no_acknowledged_write(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let (bronze, silver) = (
        Etcd::deploy(cluster, NAMESPACE, "bronze").await?,
        Etcd::deploy(cluster, NAMESPACE, "silver").await?,
    );
    tenants.create(&TenantSpec::new("nomad").with("/dataStore", json!("bronze"))).await?;
    let uid = tenants.ready("nomad").await?.uid().context("no UID")?;
    let kubeconfig = tenants.kubeconfig("nomad").await?;
    cluster.kubectl(&kubeconfig, &["create", "namespace", "kept"])?.success()?;

    let writer = Writer::start(&kubeconfig, "written").await?;
    let prefix = format!("/{uid}/configmaps/default/");
    let before = eventually("the writer is at work", PATIENCE, || async {
        let count = bronze.count(&prefix).await?;
        ensure!(count > 20, "{count} keys");
        Ok(count)
    })
    .await?;
    tenants.change("nomad", json!({"dataStore": "silver"})).await?;
    let is_frozen = || async {
        let status = tenants.api().get("nomad").await?.status.unwrap_or_default();
        let record = status.storage.migration.as_ref().context("the move has not begun")?;
        ensure!(record.phase == MigrationPhase::Switched, "{record:?}");
        ensure!(status.kubernetes_resources.version.status == Some(VersionState::Migrating), "{status:?}");
        Ok(())
    };
    eventually("the move is frozen", PATIENCE, is_frozen).await?;
    let told = cluster.kubectl(&kubeconfig, &["delete", "namespace", "kept", "--wait=false"])?;
    ensure!(told.code != 0 && told.err.contains("freez"), "deleted while frozen: {}{}", told.out, told.err);

    let tenant = tenants.ready("nomad").await?;
    let status = tenant.status.unwrap_or_default();
    ensure!(status.storage.data_store_name.as_deref() == Some("silver"), "{:?}", status.storage);
    // The address and the credentials are the same, so the session goes on; writes work again.
    cluster.kubectl(&kubeconfig, &["create", "namespace", "afterwards"])?.success()?;
    let moved = silver.count(&prefix).await?;
    eventually("the writer goes on in the new store", PATIENCE, || async {
        let count = silver.count(&prefix).await?;
        ensure!(count > moved && moved >= before, "{before} before, {moved} moved, {count} now");
        Ok(())
    })
    .await?;
    writer.stop().await?;
    cluster.kubectl(&kubeconfig, &["get", "namespace", "kept"])?.success()?;
    tenants.delete("nomad").await?;
    bronze.remove().await?;
    silver.remove().await
}

pub(crate) async fn wrong_credentials_of_a_store_are_named_and_harm_nothing(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let store = Etcd::deploy(cluster, NAMESPACE, "frail").await?;
    tenants.create(&TenantSpec::new("steady").with("/dataStore", json!("frail"))).await?;
    tenants.ready("steady").await?;
    let kubeconfig = tenants.kubeconfig("steady").await?;
    let certificate = || async {
        let secret: Secret = tenants.beside().get("steady-datastore-certificate").await?;
        anyhow::Ok(secret.data)
    };
    let before = certificate().await?;
    let stores: Api<DataStore> = Api::all(cluster.client().await?);
    let good = stores.get("frail").await?.spec;

    // The authority of another etcd: nothing of the store is accepted any more.
    let default = stores.get("default").await?.spec;
    let wrong = json!({"spec": {"tlsConfig": default.tls_config}});
    stores.patch("frail", &PatchParams::default(), &Patch::Merge(wrong)).await?;
    let limit = Duration::from_secs(30);
    tenants.condition("steady", "DataStoreReady", "False", Some("DataStoreUnreachable"), limit).await?;
    ensure!(certificate().await? == before, "the pods got a certificate that their store refuses");
    cluster.kubectl(&kubeconfig, &["create", "configmap", "meanwhile"])?.success()?;

    // A key that is not there.
    let mut missing = serde_json::to_value(&good)?;
    missing["tlsConfig"]["certificateAuthority"]["privateKey"]["secretReference"]["keyPath"] =
        json!("no.key");
    stores.patch("frail", &PatchParams::default(), &Patch::Merge(json!({"spec": missing}))).await?;
    let found =
        tenants.condition("steady", "DataStoreReady", "False", Some("DataStoreNotReady"), limit).await?;
    let text = format!("{:?}", found.status.map(|status| status.conditions));
    ensure!(text.contains("no.key") && text.contains("frail-ca"), "{text}");

    let mended = Patch::Merge(json!({"spec": serde_json::to_value(&good)?}));
    stores.patch("frail", &PatchParams::default(), &mended).await?;
    tenants.ready("steady").await?;
    ensure!(certificate().await? == before, "mending made a new certificate");

    // The store itself away and back.
    store.stop().await?;
    tenants.condition("steady", "DataStoreReady", "False", Some("DataStoreUnreachable"), PATIENCE).await?;
    store.start().await?;
    tenants.ready("steady").await?;
    cluster.kubectl(&kubeconfig, &["get", "configmap", "meanwhile"])?.success()?;
    tenants.delete("steady").await?;
    store.remove().await
}

fn pair(secret: &Secret) -> Result<Pair> {
    let data = secret.data.as_ref().context("no data")?;
    let text = |key: &str| -> Result<String> {
        Ok(String::from_utf8(data.get(key).with_context(|| format!("no {key}"))?.0.clone())?)
    };
    Ok(Pair { certificate: text("server.crt")?, private_key: PrivateKey::from_pem(text("server.key")?) })
}
