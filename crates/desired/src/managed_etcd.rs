//! Certificates of the etcd that the chart installs.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pki::{CertificatePlan, Error, Pair};

use crate::pairs::{Renewal, Secrets, authority, data, leaf, read};

/// The etcd that the chart installs.
#[derive(Clone, Copy, Debug)]
pub struct ManagedEtcd<'a> {
    /// Name of its `StatefulSet` and headless Service.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
}

/// The Secrets with etcd's authority (`<name>-ca`), the certificate of its members (`<name>-server`)
/// and that of its administrator (`<name>-root`); what exists is kept while it serves.
///
/// # Errors
/// [`pki::Error`] if a key or certificate cannot be made.
pub fn secrets(etcd: ManagedEtcd<'_>, existing: &Secrets, renewal: Renewal) -> Result<Vec<Secret>, Error> {
    let find = |suffix: &str| existing.get(&format!("{}-{suffix}", etcd.name)).map(AsRef::as_ref);
    let ca = authority(find("ca").and_then(|secret| read(secret, "ca.crt", "ca.key")), etcd.name, renewal)?;
    let tls = |suffix: &str| find(suffix).and_then(|secret| read(secret, "tls.crt", "tls.key"));
    let server = leaf(tls("server"), &server_plan(etcd), &ca, renewal)?;
    let nobody: [&str; 0] = [];
    let root = leaf(tls("root"), &CertificatePlan::client("root", nobody), &ca, renewal)?;

    let authority = ca.pair();
    let authority_data =
        [("ca.crt", authority.certificate.as_str()), ("ca.key", authority.private_key.expose_pem())];
    let with_authority = |pair: &Pair| {
        data([
            ("ca.crt", authority.certificate.as_str()),
            ("tls.crt", pair.certificate.as_str()),
            ("tls.key", pair.private_key.expose_pem()),
        ])
    };
    Ok([("ca", data(authority_data)), ("server", with_authority(&server)), ("root", with_authority(&root))]
        .into_iter()
        .map(|(suffix, data)| Secret {
            metadata: ObjectMeta {
                name: Some(format!("{}-{suffix}", etcd.name)),
                namespace: Some(etcd.namespace.to_owned()),
                labels: Some([("app.kubernetes.io/name".to_owned(), etcd.name.to_owned())].into()),
                ..ObjectMeta::default()
            },
            data: Some(data),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        })
        .collect())
}

/// Members are servers to their clients, and clients to each other. The wildcard covers any number of
/// members, so that scaling needs no new certificate.
fn server_plan(etcd: ManagedEtcd<'_>) -> CertificatePlan {
    let ManagedEtcd { name, namespace } = etcd;
    let hosts = [
        format!("*.{name}.{namespace}.svc"),
        format!("{name}.{namespace}.svc"),
        format!("{name}-client.{namespace}.svc"),
    ];
    let mut names = vec!["localhost".to_owned()];
    for host in hosts {
        names.push(format!("{host}.cluster.local"));
        names.push(host);
    }
    CertificatePlan {
        client: true,
        ..CertificatePlan::server(name, names, vec![std::net::IpAddr::from([127, 0, 0, 1])])
    }
}
