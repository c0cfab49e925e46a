//! Tenants as an administrator of the platform keeps them, with kubectl.

use std::time::Duration;

use anyhow::{Result, ensure};
use api::Tenant;
use e2e::{Cluster, TenantSpec, Tenants, eventually};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

/// How long a change may take until it shows on a busy machine.
const SOON: Duration = Duration::from_mins(1);
const TOP: &str = "orchard";
const BELOW: &str = "orchard-dev";

async fn create(tenants: &Api<Tenant>, name: &str, spec: Value) -> Result<()> {
    let whole = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": name}, "spec": spec,
    });
    tenants.create(&PostParams::default(), &serde_json::from_value(whole)?).await?;
    is(tenants, name, "Active").await
}

/// Waits until the condition `Ready` has the reason.
async fn is(tenants: &Api<Tenant>, name: &str, reason: &str) -> Result<()> {
    eventually(&format!("{name} is {reason}"), SOON, || async {
        let conditions = tenants.get(name).await?.status.unwrap_or_default().conditions;
        let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
        ensure!(ready.is_some_and(|ready| ready.reason == reason), "{conditions:?}");
        Ok(())
    })
    .await
}

async fn state(tenants: &Api<Tenant>, state: &str) -> Result<()> {
    let patch = Patch::Merge(json!({"spec": {"state": state}}));
    tenants.patch(TOP, &PatchParams::default(), &patch).await?;
    Ok(())
}

pub(crate) async fn a_tenants_control_planes_keep_to_its_quota_and_sleep_with_it(
    cluster: &Cluster,
) -> Result<()> {
    let tenants: Api<Tenant> = Api::all(cluster.client().await?);
    create(&tenants, TOP, json!({"quota": {"clusters": 1, "controlPlaneReplicas": 1}})).await?;
    create(&tenants, BELOW, json!({"parent": TOP})).await?;
    let planes = Tenants::new(cluster, BELOW).await?;
    planes.create(&TenantSpec::new("apple")).await?;
    planes.ready("apple").await?;

    let manifest = cluster.directory().join("story-tenancy-pear.json");
    let pear = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": "pear", "namespace": TOP},
        "spec": {
            "controlPlane": {"service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
    });
    std::fs::write(&manifest, pear.to_string())?;
    let told = cluster.kubectl(&cluster.kubeconfig(), &["create", "-f", &manifest.display().to_string()])?;
    ensure!(told.code == 1 && told.err.contains("clusters 1 of 1 are used"), "{} {}", told.code, told.err);
    let scale = ["scale", "tcp", "-n", BELOW, "apple", "--replicas=2"];
    let told = cluster.kubectl(&cluster.kubeconfig(), &scale)?;
    ensure!(told.code == 1 && told.err.contains("quota of tenant `orchard`"), "{} {}", told.code, told.err);

    state(&tenants, "Suspended").await?;
    planes.condition("apple", "Ready", "False", Some("Sleeping"), SOON).await?;
    is(&tenants, BELOW, "Suspended").await?;
    state(&tenants, "Active").await?;
    planes.ready("apple").await?;
    let kubeconfig = planes.kubeconfig("apple").await?;
    cluster.kubectl(&kubeconfig, &["get", "namespaces"])?.success()?;
    let list = cluster.kubectl(&cluster.kubeconfig(), &["get", "tenants"])?.success()?;
    ensure!(list.lines().any(|line| line.starts_with(BELOW) && line.contains("Active")), "{list}");
    all_goes_when_it_is_confirmed(cluster, &tenants).await
}

/// kubectl deletes no tenant that still has something by mistake, and everything once it is confirmed.
async fn all_goes_when_it_is_confirmed(cluster: &Cluster, tenants: &Api<Tenant>) -> Result<()> {
    let management = cluster.kubeconfig();
    let told = cluster.kubectl(&management, &["delete", "tenant", BELOW])?;
    ensure!(told.code == 1 && told.err.contains("still has control planes: apple"), "{}", told.err);
    let confirm = format!("flotilla.dev/confirm-deletion={BELOW}");
    cluster.kubectl(&management, &["annotate", "tenant", BELOW, &confirm])?.success()?;
    cluster.kubectl(&management, &["delete", "tenant", BELOW, "--timeout=120s"])?.success()?;
    tenants.delete(TOP, &DeleteParams::default()).await?;
    eventually("both namespaces are gone", Duration::from_mins(2), || async {
        let namespaces = cluster.kubectl(&management, &["get", "namespaces", "-o", "name"])?.success()?;
        ensure!(!namespaces.contains(TOP), "{namespaces}");
        Ok(())
    })
    .await
}
