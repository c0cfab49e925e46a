//! What stands in a tenant's own cluster.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants, eventually};
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

/// How long a change may take until it shows in the tenant's cluster.
const SOON: Duration = Duration::from_secs(30);
const NAME: &str = "filled";

/// The tenant of these stories, made by the first of them, and its administrator.
async fn tenant(cluster: &Cluster) -> Result<(Tenants, Client)> {
    let tenants = Tenants::new(cluster, "inside").await?;
    let spec = TenantSpec::new(NAME)
        .with(
            "/kubernetes/kubelet/configurationJSONPatches",
            json!([{"op": "replace", "path": "/maxPods", "value": 42}]),
        )
        .with("/addons/coreDNS", json!({}))
        .with("/addons/kubeProxy", json!({}))
        .with("/addons/konnectivity", json!({}));
    match tenants.create(&spec).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        other => other.map(|_| ())?,
    }
    tenants.ready(NAME).await?;
    let kubeconfig = tenants.kubeconfig(NAME).await?;
    let client = kubekit::client(Some(&kubeconfig)).await?;
    Ok((tenants, client))
}

fn text<'a>(map: &'a ConfigMap, key: &str) -> Result<&'a str> {
    map.data.as_ref().and_then(|data| data.get(key)).map(String::as_str).context("no such key")
}

pub(crate) async fn workers_find_what_they_need_to_join(cluster: &Cluster) -> Result<()> {
    let (tenants, client) = tenant(cluster).await?;
    let system: Api<ConfigMap> = Api::namespaced(client.clone(), "kube-system");
    let kubeadm = system.get("kubeadm-config").await?;
    let configuration = text(&kubeadm, "ClusterConfiguration")?;
    for line in ["clusterName: filled", "kubernetesVersion: v1.36.3", "serviceSubnet: 10.96.0.0/16"] {
        ensure!(configuration.contains(line), "{line} is missing in {configuration}");
    }
    let kubelet = system.get("kubelet-config").await?;
    let configuration = text(&kubelet, "kubelet")?;
    for line in ["maxPods: 42", "clusterDomain: cluster.local", "10.96.0.10", "rotateCertificates: true"] {
        ensure!(configuration.contains(line), "{line} is missing in {configuration}");
    }
    for name in ["kubeadm:nodes-kubeadm-config", "kubeadm:kubelet-config"] {
        Api::<Role>::namespaced(client.clone(), "kube-system").get(name).await?;
        Api::<RoleBinding>::namespaced(client.clone(), "kube-system").get(name).await?;
    }
    let bindings: Api<ClusterRoleBinding> = Api::all(client);
    for name in [
        "kubeadm:cluster-admins",
        "kubeadm:get-nodes",
        "kubeadm:kubelet-bootstrap",
        "kubeadm:node-autoapprove-bootstrap",
        "kubeadm:node-autoapprove-certificate-rotation",
        "kubeadm:apiserver-kubelet-client",
    ] {
        bindings.get(name).await?;
    }
    let status = tenants.api().get(NAME).await?.status.unwrap_or_default();
    ensure!(status.kubeadm_phase.bootstrap_token.checksum.is_some(), "no checksum of what workers need");
    anybody_reads_cluster_info(cluster, &tenants).await
}

/// With a token that the administrator makes, kubeadm's discovery trusts what it reads without signing in.
async fn anybody_reads_cluster_info(cluster: &Cluster, tenants: &Tenants) -> Result<()> {
    let kubeconfig = tenants.kubeconfig(NAME).await?;
    let token = [
        "create",
        "secret",
        "generic",
        "bootstrap-token-abcdef",
        "-n",
        "kube-system",
        "--type=bootstrap.kubernetes.io/token",
        "--from-literal=token-id=abcdef",
        "--from-literal=token-secret=0123456789abcdef",
        "--from-literal=usage-bootstrap-signing=true",
        "--from-literal=usage-bootstrap-authentication=true",
        "--from-literal=auth-extra-groups=system:bootstrappers:kubeadm:default-node-token",
    ];
    cluster.kubectl(&kubeconfig, &token)?.success()?;
    let mut nobody = Kubeconfig::read_from(&kubeconfig)?;
    for named in &mut nobody.auth_infos {
        named.auth_info = Some(AuthInfo::default());
    }
    let config = Config::from_custom_kubeconfig(nobody, &KubeConfigOptions::default()).await?;
    let maps: Api<ConfigMap> = Api::namespaced(Client::try_from(config)?, "kube-public");
    eventually("cluster-info is signed", SOON, || async {
        let info = maps.get("cluster-info").await?;
        let read = text(&info, "kubeconfig")?;
        ensure!(read.contains("certificate-authority-data"), "{read}");
        text(&info, "jws-kubeconfig-abcdef").map(|_| ())
    })
    .await
}

