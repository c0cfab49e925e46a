//! Authorities and token keys hand over to their successors, and nobody loses trust on the way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use api::names::Component;
use desired::{Checksums, Credentials, Secrets, Validated, checksum, credentials};
use pki::{KubeconfigContents, inspect, pem_blocks};
use serde_json::json;
use support::{at, by_name, control_plane, endpoint, issue, now, renewal, text};

const ROTATE: &str = "certs.kamaji.clastix.io/rotate";
const RETIRE: &str = "flotilla.dev/retire-previous";
const LATER: &str = "2026-06-01T00:00:00Z";

/// A pass in which all pods have read `existing`.
fn spread_pass(control_plane: &Validated, existing: &Secrets) -> Credentials {
    let rotated = [
        (Component::Ca, "blue-ca"),
        (Component::FrontProxyCa, "blue-front-proxy-ca-certificate"),
        (Component::ServiceAccount, "blue-sa-certificate"),
    ];
    let spread: Checksums = rotated
        .into_iter()
        .map(|(component, name)| (component, checksum(existing[name].data.as_ref().unwrap())))
        .collect();
    credentials(control_plane, &endpoint(), existing, renewal(at(LATER)), &spread).unwrap()
}

fn annotate(secrets: &mut Secrets, name: &str, key: &str) {
    let secret = Arc::make_mut(secrets.get_mut(name).unwrap());
    secret.metadata.annotations.get_or_insert_default().insert(key.to_owned(), String::new());
}

/// Names of the Secrets whose data differ.
fn changed(before: &Secrets, after: &Secrets) -> Vec<String> {
    before
        .iter()
        .filter(|(name, secret)| after[*name].data != secret.data)
        .map(|(name, _)| name.clone())
        .collect()
}

fn asked(control_plane: &Validated, name: &str) -> (Secrets, Secrets) {
    let first = by_name(issue(control_plane, &Secrets::new(), now()).secrets());
    let mut existing = first.clone();
    annotate(&mut existing, name, ROTATE);
    let asked = issue(control_plane, &existing, at(LATER));
    (first, by_name(asked.secrets()))
}

#[test]
fn at_first_the_successor_is_only_made_known() {
    let control_plane = control_plane(json!({}));
    let (first, asked) = asked(&control_plane, "blue-ca");
    let (old, new) = (text(&first["blue-ca"], "ca.crt"), text(&asked["blue-ca"], "next.crt"));
    for key in ["ca.crt", "tls.crt"] {
        assert_eq!(text(&asked["blue-ca"], key), old, "{key}");
    }
    assert_eq!(text(&asked["blue-ca"], "bundle.crt"), format!("{old}{new}"));
    assert_eq!(
        changed(&first, &asked),
        [
            "blue-admin-kubeconfig",
            "blue-ca",
            "blue-controller-manager-kubeconfig",
            "blue-scheduler-kubeconfig"
        ],
        "kubeconfigs trust both, certificates stay"
    );
    let before = KubeconfigContents::read(&text(&first["blue-admin-kubeconfig"], "admin.conf")).unwrap();
    let after = KubeconfigContents::read(&text(&asked["blue-admin-kubeconfig"], "admin.conf")).unwrap();
    assert_eq!(after.pair, before.pair);
    assert_eq!(after.certificate_authority, format!("{old}{new}"));

    let again = issue(&control_plane, &asked, at("2026-06-02T00:00:00Z"));
    assert_eq!(by_name(again.secrets()), asked, "it waits for the pods and writes nothing");
    assert!(again.issued().rotates_authority);
    assert!(again.bundles().contains(&Component::Ca));
}

#[test]
fn once_all_pods_trust_it_the_successor_signs_and_those_who_know_only_the_old_one_go_on() {
    let control_plane = control_plane(json!({}));
    let (first, asked) = asked(&control_plane, "blue-ca");
    let switched = spread_pass(&control_plane, &asked);
    assert!(switched.issued().rotates_authority);
    let secrets = by_name(switched.secrets());
    let (old, new) = (text(&first["blue-ca"], "ca.crt"), text(&secrets["blue-ca"], "ca.crt"));
    assert_eq!(new, text(&asked["blue-ca"], "next.crt"));
    assert_eq!(text(&secrets["blue-ca"], "ca.key"), text(&asked["blue-ca"], "next.key"));
    assert_eq!(text(&secrets["blue-ca"], "tls.crt"), new);
    assert_eq!(text(&secrets["blue-ca"], "bundle.crt"), text(&asked["blue-ca"], "bundle.crt"));
    assert!(!secrets["blue-ca"].data.as_ref().unwrap().contains_key("next.key"));

    for (secret, key) in [
        ("blue-api-server-certificate", "apiserver.crt"),
        ("blue-api-server-kubelet-client-certificate", "apiserver-kubelet-client.crt"),
    ] {
        let presented = pem_blocks(&text(&secrets[secret], key));
        let [leaf, link] = presented.as_slice() else { unreachable!("{}", presented.len()) };
        assert!(inspect(leaf).unwrap().is_signed_by(&new), "{key}");
        assert!(inspect(leaf).unwrap().is_signed_by(link), "{key}");
        assert!(inspect(link).unwrap().is_signed_by(&old), "{key}");
    }
    let admin = KubeconfigContents::read(&text(&secrets["blue-admin-kubeconfig"], "admin.conf")).unwrap();
    assert!(inspect(&admin.pair.certificate).unwrap().is_signed_by(&new));
    assert_eq!(admin.certificate_authority, format!("{old}{new}"));

    let again = spread_pass(&control_plane, &secrets);
    assert_eq!(by_name(again.secrets()), secrets);
    assert!(!again.issued().rotates_authority);
    assert!(again.issued().trusts_previous);
}

