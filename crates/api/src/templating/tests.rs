//! Tests of rendering and of what is found in templates.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use super::filling::{Filling, Piece, pieces};
use super::values::{Standing, Values};
use super::{choose, faults, render, update_faults};
use crate::{TemplateSpec, TemplateVersion};

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn template(value: Value) -> TemplateSpec {
    serde_json::from_value(value).unwrap()
}

/// A template with one version, to be changed by tests.
fn one(parameters: Value, control_plane: Value) -> TemplateSpec {
    let mut version = object(json!({ "version": "1" }));
    version.insert("parameters".to_owned(), parameters);
    version.insert("controlPlane".to_owned(), control_plane);
    template(json!({ "versions": [version] }))
}

fn sized() -> TemplateSpec {
    one(
        json!([
            { "name": "version", "type": "version", "default": "v1.36.3", "choices": ["v1.35.0", "1.36.3"] },
            { "name": "replicas", "type": "integer", "default": 2, "minimum": 1, "maximum": 3 },
            { "name": "reach", "type": "choice", "choices": ["LoadBalancer", "NodePort"], "default": "NodePort" },
            { "name": "zone", "type": "string", "required": true, "pattern": "[a-z]+(-[a-z]+)*" },
            { "name": "locked", "type": "boolean", "default": false },
            { "name": "store", "type": "string" },
        ]),
        json!({
            "kubernetes": { "version": "${version}" },
            "controlPlane": {
                "deployment": { "replicas": "${replicas}" },
                "service": { "serviceType": "${reach}" },
            },
            "networkProfile": { "certSANs": ["api.${zone}.example.com"], "clusterDomain": "cluster.local" },
            "writePermissions": { "blockDeletion": "${locked}" },
            "dataStore": "${store}",
        }),
    )
}

