//! The life of a control plane.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants, eventually};
use futures::future::try_join_all;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

/// Keys of each Secret that Kamaji makes for a control plane on etcd.
const SECRETS: [(&str, &[&str]); 11] = [
    ("ca", &["ca.crt", "ca.key", "tls.crt", "tls.key"]),
    ("front-proxy-ca-certificate", &["front-proxy-ca.crt", "front-proxy-ca.key"]),
    ("sa-certificate", &["sa.key", "sa.pub"]),
    ("api-server-certificate", &["apiserver.crt", "apiserver.key"]),
    (
        "api-server-kubelet-client-certificate",
        &["apiserver-kubelet-client.crt", "apiserver-kubelet-client.key"],
    ),
    ("front-proxy-client-certificate", &["front-proxy-client.crt", "front-proxy-client.key"]),
    ("admin-kubeconfig", &["admin.conf", "admin.svc", "super-admin.conf", "super-admin.svc"]),
    ("controller-manager-kubeconfig", &["controller-manager.conf"]),
    ("scheduler-kubeconfig", &["scheduler.conf"]),
    ("datastore-config", &["DB_CONNECTION_STRING", "DB_PASSWORD", "DB_SCHEMA", "DB_USER"]),
    ("datastore-certificate", &["ca.crt", "server.crt", "server.key"]),
];

pub(crate) async fn objects_have_the_names_and_keys_of_kamaji(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "life").await?;
    tenants.create(&TenantSpec::new("plain")).await?;
    let ready = tenants.ready("plain").await?;
    for (suffix, keys) in SECRETS {
        let secret: Secret = tenants.beside().get(&format!("plain-{suffix}")).await?;
        let data = secret.data.unwrap_or_default();
        let found: Vec<&str> = data.keys().map(String::as_str).collect();
        ensure!(found == keys, "{suffix}: {found:?}");
    }
    let pods = tenants.pods("plain").await?;
    let containers = pods.first().and_then(|pod| pod.spec.as_ref()).map(|spec| spec.containers.as_slice());
    let names: Vec<&str> =
        containers.unwrap_or_default().iter().map(|container| container.name.as_str()).collect();
    ensure!(names == ["kube-apiserver", "kube-scheduler", "kube-controller-manager"], "{names:?}");

    let told =
        cluster.kubectl(&cluster.kubeconfig(), &["get", "tcp", "-n", "life", "plain", "--no-headers"])?;
    let columns = told.success()?;
    for column in ["v1.36.3", "Ready", "plain-admin-kubeconfig", "default"] {
        ensure!(columns.contains(column), "{column} is missing in `{columns}`");
    }
    let status = ready.status.unwrap_or_default();
    ensure!(status.observed_generation == ready.metadata.generation, "{:?}", status.observed_generation);
    Ok(())
}

pub(crate) async fn what_is_deleted_or_changed_by_hand_comes_back(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "life").await?;
    let before: Secret = tenants.beside().get("plain-ca").await?;
    tenants.beside::<Secret>().delete("plain-scheduler-kubeconfig", &DeleteParams::default()).await?;
    tenants.beside::<Service>().delete("plain", &DeleteParams::default()).await?;
    let scaled = Patch::Merge(json!({"spec": {"replicas": 3}}));
    tenants.beside::<Deployment>().patch("plain", &PatchParams::default(), &scaled).await?;
    eventually("everything is back", Duration::from_secs(30), || async {
        tenants.beside::<Secret>().get("plain-scheduler-kubeconfig").await?;
        tenants.beside::<Service>().get("plain").await?;
        let replicas = tenants.beside::<Deployment>().get("plain").await?.spec.and_then(|spec| spec.replicas);
        ensure!(replicas == Some(1), "{replicas:?} replicas");
        Ok(())
    })
    .await?;
    let after: Secret = tenants.beside().get("plain-ca").await?;
    ensure!(before.data == after.data, "the certificate authority was made anew");
    tenants.ready("plain").await?;
    // The Service has another address now, and the kubelet takes its time to bring the certificate for it.
    eventually("kubectl works at the new address", Duration::from_mins(2), || async {
        let kubeconfig = tenants.kubeconfig("plain").await?;
        cluster.kubectl(&kubeconfig, &["get", "namespaces"])?.success().map(drop)
    })
    .await
}

