//! What reaches the store, and the platform's own certificates.

mod support;

use api::Driver;
use desired::Secrets;
use desired::data_store::{
    DataStoreMaterial, Error, certificate_secret, config_secret, standing_certificate_secret,
};
use desired::managed_etcd::{self, ManagedEtcd};
use desired::webhook_certificate;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use pki::inspect;
use serde_json::json;
use support::{at, by_name, control_plane, now, renewal, store, text};

#[test]
fn settings_of_each_driver_are_those_of_kamaji() {
    let control_plane =
        control_plane(json!({ "spec": { "dataStoreSchema": "s", "dataStoreUsername": "u" } }));
    let cases = [
        (Driver::Etcd, ["", "s", "u", "new"]),
        (Driver::PostgreSql, ["store-0.store.svc:2379", "s", "u", "new"]),
        (Driver::MySql, ["store-0.store.svc:2379", "s", "u", "new"]),
        (Driver::Nats, ["store-0.store.svc:2379", "s", "root", "secret"]),
    ];
    for (driver, expected) in cases {
        let secret = config_secret(&control_plane, &store(driver), None, "new");
        let keys = ["DB_CONNECTION_STRING", "DB_SCHEMA", "DB_USER", "DB_PASSWORD"];
        assert_eq!(keys.map(|key| text(&secret, key)), expected, "{driver}");
        assert_eq!(secret.metadata.finalizers.unwrap(), ["finalizer.kamaji.clastix.io/datastore-secret"]);
    }
}

#[test]
fn schema_and_user_are_the_uid_unless_something_else_was_set_up() {
    let plain = control_plane(json!({}));
    assert_eq!((plain.schema(), plain.user()), ("uid-blue", "uid-blue"));
    let set_up = json!({
        "spec": { "dataStoreSchema": "spec", "dataStoreUsername": "spec" },
        "status": { "storage": { "setup": { "schema": "status", "user": "status" } } },
    });
    let set_up = control_plane(set_up);
    assert_eq!((set_up.schema(), set_up.user()), ("status", "status"));
}

#[test]
fn the_password_stays_until_somebody_tampers_with_it() {
    let control_plane = control_plane(json!({}));
    let store = store(Driver::PostgreSql);
    let first = config_secret(&control_plane, &store, None, "one");
    let second = config_secret(&control_plane, &store, Some(&first), "two");
    assert_eq!(second, first);
    let mut tampered = first.clone();
    tampered.data.as_mut().unwrap().insert("DB_PASSWORD".to_owned(), ByteString(b"x".to_vec()));
    let third = config_secret(&control_plane, &store, Some(&tampered), "three");
    assert_eq!(text(&third, "DB_PASSWORD"), "three");
}

#[test]
fn etcd_gets_a_certificate_of_the_tenants_own_which_is_kept() {
    let control_plane = control_plane(json!({}));
    let store = store(Driver::Etcd);
    let first = certificate_secret(&control_plane, &store, &[], None, renewal(now())).unwrap().unwrap();
    let found = inspect(&text(&first, "server.crt")).unwrap();
    assert_eq!(found.common_name, "uid-blue");
    assert!(found.is_signed_by(store.ca_certificate.as_ref().unwrap()));
    let second =
        certificate_secret(&control_plane, &store, &[], Some(&first), renewal(at("2030-01-01T00:00:00Z")))
            .unwrap();
    assert_eq!(second.as_ref(), Some(&first));
}

#[test]
fn other_stores_get_the_administrators_certificate_or_none() {
    let control_plane = control_plane(json!({}));
    let mut store = store(Driver::MySql);
    let secret = certificate_secret(&control_plane, &store, &[], None, renewal(now())).unwrap().unwrap();
    assert_eq!(text(&secret, "server.crt"), store.client_certificate.as_ref().unwrap().certificate);
    store.ca_certificate = None;
    assert_eq!(certificate_secret(&control_plane, &store, &[], None, renewal(now())).unwrap(), None);
}

#[test]
fn etcd_without_a_usable_authority_is_an_error_that_says_what_to_set() {
    let control_plane = control_plane(json!({}));
    let mut broken = store(Driver::Etcd);
    broken.ca_private_key = store(Driver::Etcd).ca_private_key;
    let mut missing = store(Driver::Etcd);
    missing.ca_private_key = None;
    for store in [broken, missing] {
        let error = certificate_secret(&control_plane, &store, &[], None, renewal(now())).unwrap_err();
        assert!(matches!(error, Error::NoAuthority { .. }));
        assert!(error.to_string().contains("spec.tlsConfig.certificateAuthority"));
    }
}

