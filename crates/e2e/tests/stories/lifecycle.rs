//! What changes in a control plane's life, while its users go on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::{TenantControlPlane, VersionState};
use e2e::{Cluster, Etcd, Load, Session, TenantSpec, Tenants, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::json;

const NAMESPACE: &str = "lifecycle";
const PATIENCE: Duration = Duration::from_mins(3);
const OLDER: &str = "v1.35.4";
const NEWER: &str = "v1.36.3";
pub(crate) const ROTATE: &str = "certs.kamaji.clastix.io/rotate";

pub(crate) async fn an_upgrade_of_one_replica_fails_no_request(cluster: &Cluster) -> Result<()> {
    Box::pin(upgrade(cluster, 1)).await
}

pub(crate) async fn an_upgrade_of_two_replicas_fails_no_request(cluster: &Cluster) -> Result<()> {
    Box::pin(upgrade(cluster, 2)).await
}

async fn upgrade(cluster: &Cluster, replicas: i32) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let name = format!("upgraded-{replicas}");
    let spec = TenantSpec::new(&name)
        .with("/kubernetes/version", json!(OLDER))
        .with("/controlPlane/deployment/replicas", json!(replicas));
    tenants.create(&spec).await?;
    tenants.ready(&name).await?;
    rolled_out(&tenants, &name).await?;
    let old = pods(&tenants, &name).await?;
    let kubeconfig = tenants.kubeconfig(&name).await?;

    let session = Session::open(cluster, &kubeconfig).await?;
    let load = Load::start(&kubeconfig, 50).await?;
    let version = |version: &str| json!({"kubernetes": {"version": version}});
    tenants.change(&name, version(NEWER)).await?;
    state(&tenants, &name, VersionState::Upgrading).await?;
    let ready = state(&tenants, &name, VersionState::Ready).await?;
    let running = ready.status.and_then(|status| status.kubernetes_resources.version.version);
    ensure!(running.as_deref() == Some(NEWER), "{running:?}");
    eventually("the old pods are gone", PATIENCE, || async {
        let left = pods(&tenants, &name).await?;
        ensure!(left.is_disjoint(&old), "{left:?}");
        Ok(())
    })
    .await?;
    let served = cluster.kubectl(&kubeconfig, &["version", "-o", "json"])?.success()?;
    ensure!(served.contains(&format!("\"gitVersion\": \"{NEWER}\"")), "{served}");
    let outcome = load.stop().await?;
    let report = session.close().await?;
    ensure!(outcome.failures.is_empty(), "of {} requests: {:#?}", outcome.answered, outcome.failures);
    ensure!(report.failures.is_empty(), "{:#?}", report.failures);
    ensure!(outcome.answered > 100 && report.kubectl > 1, "{outcome:?} {report:?}");
    ensure!(report.watched == report.written, "the watch missed writes");

    for (refused, why) in [(OLDER, "v1.36"), ("v1.34.4", "v1.36"), ("v1.99.0", "v1.36")] {
        let Err(error) = tenants.change(&name, version(refused)).await else { bail!("{refused} was taken") };
        let text = error.to_string();
        ensure!(text.contains("spec.kubernetes.version") && text.contains(why), "{refused}: {text}");
    }
    ensure!(tenants.restarts(&name).await? == 0, "a container was restarted");
    tenants.delete(&name).await
}

