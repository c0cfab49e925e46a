//! Which control planes a generator selects, what its kubeconfigs say, and when they are made anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use api::{KubeconfigGenerator, TenantControlPlane};
use desired::Secrets;
use desired::generator::{
    Fault, Generated, Parts, Selection, faulty_status, identity, is_made_by, kubeconfig, secret_name, status,
};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use pki::{KubeconfigContents, inspect};
use serde_json::{Value, json};
use support::{at, by_name, control_plane, issue, now, object, renewal, text};

fn generator(spec: &Value) -> KubeconfigGenerator {
    let body = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "KubeconfigGenerator",
        "metadata": {"name": "team", "generation": 4}, "spec": spec,
    });
    serde_json::from_value(body).unwrap()
}

fn developers() -> KubeconfigGenerator {
    generator(&json!({
        "groups": [{"stringValue": "developers"}, {"fromDefinition": "metadata.namespace"}],
        "user": {"fromDefinition": "metadata.name"},
    }))
}

fn tenant() -> TenantControlPlane {
    object(json!({"metadata": {"labels": {"tier": "gold"}}}))
}

fn credentials() -> Secrets {
    by_name(issue(&control_plane(json!({})), &Secrets::new(), now()).secrets())
}

fn make(
    generator: &KubeconfigGenerator,
    secrets: &Secrets,
    existing: Option<&Secret>,
    now: Timestamp,
) -> Result<Generated, Fault> {
    let tenant = tenant();
    let parts = Parts {
        admin: secrets.get("blue-admin-kubeconfig").map(AsRef::as_ref),
        authority: secrets.get("blue-ca").map(AsRef::as_ref),
        existing,
    };
    kubeconfig(generator, &tenant, &identity(generator, &tenant)?, parts, renewal(now))
}

fn contents(secret: &Secret) -> KubeconfigContents {
    KubeconfigContents::read(&text(secret, "value")).unwrap()
}

