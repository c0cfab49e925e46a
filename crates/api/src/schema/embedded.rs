//! What the Rust schemas of Kubernetes' own types leave out: how lists are merged, which references
//! are taken whole, and the rules for conditions.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use super::property;

/// Lists whose entries server-side apply merges by key, as in a pod.
const KEYED_LISTS: &[(&str, &[&str])] = &[
    ("claims", &["name"]),
    ("env", &["name"]),
    ("ports", &["containerPort", "protocol"]),
    ("volumeDevices", &["devicePath"]),
    ("volumeMounts", &["mountPath"]),
];

/// Lists that are taken whole.
const ATOMIC_LISTS: &[&str] = &[
    "accessModes",
    "add",
    "args",
    "command",
    "drop",
    "envFrom",
    "httpHeaders",
    "ingress",
    "items",
    "matchExpressions",
    "matchFields",
    "matchLabelKeys",
    "mismatchLabelKeys",
    "monitors",
    "namespaces",
    "nodeSelectorTerms",
    "portals",
    "preferredDuringSchedulingIgnoredDuringExecution",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "resizePolicy",
    "restartPolicyRules",
    "sources",
    "supplementalGroups",
    "sysctls",
    "targetWWNs",
    "values",
    "wwids",
];

/// Objects that are taken whole.
const ATOMIC_OBJECTS: &[&str] = &[
    "configMapKeyRef",
    "configMapRef",
    "dataSource",
    "fieldRef",
    "fileKeyRef",
    "labelSelector",
    "namespaceSelector",
    "nodePublishSecretRef",
    "preference",
    "resourceFieldRef",
    "routeRef",
    "secretKeyRef",
    "secretRef",
    "selector",
];

/// Amounts of a resource, by name of the resource.
const AMOUNTS_BY_NAME: &[&str] = &["capacity", "limits", "requests"];

/// Single amounts.
const AMOUNTS: &[&str] = &["divisor", "sizeLimit"];

/// How an amount is written: a number with a unit.
const AMOUNT: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// Puts right one schema of a type that may be Kubernetes' own; `name` is the property it stands under.
pub(super) fn mend(name: &str, schema: &mut JSONSchemaProps) {
    let is_source = matches!(name, "configMap" | "secret")
        && property(schema, "optional").is_some()
        && property(schema, "name").is_some();
    if (ATOMIC_OBJECTS.contains(&name) || is_source) && schema.type_.as_deref() == Some("object") {
        schema.x_kubernetes_map_type = Some("atomic".to_owned());
    }
    mend_reference(name, schema);
    mend_amount(name, schema);
    if property(schema, "lastTransitionTime").is_some() && property(schema, "observedGeneration").is_some() {
        mend_condition(schema);
    }
    mend_list(name, schema);
}

fn mend_list(name: &str, schema: &mut JSONSchemaProps) {
    if schema.x_kubernetes_list_type.is_some() {
        return;
    }
    let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() else { return };
    let has = |key: &&str| items.properties.as_ref().is_some_and(|properties| properties.contains_key(*key));
    let keys =
        KEYED_LISTS.iter().find(|(list, keys)| *list == name && keys.iter().all(has)).map(|(_, keys)| *keys);
    if let Some(keys) = keys {
        schema.x_kubernetes_list_type = Some("map".to_owned());
        schema.x_kubernetes_list_map_keys = Some(keys.iter().map(|&key| key.to_owned()).collect());
        if let Some(protocol) = property(items, "protocol") {
            // A key must be present in every entry.
            protocol.default = Some(JSON("TCP".into()));
        }
    } else if ATOMIC_LISTS.contains(&name) {
        schema.x_kubernetes_list_type = Some("atomic".to_owned());
    }
}

/// An API server that is asked to make a pod with another text fails instead of refusing it.
fn mend_amount(name: &str, schema: &mut JSONSchemaProps) {
    let amount = match &mut schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(amount)) if AMOUNTS_BY_NAME.contains(&name) => &mut **amount,
        None if AMOUNTS.contains(&name) => schema,
        _ => return,
    };
    if amount.x_kubernetes_int_or_string == Some(true) {
        amount.pattern = Some(AMOUNT.to_owned());
    }
}

/// The name in a reference is optional on the wire, though not in Rust.
fn mend_reference(name: &str, schema: &mut JSONSchemaProps) {
    let is_reference =
        name != "parentRef" && (name.ends_with("Ref") || matches!(name, "configMap" | "secret"));
    let requires_name = schema.required.iter().flatten().any(|field| field == "name");
    if !is_reference || !requires_name || schema.x_kubernetes_validations.is_some() {
        return;
    }
    let rest: Vec<String> =
        schema.required.take().into_iter().flatten().filter(|field| field != "name").collect();
    schema.required = Some(rest).filter(|fields| !fields.is_empty());
    if let Some(name) = property(schema, "name") {
        name.default = Some(JSON("".into()));
    }
}

fn mend_condition(schema: &mut JSONSchemaProps) {
    const TYPE: &str = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
    const REASON: &str = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
    if let Some(field) = property(schema, "type") {
        (field.max_length, field.pattern) = (Some(316), Some(TYPE.to_owned()));
    }
    if let Some(field) = property(schema, "reason") {
        (field.min_length, field.max_length, field.pattern) = (Some(1), Some(1024), Some(REASON.to_owned()));
    }
    if let Some(field) = property(schema, "status") {
        field.enum_ = Some(["True", "False", "Unknown"].map(|value| JSON(value.into())).into());
    }
    if let Some(field) = property(schema, "message") {
        field.max_length = Some(32768);
    }
    if let Some(field) = property(schema, "observedGeneration") {
        field.minimum = Some(0.0);
    }
}
