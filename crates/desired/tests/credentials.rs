//! Credentials are made once, kept while they serve, and replaced when they do not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use desired::{Secrets, checksum};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use pki::{
    CertificateAuthority, CertificatePlan, KeyAlgorithm, KubeconfigContents, Pair, PrivateKey, inspect,
};
use serde_json::json;
use support::{at, by_name, control_plane, issue, now, text};

const LATER: &str = "2026-06-01T00:00:00Z";
const A_DAY_BEFORE_THE_END: &str = "2027-02-28T13:00:00Z";

#[test]
fn names_keys_labels_and_owner_are_those_of_kamaji() {
    let made = issue(&control_plane(json!({})), &Secrets::new(), now());
    let found: Vec<(String, Vec<String>)> = made
        .secrets()
        .iter()
        .map(|secret| {
            (secret.metadata.name.clone().unwrap(), secret.data.as_ref().unwrap().keys().cloned().collect())
        })
        .collect();
    let expected = [
        ("blue-ca", "ca.crt ca.key tls.crt tls.key"),
        ("blue-front-proxy-ca-certificate", "front-proxy-ca.crt front-proxy-ca.key"),
        ("blue-sa-certificate", "sa.key sa.pub"),
        ("blue-api-server-certificate", "apiserver.crt apiserver.key"),
        (
            "blue-api-server-kubelet-client-certificate",
            "apiserver-kubelet-client.crt apiserver-kubelet-client.key",
        ),
        ("blue-front-proxy-client-certificate", "front-proxy-client.crt front-proxy-client.key"),
        ("blue-admin-kubeconfig", "admin.conf admin.svc super-admin.conf super-admin.svc"),
        ("blue-controller-manager-kubeconfig", "controller-manager.conf"),
        ("blue-scheduler-kubeconfig", "scheduler.conf"),
    ];
    let expected: Vec<(String, Vec<String>)> = expected
        .into_iter()
        .map(|(name, keys)| (name.to_owned(), keys.split(' ').map(str::to_owned).collect()))
        .collect();
    assert_eq!(found, expected);
    for secret in made.secrets() {
        let metadata = &secret.metadata;
        let labels = metadata.labels.as_ref().unwrap();
        let name = metadata.name.as_ref().unwrap();
        assert_eq!(labels["kamaji.clastix.io/component"], name["blue-".len()..], "{name}");
        assert_eq!(
            metadata.annotations.as_ref().unwrap()["kamaji.clastix.io/checksum"],
            checksum(secret.data.as_ref().unwrap())
        );
        let owner = &metadata.owner_references.as_ref().unwrap()[0];
        assert_eq!(
            (owner.kind.as_str(), owner.uid.as_str(), owner.controller),
            ("TenantControlPlane", "uid-blue", Some(true))
        );
    }
}

#[test]
fn made_again_from_its_own_output_nothing_changes() {
    let control_plane = control_plane(json!({}));
    let first = issue(&control_plane, &Secrets::new(), now());
    let second = issue(&control_plane, &by_name(first.secrets()), at(LATER));
    assert_eq!(second.secrets(), first.secrets());
    assert_eq!(second.issued(), first.issued());
}

#[test]
fn users_groups_and_servers_of_kubeconfigs_are_those_of_kamaji() {
    let made = issue(
        &control_plane(json!({ "spec": { "networkProfile": { "port": 8443 } } })),
        &Secrets::new(),
        now(),
    );
    let secrets = by_name(made.secrets());
    let cases = [
        (
            "blue-admin-kubeconfig",
            "admin.conf",
            "kubernetes-admin",
            Some("kubeadm:cluster-admins"),
            "https://10.0.0.7:6443",
        ),
        (
            "blue-admin-kubeconfig",
            "admin.svc",
            "kubernetes-admin",
            Some("kubeadm:cluster-admins"),
            "https://blue.tenants.svc:8443",
        ),
        (
            "blue-admin-kubeconfig",
            "super-admin.conf",
            "kubernetes-super-admin",
            Some("system:masters"),
            "https://10.0.0.7:6443",
        ),
        (
            "blue-admin-kubeconfig",
            "super-admin.svc",
            "kubernetes-super-admin",
            Some("system:masters"),
            "https://blue.tenants.svc:8443",
        ),
        (
            "blue-controller-manager-kubeconfig",
            "controller-manager.conf",
            "system:kube-controller-manager",
            None,
            "https://127.0.0.1:8443",
        ),
        (
            "blue-scheduler-kubeconfig",
            "scheduler.conf",
            "system:kube-scheduler",
            None,
            "https://127.0.0.1:8443",
        ),
    ];
    let ca = text(&secrets["blue-ca"], "ca.crt");
    for (secret, key, user, group, server) in cases {
        let contents = KubeconfigContents::read(&text(&secrets[secret], key)).unwrap();
        let certificate = inspect(&contents.pair.certificate).unwrap();
        assert_eq!((contents.user.as_str(), contents.server.as_str()), (user, server), "{key}");
        assert_eq!(certificate.common_name, user, "{key}");
        assert_eq!(
            certificate.organizations,
            group.map(str::to_owned).into_iter().collect::<BTreeSet<_>>(),
            "{key}"
        );
        assert_eq!(contents.certificate_authority, ca, "{key}");
        assert!(certificate.is_signed_by(&ca), "{key}");
    }
    assert!(made.admin_kubeconfig("super-admin.svc").is_some());
}

