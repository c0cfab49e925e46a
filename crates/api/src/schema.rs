//! The definitions of the custom resources as the API server wants them.
//!
//! The schemas come from the types; what schemars and kube say differently from Kamaji's generator
//! is put right here.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    Cluster, ClusterTransfer, DataStore, Grant, HubSettings, IdentityProvider, JoinToken,
    KubeconfigGenerator, Project, Role, Template, Tenant, TenantBackup, TenantBackupSchedule,
    TenantControlPlane, TenantRestore, User,
};

mod embedded;

/// The definitions of all custom resources, in the order in which they are best installed.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    // On the heap: together they are large.
    vec![
        DataStore::crd(),
        TenantControlPlane::crd(),
        KubeconfigGenerator::crd(),
        TenantBackup::crd(),
        TenantBackupSchedule::crd(),
        TenantRestore::crd(),
        JoinToken::crd(),
        Tenant::crd(),
        ClusterTransfer::crd(),
        Cluster::crd(),
        Project::crd(),
        Role::crd(),
        Grant::crd(),
        User::crd(),
        IdentityProvider::crd(),
        Template::crd(),
        HubSettings::crd(),
    ]
    .into_iter()
    .map(mend)
    .collect()
}

/// Whatever JSON can say.
pub(crate) fn any_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// An object with whatever fields.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
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
            if let Some(values) = &mut schema.enum_ {
                values.retain(|value| !value.0.is_null());
            }
        });
        if let Some(status) = property(root, "status") {
            // serde's way to read an absent object, not a default on the wire.
            walk(status, &mut |_, schema| {
                schema.default = schema.default.take().filter(|default| !default.0.is_object());
            });
        }
        walk(root, &mut embedded::mend);
        if kind == "KubeconfigGenerator" {
            mend_kubeconfig_generator(root);
        }
    }
    crd
}

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
