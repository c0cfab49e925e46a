//! Specs that nobody should send.

use std::sync::LazyLock;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

/// How deep a random value may be nested.
const DEPTH: usize = 6;

/// Specs that are wrong in one known way each, laid over a good one: a path and what is put there.
pub(crate) const CRAFTED: [(&str, &str); 24] = [
    ("/kubernetes/version", "\"v1.99.0\""),
    ("/kubernetes/version", "\"latest\""),
    ("/kubernetes/version", "\"1.36\""),
    ("/dataStore", "\"nowhere\""),
    ("/networkProfile/address", "\"5th avenue\""),
    ("/networkProfile/port", "0"),
    ("/networkProfile/port", "70000"),
    ("/networkProfile/certSANs", "[\"not a name!\"]"),
    ("/networkProfile/serviceCidr", "\"10.96.0.0/64\""),
    ("/networkProfile/serviceCidr", "\"ten\""),
    ("/networkProfile/podCidr", "\"10.244.0.0\""),
    ("/networkProfile/dnsServiceIPs", "[\"192.0.2.53\"]"),
    ("/networkProfile/dnsServiceIPs", "[\"dns\"]"),
    ("/networkProfile/loadBalancerSourceRanges", "[\"everywhere\"]"),
    ("/networkProfile/clusterDomain", "\"NOT_A_DOMAIN\""),
    ("/controlPlane/deployment/replicas", "-1"),
    ("/controlPlane/deployment/replicas", "\"three\""),
    ("/controlPlane/service/serviceType", "\"ExternalName\""),
    ("/controlPlane/deployment/additionalContainers", "[{\"name\": \"kube-apiserver\", \"image\": \"x\"}]"),
    ("/controlPlane/deployment/resources/apiServer/requests", "{\"cpu\": \"much\"}"),
    ("/kubernetes/kubelet/cgroupfs", "\"cgroups\""),
    ("/kubernetes/kubelet/preferredAddressTypes", "[\"Street\"]"),
    ("/controlPlane", "null"),
    ("/kubernetes", "[]"),
];

/// A spec in which about everything is set that the stage can bring about.
fn full() -> Value {
    let text = include_str!("../../../api/tests/objects/full.yaml");
    let whole: Value = serde_saphyr::from_str(text).unwrap();
    let mut spec = whole["spec"].clone();
    let fields = spec.as_object_mut().unwrap();
    for absent in ["dataStoreOverrides", "dataStoreSchema", "dataStoreUsername", "writePermissions"] {
        fields.remove(absent);
    }
    fields.insert("dataStore".to_owned(), json!("store"));
    spec["controlPlane"].as_object_mut().unwrap().remove("gateway");
    spec["controlPlane"]["service"] = json!({"serviceType": "ClusterIP"});
    spec["controlPlane"]["deployment"]["additionalVolumes"] = json!([{"name": "audit", "emptyDir": {}}]);
    // The last of its patches removes what the defaults do not have.
    spec["kubernetes"]["kubelet"]["configurationJSONPatches"].as_array_mut().unwrap().truncate(2);
    let network = spec["networkProfile"].as_object_mut().unwrap();
    for absent in ["loadBalancerSourceRanges", "loadBalancerClass", "serviceCidrs", "podCidrs"] {
        network.remove(absent);
    }
    network.insert("dnsServiceIPs".to_owned(), json!(["10.96.0.10"]));
    spec
}

/// A good spec with one fault.
pub(crate) fn crafted((path, value): &(&str, &str)) -> Value {
    let mut spec = full();
    let (parent, field) = path.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() { &mut spec } else { spec.pointer_mut(parent).unwrap() };
    parent[field] = serde_json::from_str(value).unwrap();
    spec
}

/// The full spec with one to three places changed.
pub(crate) fn mutated(seed: u64) -> Value {
    let mut random = StdRng::seed_from_u64(seed);
    let mut spec = full();
    for _ in 0..random.random_range(1..=3_u8) {
        let mut paths = Vec::new();
        list("", &spec, &mut paths);
        let path = &paths[random.random_range(0..paths.len())];
        let schema = schema_at(path);
        let place = spec.pointer_mut(path).unwrap();
        *place = match random.random_range(0..4_u8) {
            0 => Value::Null,
            1 => junk(&mut random),
            2 => from_schema(schema, DEPTH - 2, &mut random),
            _ => twisted(place, &mut random),
        };
    }
    spec
}

/// A spec made from the schema alone.
pub(crate) fn random(seed: u64) -> Value {
    let mut random = StdRng::seed_from_u64(seed);
    let mut spec = from_schema(schema_at(""), DEPTH, &mut random);
    // Something must be right, or nothing gets further than the first rule.
    if seed.is_multiple_of(2) {
        lay_over(
            &mut spec,
            json!({
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
                "controlPlane": {"service": {"serviceType": "ClusterIP"}},
                "dataStore": "store",
            }),
        );
    }
    spec
}