#[test]
fn a_kubeconfig_leads_where_the_administrators_does_and_names_user_and_groups() {
    let secrets = credentials();
    let made = make(&developers(), &secrets, None, now()).unwrap();
    let metadata = &made.secret.metadata;
    assert_eq!(
        (metadata.name.as_deref(), metadata.namespace.as_deref()),
        (Some("blue-team"), Some("tenants"))
    );
    let labels = metadata.labels.as_ref().unwrap();
    assert_eq!(labels["kamaji.clastix.io/managed-by"], "team");
    assert_eq!(labels["kamaji.clastix.io/managed-for"], "blue");
    assert_eq!(labels["kamaji.clastix.io/certificate_lifecycle_controller"], "kubeconfig");
    assert_eq!(metadata.owner_references.as_ref().unwrap()[0].uid, "uid-blue");

    let found = contents(&made.secret);
    let admin = KubeconfigContents::read(&text(&secrets["blue-admin-kubeconfig"], "admin.svc")).unwrap();
    assert_eq!((&found.cluster, &found.server), (&admin.cluster, &admin.server));
    assert_eq!(found.certificate_authority, admin.certificate_authority);
    assert_eq!(found.user, "team");
    assert!(text(&made.secret, "value").contains(r#""current-context": "team""#));
    let said = inspect(&found.pair.certificate).unwrap();
    assert_eq!(said.common_name, "blue");
    assert_eq!(said.organizations, ["developers".to_owned(), "tenants".to_owned()].into());
    assert!(said.is_signed_by(&text(&secrets["blue-ca"], "ca.crt")));
}

#[test]
fn another_key_of_the_administrators_secret_can_be_followed() {
    let spec = json!({"user": {"stringValue": "x"}, "controlPlaneEndpointFrom": "admin.conf"});
    let made = make(&generator(&spec), &credentials(), None, now()).unwrap();
    assert_eq!(contents(&made.secret).server, "https://10.0.0.7:6443");
    let spec = json!({"user": {"stringValue": "x"}, "controlPlaneEndpointFrom": "nobody.conf"});
    let fault = make(&generator(&spec), &credentials(), None, now()).unwrap_err().to_string();
    assert!(fault.contains("nobody.conf") && fault.contains("super-admin.svc"), "{fault}");
}

#[test]
fn what_serves_is_kept_byte_for_byte() {
    let secrets = credentials();
    let first = make(&developers(), &secrets, None, now()).unwrap();
    let again = make(&developers(), &secrets, Some(&first.secret), at("2026-06-01T00:00:00Z")).unwrap();
    assert_eq!(again.secret, first.secret);
}

#[test]
fn a_kubeconfig_is_made_anew_when_it_says_something_else_ends_or_is_to_be_rotated() {
    let secrets = credentials();
    let first = make(&developers(), &secrets, None, now()).unwrap();
    let anew = |generator: &KubeconfigGenerator, secrets: &Secrets, existing: &Secret, now| {
        contents(&make(generator, secrets, Some(existing), now).unwrap().secret).pair
            != contents(&first.secret).pair
    };
    let user = generator(&json!({"user": {"stringValue": "other"}}));
    assert!(anew(&user, &secrets, &first.secret, now()), "another user");
    let fewer = generator(&json!({
        "groups": [{"stringValue": "developers"}], "user": {"fromDefinition": "metadata.name"},
    }));
    assert!(anew(&fewer, &secrets, &first.secret, now()), "a group less");
    assert!(anew(&developers(), &credentials(), &first.secret, now()), "another authority");
    assert_eq!(first.renew_at, at("2027-02-28T12:00:00Z"));
    assert!(anew(&developers(), &secrets, &first.secret, first.renew_at), "a day before its end");

    let mut asked = first.secret.clone();
    let annotations = asked.metadata.annotations.get_or_insert_default();
    annotations.insert("certs.kamaji.clastix.io/rotate".to_owned(), String::new());
    let rotated = make(&developers(), &secrets, Some(&asked), now()).unwrap();
    assert_ne!(contents(&rotated.secret).pair, contents(&first.secret).pair);
    let mark = &rotated.secret.metadata.annotations.as_ref().unwrap()["certs.kamaji.clastix.io/rotate"];
    assert_eq!(mark, "2026-03-01T12:00:00Z");
    let kept = make(&developers(), &secrets, Some(&rotated.secret), at("2026-03-02T00:00:00Z")).unwrap();
    assert_eq!(kept.secret, rotated.secret);
}

#[test]
fn a_new_address_keeps_the_certificate() {
    let secrets = credentials();
    let first = make(&developers(), &secrets, None, now()).unwrap();
    let spec = json!({
        "groups": [{"stringValue": "developers"}, {"fromDefinition": "metadata.namespace"}],
        "user": {"fromDefinition": "metadata.name"}, "controlPlaneEndpointFrom": "admin.conf",
    });
    let moved = make(&generator(&spec), &secrets, Some(&first.secret), now()).unwrap();
    assert_eq!(contents(&moved.secret).pair, contents(&first.secret).pair);
    assert_ne!(contents(&moved.secret).server, contents(&first.secret).server);
}

#[test]
fn no_generator_overwrites_a_secret_that_is_not_its_own() {
    let mut named = developers();
    named.metadata.name = Some("ca".to_owned());
    let fault = make(&named, &credentials(), None, now()).unwrap_err();
    assert!(matches!(&fault, Fault::Taken { name } if name == "blue-ca"), "{fault}");

    let foreign = Secret::default();
    let fault = make(&developers(), &credentials(), Some(&foreign), now()).unwrap_err();
    assert!(fault.to_string().contains("rename the KubeconfigGenerator"), "{fault}");

    let own = make(&developers(), &credentials(), None, now()).unwrap().secret;
    assert!(is_made_by(&own, "team", "blue"));
    assert!(!is_made_by(&own, "m", "blue-tea"), "{} has the same name", secret_name("m", "blue-tea"));
}

#[test]
fn an_identity_that_leads_nowhere_is_told_with_its_path() {
    let cases = [
        (json!({"user": {"fromDefinition": "metadata.nothing"}}), "spec.user.fromDefinition", "nothing"),
        (json!({"user": {"fromDefinition": "metadata.labels"}}), "spec.user.fromDefinition", "no text"),
        (
            json!({"user": {"stringValue": "x"}, "groups": [{"stringValue": "a"}, {}]}),
            "spec.groups[1]",
            "stringValue",
        ),
    ];
    for (spec, path, words) in cases {
        let fault = identity(&generator(&spec), &tenant()).unwrap_err().to_string();
        assert!(fault.contains(path) && fault.contains(words), "{fault}");
    }
    let label = generator(&json!({"user": {"fromDefinition": "metadata.labels.tier"}}));
    assert_eq!(identity(&label, &tenant()).unwrap().user, "gold");
}

#[test]
fn without_credentials_the_next_step_is_told() {
    let fault = make(&developers(), &Secrets::new(), None, now()).unwrap_err().to_string();
    assert!(fault.contains("conditions of the TenantControlPlane"), "{fault}");
}

#[test]
fn selectors_choose_by_labels_of_the_control_plane_and_its_namespace() {
    let labels = BTreeMap::from([("environment".to_owned(), "production".to_owned())]);
    let selects = |spec: Value| {
        let mut whole = json!({"user": {"stringValue": "x"}});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        Selection::of(&generator(&whole)).unwrap().selects(&tenant(), Some(&labels))
    };
    assert!(selects(json!({})), "none selects all");
    assert!(selects(json!({"namespaceSelector": {}, "tenantControlPlaneSelector": {}})), "empty selects all");
    assert!(selects(json!({"namespaceSelector": {"matchLabels": {"environment": "production"}}})));
    assert!(!selects(json!({"namespaceSelector": {"matchLabels": {"environment": "test"}}})));
    assert!(!selects(json!({"tenantControlPlaneSelector": {
        "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["gold"]}],
    }})));

    let mut leaving = tenant();
    leaving.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now()));
    assert!(!Selection::of(&developers()).unwrap().selects(&leaving, None));
}

#[test]
fn a_malformed_selector_is_told_and_changes_no_count() {
    let mut faulty = generator(&json!({
        "user": {"stringValue": "x"},
        "tenantControlPlaneSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]},
    }));
    faulty.status = Some(status(Some(3), &[("a/b".to_owned(), Ok(()))]));
    let fault = Selection::of(&faulty).unwrap_err();
    let said = faulty_status(&faulty, &fault);
    assert_eq!((said.resources, said.available_resources, said.observed_generation), (1, 1, Some(4)));
    assert!(said.errors[0].message.contains("spec.tenantControlPlaneSelector"), "{}", said.errors[0].message);
}

#[test]
fn the_status_counts_what_is_selected_and_what_is_there() {
    let outcomes = [("a/b".to_owned(), Ok(())), ("a/c".to_owned(), Err("no".to_owned()))];
    let said = status(Some(2), &outcomes);
    assert_eq!((said.resources, said.available_resources, said.observed_generation), (2, 1, Some(2)));
    assert_eq!((said.errors[0].resource.as_str(), said.errors[0].message.as_str()), ("a/c", "no"));
}