fn told(faults: &[crate::validation::Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

fn is_told(spec: &TemplateSpec, words: &[&str]) {
    let told = told(&faults(spec)).join("\n");
    assert!(words.iter().all(|word| told.contains(word)), "{words:?} in {told}");
}

#[test]
fn values_keep_their_type_and_what_is_left_out_is_not_there() {
    let spec = sized();
    assert_eq!(told(&faults(&spec)), [""; 0]);
    let said = object(json!({ "zone": "eu-west", "replicas": "3", "locked": "true", "version": "1.35.0" }));
    let rendered = render(&spec.versions[0], &said).unwrap().spec;
    assert_eq!(rendered.kubernetes.version, "v1.35.0");
    assert_eq!(rendered.control_plane.deployment.unwrap().replicas, Some(3));
    assert_eq!(rendered.control_plane.service.service_type.as_str(), "NodePort");
    assert_eq!(rendered.network_profile.unwrap().cert_sans, ["api.eu-west.example.com"]);
    assert!(rendered.write_permissions.unwrap().block_deletion);
    assert_eq!(rendered.data_store, None);
}

#[test]
fn all_parameters_that_are_wrong_are_told_at_once() {
    let said = json!({ "replicas": 9, "reach": "ClusterIP", "zone": "EU\n", "locked": 1, "version": "v1.34.0", "size": 1 });
    let wrong = render(&sized().versions[0], &object(said)).unwrap_err();
    assert_eq!(
        told(&wrong),
        [
            "parameters.size: `1` is said of no parameter of the template; there are: version, replicas, reach, zone, locked, store",
            "parameters.version: `v1.34.0` must be one of: v1.35.0, 1.36.3",
            "parameters.replicas: `9` must be a whole number from 1 to 3",
            "parameters.reach: `ClusterIP` must be one of: LoadBalancer, NodePort",
            "parameters.zone: `EU\n` must be a text of 0 to 4096 characters that matches `[a-z]+(-[a-z]+)*`",
            "parameters.locked: `1` must be true or false",
        ]
    );
    let missing = render(&sized().versions[0], &Map::new()).unwrap_err();
    assert!(told(&missing)[0].starts_with("parameters.zone: `null` must be said: a text"), "{missing:?}");
}

#[test]
fn a_pattern_is_for_the_whole_text_whatever_its_brackets() {
    let spec = |pattern: &str| {
        one(
            json!([{ "name": "a", "type": "string", "default": "ab", "pattern": pattern }]),
            json!({ "kubernetes": { "version": "v1.36.3" } }),
        )
    };
    for good in ["ab", "a|ab", "[a-z]{2}"] {
        assert_eq!(told(&faults(&spec(good))), [""; 0], "{good}");
    }
    for (bad, word) in [
        ("a", "matches `a`"),
        ("a)|(b", "regular expression"),
        ("(", "regular"),
        (".{99}{99}{99}", "regular"),
    ] {
        is_told(&spec(bad), &["spec.versions[1].parameters[a].", word]);
    }
}

#[test]
fn faults_of_parameters_are_told_by_their_path_when_a_template_is_written() {
    let usable = json!({ "kubernetes": { "version": "v1.36.3" } });
    let parameter = |parameter: Value| one(json!([parameter]), usable.clone());
    for (spec, words) in [
        (parameter(json!({ "name": "1", "type": "string" })), ["parameters[1].name", "begin with a letter"]),
        (
            parameter(json!({ "name": "n", "type": "integer", "default": 7, "maximum": 3 })),
            ["parameters[n].default: `7`", "up to 3"],
        ),
        (
            parameter(json!({ "name": "n", "type": "integer", "minimum": 4, "maximum": 3 })),
            ["parameters[n].minimum", "maximum"],
        ),
        (
            parameter(json!({ "name": "n", "type": "boolean", "choices": ["a"] })),
            ["parameters[n].choices", "choice and version only"],
        ),
        (
            parameter(json!({ "name": "n", "type": "choice" })),
            ["parameters[n].choices", "what can be chosen"],
        ),
        (
            parameter(json!({ "name": "n", "type": "choice", "choices": ["a", "a"] })),
            ["parameters[n].choices: `a`", "twice"],
        ),
        (
            parameter(json!({ "name": "n", "type": "version", "choices": ["v1.12.0"] })),
            ["parameters[n].choices: `v1.12.0`", "1.30 to 1.36"],
        ),
        (
            one(
                json!([{ "name": "a", "type": "string" }, { "name": "a", "type": "string" }]),
                usable.clone(),
            ),
            ["parameters[a]: `a`", "twice"],
        ),
    ] {
        is_told(&spec, &words);
    }
}

#[test]
fn faults_of_what_is_made_are_told_by_their_path_when_a_template_is_written() {
    let usable = json!({ "kubernetes": { "version": "v1.36.3" } });
    for (spec, words) in [
        (
            one(json!([]), json!({ "kubernetes": { "version": "${v}" } })),
            ["controlPlane.kubernetes.version: `${v}`", "no parameter"],
        ),
        (
            one(json!([]), json!({ "kubernetes": { "version": "v1.36.3" }, "dataStore": "${" })),
            ["controlPlane.dataStore", "`$${`"],
        ),
        (
            one(json!([]), json!({ "kubernetes": { "version": "v1.36.3" }, "${x}": 1 })),
            ["controlPlane.${x}", "name of a field"],
        ),
        (
            one(json!([]), json!({ "kubernetes": { "version": "v1.36.3" }, "datastore": "x" })),
            ["controlPlane.datastore: `\"x\"`", "no field"],
        ),
        (
            one(json!([]), json!({ "kubernetes": { "version": "v1.20.0" } })),
            ["controlPlane.kubernetes.version: `v1.20.0`", "not supported"],
        ),
        (one(json!([]), json!({})), ["controlPlane.kubernetes", "missing field `version`"]),
        (
            one(
                json!([{ "name": "v", "type": "string", "required": true }]),
                json!({ "kubernetes": { "version": "${v}" } }),
            ),
            ["missing field `version`", "tried without v"],
        ),
        (
            one(
                json!([{ "name": "reach", "type": "choice", "choices": ["NodePort", "Nodeport"], "default": "NodePort" }]),
                json!({ "kubernetes": { "version": "v1.36.3" }, "controlPlane": { "service": { "serviceType": "${reach}" } } }),
            ),
            ["controlPlane.controlPlane.service.serviceType: `\"Nodeport\"`", "if `reach` is Nodeport"],
        ),
        (
            one(
                json!([{ "name": "zone", "type": "string" }]),
                json!({ "kubernetes": { "version": "v1.36.3" }, "networkProfile": { "certSANs": ["${zone}.example.com"] } }),
            ),
            ["certSANs[0]: `${zone}.example.com`", "which may be left out"],
        ),
        (
            one(
                json!([]),
                json!({ "kubernetes": { "version": "v1.36.3" }, "addons": { "kubeProxy": null } }),
            ),
            ["controlPlane.addons.kubeProxy: `null`", "`without`"],
        ),
        (
            template(
                json!({ "versions": [{ "version": "1", "controlPlane": usable, "without": ["addons.proxy"] }] }),
            ),
            ["spec.versions[1].without[addons.proxy]", "no field that clusters have"],
        ),
        (template(json!({ "versions": [] })), ["spec.versions", "must have a version"]),
        (
            template(
                json!({ "versions": [{ "version": "1.0", "controlPlane": usable }, { "version": "1", "controlPlane": usable }] }),
            ),
            ["spec.versions[1]", "as `1.0`"],
        ),
        (
            template(json!({ "versions": [{ "version": "v1", "controlPlane": usable }] })),
            ["spec.versions[v1].version", "`1.2.3`"],
        ),
        (
            template(
                json!({ "versions": [{ "version": "1", "controlPlane": usable, "labels": { "flotilla.dev/template": "x" } }] }),
            ),
            ["labels.flotilla.dev/template", "the platform"],
        ),
        (
            template(
                json!({ "versions": [{ "version": "1", "controlPlane": usable, "labels": { "tier": "a b" } }] }),
            ),
            ["labels.tier: `a b`", "63"],
        ),
    ] {
        is_told(&spec, &words);
    }
}

#[test]
fn a_tenants_template_does_not_reach_into_the_management_cluster() {
    let mut spec = one(
        json!([]),
        json!({
            "kubernetes": { "version": "v1.36.3" },
            "controlPlane": { "deployment": { "serviceAccountName": "flotilla-operator" } },
        }),
    );
    assert_eq!(told(&faults(&spec)), [""; 0], "the platform may");
    spec.tenant = Some("acme".to_owned());
    is_told(&spec, &["spec.versions[1].controlPlane.controlPlane.deployment.serviceAccountName"]);
}

#[test]
fn a_published_version_is_deprecated_or_removed_but_not_changed() {
    let old = sized();
    let mut new = old.clone();
    new.versions[0].deprecated = Some("take 2".to_owned());
    new.versions.push(TemplateVersion { version: "2".to_owned(), ..old.versions[0].clone() });
    assert_eq!(told(&update_faults(&old, &new)), [""; 0]);
    new.versions.remove(0);
    assert_eq!(told(&update_faults(&old, &new)), [""; 0]);

    let mut changed = old.clone();
    changed.versions[0].parameters[1].maximum = Some(100);
    assert!(told(&update_faults(&old, &changed))[0].starts_with("spec.versions[1]: `1` is published"));
    let mut moved = old.clone();
    moved.tenant = Some("acme".to_owned());
    assert!(told(&update_faults(&old, &moved))[0].starts_with("spec.tenant: `acme`"));
    let mut broken = old.clone();
    broken.versions.push(TemplateVersion { version: "2".to_owned(), ..TemplateVersion::default() });
    assert!(told(&update_faults(&old, &broken))[0].starts_with("spec.versions[2].controlPlane.kubernetes"));
    // What was right when it was published does not block what comes later.
    let mut aged = old.clone();
    aged.versions[0].control_plane["kubernetes"] = json!({ "version": "v1.20.0" });
    let mut later = aged.clone();
    later.versions[0].deprecated = Some("too old".to_owned());
    assert_eq!(told(&update_faults(&aged, &later)), [""; 0]);
}

#[test]
fn the_newest_version_that_is_not_deprecated_is_meant_unless_one_is_named() {
    let usable = json!({ "kubernetes": { "version": "v1.36.3" } });
    let version = |name: &str, deprecated: Value| json!({ "version": name, "deprecated": deprecated, "controlPlane": usable });
    let mut spec = template(json!({ "versions": [
        version("1.10", Value::Null), version("1.9.2", Value::Null), version("2", json!("broken")),
    ] }));
    let chosen = |spec: &TemplateSpec, named| choose(spec, named).map(|version| version.version.clone());
    assert_eq!(chosen(&spec, None).unwrap(), "1.10");
    assert_eq!(chosen(&spec, Some("2.0")).unwrap(), "2");
    let absent = chosen(&spec, Some("3")).unwrap_err();
    assert_eq!(absent.to_string(), "version: `3` is no version of the template; there are: 1.10, 1.9.2, 2");
    spec.versions.retain(|version| version.deprecated.is_some());
    assert!(chosen(&spec, None).unwrap_err().message.contains("all versions are deprecated: 2"));
}

#[test]
fn a_dollar_that_begins_no_parameter_is_itself() {
    assert_eq!(
        pieces("$5 $${a} ${a}$").unwrap(),
        [Piece::Text("$5 "), Piece::Text("${"), Piece::Text("a} "), Piece::Parameter("a"), Piece::Text("$"),]
    );
    for wrong in ["${", "${}", "${a b}", "x${a", "${a${b}}"] {
        assert!(pieces(wrong).is_err(), "{wrong}");
    }
}

/// Whatever JSON can say, with parameters in texts.
fn anything() -> impl Strategy<Value = Value> {
    let text =
        prop_oneof!["[a-z$]{0,4}", Just("${a}".to_owned()), Just("x ${b}${c}".to_owned()), any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(kubernetes|version|networkProfile|[a-z]{1,3})", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_parameter_is_filled_in_and_nothing_else_is_touched(
        parts in prop::collection::vec(prop_oneof!["[^$]{0,5}".prop_map(Ok), "[a-c]".prop_map(Err)], 0..8),
        filled in prop::collection::vec("\\PC*", 3),
    ) {
        let names = ["a", "b", "c"];
        let values: Values<'_> =
            names.into_iter().zip(&filled).map(|(name, text)| (name, Standing::Is(text.as_str().into()))).collect();
        let value_of = |name: &String| filled[names.iter().position(|own| own == name).unwrap()].clone();
        let written: String = parts.iter().map(|part| match part {
            Ok(text) => text.clone(),
            Err(name) => format!("${{{name}}}"),
        }).collect();
        let expected: String = parts.iter().map(|part| part.clone().unwrap_or_else(|name| value_of(&name))).collect();
        let mut filling = Filling::new(&values);
        let object = filling.object("spec", &object(json!({ "text": written })));
        prop_assert_eq!(filling.faults, vec![]);
        prop_assert_eq!(&object["text"], &Value::from(expected));
    }

    #[test]
    fn whatever_is_written_is_answered(control_plane in anything(), said in anything(), default in anything()) {
        let parameters = json!([
            { "name": "a", "type": "string", "default": default },
            { "name": "b", "type": "integer", "default": 1 },
            { "name": "c", "type": "boolean" },
        ]);
        let control_plane = if control_plane.is_object() { control_plane } else { json!({ "dataStore": control_plane }) };
        let spec = one(parameters, control_plane);
        let said = said.as_object().cloned().unwrap_or_default();
        // What is published can be made into clusters, if what is said is right.
        if faults(&spec).is_empty() && said.is_empty() {
            prop_assert!(render(&spec.versions[0], &said).is_ok());
        } else {
            let _ = render(&spec.versions[0], &said);
        }
    }
}