pub(crate) async fn a_restarted_operator_changes_nothing(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "life").await?;
    tenants.ready("plain").await?;
    let before = versions(&tenants).await?;
    let system: Api<Pod> = Api::namespaced(cluster.client().await?, "flotilla-system");
    let operators = ListParams::default().labels("app.kubernetes.io/component=operator");
    let old: Vec<String> = system.list(&operators).await?.iter().map(ResourceExt::name_any).collect();
    for name in &old {
        system.delete(name, &DeleteParams::default().grace_period(0)).await?;
    }
    eventually("a new operator is ready", Duration::from_mins(1), || async {
        let pods = system.list(&operators).await?;
        let is_ready = |pod: &Pod| {
            let conditions =
                pod.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
            conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
        };
        ensure!(pods.iter().any(|pod| !old.contains(&pod.name_any()) && is_ready(pod)), "none yet");
        Ok(())
    })
    .await?;
    // Brought about last, it shows that the new operator has gone over the others.
    let marker = TenantSpec::new("marker").with("/controlPlane/deployment/replicas", json!(0));
    // A ready pod is not yet one that its Service leads to.
    eventually("the webhooks answer", Duration::from_secs(15), || async {
        tenants.create(&marker).await.map(|_| ()).map_err(Into::into)
    })
    .await?;
    tenants.condition("marker", "Ready", "False", Some("Sleeping"), Duration::from_mins(1)).await?;
    let after = versions(&tenants).await?;
    for (name, version) in &before {
        ensure!(after.contains(&(name.clone(), version.clone())), "{name} was written");
    }
    tenants.delete("marker").await
}

/// Versions of everything that belongs to the control plane `plain`; of its Deployment the generation,
/// since its status changes by itself.
async fn versions(tenants: &Tenants) -> Result<Vec<(String, String)>> {
    let own = ListParams::default().labels("kamaji.clastix.io/name=plain");
    let mut found = Vec::new();
    for secret in tenants.beside::<Secret>().list(&own).await? {
        found.push((secret.name_any(), secret.resource_version().unwrap_or_default()));
    }
    for deployment in tenants.beside::<Deployment>().list(&own).await? {
        let generation = deployment.metadata.generation.unwrap_or_default();
        found.push((deployment.name_any(), generation.to_string()));
    }
    Ok(found)
}

pub(crate) async fn a_control_plane_sleeps_and_wakes(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "life").await?;
    tenants.ready("plain").await?;
    let kubeconfig = tenants.kubeconfig("plain").await?;
    cluster.kubectl(&kubeconfig, &["create", "namespace", "kept"])?.success()?;

    let scale =
        cluster.kubectl(&cluster.kubeconfig(), &["scale", "tcp", "-n", "life", "plain", "--replicas=0"])?;
    scale.success()?;
    tenants.condition("plain", "Ready", "False", Some("Sleeping"), Duration::from_secs(30)).await?;
    eventually("no pod is left", Duration::from_mins(1), || async {
        let pods = tenants.pods("plain").await?;
        ensure!(pods.is_empty(), "{} pods", pods.len());
        Ok(())
    })
    .await?;

    let scale =
        cluster.kubectl(&cluster.kubeconfig(), &["scale", "tcp", "-n", "life", "plain", "--replicas=1"])?;
    scale.success()?;
    tenants.ready("plain").await?;
    cluster.kubectl(&kubeconfig, &["get", "namespace", "kept"])?.success()?;
    Ok(())
}

pub(crate) async fn a_herd_becomes_ready_without_a_restart(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "herd").await?;
    let names: Vec<String> = (0..6).map(|index| format!("cow-{index}")).collect();
    let specs: Vec<TenantSpec> = names.iter().map(|name| TenantSpec::new(name)).collect();
    try_join_all(specs.iter().map(|spec| tenants.create(spec))).await?;
    let began = Instant::now();
    let mut most_waiting = 0;
    loop {
        let all = tenants.api().list(&ListParams::default()).await?;
        let reason_of = |tenant: &api::TenantControlPlane| {
            let conditions =
                tenant.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
            conditions.into_iter().find(|condition| condition.type_ == "Ready").map(|ready| ready.reason)
        };
        let waiting =
            all.iter().filter(|tenant| reason_of(tenant).as_deref() == Some("WaitingForStart")).count();
        most_waiting = most_waiting.max(waiting);
        let all_ready = all.iter().all(|tenant| reason_of(tenant).as_deref() == Some("Ready"));
        if all_ready {
            break;
        }
        ensure!(
            began.elapsed() < Duration::from_mins(3),
            "not ready: {:?}",
            all.iter().map(reason_of).collect::<Vec<_>>()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for name in &names {
        let restarts = tenants.restarts(name).await?;
        ensure!(restarts == 0, "{name}: {restarts} restarts");
    }
    ensure!(most_waiting > 0, "the start gate held nobody back");
    try_join_all(names.iter().map(|name| tenants.delete(name))).await?;
    Ok(())
}

pub(crate) async fn a_deleted_control_plane_leaves_nothing(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "life").await?;
    tenants.ready("plain").await?;
    tenants.delete("plain").await?;
    let own = ListParams::default().labels("kamaji.clastix.io/name=plain");
    // A pod may take its time of grace, which is a minute.
    eventually("its objects are gone", Duration::from_mins(2), || async {
        let secrets = tenants.beside::<Secret>().list(&own).await?.items.len();
        let services = tenants.beside::<Service>().list(&own).await?.items.len();
        let pods = tenants.pods("plain").await?.len();
        ensure!(secrets + services + pods == 0, "{secrets} Secrets, {services} Services, {pods} pods");
        Ok(())
    })
    .await
}
