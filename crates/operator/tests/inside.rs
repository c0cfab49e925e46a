//! Tenants' clusters as the operator's program fills and leaves them, on a real API server with played
//! pods (see crate `stage`).

use std::time::Duration;

use api::TenantControlPlane;
use api::names::{annotations, finalizers};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Options, Stage, eventually, manifest};

const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
const LIMIT: Duration = Duration::from_secs(30);
const NAMESPACE: &str = "inside";

async fn is_ready(stage: &Stage, name: &str) -> anyhow::Result<TenantControlPlane> {
    let tenant = stage.tenants(NAMESPACE).get(name).await?;
    let conditions = tenant.status.clone().unwrap_or_default().conditions;
    let ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    anyhow::ensure!(ready, "{conditions:?}");
    Ok(tenant)
}

#[tokio::test(flavor = "multi_thread")]
async fn addons_come_into_the_tenant_and_leave_it_with_the_spec() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let _operator = stage.operator(OPERATOR.as_ref(), &["--start-slots=4"]).await.unwrap();
    stage.create_namespace(NAMESPACE).await.unwrap();
    let addons = json!({ "addons": { "coreDNS": {}, "kubeProxy": {}, "konnectivity": {} } });
    let tenants = stage.tenants(NAMESPACE);
    let made = tenants.create(&PostParams::default(), &manifest("blue", addons).unwrap()).await.unwrap();
    let ready = eventually("it is ready", LIMIT, || is_ready(&stage, "blue")).await.unwrap();
    let uid = made.metadata.uid.unwrap();
    let holds = |part: &str| stage.inside(&uid).keys().any(|path| path.contains(part));
    for part in ["configmaps/cluster-info", "deployments/coredns", "daemonsets/konnectivity-agent"] {
        assert!(holds(part), "{part} is missing in {:?}", stage.inside(&uid).keys());
    }
    let status = ready.status.unwrap();
    assert!(status.addons.core_dns.enabled && status.addons.kube_proxy.enabled);

    let without: Value = json!({ "spec": { "addons": null } });
    tenants.patch("blue", &PatchParams::default(), &Patch::Merge(without)).await.unwrap();
    eventually("the addons are gone", LIMIT, || async {
        let left: Vec<String> =
            stage.inside(&uid).into_keys().filter(|path| path.contains("coredns")).collect();
        anyhow::ensure!(left.is_empty(), "{left:?}");
        let addons = stage.tenants(NAMESPACE).get("blue").await?.status.unwrap_or_default().addons;
        anyhow::ensure!(!addons.core_dns.enabled && addons.konnectivity.agent.name.is_none(), "{addons:?}");
        Ok(())
    })
    .await
    .unwrap();
    assert!(holds("configmaps/cluster-info"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_kamaji_left_half_deleted_goes() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let _operator = stage.operator(OPERATOR.as_ref(), &["--start-slots=4"]).await.unwrap();
    stage.create_namespace(NAMESPACE).await.unwrap();
    let mut half = manifest("half", json!({})).unwrap();
    // Paused, so that it stands exactly like this when it is deleted.
    half.metadata.annotations = Some([(annotations::PAUSED.to_owned(), String::new())].into());
    half.metadata.finalizers = Some(vec![finalizers::TENANT_CONTROLLERS.to_owned()]);
    let tenants = stage.tenants(NAMESPACE);
    tenants.create(&PostParams::default(), &half).await.unwrap();
    tenants.delete("half", &DeleteParams::default()).await.unwrap();
    let released = json!({ "metadata": { "annotations": { annotations::PAUSED: null } } });
    tenants.patch("half", &PatchParams::default(), &Patch::Merge(released)).await.unwrap();
    eventually("it is gone", LIMIT, || async {
        let left = stage.tenants(NAMESPACE).get_opt("half").await?;
        anyhow::ensure!(left.is_none(), "{:?}", left.and_then(|left| left.metadata.finalizers));
        Ok(())
    })
    .await
    .unwrap();
}
