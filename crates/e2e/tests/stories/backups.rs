//! Backups: taken while the tenant goes on, restored in place, and as a clone.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{TenantBackup, TenantRestore};
use e2e::{Cluster, TenantSpec, Tenants, eventually};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

const NAMESPACE: &str = "backups";
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) async fn a_tenant_comes_back_from_a_volume_in_place_and_as_a_clone(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let claim = json!({
        "metadata": {"name": "archives"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let claims: Api<PersistentVolumeClaim> = tenants.beside();
    claims.create(&PostParams::default(), &serde_json::from_value(claim)?).await?;
    tenants.create(&TenantSpec::new("kept")).await?;
    tenants.ready("kept").await?;
    let kubeconfig = tenants.kubeconfig("kept").await?;
    for name in ["first", "second"] {
        cluster.kubectl(&kubeconfig, &["create", "configmap", name, "--from-literal=is=old"])?.success()?;
    }

    let target = json!({"persistentVolumeClaim": {"claimName": "archives"}});
    create::<TenantBackup>(&tenants, "one", json!({"tenantControlPlane": "kept", "target": target})).await?;
    eventually("the backup is completed", PATIENCE, || async {
        let backups: Api<TenantBackup> = tenants.beside();
        let status = backups.get("one").await?.status.unwrap_or_default();
        ensure!(completed(&status.conditions), "{:?}", status.conditions);
        ensure!(status.objects.unwrap_or_default() > 100, "{status:?}");
        Ok(())
    })
    .await?;

    cluster.kubectl(&kubeconfig, &["delete", "configmap", "first"])?.success()?;
    cluster.kubectl(&kubeconfig, &["create", "configmap", "third"])?.success()?;
    restore(&tenants, "back", "kept").await?;
    tenants.ready("kept").await?;
    let names = config_maps(cluster, &kubeconfig)?;
    ensure!(names.contains("first") && names.contains("second"), "{names}");
    ensure!(!names.contains("third"), "{names}");
    cluster.kubectl(&kubeconfig, &["create", "configmap", "afterwards"])?.success()?;

    restore(&tenants, "copy", "twin").await?;
    tenants.ready("twin").await?;
    let twin = tenants.kubeconfig("twin").await?;
    let names = config_maps(cluster, &twin)?;
    ensure!(names.contains("first") && !names.contains("afterwards"), "{names}");
    cluster.kubectl(&twin, &["create", "configmap", "own"])?.success()?;
    ensure!(!config_maps(cluster, &kubeconfig)?.contains("own"), "the clone writes to the original");
    tenants.delete("kept").await?;
    tenants.delete("twin").await
}

fn config_maps(cluster: &Cluster, kubeconfig: &std::path::Path) -> Result<String> {
    cluster.kubectl(kubeconfig, &["get", "configmaps", "-o", "name"])?.success()
}

async fn restore(tenants: &Tenants, name: &str, tenant: &str) -> Result<()> {
    let spec = json!({"tenantControlPlane": tenant, "backup": "one"});
    create::<TenantRestore>(tenants, name, spec).await?;
    eventually(&format!("{tenant} is restored"), PATIENCE, || async {
        let restores: Api<TenantRestore> = tenants.beside();
        let status = restores.get(name).await?.status.unwrap_or_default();
        ensure!(completed(&status.conditions), "{:?}", status.conditions);
        Ok(())
    })
    .await
}

async fn create<K>(tenants: &Tenants, name: &str, spec: Value) -> Result<()>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::Serialize
        + serde::de::DeserializeOwned,
{
    let body = json!({
        "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}, "spec": spec,
    });
    let objects: Api<K> = tenants.beside();
    objects.create(&PostParams::default(), &serde_json::from_value(body)?).await.context("create")?;
    Ok(())
}

fn completed(conditions: &[Condition]) -> bool {
    conditions.iter().any(|found| found.type_ == "Completed" && found.status == "True")
}