pub(crate) async fn addons_stand_in_the_tenant_and_are_repaired(cluster: &Cluster) -> Result<()> {
    let (tenants, client) = tenant(cluster).await?;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "kube-system");
    let daemons: Api<DaemonSet> = Api::namespaced(client.clone(), "kube-system");
    let services: Api<Service> = Api::namespaced(client.clone(), "kube-system");
    let image = |deployment: &Deployment| {
        let spec = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        spec.and_then(|spec| spec.containers.first()?.image.clone()).unwrap_or_default()
    };
    let found = image(&deployments.get("coredns").await?);
    ensure!(found == "registry.k8s.io/coredns/coredns:v1.14.2", "{found}");
    daemons.get("kube-proxy").await?;
    daemons.get("konnectivity-agent").await?;
    let status = tenants.api().get(NAME).await?.status.unwrap_or_default();
    ensure!(status.addons.core_dns.enabled && status.addons.kube_proxy.enabled, "{:?}", status.addons);
    ensure!(status.addons.konnectivity.agent.name.as_deref() == Some("konnectivity-agent"), "no agent");

    let broken = json!({"spec": {"template": {"spec": {"containers": [{"name": "coredns", "image": "x"}]}}}});
    deployments.patch("coredns", &PatchParams::default(), &Patch::Strategic(broken)).await?;
    let scaled = Patch::Merge(json!({"spec": {"replicas": 3}}));
    deployments.patch_scale("coredns", &PatchParams::default(), &scaled).await?;
    daemons.delete("kube-proxy", &DeleteParams::default()).await?;
    services.delete("kube-dns", &DeleteParams::default()).await?;
    eventually("everything is back", SOON, || async {
        daemons.get("kube-proxy").await?;
        let service = services.get("kube-dns").await?;
        let address = service.spec.and_then(|spec| spec.cluster_ip);
        ensure!(address.as_deref() == Some("10.96.0.10"), "{address:?}");
        let deployment = deployments.get("coredns").await?;
        ensure!(image(&deployment) == found, "{}", image(&deployment));
        let replicas = deployment.spec.and_then(|spec| spec.replicas);
        ensure!(replicas == Some(3), "{replicas:?} replicas, the administrator wished for 3");
        Ok(())
    })
    .await
}

pub(crate) async fn addons_that_are_taken_out_of_the_spec_leave_the_tenant(cluster: &Cluster) -> Result<()> {
    let (tenants, client) = tenant(cluster).await?;
    tenants.change(NAME, json!({"addons": {"konnectivity": null, "kubeProxy": null}})).await?;
    let daemons: Api<DaemonSet> = Api::namespaced(client.clone(), "kube-system");
    let bindings: Api<ClusterRoleBinding> = Api::all(client.clone());
    eventually("agents and kube-proxy are gone", Duration::from_mins(2), || async {
        let left = daemons.list(&ListParams::default()).await?;
        ensure!(left.items.is_empty(), "{:?}", left.iter().map(ResourceExt::name_any).collect::<Vec<_>>());
        ensure!(bindings.get_opt("system:konnectivity-server").await?.is_none(), "the binding is left");
        let addons = tenants.api().get(NAME).await?.status.unwrap_or_default().addons;
        ensure!(!addons.kube_proxy.enabled && addons.konnectivity.agent.name.is_none(), "{addons:?}");
        Ok(())
    })
    .await?;
    Api::<Deployment>::namespaced(client, "kube-system").get("coredns").await?;
    tenants.ready(NAME).await.map(|_| ())
}