pub(crate) async fn a_new_authority_cuts_off_nobody(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let name = "rotated";
    tenants.create(&TenantSpec::new(name)).await?;
    tenants.ready(name).await?;
    rolled_out(&tenants, name).await?;
    // Whoever has this kubeconfig knows only the old authority, and is known only by it.
    let old = copied(&tenants.kubeconfig(name).await?)?;
    let first = data(&tenants, "rotated-ca", "ca.crt").await?;
    let token = eventually("the service account has a token", PATIENCE, || async {
        cluster.kubectl(&old, &["create", "token", "default", "--duration=1h"])?.success()
    })
    .await?;

    let session = Session::open(cluster, &old).await?;
    let load = Load::start(&old, 20).await?;
    annotate(&tenants, "rotated-ca", ROTATE).await?;
    annotate(&tenants, "rotated-sa-certificate", ROTATE).await?;
    state(&tenants, name, VersionState::CertificateAuthorityRotating).await?;
    eventually("the new authority signs", PATIENCE, || async {
        let secret: Secret = tenants.beside().get("rotated-ca").await?;
        let text = |key: &str| -> Result<String> {
            let value = secret.data.as_ref().and_then(|data| data.get(key));
            Ok(String::from_utf8(value.with_context(|| format!("no key {key}"))?.0.clone())?)
        };
        // At every moment these are one pair, as Cluster API reads them.
        for (certificate, key) in [("ca.crt", "ca.key"), ("tls.crt", "tls.key")] {
            let pair = pki::Pair {
                certificate: text(certificate)?,
                private_key: pki::PrivateKey::from_pem(text(key)?),
            };
            ensure!(pair.is_consistent(), "{certificate} and {key} are no pair");
        }
        ensure!(text("previous.crt")? == first && text("ca.crt")? != first, "not yet");
        Ok(())
    })
    .await?;
    state(&tenants, name, VersionState::Ready).await?;
    rolled_out(&tenants, name).await?;
    let new = tenants.kubeconfig(name).await?;
    ensure!(std::fs::read(&new)? != std::fs::read(&old)?, "the kubeconfig is the old one");
    let whoami = |kubeconfig: &Path| cluster.kubectl(kubeconfig, &["auth", "whoami"])?.success();
    whoami(&new)?;
    whoami(&old)?;
    token_serves(cluster, &new, &token)?;
    let outcome = load.stop().await?;
    let report = session.close().await?;
    ensure!(outcome.failures.is_empty(), "of {} requests: {:#?}", outcome.answered, outcome.failures);
    ensure!(report.failures.is_empty(), "{:#?}", report.failures);

    annotate(&tenants, "rotated-ca", "flotilla.dev/retire-previous").await?;
    eventually("the old authority is trusted by nobody", PATIENCE, || async {
        let told = cluster.kubectl(&old, &["auth", "whoami", "--request-timeout=5s"])?;
        ensure!(told.code != 0, "{}", told.out);
        Ok(())
    })
    .await?;
    let newest = tenants.kubeconfig(name).await?;
    whoami(&newest)?;
    token_serves(cluster, &newest, &token)?;
    tenants.delete(name).await
}

pub(crate) async fn a_renewed_certificate_is_served_without_a_restart(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let name = "renewed";
    tenants.create(&TenantSpec::new(name)).await?;
    tenants.ready(name).await?;
    rolled_out(&tenants, name).await?;
    let before = pods(&tenants, name).await?;
    let kubeconfig = tenants.kubeconfig(name).await?;

    let renewed = [
        ("api-server-kubelet-client-certificate", "apiserver-kubelet-client.crt"),
        ("front-proxy-client-certificate", "front-proxy-client.crt"),
        ("datastore-certificate", "server.crt"),
    ];
    for (suffix, key) in renewed {
        let secret = format!("{name}-{suffix}");
        let old = data(&tenants, &secret, key).await?;
        annotate(&tenants, &secret, ROTATE).await?;
        eventually(&format!("{secret} is renewed"), Duration::from_secs(30), || async {
            ensure!(data(&tenants, &secret, key).await? != old, "it is the old one");
            Ok(())
        })
        .await?;
    }
    let secret = "renewed-api-server-certificate";
    let old = data(&tenants, secret, "apiserver.crt").await?;
    annotate(&tenants, secret, ROTATE).await?;
    let trusted = kubeconfig.with_extension("leaf");
    // Who trusts only this very certificate gets an answer only when it is served. The kubelet looks at
    // mounted Secrets about once in a minute.
    eventually("the new certificate is served", PATIENCE, || async {
        let new = data(&tenants, secret, "apiserver.crt").await?;
        ensure!(new != old, "it is the old one");
        std::fs::write(&trusted, &new)?;
        let authority = format!("--certificate-authority={}", trusted.display());
        cluster.kubectl(&kubeconfig, &[authority.as_str(), "get", "--raw", "/version"])?.success()
    })
    .await?;
    // What is renewed for the store serves too.
    cluster.kubectl(&kubeconfig, &["create", "namespace", "after"])?.success()?;
    ensure!(pods(&tenants, name).await? == before, "a pod was replaced");
    ensure!(tenants.restarts(name).await? == 0, "a container was restarted");

    let by_name = ["--tls-server-name=extra.example.com", "get", "--raw", "/version"];
    ensure!(cluster.kubectl(&kubeconfig, &by_name)?.code != 0, "the name is served already");
    tenants.change(name, json!({"networkProfile": {"certSANs": ["extra.example.com"]}})).await?;
    eventually("the new name is served", PATIENCE, || async {
        cluster.kubectl(&kubeconfig, &by_name)?.success()
    })
    .await?;
    tenants.delete(name).await
}

