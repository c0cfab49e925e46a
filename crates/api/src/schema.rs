//! The definitions of the custom resources as the API server wants them.
//!
//! The schemas come from the types; what schemars and kube say differently from Kamaji's generator
//! is put right here.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

use crate::{DataStore, KubeconfigGenerator, TenantControlPlane};

/// Lists inside embedded core types whose entries server-side apply merges by key, as in a pod.
const KEYED_LISTS: &[(&str, &[&str])] = &[
    ("claims", &["name"]),
    ("env", &["name"]),
    ("ports", &["containerPort", "protocol"]),
    ("volumeDevices", &["devicePath"]),
    ("volumeMounts", &["mountPath"]),
];

/// The definitions of all custom resources, in the order in which they are best installed.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    [DataStore::crd(), TenantControlPlane::crd(), KubeconfigGenerator::crd()].into_iter().map(mend).collect()
}

fn mend(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let kind = crd.spec.names.kind.clone();
    for version in &mut crd.spec.versions {
        let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) else {
            continue;
        };
        walk(root, &mut |_, schema| {
            // An absent field and a null mean the same; Kamaji's schema knows no nulls, and the API
            // server drops them.
            schema.nullable = None;
        });
        if let Some(status) = property(root, "status") {
            // serde's way to read an absent object, not a default on the wire.
            walk(status, &mut |_, schema| {
                schema.default = schema.default.take().filter(|default| !default.0.is_object());
            });
        }
        walk(root, &mut mend_embedded);
        match kind.as_str() {
            "TenantControlPlane" => mend_tenant_control_plane(root),
            "KubeconfigGenerator" => mend_kubeconfig_generator(root),
            _ => {}
        }
    }
    crd
}

/// Merge keys and atomic lists of core types, which their Rust schemas do not carry.
fn mend_embedded(name: &str, schema: &mut JSONSchemaProps) {
    if name == "secretReference" || name == "routeRef" {
        schema.x_kubernetes_map_type = Some("atomic".to_owned());
    }
    let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() else { return };
    if schema.x_kubernetes_list_type.is_some() {
        return;
    }
    let item_has = |items: &JSONSchemaProps, key: &str| {
        items.properties.as_ref().is_some_and(|properties| properties.contains_key(key))
    };
    let keys = KEYED_LISTS
        .iter()
        .find(|(list, keys)| *list == name && keys.iter().all(|key| item_has(items, key)))
        .map(|(_, keys)| *keys);
    if let Some(keys) = keys {
        schema.x_kubernetes_list_type = Some("map".to_owned());
        schema.x_kubernetes_list_map_keys = Some(keys.iter().map(|&key| key.to_owned()).collect());
        if let Some(protocol) = property(items, "protocol") {
            // A key must be present in every entry.
            protocol.default =
                Some(k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSON("TCP".into()));
        }
    }
}

fn mend_tenant_control_plane(_root: &mut JSONSchemaProps) {}

fn mend_kubeconfig_generator(root: &mut JSONSchemaProps) {
    for field in ["resources", "availableResources"] {
        if let Some(count) = property(root, "status").and_then(|status| property(status, field)) {
            count.format = None;
        }
    }
}

fn property<'a>(schema: &'a mut JSONSchemaProps, name: &str) -> Option<&'a mut JSONSchemaProps> {
    schema.properties.as_mut()?.get_mut(name)
}

/// Visits the schema and all below it, each with the name of its property (empty for the root and for
/// items of lists and maps).
fn walk(schema: &mut JSONSchemaProps, visit: &mut impl FnMut(&str, &mut JSONSchemaProps)) {
    walk_named("", schema, visit);
}

fn walk_named(name: &str, schema: &mut JSONSchemaProps, visit: &mut impl FnMut(&str, &mut JSONSchemaProps)) {
    visit(name, schema);
    for (name, property) in schema.properties.iter_mut().flatten() {
        walk_named(name, property, visit);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        walk_named("", items, visit);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = schema.additional_properties.as_mut() {
        walk_named("", values, visit);
    }
}