pub(crate) async fn a_patch_of_the_kubelets_configuration_that_cannot_apply_is_refused(
    cluster: &Cluster,
) -> Result<()> {
    let (tenants, client) = tenant(cluster).await?;
    let patches = |patch: Value| json!({"kubernetes": {"kubelet": {"configurationJSONPatches": [patch]}}});
    let refused = tenants.change(NAME, patches(json!({"op": "remove", "path": "/noSuchField"}))).await;
    let message = refused.err().context("it was accepted")?.to_string();
    for part in ["spec.kubernetes.kubelet.configurationJSONPatches[0]", "/noSuchField", "RFC 6902"] {
        ensure!(message.contains(part), "{part} is missing in `{message}`");
    }
    tenants.change(NAME, patches(json!({"op": "add", "path": "/maxPods", "value": 43}))).await?;
    let maps: Api<ConfigMap> = Api::namespaced(client, "kube-system");
    eventually("kubelets are told", SOON, || async {
        let map = maps.get("kubelet-config").await?;
        ensure!(text(&map, "kubelet")?.contains("maxPods: 43"), "{map:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn write_permissions_block_and_release(cluster: &Cluster) -> Result<()> {
    let (tenants, client) = tenant(cluster).await?;
    let kubeconfig = tenants.kubeconfig(NAME).await?;
    let kubectl = |arguments: &[&str]| cluster.kubectl(&kubeconfig, arguments);
    kubectl(&["create", "configmap", "kept", "-n", "default"])?.success()?;
    let leases: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let lease = json!({"metadata": {"name": "worker"}, "spec": {"leaseDurationSeconds": 40}});
    leases.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;

    let tries: [(&str, &str, &[&str]); 3] = [
        ("blockCreation", "CREATE", &["create", "configmap", "new", "-n", "default"]),
        ("blockUpdate", "UPDATE", &["label", "configmap", "kept", "-n", "default", "--overwrite", "a=b"]),
        ("blockDeletion", "DELETE", &["delete", "configmap", "kept", "-n", "default"]),
    ];
    for (field, operation, arguments) in tries {
        tenants.change(NAME, json!({"writePermissions": {field: true}})).await?;
        let dry: Vec<&str> = arguments.iter().copied().chain(["--dry-run=server"]).collect();
        eventually(&format!("{field} holds"), SOON, || async {
            let told = cluster.kubectl(&kubeconfig, &dry)?;
            ensure!(told.code != 0, "it was allowed");
            Ok(())
        })
        .await?;
        let message = kubectl(arguments)?.err;
        for part in [operation, "spec.writePermissions"] {
            ensure!(message.contains(part), "{part} is missing in `{message}`");
        }
        let renewed = Patch::Merge(json!({"spec": {"leaseDurationSeconds": 41}}));
        leases.patch("worker", &PatchParams::default(), &renewed).await.context("renew a lease")?;
        let state = tenants.api().get(NAME).await?.status.unwrap_or_default();
        let state = state.kubernetes_resources.version.status;
        ensure!(state == Some(api::VersionState::WriteLimited), "{state:?}");
        tenants.change(NAME, json!({"writePermissions": {field: null}})).await?;
    }
    let webhooks: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    eventually("the webhook is gone and writes go through", SOON, || async {
        ensure!(webhooks.get_opt("kamaji-write-permissions").await?.is_none(), "it is still there");
        kubectl(&["delete", "configmap", "kept", "-n", "default", "--ignore-not-found"])?.success()?;
        Ok(())
    })
    .await?;
    leases.delete("worker", &DeleteParams::default()).await?;
    Ok(())
}

pub(crate) async fn a_tenant_that_slept_is_watched_again(cluster: &Cluster) -> Result<()> {
    let (tenants, client) = tenant(cluster).await?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "kube-system");
    tenants.change(NAME, json!({"controlPlane": {"deployment": {"replicas": 0}}})).await?;
    tenants.condition(NAME, "Ready", "False", Some("Sleeping"), SOON).await?;
    let asleep = tenants.api().get(NAME).await?;
    tenants.change(NAME, json!({"controlPlane": {"deployment": {"replicas": 1}}})).await?;
    tenants.ready(NAME).await?;
    ensure!(asleep.status.unwrap_or_default().addons.core_dns.enabled, "sleep changed the status of addons");
    // The watches of before the sleep are gone with it; there are new ones.
    maps.delete("kubeadm-config", &DeleteParams::default()).await?;
    eventually("a woken tenant is repaired", SOON, || async {
        maps.get("kubeadm-config").await.map(|_| ()).map_err(Into::into)
    })
    .await
}

pub(crate) async fn a_tenant_that_cannot_be_reached_is_deleted_all_the_same(cluster: &Cluster) -> Result<()> {
    let (tenants, client) = tenant(cluster).await?;
    // Whatever the API server is asked from now on, it refuses.
    let denied = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "closed"},
        "webhooks": [{
            "name": "closed.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "clientConfig": {"url": "https://127.0.0.1:1/"}, "failurePolicy": "Fail",
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}],
        }],
    });
    let webhooks: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    webhooks.create(&PostParams::default(), &serde_json::from_value(denied)?).await?;
    let soot = json!({"metadata": {"finalizers": [
        "finalizer.kamaji.clastix.io", "finalizer.kamaji.clastix.io/soot",
    ]}});
    tenants.api().patch(NAME, &PatchParams::default(), &Patch::Merge(soot)).await?;
    tenants.delete(NAME).await?;
    Ok(())
}
