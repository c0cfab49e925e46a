//! Which requests of nodes are granted: hostile ones among them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use api::{JoinToken, JoinTokenSpec, JoinTokenStatus};
use desired::joining::{
    Asked, JoinCase, ServingCase, Verdict, asked, counted, found_no_room, judge_join, judge_serving, outcome,
};
use jiff::Timestamp;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pki::{CertificateAuthority, Inspection, inspect};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose, SanType};
use serde_json::{Value, json};

const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING: &str = "kubernetes.io/kubelet-serving";
const JOINERS: &str = "system:bootstrappers:flotilla:join";

fn at(text: &str) -> Timestamp {
    format!("2026-01-01T{text}Z").parse().unwrap()
}

fn params(organizations: &[&str], common_name: &str, names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (index, organization) in organizations.iter().enumerate() {
        // The library keeps one part of each kind; under its number a second one passes.
        let second = DnType::CustomDnType(vec![2, 5, 4, 10]);
        let kind = if index == 0 { DnType::OrganizationName } else { second };
        params.distinguished_name.push(kind, *organization);
    }
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.subject_alt_names = names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        })
        .collect();
    params
}

fn csr(signer: &str, usages: &[&str], params: &CertificateParams) -> CertificateSigningRequest {
    let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    let mut csr = CertificateSigningRequest::default();
    csr.metadata.name = Some("csr-1".to_owned());
    csr.metadata.uid = Some("uid-1".to_owned());
    csr.metadata.resource_version = Some("7".to_owned());
    csr.metadata.creation_timestamp = Some(Time(at("00:10:00")));
    csr.spec.request.0 = request.into_bytes();
    signer.clone_into(&mut csr.spec.signer_name);
    csr.spec.usages = Some(usages.iter().map(|&usage| usage.to_owned()).collect());
    csr
}

fn joining() -> CertificateSigningRequest {
    csr(CLIENT, &["digital signature", "client auth"], &params(&["system:nodes"], "system:node:a", &[]))
}

fn token(max_uses: Option<i32>) -> JoinToken {
    let spec = JoinTokenSpec { ttl: "1h".to_owned(), max_uses, ..JoinTokenSpec::default() };
    let mut token = JoinToken::new("pool", spec);
    token.metadata.creation_timestamp = Some(Time(at("00:00:00")));
    token
}

fn node(name: &str, addresses: &[(&str, &str)], is_ready: bool) -> Node {
    let addresses: Vec<Value> =
        addresses.iter().map(|(kind, address)| json!({"type": kind, "address": address})).collect();
    let status = if is_ready { "True" } else { "Unknown" };
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "status": {"addresses": addresses, "conditions": [{"type": "Ready", "status": status}]},
    }))
    .unwrap()
}

/// `approve`, `wait` or the reason of a refusal.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Approve { .. } => "approve".to_owned(),
        Verdict::Wait => "wait".to_owned(),
        Verdict::Deny { reason, message } => {
            assert!(!message.is_empty());
            (*reason).to_owned()
        }
    }
}

fn judged(csr: &CertificateSigningRequest) -> String {
    word(&judge_join(JoinCase { csr, token: Some(&token(None)), node: None, now: at("00:10:00") }).1)
}

#[test]
fn only_undecided_requests_of_our_joiners_and_of_nodes_are_ours() {
    let made = |signer: &str, user: &str, groups: &[&str]| {
        let mut csr = joining();
        signer.clone_into(&mut csr.spec.signer_name);
        csr.spec.username = Some(user.to_owned());
        csr.spec.groups = Some(groups.iter().map(|&group| group.to_owned()).collect());
        csr
    };
    let ours = made(CLIENT, "system:bootstrap:abcdef", &["system:bootstrappers", JOINERS]);
    assert_eq!(asked(&ours), Some(Asked::Join { token_id: "abcdef".to_owned() }));
    let serving = made(SERVING, "system:node:a", &["system:nodes"]);
    assert_eq!(asked(&serving), Some(Asked::Serving { node: "a".to_owned() }));

    let kubeadms = "system:bootstrappers:kubeadm:default-node-token";
    for (signer, user, groups) in [
        (CLIENT, "system:bootstrap:abcdef", vec!["system:bootstrappers", kubeadms]),
        (CLIENT, "system:node:a", vec!["system:nodes"]),
        (CLIENT, "mallory", vec![JOINERS]),
        (SERVING, "system:bootstrap:abcdef", vec![JOINERS]),
        (SERVING, "mallory", vec!["system:nodes"]),
        (SERVING, "system:node:a", vec!["system:authenticated"]),
        ("kubernetes.io/kube-apiserver-client", "system:bootstrap:abcdef", vec![JOINERS]),
        ("example.com/own", "system:node:a", vec!["system:nodes"]),
    ] {
        assert_eq!(asked(&made(signer, user, &groups)), None, "{signer} {user} {groups:?}");
    }
    for kind in ["Approved", "Denied", "Failed"] {
        let mut decided = ours.clone();
        decided.status =
            serde_json::from_value(json!({"conditions": [{"type": kind, "status": "True"}]})).unwrap();
        assert_eq!(asked(&decided), None, "{kind}");
    }
}

