//! The Secrets that Kamaji leaves for a control plane.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use pki::{CertificateAuthority, CertificatePlan, ONE_YEAR, TEN_YEARS};

use super::Facts;
use super::keys::{Signed, authority, client, issue, kubeconfig, service_account};
use super::objects::{Made, secret};

/// Key of the label that Kamaji's expiry controller looks for.
const LIFECYCLE: &str = "kamaji.clastix.io/certificate_lifecycle_controller";

/// Everything of the tenant's own authorities.
pub(crate) fn credentials(facts: &Facts, now: Timestamp) -> Result<Vec<Made>> {
    let (ca, ca_pair) = authority("kubernetes", now)?;
    let (front_proxy, front_proxy_pair) = authority("front-proxy-ca", now)?;
    let (public_key, private_key) = service_account()?;
    let nobody: [&str; 0] = [];
    let api_server = issue(api_server(facts), &ca, now)?;
    let kubelet_client = issue(CertificatePlan::client("kube-apiserver-kubelet-client", nobody), &ca, now)?;
    let front_proxy_client = issue(CertificatePlan::client("front-proxy-client", nobody), &front_proxy, now)?;
    let mut made = vec![
        secret(
            facts,
            "ca",
            &[
                ("ca.crt", &ca_pair.certificate),
                ("ca.key", &ca_pair.key),
                ("tls.crt", &ca_pair.certificate),
                ("tls.key", &ca_pair.key),
            ],
        ),
        secret(
            facts,
            "front-proxy-ca-certificate",
            &[
                ("front-proxy-ca.crt", &front_proxy_pair.certificate),
                ("front-proxy-ca.key", &front_proxy_pair.key),
            ],
        ),
        secret(facts, "sa-certificate", &[("sa.key", &private_key), ("sa.pub", &public_key)]),
        leaf(facts, "api-server-certificate", "apiserver", &api_server),
        leaf(facts, "api-server-kubelet-client-certificate", "apiserver-kubelet-client", &kubelet_client),
        leaf(facts, "front-proxy-client-certificate", "front-proxy-client", &front_proxy_client),
    ];
    made.extend(kubeconfigs(facts, &ca, &ca_pair, now)?);
    Ok(made)
}

/// What the tenant signs in to its store by: the settings, with a password that etcd has no use for, and
/// the certificate.
pub(crate) fn store(facts: &Facts, ca: &CertificateAuthority, now: Timestamp) -> Result<Vec<Made>> {
    let certificate = client(ca, &facts.uid, &["system:masters"], TEN_YEARS, now)?;
    let mut config = secret(
        facts,
        "datastore-config",
        &[
            ("DB_CONNECTION_STRING", ""),
            ("DB_PASSWORD", "3f7c2f5e-5a6c-4a55-9d0e-6f6f3c1b1a52"),
            ("DB_SCHEMA", &facts.uid),
            ("DB_USER", &facts.uid),
        ],
    );
    config.object["metadata"]["finalizers"] =
        serde_json::json!(["finalizer.kamaji.clastix.io/datastore-secret"]);
    let certificate = secret(
        facts,
        "datastore-certificate",
        &[
            ("ca.crt", &ca.pair().certificate),
            ("server.crt", &certificate.certificate),
            ("server.key", &certificate.key),
        ],
    );
    Ok(vec![config, certificate.labelled(LIFECYCLE, "x509")])
}

fn leaf(facts: &Facts, component: &str, file: &str, signed: &Signed) -> Made {
    let (certificate, key) = (format!("{file}.crt"), format!("{file}.key"));
    secret(facts, component, &[(&certificate, &signed.certificate), (&key, &signed.key)])
        .labelled(LIFECYCLE, "x509")
}

/// The names and addresses that kubeadm puts in, and those that Kamaji adds.
fn api_server(facts: &Facts) -> CertificatePlan {
    let (name, namespace) = (&facts.name, &facts.namespace);
    let names = [
        "node",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
        name,
        &format!("{name}.{namespace}.svc"),
        &format!("{name}.{namespace}.svc.cluster.local"),
    ];
    let addresses = ["10.96.0.1", &facts.address, "127.0.0.1"];
    CertificatePlan::server(
        "kube-apiserver",
        names.map(str::to_owned).into(),
        addresses.iter().filter_map(|address| address.parse().ok()).collect(),
    )
}

fn kubeconfigs(
    facts: &Facts,
    ca: &CertificateAuthority,
    ca_pair: &Signed,
    now: Timestamp,
) -> Result<Vec<Made>> {
    let (name, port) = (&facts.name, facts.port);
    let outside = format!("https://{}:{port}", facts.address);
    let inside = format!("https://{name}.{}.svc:{port}", facts.namespace);
    let local = format!("https://127.0.0.1:{port}");
    let admin: (&str, &[&str]) = ("kubernetes-admin", &["kubeadm:cluster-admins"]);
    let super_admin: (&str, &[&str]) = ("kubernetes-super-admin", &["system:masters"]);
    let nobody: &[&str] = &[];
    let wanted = [
        ("admin-kubeconfig", "admin.conf", admin, &outside),
        ("admin-kubeconfig", "admin.svc", admin, &inside),
        ("admin-kubeconfig", "super-admin.conf", super_admin, &outside),
        ("admin-kubeconfig", "super-admin.svc", super_admin, &inside),
        (
            "controller-manager-kubeconfig",
            "controller-manager.conf",
            ("system:kube-controller-manager", nobody),
            &local,
        ),
        ("scheduler-kubeconfig", "scheduler.conf", ("system:kube-scheduler", nobody), &local),
    ];
    let mut files: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for (component, key, (user, groups), server) in wanted {
        let signed = client(ca, user, groups, ONE_YEAR, now)?;
        let text = kubeconfig(name, server, &ca_pair.certificate, user, &signed);
        files.entry(component).or_default().push((key, text));
    }
    Ok(files
        .into_iter()
        .map(|(component, entries)| {
            let entries: Vec<(&str, &str)> =
                entries.iter().map(|(key, text)| (*key, text.as_str())).collect();
            // Kamaji's checksum of these covers its kubeadm configuration too; no reader can repeat it.
            secret(facts, component, &entries)
                .annotated("kamaji.clastix.io/checksum", "5d41402abc4b2a76b9719d911017c592")
                .labelled(LIFECYCLE, "kubeconfig")
        })
        .collect())
}
