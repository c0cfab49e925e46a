//! What is made can be read back, what others made is adopted, and what no longer serves is noticed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use pki::{
    CertificateAuthority, CertificatePlan, ClientIdentity, Error, KeyAlgorithm, Kubeconfig,
    KubeconfigContents, ONE_YEAR, Pair, PrivateKey, ServiceAccountPair, TEN_YEARS, inspect, pem_blocks,
};

const RSA_PKCS1: &str = include_str!("keys/rsa-pkcs1.pem");
const RSA_PKCS8: &str = include_str!("keys/rsa-pkcs8.pem");
const RSA_PUBLIC: &str = include_str!("keys/rsa-public.pem");
const RSA_CERTIFICATE: &str = include_str!("keys/rsa-ca.pem");
const EC_SEC1: &str = include_str!("keys/ec-sec1.pem");
const EC_PUBLIC: &str = include_str!("keys/ec-public.pem");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-03-01T12:00:00Z")
}

fn authority() -> CertificateAuthority {
    CertificateAuthority::generate("kubernetes", TEN_YEARS, now()).unwrap()
}

#[test]
fn a_client_certificate_says_who_and_in_which_group() {
    let ca = authority();
    let pair = CertificatePlan::client("kubernetes-admin", ["a"]).issue(&ca, now()).unwrap();
    let found = inspect(&pair.certificate).unwrap();
    assert_eq!(found.common_name, "kubernetes-admin");
    assert_eq!(found.organizations, ["a".to_owned()].into());
    assert!(found.is_signed_by(&ca.pair().certificate));
    assert!(pair.is_consistent());
    assert_eq!(found.not_after, now().checked_add(ONE_YEAR).unwrap());
}

#[test]
fn a_client_certificate_can_name_several_groups_whatever_the_kind_of_its_authority() {
    let groups = ["system:masters", "developers", "größe"];
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa2048] {
        let ca = CertificateAuthority::generate_with(algorithm, "kubernetes", TEN_YEARS, now()).unwrap();
        let pair = CertificatePlan::client("robot", groups).issue(&ca, now()).unwrap();
        let found = inspect(&pair.certificate).unwrap();
        assert_eq!(found.common_name, "robot");
        assert_eq!(found.organizations, groups.map(str::to_owned).into());
        assert!(found.is_signed_by(&ca.pair().certificate), "{algorithm:?}");
        assert!(pair.is_consistent());
        assert_eq!(found.not_after, now().checked_add(ONE_YEAR).unwrap());
    }
}

#[test]
fn a_server_certificate_holds_its_names_and_addresses() {
    let names = vec!["*.example.com".to_owned(), "localhost".to_owned()];
    let addresses: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()];
    let plan = CertificatePlan::server("server", names.clone(), addresses.clone());
    let found = inspect(&plan.issue(&authority(), now()).unwrap().certificate).unwrap();
    assert_eq!(found.dns_names, names.into_iter().collect());
    assert_eq!(found.ip_addresses, addresses.into_iter().collect());
}

#[test]
fn a_name_that_is_not_ascii_is_an_error_and_no_panic() {
    let plan = CertificatePlan::server("server", vec!["bücher.example".to_owned()], Vec::new());
    assert!(matches!(plan.issue(&authority(), now()), Err(Error::Make { .. })));
}

#[test]
fn another_authority_of_the_same_name_did_not_sign_it() {
    let pair = CertificatePlan::client("x", ["y"]).issue(&authority(), now()).unwrap();
    assert!(!inspect(&pair.certificate).unwrap().is_signed_by(&authority().pair().certificate));
}

#[test]
fn who_trusts_only_the_old_authority_is_led_to_what_its_successor_signed() {
    let nobody: [&str; 0] = [];
    let rsa = CertificateAuthority::generate_with(KeyAlgorithm::Rsa2048, "kubernetes", TEN_YEARS, now());
    for old in [authority(), rsa.unwrap()] {
        let new =
            CertificateAuthority::generate("kubernetes", TEN_YEARS, at("2027-01-01T00:00:00Z")).unwrap();
        let leaf = CertificatePlan::client("someone", nobody).issue(&new, now()).unwrap();
        let link = old.vouch_for(&new).unwrap();
        assert!(inspect(&leaf.certificate).unwrap().is_signed_by(&link));
        assert!(inspect(&link).unwrap().is_signed_by(&old.pair().certificate));
        let [old, new] = [old, new].map(|ca| inspect(&ca.pair().certificate).unwrap());
        let link = inspect(&link).unwrap();
        assert_eq!((link.not_before, link.not_after), (new.not_before, old.not_after));
    }
}

#[test]
fn a_bundle_falls_into_its_certificates_and_nothing_else() {
    let (one, two) = (authority(), authority());
    let (one, two) = (&one.pair().certificate, &two.pair().certificate);
    let text = format!("# a comment\n{one}\n{}", two.trim_end());
    assert_eq!(pem_blocks(&text), [one.clone(), two.clone()]);
    assert_eq!(pem_blocks("nonsense"), Vec::<String>::new());
}