fn lay_over(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                lay_over(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn list(path: &str, value: &Value, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                paths.push(path.clone());
                list(&path, value, paths);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}/{index}");
                paths.push(path.clone());
                list(&path, item, paths);
            }
        }
        _ => {}
    }
}

/// The schema of a spec.
static SPEC: LazyLock<Value> = LazyLock::new(|| {
    let definitions = api::crds();
    let definition = definitions.iter().find(|found| found.spec.names.kind == "TenantControlPlane").unwrap();
    let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
    schema["openAPIV3Schema"]["properties"]["spec"].clone()
});

/// The schema of the place that a path leads to; an empty one where none is known.
fn schema_at(path: &str) -> &'static Value {
    path.split('/').skip(1).fold(&*SPEC, |schema, part| {
        let next = [&schema["properties"][part], &schema["items"], &schema["additionalProperties"]];
        next.into_iter().find(|schema| schema.is_object()).unwrap_or(&Value::Null)
    })
}

fn from_schema(schema: &Value, depth: usize, random: &mut StdRng) -> Value {
    if random.random_bool(0.02) {
        return junk(random);
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.is_empty()) {
        return allowed[random.random_range(0..allowed.len())].clone();
    }
    match schema["type"].as_str() {
        Some("object") => Value::Object(fields(schema, depth, random)),
        Some("array") => {
            let count = if depth == 0 { 0 } else { random.random_range(0..3_usize) };
            (0..count).map(|_| from_schema(&schema["items"], depth.saturating_sub(1), random)).collect()
        }
        Some("string") => text(random),
        Some("integer") => number(random),
        Some("boolean") => json!(random.random_bool(0.5)),
        _ if schema["x-kubernetes-int-or-string"] == json!(true) => {
            if random.random_bool(0.5) {
                number(random)
            } else {
                text(random)
            }
        }
        _ => json!({"any": "thing"}),
    }
}

fn fields(schema: &Value, depth: usize, random: &mut StdRng) -> Map<String, Value> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Map::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let share = if required.contains(&name.as_str()) {
            0.97
        } else if depth == 0 {
            0.0
        } else {
            0.25
        };
        if random.random_bool(share) {
            fields.insert(name.clone(), from_schema(field, depth.saturating_sub(1), random));
        }
    }
    if schema["additionalProperties"].is_object() && random.random_bool(0.5) {
        let value = from_schema(&schema["additionalProperties"], depth.saturating_sub(1), random);
        fields.insert(["team", "a/b", "UPPER", ""][random.random_range(0..4_usize)].to_owned(), value);
    }
    fields
}

/// The same value, slightly wrong.
fn twisted(value: &Value, random: &mut StdRng) -> Value {
    match value {
        Value::String(text) => match random.random_range(0..4_u8) {
            0 => json!(text.repeat(40)),
            1 => json!(format!(" {text}")),
            2 => json!(text.to_uppercase()),
            _ => json!(text.chars().rev().collect::<String>()),
        },
        Value::Number(number) => json!(-number.as_i64().unwrap_or(1)),
        Value::Bool(value) => json!(!value),
        Value::Array(items) => {
            let twice = items.iter().chain(items);
            twice.cloned().collect()
        }
        Value::Object(fields) => {
            fields.iter().skip(1).map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        Value::Null => json!("null"),
    }
}

fn text(random: &mut StdRng) -> Value {
    const TEXTS: [&str; 20] = [
        "",
        "a",
        "v1.36.3",
        "v1.35.4",
        "10.96.0.0/16",
        "10.96.0.10",
        "fd00::/108",
        "::1",
        "example.com",
        "*.example.com",
        "-",
        "--flag=value",
        "../../etc/passwd",
        "$(VARIABLE)",
        "ünïcödé ✓",
        "a b",
        "500m",
        "30s",
        "2026-01-01T00:00:00Z",
        "kube-apiserver",
    ];
    let index = random.random_range(0..=TEXTS.len());
    TEXTS.get(index).map_or_else(|| json!("x".repeat(5000)), |text| json!(text))
}

fn number(random: &mut StdRng) -> Value {
    const NUMBERS: [i64; 12] =
        [-1, 0, 1, 2, 53, 443, 6443, 65_535, 65_536, 3_000_000_000, i64::MAX, i64::MIN];
    json!(NUMBERS[random.random_range(0..NUMBERS.len())])
}

/// A value of any type.
fn junk(random: &mut StdRng) -> Value {
    match random.random_range(0..7_u8) {
        0 => json!({}),
        1 => json!([]),
        2 => json!({"unknown": {"nested": [1, "two", null]}}),
        3 => json!(1.5),
        4 => json!(random.random_bool(0.5)),
        5 => number(random),
        _ => text(random),
    }
}