#[test]
fn the_api_server_answers_to_every_name_it_is_called_by() {
    let made = issue(
        &control_plane(json!({ "spec": { "networkProfile": {
            "advertiseAddress": "198.51.100.1",
            "certSANs": ["api.example.com", "203.0.113.9"],
            "serviceCidrs": ["10.96.0.0/16", "fd00:96::/112"],
            "clusterDomain": "tenant.local",
        } } })),
        &Secrets::new(),
        now(),
    );
    let certificate =
        inspect(&text(&by_name(made.secrets())["blue-api-server-certificate"], "apiserver.crt")).unwrap();
    for name in [
        "node",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.tenant.local",
        "localhost",
        "blue",
        "blue.tenants.svc",
        "blue.tenants.svc.cluster.local",
        "api.example.com",
    ] {
        assert!(certificate.dns_names.contains(name), "{name}");
    }
    for address in ["10.96.0.1", "127.0.0.1", "10.0.0.7", "198.51.100.1", "203.0.113.9"] {
        assert!(certificate.ip_addresses.contains(&address.parse().unwrap()), "{address}");
    }
}

#[test]
fn a_new_name_reissues_the_api_servers_certificate_and_a_removed_one_does_not() {
    let with = |names: &[&str]| control_plane(json!({ "spec": { "networkProfile": { "certSANs": names } } }));
    let one = issue(&with(&["a.example.com"]), &Secrets::new(), now());
    let two = issue(&with(&["a.example.com", "b.example.com"]), &by_name(one.secrets()), now());
    assert_eq!(changed(one.secrets(), two.secrets()), ["blue-api-server-certificate"]);
    let none = issue(&with(&[]), &by_name(two.secrets()), now());
    assert_eq!(changed(two.secrets(), none.secrets()), Vec::<String>::new());
}

#[test]
fn certificates_are_renewed_before_their_end_and_keys_for_tokens_and_authorities_stay() {
    let control_plane = control_plane(json!({}));
    let first = issue(&control_plane, &Secrets::new(), now());
    assert_eq!(first.issued().renew_at, at("2027-02-28T12:00:00Z"));
    let second = issue(&control_plane, &by_name(first.secrets()), at(A_DAY_BEFORE_THE_END));
    assert_eq!(
        changed(first.secrets(), second.secrets()),
        [
            "blue-api-server-certificate",
            "blue-api-server-kubelet-client-certificate",
            "blue-front-proxy-client-certificate",
            "blue-admin-kubeconfig",
            "blue-controller-manager-kubeconfig",
            "blue-scheduler-kubeconfig",
        ]
    );
    assert!(second.issued().renew_at > first.issued().renew_at);
    assert!(!second.issued().rotates_authority);
}

#[test]
fn an_empty_rotate_annotation_asks_once() {
    let control_plane = control_plane(json!({}));
    let first = issue(&control_plane, &Secrets::new(), now());
    for name in ["blue-api-server-certificate", "blue-admin-kubeconfig", "blue-sa-certificate"] {
        let mut existing = by_name(first.secrets());
        annotate(&mut existing, name, "certs.kamaji.clastix.io/rotate", "");
        let second = issue(&control_plane, &existing, at(LATER));
        assert_eq!(changed(first.secrets(), second.secrets()), [name]);
        let annotation = by_name(second.secrets())[name].metadata.annotations.clone().unwrap();
        assert_eq!(annotation["certs.kamaji.clastix.io/rotate"], LATER);
        let third = issue(&control_plane, &by_name(second.secrets()), at("2026-07-01T00:00:00Z"));
        assert_eq!(third.secrets(), second.secrets(), "the request is done");
    }
}

#[test]
fn what_is_broken_is_made_anew() {
    let control_plane = control_plane(json!({}));
    let first = issue(&control_plane, &Secrets::new(), now());
    let mut existing = by_name(first.secrets());
    put(&mut existing, "blue-api-server-certificate", "apiserver.key", "nonsense");
    put(&mut existing, "blue-scheduler-kubeconfig", "scheduler.conf", "{");
    let foreign = issue(&control_plane, &Secrets::new(), now());
    put(
        &mut existing,
        "blue-sa-certificate",
        "sa.pub",
        &text(&by_name(foreign.secrets())["blue-sa-certificate"], "sa.pub"),
    );
    let second = issue(&control_plane, &existing, now());
    assert_eq!(
        changed(first.secrets(), second.secrets()),
        ["blue-sa-certificate", "blue-api-server-certificate", "blue-scheduler-kubeconfig"]
    );
}

