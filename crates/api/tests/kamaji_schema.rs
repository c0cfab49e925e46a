//! Our custom resources have the fields, types, defaults and rules that Kamaji's have.
//!
//! `kamaji-fields.tsv` lists them, one row per field. Fields below a row that has no rows of its own
//! belong to Kubernetes' core types and are not compared.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Where we differ on purpose: kind, path, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("TenantControlPlane", "status.conditions", "ours: says what holds, why, and what to do"),
    ("TenantControlPlane", "status.storage.overrides", "ours: stores to clean when the control plane goes"),
    ("TenantControlPlane", "status.storage.migration", "ours: how far a move between stores is"),
    ("TenantControlPlane", "status.certificateEnds", "ours: when certificates end"),
    ("TenantControlPlane", "spec.sleepSchedule", "ours: sleeps and wakes at set times"),
    ("TenantControlPlane", "status.sleepSchedule", "ours: what became of the schedule"),
    ("TenantControlPlane", "status.workers", "ours: nodes, while a quota limits them"),
    ("TenantControlPlane", "spec.addons.konnectivity.server.shared", "ours: one tunnel for all tenants"),
    (
        "TenantControlPlane",
        "spec.addons.kubeProxy.configurationJSONPatches",
        "ours: for workers that may not write the kernel's settings",
    ),
    (
        "TenantControlPlane",
        "spec.networkProfile",
        "defaults to {}: without it the rules on spec fail with an error of CEL",
    ),
    (
        "TenantControlPlane",
        "spec.controlPlane.deployment",
        "defaults to {}: so that its own defaults apply when it is left out",
    ),
];

#[derive(Debug, PartialEq, Eq)]
struct Row {
    shape: String,
    default: String,
    rules: BTreeSet<String>,
}

type Rows = BTreeMap<(String, String), Row>;

#[test]
fn fields_types_defaults_and_rules_are_those_of_kamaji() {
    let theirs = read(include_str!("kamaji-fields.tsv"));
    let ours = generated();
    let mut lines = Vec::new();
    for (key, row) in &theirs {
        match ours.get(key) {
            None => lines.push(format!("- {} {} {row:?}", key.0, key.1)),
            Some(own) if own != row => {
                lines.push(format!("! {} {}\n    theirs {row:?}\n    ours   {own:?}", key.0, key.1));
            }
            Some(_) => {}
        }
    }
    let parents: BTreeSet<(&str, &str)> =
        theirs.keys().filter_map(|(kind, path)| Some((kind.as_str(), parent(path)?))).collect();
    for (key, row) in ours.iter().filter(|(key, _)| !theirs.contains_key(*key)) {
        let is_compared = parent(&key.1).is_none_or(|parent| parents.contains(&(key.0.as_str(), parent)));
        if is_compared {
            lines.push(format!("+ {} {} {row:?}", key.0, key.1));
        }
    }
    let is_deliberate = |line: &String| {
        DIFFERENCES.iter().any(|(kind, path, _)| line[2..].split_whitespace().take(2).eq([*kind, *path]))
    };
    let unexpected: Vec<&String> = lines.iter().filter(|line| !is_deliberate(line)).collect();
    assert!(unexpected.is_empty(), "{} differences:\n{}", unexpected.len(), join(&unexpected));
    assert_eq!(lines.len(), DIFFERENCES.len(), "a listed difference is none");
}

fn join(lines: &[&String]) -> String {
    lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n")
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(parent, _)| parent.trim_end_matches("[]"))
}

fn read(text: &str) -> Rows {
    text.lines()
        .skip(1)
        .map(|line| {
            let mut columns = line.split('\t').map(str::to_owned);
            let mut next = || columns.next().unwrap_or_default();
            let (kind, path, shape, default, rules) = (next(), next(), next(), next(), next());
            row(kind, path, shape, default, rules.split("; ").map(normal_rule))
        })
        .collect()
}

