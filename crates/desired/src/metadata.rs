//! Names, labels and owner of the objects that are made for a control plane.

use std::collections::BTreeMap;

use api::names::{Component, annotations, labels};
use api::{AdditionalMetadata, TenantControlPlane};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;

use crate::Validated;
use crate::checksum::checksum;

/// Name, namespace, common labels and owner of an object.
pub(crate) fn object_meta(control_plane: &Validated, component: Component) -> ObjectMeta {
    ObjectMeta {
        name: Some(component.object_name(control_plane.name())),
        namespace: Some(control_plane.namespace().to_owned()),
        labels: Some(common_labels(control_plane, component)),
        owner_references: Some(vec![control_plane.owner().clone()]),
        ..ObjectMeta::default()
    }
}

/// Reference to a control plane as the owner of what is made for it.
pub(crate) fn owner(control_plane: &TenantControlPlane) -> OwnerReference {
    OwnerReference {
        api_version: TenantControlPlane::api_version(&()).into_owned(),
        kind: TenantControlPlane::kind(&()).into_owned(),
        name: control_plane.metadata.name.clone().unwrap_or_default(),
        uid: control_plane.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// Metadata with the labels and annotations that the user adds, which win.
pub(crate) fn with_additional(
    mut metadata: ObjectMeta,
    additional: Option<&AdditionalMetadata>,
) -> ObjectMeta {
    if let Some(additional) = additional {
        metadata.labels.get_or_insert_default().extend(additional.labels.clone());
        if !additional.annotations.is_empty() {
            metadata.annotations.get_or_insert_default().extend(additional.annotations.clone());
        }
    }
    metadata
}

/// The checksum that an object says of itself.
pub(crate) fn checksum_of(metadata: &ObjectMeta) -> Option<String> {
    metadata.annotations.as_ref()?.get(annotations::CHECKSUM).cloned()
}

/// The labels that all objects carry.
pub(crate) fn common_labels(control_plane: &Validated, component: Component) -> BTreeMap<String, String> {
    [
        (labels::PROJECT, labels::PROJECT_VALUE),
        (labels::NAME, control_plane.name()),
        (labels::COMPONENT, component.label()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// A Secret with its checksum.
pub(crate) fn secret(
    control_plane: &Validated,
    component: Component,
    data: BTreeMap<String, ByteString>,
) -> Secret {
    let mut metadata = object_meta(control_plane, component);
    metadata.annotations = Some([(annotations::CHECKSUM.to_owned(), checksum(&data))].into());
    Secret { metadata, data: Some(data), type_: Some("Opaque".to_owned()), ..Secret::default() }
}

/// The text under a key of a Secret, if it is there and UTF-8.
pub(crate) fn text<'a>(secret: &'a Secret, key: &str) -> Option<&'a str> {
    std::str::from_utf8(&secret.data.as_ref()?.get(key)?.0).ok()
}

/// The annotation of a Secret.
pub(crate) fn annotation<'a>(secret: &'a Secret, key: &str) -> Option<&'a str> {
    secret.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}