#[test]
fn a_retired_authority_is_trusted_by_nobody_and_not_before_all_pods_know_its_successor() {
    let control_plane = control_plane(json!({}));
    let (_, mut asked) = asked(&control_plane, "blue-ca");
    annotate(&mut asked, "blue-ca", RETIRE);
    let waiting = issue(&control_plane, &asked, at(LATER));
    assert!(waiting.bundles().contains(&Component::Ca));
    let mut existing = by_name(waiting.secrets());
    assert!(!existing["blue-ca"].metadata.annotations.as_ref().unwrap().contains_key(RETIRE));
    // What we do not write stays as its owner wrote it.
    annotate(&mut existing, "blue-ca", RETIRE);
    let mut switched = by_name(spread_pass(&control_plane, &existing).secrets());
    annotate(&mut switched, "blue-ca", RETIRE);
    let early = issue(&control_plane, &switched, at(LATER));
    assert!(early.bundles().contains(&Component::Ca), "pods may still sign in by what the old one signed");

    let retired = spread_pass(&control_plane, &switched);
    assert!(!retired.bundles().contains(&Component::Ca));
    assert!(!retired.issued().trusts_previous);
    let secrets = by_name(retired.secrets());
    let data = secrets["blue-ca"].data.as_ref().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["ca.crt", "ca.key", "tls.crt", "tls.key"]);
    assert_eq!(secrets["blue-ca"].metadata.annotations.as_ref().unwrap()[RETIRE], LATER);
    assert_eq!(pem_blocks(&text(&secrets["blue-api-server-certificate"], "apiserver.crt")).len(), 1);
    let admin = KubeconfigContents::read(&text(&secrets["blue-admin-kubeconfig"], "admin.conf")).unwrap();
    assert_eq!(admin.certificate_authority, text(&secrets["blue-ca"], "ca.crt"));
    assert_eq!(
        changed(&switched, &secrets),
        [
            "blue-admin-kubeconfig",
            "blue-api-server-certificate",
            "blue-api-server-kubelet-client-certificate",
            "blue-ca",
            "blue-controller-manager-kubeconfig",
            "blue-scheduler-kubeconfig"
        ]
    );
}

#[test]
fn a_second_rotation_leads_back_to_the_first_authority() {
    let control_plane = control_plane(json!({}));
    let (first, asked) = asked(&control_plane, "blue-ca");
    let mut second = by_name(spread_pass(&control_plane, &asked).secrets());
    let settled = by_name(spread_pass(&control_plane, &second).secrets());
    second.clone_from(&settled);
    annotate(&mut second, "blue-ca", ROTATE);
    let asked = by_name(issue(&control_plane, &second, at(LATER)).secrets());
    let switched = by_name(spread_pass(&control_plane, &asked).secrets());
    assert_eq!(pem_blocks(&text(&switched["blue-ca"], "bundle.crt")).len(), 3);
    let presented = pem_blocks(&text(&switched["blue-api-server-certificate"], "apiserver.crt"));
    assert_eq!(presented.len(), 3);
    for pair in presented.windows(2) {
        assert!(inspect(&pair[0]).unwrap().is_signed_by(&pair[1]));
    }
    assert!(inspect(&presented[2]).unwrap().is_signed_by(&text(&first["blue-ca"], "ca.crt")));
}

#[test]
fn an_authority_is_rotated_a_month_before_its_end_and_forgotten_after_it() {
    let control_plane = control_plane(json!({}));
    let first = by_name(issue(&control_plane, &Secrets::new(), now()).secrets());
    let quiet = issue(&control_plane, &first, at("2036-01-20T00:00:00Z"));
    assert!(!quiet.issued().rotates_authority);
    let due = issue(&control_plane, &first, at("2036-02-10T00:00:00Z"));
    assert!(due.issued().rotates_authority);
    let known = by_name(due.secrets());
    // Nobody has read it, and the authority ends: what it signed serves no longer anyway.
    let ended = issue(&control_plane, &known, at("2036-02-26T13:00:00Z"));
    let secrets = by_name(ended.secrets());
    assert_eq!(text(&secrets["blue-ca"], "ca.crt"), text(&known["blue-ca"], "next.crt"));
    assert_eq!(pem_blocks(&text(&secrets["blue-ca"], "previous.crt")).len(), 1, "a day is left");
    let after = issue(&control_plane, &secrets, at("2036-03-02T12:00:00Z"));
    assert!(!after.bundles().contains(&Component::Ca));
}