fn row(
    kind: String,
    path: String,
    shape: String,
    default: String,
    rules: impl Iterator<Item = String>,
) -> ((String, String), Row) {
    // Columns have a name where fields have a shape; they keep their order nowhere.
    let (path, shape) =
        if path == "(column)" { (format!("(column {shape})"), String::new()) } else { (path, shape) };
    let (shape, default) =
        if shape.starts_with('{') { (normal(&shape), default) } else { (shape, normal(&default)) };
    ((kind, path), Row { shape, default, rules: rules.filter(|rule| !rule.is_empty()).collect() })
}

/// JSON without regard to the order of keys.
fn normal(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| value.to_string())
}

fn generated() -> Rows {
    let mut rows = Vec::new();
    for crd in api::crds().into_iter().filter(|crd| crd.spec.group == "kamaji.clastix.io") {
        let kind = crd.spec.names.kind.clone();
        let names = &crd.spec.names;
        let list = |names: &Option<Vec<String>>| names.clone().unwrap_or_default().join(",");
        rows.push(row(
            kind.clone(),
            "(names)".to_owned(),
            format!(
                "scope={} plural={} short={} categories={}",
                crd.spec.scope,
                names.plural,
                list(&names.short_names),
                list(&names.categories)
            ),
            String::new(),
            std::iter::empty(),
        ));
        let version = serde_json::to_value(&crd.spec.versions[0]).unwrap();
        for column in version["additionalPrinterColumns"].as_array().unwrap() {
            let text = |key: &str| column[key].as_str().unwrap().to_owned();
            rows.push(row(
                kind.clone(),
                "(column)".to_owned(),
                text("name"),
                text("jsonPath"),
                [text("type")].into_iter(),
            ));
        }
        rows.push(row(
            kind.clone(),
            "(subresources)".to_owned(),
            version["subresources"].to_string(),
            String::new(),
            std::iter::empty(),
        ));
        for (name, schema) in version["schema"]["openAPIV3Schema"]["properties"].as_object().unwrap() {
            if name == "spec" || name == "status" {
                flatten(&kind, name, schema, &mut rows);
            }
        }
    }
    rows.into_iter().collect()
}

fn flatten(kind: &str, path: &str, schema: &Value, rows: &mut Vec<((String, String), Row)>) {
    let shape = match (schema["type"].as_str(), &schema["items"], &schema["additionalProperties"]) {
        (Some("array"), items, _) => format!("array of {}", items["type"].as_str().unwrap_or("any")),
        (Some("object"), _, values) if values.is_object() => {
            format!("map of {}", values["type"].as_str().unwrap_or("any"))
        }
        (shape, _, _) => shape.unwrap_or("any").to_owned(),
    };
    let default = schema.get("default").map(ToString::to_string).unwrap_or_default();
    rows.push(row(kind.to_owned(), path.to_owned(), shape, default, rules(schema).into_iter()));
    let (object, path) = match schema["items"].as_object() {
        Some(_) => (&schema["items"], format!("{path}[]")),
        None => (schema, path.to_owned()),
    };
    for (name, property) in object["properties"].as_object().into_iter().flatten() {
        flatten(kind, &format!("{path}.{name}"), property, rows);
    }
}

fn rules(schema: &Value) -> Vec<String> {
    const KEYWORDS: [&str; 12] = [
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "pattern",
        "enum",
        "format",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-int-or-string",
    ];
    let keyword = |name: &&str| {
        let value = schema.get(*name)?;
        // A whole number is one, however it is written.
        let value = value
            .as_f64()
            .filter(|number| number.fract() == 0.0)
            .map_or_else(|| value.to_string(), |number| format!("{number:.0}"));
        Some(format!("{name}={}", normal(&value)))
    };
    let mut rules: Vec<String> = KEYWORDS.iter().filter_map(keyword).collect();
    let cel = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    rules.extend(cel.map(|rule| format!("cel={}", rule["rule"].as_str().unwrap())));
    rules
}

fn normal_rule(rule: &str) -> String {
    match rule.split_once('=') {
        Some((name, value)) if name != "cel" => format!("{name}={}", normal(value)),
        _ => rule.to_owned(),
    }
}