pub(crate) async fn scaling_replaces_no_pod(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let name = "scaled";
    tenants.create(&TenantSpec::new(name)).await?;
    tenants.ready(name).await?;
    rolled_out(&tenants, name).await?;
    let first = pods(&tenants, name).await?;
    for replicas in [2, 1] {
        let wished = format!("--replicas={replicas}");
        let scale = ["scale", "tcp", "-n", NAMESPACE, name, wished.as_str()];
        cluster.kubectl(&cluster.kubeconfig(), &scale)?.success()?;
        eventually(&format!("{replicas} replicas are ready"), PATIENCE, || async {
            let tenant = tenants.api().get(name).await?;
            let status = tenant.status.and_then(|status| status.kubernetes_resources.deployment);
            let status = status.context("no status of the Deployment")?;
            ensure!(
                (status.replicas, status.ready_replicas) == (Some(replicas), Some(replicas)),
                "{status:?}"
            );
            Ok(())
        })
        .await?;
        let now = pods(&tenants, name).await?;
        ensure!(replicas == 1 || first.is_subset(&now), "{first:?} became {now:?}");
    }
    tenants.delete(name).await
}

pub(crate) async fn changed_addresses_are_followed(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let name = "moved";
    tenants.create(&TenantSpec::new(name)).await?;
    let ready = tenants.ready(name).await?;
    let assigned = ready.status.and_then(|status| status.control_plane_endpoint).context("no endpoint")?;
    for (address, server) in [
        (json!("198.51.100.7"), "https://198.51.100.7:6443".to_owned()),
        (json!(null), format!("https://{assigned}")),
    ] {
        tenants.change(name, json!({"networkProfile": {"advertiseAddress": address}})).await?;
        eventually(&format!("the kubeconfig leads to {server}"), PATIENCE, || async {
            let text = data(&tenants, "moved-admin-kubeconfig", "admin.conf").await?;
            let found = pki::KubeconfigContents::read(&text)?.server;
            ensure!(found == server, "{found}");
            let text = data(&tenants, "moved-admin-kubeconfig", "admin.svc").await?;
            let inside = pki::KubeconfigContents::read(&text)?.server;
            ensure!(inside == format!("https://moved.{NAMESPACE}.svc:6443"), "{inside}");
            Ok(())
        })
        .await?;
        let certificate =
            pki::inspect(&data(&tenants, "moved-api-server-certificate", "apiserver.crt").await?)?;
        ensure!(certificate.ip_addresses.contains(&"198.51.100.7".parse()?), "{certificate:?}");
        rolled_out(&tenants, name).await?;
    }
    let kubeconfig = tenants.kubeconfig(name).await?;
    cluster.kubectl(&kubeconfig, &["get", "namespaces"])?.success()?;
    tenants.delete(name).await
}

