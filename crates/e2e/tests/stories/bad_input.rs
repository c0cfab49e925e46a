//! What users get wrong, and what they are told.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

/// How soon a user is told.
const SOON: Duration = Duration::from_secs(5);

pub(crate) async fn admission_refuses_with_field_value_and_what_is_allowed(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "bad-input").await?;
    let too_long = "a".repeat(64);
    let version = "/kubernetes/version";
    let cases = [
        (TenantSpec::new("newer").with(version, json!("v1.99.0")), "spec.kubernetes.version"),
        (TenantSpec::new("words").with(version, json!("latest")), "spec.kubernetes.version"),
        (TenantSpec::new("nowhere").with("/dataStore", json!("no-such-store")), "spec.dataStore"),
        (TenantSpec::new(&too_long), "metadata.name"),
        (
            TenantSpec::new("street").with("/networkProfile/address", json!("5th avenue")),
            "spec.networkProfile.address",
        ),
        (
            TenantSpec::new("sans").with("/networkProfile/certSANs", json!(["not a name"])),
            "spec.networkProfile.certSANs",
        ),
    ];
    for (tenant, field) in cases {
        let error = tenants.create(&tenant).await.err().with_context(|| format!("{field} was accepted"))?;
        let text = error.to_string();
        ensure!(text.contains(field), "{field} is not named: {text}");
    }
    ensure!(
        tenants.api().list(&kube::api::ListParams::default()).await?.items.is_empty(),
        "something was left behind"
    );
    Ok(())
}

pub(crate) async fn a_service_that_the_cluster_cannot_serve_is_named_and_heals(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, "bad-service").await?;
    let tenant = TenantSpec::new("waiting")
        .with("/controlPlane/service/serviceType", json!("LoadBalancer"))
        .with("/networkProfile/loadBalancerClass", json!("example.com/no-such-load-balancer"));
    tenants.create(&tenant).await?;
    let found =
        tenants.condition("waiting", "AddressAssigned", "False", Some("LoadBalancerPending"), SOON).await?;
    let conditions = found.status.unwrap_or_default().conditions;
    let told = conditions.iter().find(|condition| condition.type_ == "AddressAssigned");
    ensure!(told.is_some_and(|told| told.message.contains("load balancer")), "{told:?}");
    ensure!(tenants.beside::<Deployment>().get_opt("waiting").await?.is_none(), "a Deployment was half made");

    // The class is immutable; another type of Service is the way out.
    let mended = json!({
        "controlPlane": {"service": {"serviceType": "ClusterIP"}},
        "networkProfile": {"loadBalancerClass": null},
    });
    tenants.change("waiting", mended).await?;
    tenants.ready("waiting").await?;
    tenants.delete("waiting").await
}

pub(crate) async fn a_data_store_that_leads_nowhere_is_named_and_heals(cluster: &Cluster) -> Result<()> {
    use api::DataStore;
    use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};

    let tenants = Tenants::new(cluster, "bad-store").await?;
    let stores: Api<DataStore> = Api::all(cluster.client().await?);
    let mut store = stores.get("default").await?;
    let good = store.spec.clone();
    store.metadata = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
        name: Some("elsewhere".to_owned()),
        ..Default::default()
    };
    store.status = None;
    store.spec.endpoints = vec!["no-such-host.flotilla-system.svc:2379".to_owned()];
    stores.create(&PostParams::default(), &store).await?;

    tenants.create(&TenantSpec::new("lost").with("/dataStore", json!("elsewhere"))).await?;
    // The connection attempt itself may take its whole time-out.
    let limit = Duration::from_secs(15);
    tenants.condition("lost", "DataStoreReady", "False", Some("DataStoreUnreachable"), limit).await?;
    ensure!(tenants.beside::<Deployment>().get_opt("lost").await?.is_none(), "a Deployment was half made");

    let mended = Patch::Merge(json!({"spec": {"endpoints": good.endpoints}}));
    stores.patch("elsewhere", &PatchParams::default(), &mended).await?;
    tenants.ready("lost").await?;

    stores.delete("elsewhere", &DeleteParams::default()).await?;
    let kept = stores.get("elsewhere").await?;
    ensure!(kept.metadata.deletion_timestamp.is_some(), "a store in use went away");
    tenants.delete("lost").await?;
    e2e::eventually("the unused store goes away", Duration::from_secs(30), || async {
        ensure!(stores.get_opt("elsewhere").await?.is_none(), "it is still there");
        Ok(())
    })
    .await
}
