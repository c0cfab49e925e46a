//! What becomes of the traffic to workers while what the tunnels run with is replaced.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base::{Clock as _, SystemClock};
use e2e::{Cluster, Load, Outcome, Tenants, eventually};
use jiff::SignedDuration;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use pki::{CertificateAuthority, CertificatePlan, ONE_YEAR, Pair, PrivateKey};
use serde_json::json;

use crate::lifecycle::{ROTATE, annotate, pods};

const PATIENCE: Duration = Duration::from_mins(3);
const TUNNEL_NAMESPACE: &str = "flotilla-system-tunnel";

/// Renews what API server, tunnel and agents of a tenant with the shared tunnel know one another by. No request
/// to the worker may fail.
pub(crate) async fn of_the_shared_tunnel_are_renewed(
    cluster: &Cluster,
    tenants: &Tenants,
    tenant: &str,
    node: &str,
) -> Result<()> {
    let load = Load::start_to_worker(&tenants.kubeconfig(tenant).await?, 5, node).await?;
    let uid = tenants.api().get(tenant).await?.uid().context("no uid")?;
    let told: Api<Secret> = Api::namespaced(cluster.client().await?, TUNNEL_NAMESPACE);
    let name = format!("tunnel-{uid}");
    let ending = ending_soon(tenants, tenant, &text(&told.get(&name).await?, "tls.crt")?).await?;
    let entries = json!({
        "tls.crt": ByteString(ending.certificate.clone().into_bytes()),
        "tls.key": ByteString(ending.private_key.expose_pem().as_bytes().to_vec()),
    });
    told.patch(&name, &PatchParams::default(), &Patch::Merge(json!({ "data": entries }))).await?;
    eventually("the tunnel's certificate is renewed", PATIENCE, || async {
        let now = text(&told.get(&name).await?, "tls.crt")?;
        ensure!(now != ending.certificate, "it is the one that ends soon");
        Ok(())
    })
    .await?;
    let outcome = replaced(tenants, tenant, &format!("{tenant}-tunnel-client"), load).await?;
    ensure!(outcome.failures.is_empty(), "of {} requests: {:#?}", outcome.answered, outcome.failures);
    ensure!(outcome.answered > 50, "only {} requests were answered", outcome.answered);
    Ok(())
}

/// Renews the certificate of a tenant with a tunnel of its own. A server reads it when it starts, and a new one
/// has no agent until the agents have found it.
pub(crate) async fn of_its_own_tunnel_are_renewed(
    cluster: &Cluster,
    tenants: &Tenants,
    tenant: &str,
    node: &str,
) -> Result<()> {
    let kubeconfig = tenants.kubeconfig(tenant).await?;
    let load = Load::start_to_worker(&kubeconfig, 5, node).await?;
    let outcome = replaced(tenants, tenant, &format!("{tenant}-api-server-certificate"), load).await?;
    println!(
        "    {} requests through the tenant's own tunnel were answered, {} were not: {:?} to {:?}",
        outcome.answered,
        outcome.failures.len(),
        outcome.failures.first(),
        outcome.failures.last()
    );
    is_reached(cluster, &kubeconfig, node).await
}

/// Waits until a worker's kubelet is reached.
pub(crate) async fn is_reached(cluster: &Cluster, kubeconfig: &Path, node: &str) -> Result<()> {
    let path = format!("/api/v1/nodes/{node}/proxy/healthz");
    eventually(&format!("{node} is reached"), PATIENCE, || async {
        cluster.kubectl(kubeconfig, &["get", "--raw", &path])?.success().map(|_| ())
    })
    .await
}

/// Has a certificate renewed, waits until new pods run with it, and ends the requests.
async fn replaced(tenants: &Tenants, tenant: &str, secret: &str, load: Load) -> Result<Outcome> {
    let before = pods(tenants, tenant).await?;
    annotate(tenants, secret, ROTATE).await?;
    eventually("new pods run with the new certificate", PATIENCE, || async {
        let now = pods(tenants, tenant).await?;
        ensure!(!now.is_empty() && now.is_disjoint(&before), "{before:?} became {now:?}");
        Ok(())
    })
    .await?;
    tenants.ready(tenant).await?;
    load.stop().await
}

/// A certificate like this one, of the tenant's authority, that has an hour left.
async fn ending_soon(tenants: &Tenants, tenant: &str, like: &str) -> Result<Pair> {
    let secret: Secret = tenants.beside().get(&format!("{tenant}-ca")).await?;
    let authority = CertificateAuthority::from_pair(Pair {
        certificate: text(&secret, "ca.crt")?,
        private_key: PrivateKey::from_pem(text(&secret, "ca.key")?),
    })?;
    let like = pki::inspect(like)?;
    let plan = CertificatePlan::server(
        "konnectivity-server",
        Vec::from_iter(like.dns_names),
        Vec::from_iter(like.ip_addresses),
    );
    Ok(plan.issue(&authority, SystemClock.now() - (ONE_YEAR - SignedDuration::from_hours(1)))?)
}

fn text(secret: &Secret, key: &str) -> Result<String> {
    let value = secret.data.as_ref().and_then(|data| data.get(key));
    let value = value.with_context(|| format!("{}: no key {key}", secret.name_any()))?;
    Ok(String::from_utf8(value.0.clone())?)
}