#[test]
fn rsa_material_of_kamaji_is_kept_byte_for_byte() {
    let control_plane = control_plane(json!({}));
    let ca = CertificateAuthority::generate_with(KeyAlgorithm::Rsa2048, "kubernetes", pki::TEN_YEARS, now())
        .unwrap();
    let nobody: [&str; 0] = [];
    let plan = CertificatePlan {
        algorithm: KeyAlgorithm::Rsa2048,
        ..CertificatePlan::client("kube-apiserver-kubelet-client", nobody)
    };
    let leaf = plan.issue(&ca, now()).unwrap();
    let mut existing = Secrets::new();
    insert(&mut existing, "blue-ca", ["ca.crt", "ca.key"], ca.pair());
    let keys = ["apiserver-kubelet-client.crt", "apiserver-kubelet-client.key"];
    insert(&mut existing, "blue-api-server-kubelet-client-certificate", keys, &leaf);

    let made = issue(&control_plane, &existing, now());
    let secrets = by_name(made.secrets());
    assert_eq!(text(&secrets["blue-ca"], "ca.key"), ca.pair().private_key.expose_pem());
    assert_eq!(text(&secrets["blue-ca"], "tls.crt"), ca.pair().certificate);
    assert_eq!(text(&secrets["blue-api-server-kubelet-client-certificate"], keys[0]), leaf.certificate);
    assert!(!made.issued().rotates_authority);
}

#[test]
fn a_kubeconfig_in_yaml_is_kept_and_a_new_address_keeps_its_certificate() {
    let control_plane = control_plane(json!({}));
    let first = issue(&control_plane, &Secrets::new(), now());
    let mut existing = by_name(first.secrets());
    let yaml = as_yaml(&text(&existing["blue-admin-kubeconfig"], "admin.conf"));
    put(&mut existing, "blue-admin-kubeconfig", "admin.conf", &yaml);
    let second = issue(&control_plane, &existing, now());
    assert_eq!(text(&by_name(second.secrets())["blue-admin-kubeconfig"], "admin.conf"), yaml);

    let moved = yaml.replace("10.0.0.7", "10.0.0.8");
    put(&mut existing, "blue-admin-kubeconfig", "admin.conf", &moved);
    let third = issue(&control_plane, &existing, now());
    let contents =
        KubeconfigContents::read(&text(&by_name(third.secrets())["blue-admin-kubeconfig"], "admin.conf"))
            .unwrap();
    assert_eq!(contents.server, "https://10.0.0.7:6443");
    assert_eq!(contents.pair, KubeconfigContents::read(&yaml).unwrap().pair);
}

fn as_yaml(json: &str) -> String {
    let contents = KubeconfigContents::read(json).unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let data = |pointer: &str| value.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\npreferences: {{}}\n\
         clusters:\n- name: blue\n  cluster:\n    server: {}\n    certificate-authority-data: {}\n\
         contexts:\n- name: c\n  context:\n    cluster: blue\n    user: {user}\n\
         users:\n- name: {user}\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n",
        contents.server,
        data("/clusters/0/cluster/certificate-authority-data"),
        data("/users/0/user/client-certificate-data"),
        data("/users/0/user/client-key-data"),
        user = contents.user,
    )
}

/// Names of the Secrets whose data differ.
fn changed(before: &[Secret], after: &[Secret]) -> Vec<String> {
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before.data != after.data)
        .map(|(before, _)| before.metadata.name.clone().unwrap())
        .collect()
}

fn annotate(secrets: &mut Secrets, name: &str, key: &str, value: &str) {
    let secret = Arc::make_mut(secrets.get_mut(name).unwrap());
    secret.metadata.annotations.get_or_insert_default().insert(key.to_owned(), value.to_owned());
}

fn put(secrets: &mut Secrets, name: &str, key: &str, value: &str) {
    let secret = Arc::make_mut(secrets.get_mut(name).unwrap());
    secret.data.get_or_insert_default().insert(key.to_owned(), ByteString(value.as_bytes().to_vec()));
}

fn insert(secrets: &mut Secrets, name: &str, keys: [&str; 2], pair: &Pair) {
    let entries =
        [(keys[0], pair.certificate.as_str()), (keys[1], PrivateKey::expose_pem(&pair.private_key))];
    let data = entries.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
    secrets.insert(name.to_owned(), Arc::new(Secret { data: Some(data.into()), ..Secret::default() }));
}