#[test]
fn the_front_proxys_authority_is_rotated_alike_and_alone() {
    let control_plane = control_plane(json!({}));
    let (first, asked) = asked(&control_plane, "blue-front-proxy-ca-certificate");
    assert_eq!(changed(&first, &asked), ["blue-front-proxy-ca-certificate"]);
    let switched = by_name(spread_pass(&control_plane, &asked).secrets());
    assert_eq!(
        changed(&asked, &switched),
        ["blue-front-proxy-ca-certificate", "blue-front-proxy-client-certificate"]
    );
    let presented =
        pem_blocks(&text(&switched["blue-front-proxy-client-certificate"], "front-proxy-client.crt"));
    let old = text(&first["blue-front-proxy-ca-certificate"], "front-proxy-ca.crt");
    assert!(inspect(&presented[1]).unwrap().is_signed_by(&old));
}

#[test]
fn tokens_of_earlier_keys_stay_accepted_until_they_are_retired() {
    let control_plane = control_plane(json!({}));
    let name = "blue-sa-certificate";
    let (first, asked) = asked(&control_plane, name);
    assert_eq!(changed(&first, &asked), [name]);
    assert_eq!(text(&asked[name], "sa.key"), text(&first[name], "sa.key"), "it still signs");
    let accepted = pem_blocks(&text(&asked[name], "sa.pub"));
    assert_eq!(accepted.len(), 2);
    assert_eq!(by_name(issue(&control_plane, &asked, at(LATER)).secrets()), asked);

    let mut switched = by_name(spread_pass(&control_plane, &asked).secrets());
    assert_eq!(text(&switched[name], "sa.key"), text(&asked[name], "next.key"));
    assert_eq!(text(&switched[name], "sa.pub"), text(&asked[name], "sa.pub"));
    assert_eq!(by_name(spread_pass(&control_plane, &switched).secrets()), switched);

    annotate(&mut switched, name, RETIRE);
    let early = by_name(issue(&control_plane, &switched, at(LATER)).secrets());
    assert_eq!(pem_blocks(&text(&early[name], "sa.pub")).len(), 2, "pods may still sign by the old one");
    let retired = by_name(spread_pass(&control_plane, &switched).secrets());
    assert_eq!(text(&retired[name], "sa.pub"), accepted[1]);
    assert_eq!(by_name(spread_pass(&control_plane, &retired).secrets()), retired);
}

#[test]
fn konnectivity_signs_in_by_a_certificate_of_its_own_while_the_addon_is_on() {
    let on =
        control_plane(json!({"spec": {"addons": {"konnectivity": {}}, "networkProfile": {"port": 7443}}}));
    let made = issue(&on, &Secrets::new(), now());
    let secrets = by_name(made.secrets());
    let certificate = &secrets["blue-konnectivity-certificate"];
    assert_eq!(certificate.type_.as_deref(), Some("kubernetes.io/tls"));
    let contents =
        KubeconfigContents::read(&text(&secrets["blue-konnectivity-kubeconfig"], "konnectivity-server.conf"))
            .unwrap();
    assert_eq!(contents.server, "https://localhost:7443");
    assert_eq!(contents.user, "system:konnectivity-server");
    assert_eq!(contents.pair.certificate, text(certificate, "tls.crt"));
    assert!(inspect(&contents.pair.certificate).unwrap().is_signed_by(&text(&secrets["blue-ca"], "ca.crt")));
    assert_eq!(by_name(issue(&on, &secrets, at(LATER)).secrets()), secrets);

    // Neither goes stale when the authority hands over.
    let mut existing = secrets;
    annotate(&mut existing, "blue-ca", ROTATE);
    let asked = by_name(issue(&on, &existing, at(LATER)).secrets());
    let switched = by_name(spread_pass(&on, &asked).secrets());
    let contents = KubeconfigContents::read(&text(
        &switched["blue-konnectivity-kubeconfig"],
        "konnectivity-server.conf",
    ))
    .unwrap();
    assert!(inspect(&contents.pair.certificate).unwrap().is_signed_by(&text(&switched["blue-ca"], "ca.crt")));
    assert_eq!(contents.certificate_authority, text(&switched["blue-ca"], "bundle.crt"));

    let off = control_plane(json!({}));
    let stale = desired::stale_credentials(&off, &switched);
    assert_eq!(stale.len(), 2);
    assert!(desired::stale_credentials(&on, &switched).is_empty());
}
