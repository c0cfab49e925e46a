//! Attacks on the borders between tenants.

use anyhow::{Context, Result, bail, ensure};
use e2e::{Cluster, TenantSpec, Tenants};
use etcd_client::{Certificate, Client, ConnectOptions, GetOptions, Identity, TlsOptions};
use k8s_openapi::api::core::v1::{Secret, Service};
use serde_json::json;

pub(crate) async fn a_tenants_certificate_opens_no_other_tenants_keys(cluster: &Cluster) -> Result<()> {
    // One name is the prefix of the other: the worst case for ranges.
    let tenants = Tenants::new(cluster, "borders").await?;
    for (name, schema) in [("red", "team"), ("blue", "team-b")] {
        let spec = TenantSpec::new(name)
            .with("/dataStoreSchema", json!(schema))
            .with("/dataStoreUsername", json!(schema));
        tenants.create(&spec).await?;
    }
    for name in ["red", "blue"] {
        tenants.ready(name).await?;
    }
    let mut red = etcd_as(cluster, &tenants, "red").await?;
    let own = red.get("/team/", Some(GetOptions::new().with_prefix().with_count_only())).await?;
    ensure!(own.count() > 10, "the tenant reads {} keys of its own", own.count());

    let all = GetOptions::new().with_all_keys();
    let attacks = [
        red.get("/team-b/", Some(GetOptions::new().with_prefix())).await.err(),
        red.get("/team", Some(GetOptions::new().with_prefix())).await.err(),
        red.get("", Some(all)).await.err(),
        red.put("/team-b/registry/secrets/default/x", "stolen", None).await.err(),
        red.put("/team-b", "stolen", None).await.err(),
        red.delete("/team-b/", Some(etcd_client::DeleteOptions::new().with_prefix())).await.err(),
        red.user_add("mallory", "secret", None).await.err(),
        red.role_list().await.err(),
        red.auth_disable().await.err(),
    ];
    for (index, refusal) in attacks.iter().enumerate() {
        let text = refusal.as_ref().with_context(|| format!("attack {index} got through"))?.to_string();
        ensure!(text.contains("permission denied"), "attack {index}: {text}");
    }
    Ok(())
}

pub(crate) async fn a_tenants_kubeconfig_opens_no_other_tenant(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "borders").await?;
    let (red, blue) = (tenants.kubeconfig("red").await?, tenants.kubeconfig("blue").await?);
    cluster.kubectl(&red, &["get", "namespaces"])?.success()?;

    let service: Service = tenants.beside().get("blue").await?;
    let address = service.spec.and_then(|spec| spec.cluster_ip).context("no cluster IP")?;
    let server = format!("--server=https://{address}:6443");
    let told = cluster.kubectl(
        &red,
        &[&server, "--insecure-skip-tls-verify", "--certificate-authority=", "get", "secrets", "-A"],
    )?;
    if told.code == 0 {
        bail!("red's administrator read blue's Secrets: {}", told.out);
    }
    cluster.kubectl(&blue, &["get", "namespaces"])?.success()?;
    for name in ["red", "blue"] {
        tenants.delete(name).await?;
    }
    Ok(())
}

/// Connects to the tenants' etcd with the certificate that a tenant's API server has.
async fn etcd_as(cluster: &Cluster, tenants: &Tenants, name: &str) -> Result<Client> {
    let secret: Secret = tenants.beside().get(&format!("{name}-datastore-certificate")).await?;
    let data = secret.data.unwrap_or_default();
    let text =
        |key: &str| -> Result<Vec<u8>> { Ok(data.get(key).with_context(|| format!("no {key}"))?.0.clone()) };
    let services: kube::Api<Service> = kube::Api::namespaced(cluster.client().await?, "flotilla-system");
    let address = services.get("flotilla-etcd-client").await?.spec.and_then(|spec| spec.cluster_ip);
    let url = format!("https://{}:2379", address.context("etcd's Service has no address")?);
    let tls = TlsOptions::new()
        .domain_name("flotilla-etcd-client.flotilla-system.svc")
        .ca_certificate(Certificate::from_pem(text("ca.crt")?))
        .identity(Identity::from_pem(text("server.crt")?, text("server.key")?));
    Ok(Client::connect([url], Some(ConnectOptions::new().with_tls(tls))).await?)
}