#[test]
fn a_certificate_is_due_at_the_margin_after_its_end_and_before_its_start() {
    let ca = authority();
    let found = inspect(&CertificatePlan::client("x", ["y"]).issue(&ca, now()).unwrap().certificate).unwrap();
    let margin = SignedDuration::from_hours(24);
    let cases = [
        ("fresh", "2026-03-01T12:00:00Z", false),
        ("a moment before the margin", "2027-02-28T11:59:59Z", false),
        ("at the margin", "2027-02-28T12:00:00Z", true),
        ("ended", "2028-01-01T00:00:00Z", true),
        ("a clock that is a little behind", "2026-03-01T11:56:00Z", false),
        ("not begun", "2026-02-28T00:00:00Z", true),
    ];
    for (name, moment, expected) in cases {
        assert_eq!(found.is_due(at(moment), margin), expected, "{name}");
    }
}

#[test]
fn an_authority_that_was_read_back_signs_as_before() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa2048] {
        let made = CertificateAuthority::generate_with(algorithm, "kubernetes", TEN_YEARS, now()).unwrap();
        let read = CertificateAuthority::from_pair(made.pair().clone()).unwrap();
        assert_eq!(read.algorithm(), algorithm);
        let pair = CertificatePlan::client("x", ["y"]).issue(&read, now()).unwrap();
        assert!(inspect(&pair.certificate).unwrap().is_signed_by(&made.pair().certificate), "{algorithm:?}");
    }
}

#[test]
fn an_rsa_authority_of_openssl_or_kubeadm_is_adopted() {
    for key in [RSA_PKCS1, RSA_PKCS8] {
        let pair = Pair { certificate: RSA_CERTIFICATE.to_owned(), private_key: PrivateKey::from_pem(key) };
        assert!(pair.is_consistent());
        let ca = CertificateAuthority::from_pair(pair).unwrap();
        assert_eq!(ca.algorithm(), KeyAlgorithm::Rsa2048);
        let leaf = CertificatePlan::client("x", ["y"]).issue(&ca, now()).unwrap();
        assert!(inspect(&leaf.certificate).unwrap().is_signed_by(RSA_CERTIFICATE));
    }
}

#[test]
fn keys_for_tokens_of_every_form_are_recognised() {
    let cases =
        [("PKCS#1", RSA_PKCS1, RSA_PUBLIC), ("PKCS#8", RSA_PKCS8, RSA_PUBLIC), ("SEC1", EC_SEC1, EC_PUBLIC)];
    for (name, private_key, public_key) in cases {
        let pair = |public_key: &str| ServiceAccountPair {
            public_key: public_key.to_owned(),
            private_key: PrivateKey::from_pem(private_key),
        };
        assert!(pair(public_key).is_consistent(), "{name}");
        let other = if public_key == EC_PUBLIC { RSA_PUBLIC } else { EC_PUBLIC };
        assert!(!pair(other).is_consistent(), "{name} with the key of another");
        assert!(!pair("nonsense").is_consistent(), "{name} with nonsense");
    }
    assert!(ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap().is_consistent());
}

#[test]
fn a_key_of_another_certificate_is_noticed() {
    let ca = authority();
    let plan = CertificatePlan::client("x", ["y"]);
    let (one, two) = (plan.issue(&ca, now()).unwrap(), plan.issue(&ca, now()).unwrap());
    assert!(!Pair { private_key: two.private_key, ..one }.is_consistent());
}

#[test]
fn text_that_is_no_pem_is_an_error_that_says_so() {
    assert!(inspect("nonsense").unwrap_err().to_string().contains("no PEM block"));
    let pair = Pair { private_key: PrivateKey::from_pem("nonsense"), ..authority().pair().clone() };
    let error = CertificateAuthority::from_pair(pair).unwrap_err();
    assert!(error.to_string().contains("PKCS#8, PKCS#1 or SEC1"), "{error}");
}

#[test]
fn a_private_key_shows_nothing_of_itself_in_debug_output() {
    let text = format!("{:?}", authority().pair());
    assert!(!text.contains("PRIVATE KEY"), "{text}");
}

#[test]
fn a_kubeconfig_is_read_as_it_was_made() {
    let ca = authority();
    let pair = CertificatePlan::client("kubernetes-admin", ["y"]).issue(&ca, now()).unwrap();
    let authority = &ca.pair().certificate;
    let kubeconfig =
        Kubeconfig { cluster: "blue", server: "https://[fd00::1]:6443", certificate_authority: authority };
    let text = kubeconfig.render(&ClientIdentity { user: "kubernetes-admin", pair: &pair });
    assert!(text.contains("\"current-context\": \"kubernetes-admin@blue\""), "{text}");
    let expected = KubeconfigContents {
        cluster: "blue".to_owned(),
        server: "https://[fd00::1]:6443".to_owned(),
        certificate_authority: authority.clone(),
        user: "kubernetes-admin".to_owned(),
        pair,
    };
    assert_eq!(KubeconfigContents::read(&text).unwrap(), expected);
}

#[test]
fn what_is_no_kubeconfig_is_an_error_that_says_what_is_missing() {
    let without_context = "clusters: []\ncontexts: []\nusers: []\ncurrent-context: x\n";
    for (text, words) in [("[]", ""), ("{}", "clusters"), (without_context, "current context")] {
        let error = KubeconfigContents::read(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}