#[test]
fn the_charts_etcd_keeps_its_certificates_and_renews_the_leaves_in_time() {
    let etcd = ManagedEtcd { name: "flotilla-etcd", namespace: "flotilla-system" };
    let first = managed_etcd::secrets(etcd, &Secrets::new(), renewal(now())).unwrap();
    let names: Vec<&str> = first.iter().map(|secret| secret.metadata.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["flotilla-etcd-ca", "flotilla-etcd-server", "flotilla-etcd-root"]);
    assert_eq!(
        managed_etcd::secrets(etcd, &by_name(&first), renewal(at("2026-09-01T00:00:00Z"))).unwrap(),
        first
    );

    let server = inspect(&text(&first[1], "tls.crt")).unwrap();
    for name in [
        "*.flotilla-etcd.flotilla-system.svc",
        "flotilla-etcd-client.flotilla-system.svc.cluster.local",
        "localhost",
    ] {
        assert!(server.dns_names.contains(name), "{name}");
    }
    assert_eq!(inspect(&text(&first[2], "tls.crt")).unwrap().common_name, "root");

    let later = managed_etcd::secrets(etcd, &by_name(&first), renewal(at("2027-02-28T13:00:00Z"))).unwrap();
    assert_eq!(later[0], first[0], "the authority stays");
    assert_ne!(later[1], first[1]);
    assert_ne!(later[2], first[2]);
}

#[test]
fn the_webhooks_certificate_is_renewed_when_two_thirds_of_its_time_are_over() {
    let make = |existing, now| {
        webhook_certificate::secret("flotilla-webhook", "flotilla-system", existing, now).unwrap()
    };
    let first = make(None, now());
    assert_eq!(first.metadata.name.as_deref(), Some("flotilla-webhook-certificate"));
    let found = inspect(&text(&first, "tls.crt")).unwrap();
    assert!(found.dns_names.contains("flotilla-webhook.flotilla-system.svc"));
    assert!(found.is_signed_by(&text(&first, "ca.crt")));
    let renew_at = webhook_certificate::renew_at(&first, now());
    let before = renew_at.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
    assert_eq!(make(Some(&first), before), first);
    let renewed = make(Some(&first), renew_at);
    assert_eq!(text(&renewed, "ca.crt"), text(&first, "ca.crt"));
    assert_ne!(text(&renewed, "tls.crt"), text(&first, "tls.crt"));
}

#[test]
fn one_certificate_serves_stores_of_different_authorities_and_is_kept_while_all_accept_it() {
    let control_plane = control_plane(json!({}));
    let first = store(Driver::Etcd);
    let same = DataStoreMaterial { name: "same".to_owned(), ..first.clone() };
    let other_ca = pki::CertificateAuthority::generate("other", pki::TEN_YEARS, now()).unwrap();
    let other = DataStoreMaterial {
        name: "other".to_owned(),
        ca_certificate: Some(other_ca.pair().certificate.clone()),
        ca_private_key: Some(other_ca.pair().private_key.clone()),
        ..store(Driver::Etcd)
    };
    let make = |further: &[&DataStoreMaterial], existing: Option<&Secret>| {
        certificate_secret(&control_plane, &first, further, existing, renewal(now())).unwrap().unwrap()
    };
    let plain = make(&[], None);
    assert_eq!(make(&[&same], Some(&plain)), plain, "one authority needs nothing else");

    let both = make(&[&same, &other], Some(&plain));
    let blocks = pki::pem_blocks(&text(&both, "server.crt"));
    let leaf = inspect(&blocks[0]).unwrap();
    assert_eq!(leaf.common_name, "uid-blue");
    for authority in [first.ca_certificate.as_ref().unwrap(), &other_ca.pair().certificate] {
        assert!(!leaf.is_signed_by(authority), "nobody but the authority of the moment signs it");
        let ways = blocks[1..].iter().filter(|voucher| {
            leaf.is_signed_by(voucher) && inspect(voucher).unwrap().is_signed_by(authority)
        });
        assert_eq!(ways.count(), 1);
    }
    let trust = pki::pem_blocks(&text(&both, "ca.crt"));
    assert_eq!(trust.len(), 2);
    assert_eq!(make(&[&other, &same], Some(&both)), both);
    let back = make(&[], Some(&both));
    assert!(
        inspect(&text(&back, "server.crt")).unwrap().is_signed_by(first.ca_certificate.as_ref().unwrap())
    );
}

#[test]
fn what_the_pods_have_stands_while_a_store_does_not_answer() {
    let control_plane = control_plane(json!({}));
    let first =
        certificate_secret(&control_plane, &store(Driver::Etcd), &[], None, renewal(now())).unwrap().unwrap();
    let mut asked = first.clone();
    let wish = ("certs.kamaji.clastix.io/rotate".to_owned(), String::new());
    asked.metadata.annotations.as_mut().unwrap().extend([wish]);
    let standing = standing_certificate_secret(&control_plane, &asked).unwrap();
    assert_eq!(standing, asked, "neither the contents nor the wish for new ones are lost");
    assert_eq!(standing_certificate_secret(&control_plane, &Secret::default()), None);
}