pub(crate) async fn deletion_ends_without_the_store_and_without_the_tenant(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    tenants
        .create(
            &TenantSpec::new("never")
                .with("/controlPlane/deployment/registrySettings", json!({"registry": "registry.invalid"})),
        )
        .await?;
    tenants.condition("never", "ControlPlaneAvailable", "False", None, PATIENCE).await?;
    let etcd = Etcd::deploy(cluster, "lifecycle-store", "lifecycle-etcd").await?;
    tenants.create(&TenantSpec::new("stranded").with("/dataStore", json!("lifecycle-etcd"))).await?;
    tenants.ready("stranded").await?;
    tenants.delete("never").await?;

    etcd.stop().await?;
    tenants.api().delete("stranded", &DeleteParams::default()).await?;
    let events = ["get", "events", "-n", NAMESPACE, "--field-selector=reason=DeleteFailed", "-o", "yaml"];
    eventually("an event says why and what to do", Duration::from_mins(1), || async {
        let told = cluster.kubectl(&cluster.kubeconfig(), &events)?.success()?;
        ensure!(told.contains("flotilla.dev/force-delete=true"), "{told}");
        Ok(())
    })
    .await?;
    ensure!(tenants.api().get_opt("stranded").await?.is_some(), "its data was given up without being asked");
    let force = Patch::Merge(json!({"metadata": {"annotations": {"flotilla.dev/force-delete": "true"}}}));
    tenants.api().patch("stranded", &PatchParams::default(), &force).await?;
    eventually("it is gone", Duration::from_mins(1), || async {
        let left = tenants.api().get_opt("stranded").await?;
        left.map_or(Ok(()), |left| bail!("finalizers {:?}", left.finalizers()))
    })
    .await?;
    etcd.start().await?;

    // A whole namespace, with a control plane that runs and a store that is to be deleted before it.
    let others = Tenants::new(cluster, "lifecycle-gone").await?;
    others.create(&TenantSpec::new("last").with("/dataStore", json!("lifecycle-etcd"))).await?;
    others.ready("last").await?;
    let namespaces: Api<Namespace> = Api::all(cluster.client().await?);
    let stores: Api<api::DataStore> = Api::all(cluster.client().await?);
    stores.delete("lifecycle-etcd", &DeleteParams::default()).await?;
    namespaces.delete("lifecycle-gone", &DeleteParams::default()).await?;
    eventually("namespace and store are gone", PATIENCE, || async {
        let left = namespaces.get_opt("lifecycle-gone").await?;
        ensure!(left.is_none(), "{:?}", left.and_then(|left| left.status));
        ensure!(stores.get_opt("lifecycle-etcd").await?.is_none(), "the DataStore is still there");
        Ok(())
    })
    .await?;
    etcd.remove().await
}

/// Waits until Kamaji's state is this one.
async fn state(tenants: &Tenants, name: &str, wanted: VersionState) -> Result<TenantControlPlane> {
    eventually(&format!("{name} is {}", wanted.as_str()), PATIENCE, || async {
        let tenant = tenants.api().get(name).await?;
        let found = tenant.status.as_ref().and_then(|status| status.kubernetes_resources.version.status);
        ensure!(found == Some(wanted), "{found:?}");
        Ok(tenant)
    })
    .await
}

/// Waits until only pods of the newest template are left.
async fn rolled_out(tenants: &Tenants, name: &str) -> Result<()> {
    eventually(&format!("{name} is rolled out"), PATIENCE, || async {
        let live: Deployment = tenants.beside().get(name).await?;
        ensure!(desired::is_rolled_out(&live), "{:?}", live.status);
        Ok(())
    })
    .await
}

/// Names of the pods, those that are ending among them.
pub(crate) async fn pods(tenants: &Tenants, name: &str) -> Result<BTreeSet<String>> {
    Ok(tenants.pods(name).await?.iter().map(ResourceExt::name_any).collect())
}

/// Text in a Secret.
async fn data(tenants: &Tenants, secret: &str, key: &str) -> Result<String> {
    let found: Secret = tenants.beside().get(secret).await?;
    let value =
        found.data.unwrap_or_default().remove(key).with_context(|| format!("{secret}: no key {key}"))?;
    Ok(String::from_utf8(value.0)?)
}

/// Annotates a Secret without value.
pub(crate) async fn annotate(tenants: &Tenants, secret: &str, key: &str) -> Result<()> {
    let patch = Patch::Merge(json!({"metadata": {"annotations": {key: ""}}}));
    tenants.beside::<Secret>().patch(secret, &PatchParams::default(), &patch).await?;
    Ok(())
}

/// A copy of a kubeconfig that stays as it is.
fn copied(kubeconfig: &Path) -> Result<PathBuf> {
    let copy = kubeconfig.with_extension("old");
    std::fs::copy(kubeconfig, &copy)?;
    Ok(copy)
}

/// Whether a service account's token is accepted.
fn token_serves(cluster: &Cluster, kubeconfig: &Path, token: &str) -> Result<()> {
    let contents = pki::KubeconfigContents::read(&std::fs::read_to_string(kubeconfig)?)?;
    let authority = kubeconfig.with_extension("authority");
    std::fs::write(&authority, &contents.certificate_authority)?;
    let arguments = [
        format!("--server={}", contents.server),
        format!("--certificate-authority={}", authority.display()),
        format!("--token={}", token.trim()),
    ];
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["auth", "whoami"]);
    let told = cluster.kubectl(Path::new("/dev/null"), &arguments)?.success()?;
    ensure!(told.contains("system:serviceaccount:default:default"), "{told}");
    Ok(())
}