#[test]
fn a_machine_joins_with_a_token_that_lasts() {
    let csr = joining();
    let (name, verdict) =
        judge_join(JoinCase { csr: &csr, token: Some(&token(Some(1))), node: None, now: at("00:10:00") });
    assert_eq!((name.as_deref(), word(&verdict).as_str()), (Some("a"), "approve"));
    let sent = outcome(&csr, &verdict, at("00:10:00")).unwrap();
    assert_eq!(sent["metadata"]["resourceVersion"], "7");
    assert_eq!(sent["status"]["conditions"][0]["type"], "Approved");
}

#[test]
fn who_found_no_room_is_told_from_who_was_refused_for_good() {
    let decided = |verdict: &Verdict| {
        let mut csr = joining();
        let sent = outcome(&csr, verdict, at("00:10:00")).unwrap();
        csr.status = serde_json::from_value(sent["status"].clone()).unwrap();
        csr
    };
    assert!(found_no_room(&decided(&Verdict::no_room("3 of 3".to_owned()))));
    let (_, verdict) = judge_join(JoinCase { csr: &joining(), token: None, node: None, now: at("00:20:00") });
    assert!(!found_no_room(&decided(&verdict)));
    assert!(!found_no_room(&joining()));
}

#[test]
fn hostile_requests_to_be_a_node_are_refused() {
    let usages = ["digital signature", "client auth"];
    let nodes = ["system:nodes"];
    let name = "system:node:a";
    let mut authority = params(&nodes, name, &[]);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let mut locality = params(&nodes, name, &[]);
    locality.distinguished_name.push(DnType::LocalityName, "x");
    let mut mail = params(&nodes, name, &[]);
    mail.subject_alt_names = vec![SanType::Rfc822Name("a@example.com".try_into().unwrap())];
    let long = format!("system:node:{}", "a".repeat(300));
    for (what, shape) in [
        ("an administrator", params(&["system:masters"], name, &[])),
        ("both groups", params(&["system:nodes", "system:masters"], name, &[])),
        ("twice the group", params(&["system:nodes", "system:nodes"], name, &[])),
        ("no group", params(&[], name, &[])),
        ("a user", params(&nodes, "kubernetes-admin", &[])),
        ("a controller", params(&nodes, "system:kube-controller-manager", &[])),
        ("an empty name", params(&nodes, "system:node:", &[])),
        ("a name in capitals", params(&nodes, "system:node:A", &[])),
        ("a name with a path", params(&nodes, "system:node:../b", &[])),
        ("a name with a line break", params(&nodes, "system:node:a\nb", &[])),
        ("a long name", params(&nodes, &long, &[])),
        ("a DNS name", params(&nodes, name, &["kubernetes"])),
        ("an address", params(&nodes, name, &["10.0.0.1"])),
        ("a mail address", mail),
        ("an authority", authority),
        ("more subject", locality),
    ] {
        assert_eq!(judged(&csr(CLIENT, &usages, &shape)), "MalformedRequest", "{what}");
    }
    let good = params(&nodes, name, &[]);
    for usages in [
        vec!["client auth"],
        vec!["digital signature", "server auth"],
        vec!["digital signature", "client auth", "server auth"],
        vec!["digital signature", "client auth", "cert sign"],
        vec![],
    ] {
        assert_eq!(judged(&csr(CLIENT, &usages, &good)), "MalformedRequest", "{usages:?}");
    }
    assert_eq!(
        judged(&csr(CLIENT, &["key encipherment", "client auth", "digital signature"], &good)),
        "approve"
    );
    let mut garbage = joining();
    for text in [&b""[..], b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
    {
        garbage.spec.request.0 = text.to_vec();
        assert_eq!(judged(&garbage), "MalformedRequest");
    }
    let twice = [joining().spec.request.0, joining().spec.request.0].concat();
    garbage.spec.request.0 = twice;
    assert_eq!(judged(&garbage), "MalformedRequest");
}

#[test]
fn a_token_that_ended_lets_nobody_in_but_whom_it_counted() {
    let csr = joining();
    let judge = |token: Option<&JoinToken>, now: &str| {
        word(&judge_join(JoinCase { csr: &csr, token, node: None, now: at(now) }).1)
    };
    assert_eq!(judge(Some(&token(None)), "01:00:00"), "JoinTokenExpired");
    assert_eq!(judge(None, "00:10:05"), "wait");
    assert_eq!(judge(None, "00:10:10"), "JoinTokenUnknown");
    let mut deleted = token(None);
    deleted.metadata.deletion_timestamp = Some(Time(at("00:09:00")));
    assert_eq!(judge(Some(&deleted), "00:10:00"), "JoinTokenUnknown");

    let mut used = token(Some(1));
    used.status = Some(counted(&JoinTokenStatus::default(), "b", "csr-1", "another", at("00:09:00")));
    assert_eq!(judge(Some(&used), "00:10:00"), "JoinTokenUsedUp");
    used.status = Some(counted(&JoinTokenStatus::default(), "a", "csr-1", "uid-1", at("00:09:00")));
    assert_eq!(judge(Some(&used), "00:10:00"), "approve", "it was counted and not yet approved");
}

#[test]
fn the_name_of_a_node_that_is_ready_is_taken() {
    let (csr, token) = (joining(), token(None));
    let judge = |node: &Node| {
        word(
            &judge_join(JoinCase { csr: &csr, token: Some(&token), node: Some(node), now: at("00:10:00") }).1,
        )
    };
    assert_eq!(judge(&node("a", &[], true)), "NodeNameTaken");
    assert_eq!(judge(&node("a", &[], false)), "approve");
}

fn api_server() -> Inspection {
    let ca = CertificateAuthority::generate("a", pki::ONE_YEAR, at("00:00:00")).unwrap();
    let mut params = params(&[], "kube-apiserver", &["kubernetes.default.svc", "10.0.0.100"]);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    let pair = ca.pair();
    let key = KeyPair::from_pem(pair.private_key.expose_pem()).unwrap();
    inspect(&params.self_signed(&key).unwrap().pem()).unwrap()
}

fn serving(names: &[&str]) -> CertificateSigningRequest {
    csr(SERVING, &["digital signature", "server auth"], &params(&["system:nodes"], "system:node:a", names))
}

fn judged_serving(csr: &CertificateSigningRequest, nodes: &[Node], now: &str) -> String {
    let api_server = api_server();
    word(&judge_serving(ServingCase { csr, requester: "a", nodes, api_server: &api_server, now: at(now) }))
}

fn nodes() -> Vec<Node> {
    let own = [
        ("Hostname", "a"),
        ("InternalIP", "10.0.0.1"),
        ("InternalIP", "fd00::1"),
        ("ExternalDNS", "a.example"),
    ];
    vec![node("a", &own, true), node("b", &[("Hostname", "b"), ("InternalIP", "10.0.0.2")], false)]
}

#[test]
fn a_node_serves_under_its_own_names_and_addresses() {
    for names in [&["a", "10.0.0.1"][..], &["10.0.0.1", "fd00::1", "a.example"], &["A"]] {
        assert_eq!(judged_serving(&serving(names), &nodes(), "00:20:00"), "approve", "{names:?}");
    }
}

#[test]
fn hostile_requests_to_serve_are_refused() {
    for (names, expected) in [
        (&[][..], "MalformedRequest"),
        (&["b"][..], "AddressOfAnotherNode"),
        (&["10.0.0.1", "10.0.0.2"][..], "AddressOfAnotherNode"),
        (&["kubernetes.default.svc"][..], "AddressOfControlPlane"),
        (&["10.0.0.100"][..], "AddressOfControlPlane"),
        (&["example.com"][..], "AddressNotOfNode"),
        (&["*.example"][..], "AddressNotOfNode"),
        (&["a", "10.9.9.9"][..], "AddressNotOfNode"),
    ] {
        assert_eq!(judged_serving(&serving(names), &nodes(), "00:20:00"), expected, "{names:?}");
    }
    // A node that claims the API server's address in its own status.
    let liar = [node("a", &[("InternalIP", "10.0.0.100")], true)];
    assert_eq!(judged_serving(&serving(&["10.0.0.100"]), &liar, "00:20:00"), "AddressOfControlPlane");
    let shape = params(&["system:nodes"], "system:node:b", &["10.0.0.2"]);
    let other = csr(SERVING, &["digital signature", "server auth"], &shape);
    assert_eq!(judged_serving(&other, &nodes(), "00:20:00"), "MalformedRequest");
    let masters = params(&["system:masters"], "system:node:a", &["10.0.0.1"]);
    let masters = csr(SERVING, &["digital signature", "server auth"], &masters);
    assert_eq!(judged_serving(&masters, &nodes(), "00:20:00"), "MalformedRequest");
    let good = params(&["system:nodes"], "system:node:a", &["10.0.0.1"]);
    let client = csr(SERVING, &["digital signature", "server auth", "client auth"], &good);
    assert_eq!(judged_serving(&client, &nodes(), "00:20:00"), "MalformedRequest");
}

#[test]
fn a_node_that_has_not_said_its_addresses_yet_is_waited_for_a_while() {
    let early = [node("a", &[], false)];
    assert_eq!(judged_serving(&serving(&["10.0.0.1"]), &early, "00:10:29"), "wait");
    assert_eq!(judged_serving(&serving(&["10.0.0.1"]), &[], "00:10:29"), "wait");
    assert_eq!(judged_serving(&serving(&["10.0.0.1"]), &early, "00:10:30"), "AddressNotOfNode");
    assert_eq!(outcome(&serving(&["10.0.0.1"]), &Verdict::Wait, at("00:10:00")), None);
}
