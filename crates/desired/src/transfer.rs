//! The transfer of a control plane to another tenant: what hinders it, what goes on there, and what it takes along.

use std::net::{IpAddr, SocketAddr};

use api::names::{Component, annotations, finalizers, labels};
use api::{MigrationPhase, ServiceType, TenantControlPlane};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::backups::key_secret_name;
use crate::metadata::owner;

/// Annotations that say something about where a control plane was, not about what it is.
const LEFT_BEHIND: [&str; 4] = [
    annotations::GIVEN_AWAY_BY,
    annotations::LOAD_BALANCER_ADDRESS,
    "kubectl.kubernetes.io/last-applied-configuration",
    "flotilla.dev/force-delete",
];

/// Why a control plane cannot be given away now, and what to do.
#[must_use]
pub fn hindrance(source: &TenantControlPlane, transfer: &str) -> Option<String> {
    let annotation = |key| source.metadata.annotations.as_ref().and_then(|all| all.get(key));
    let storage = source.status.as_ref().map(|status| &status.storage);
    let migration = storage.and_then(|storage| storage.migration.as_ref());
    let is_moving = migration.is_some_and(|migration| migration.phase != MigrationPhase::GivenUp)
        || storage.and_then(|storage| storage.data_store_name.as_ref()) != source.spec.data_store.as_ref();
    if source.metadata.deletion_timestamp.is_some() {
        return Some("it is being deleted".to_owned());
    }
    if let Some(holder) = annotation(annotations::HOLD) {
        return Some(format!("TenantRestore `{holder}` works on it; transfer it when that has ended"));
    }
    if let Some(other) = annotation(annotations::GIVEN_AWAY_BY).filter(|holder| *holder != transfer) {
        return Some(format!("ClusterTransfer `{other}` gives it away already"));
    }
    if let Some(other) = annotation(annotations::AWAITED_BY) {
        return Some(format!(
            "ClusterTransfer `{other}` has not brought it here yet; transfer it after that"
        ));
    }
    if annotation(annotations::PAUSED).is_some() {
        return Some(format!("it is paused; remove its annotation {}", annotations::PAUSED));
    }
    if place(source).is_none() {
        return Some(
            "it has no place in a DataStore yet; transfer it when it has been ready once".to_owned(),
        );
    }
    is_moving.then(|| "it moves to another DataStore; transfer it when that has ended".to_owned())
}

/// Schema and user in its store.
fn place(source: &TenantControlPlane) -> Option<(String, String)> {
    let setup = &source.status.as_ref()?.storage.setup;
    Some((setup.schema.clone()?, setup.user.clone()?))
}

/// The control plane that goes on in another namespace with what `source` has in the store. Nothing is made for it
/// until the transfer has brought what it is made of.
#[must_use]
pub fn successor(
    source: &TenantControlPlane,
    namespace: &str,
    name: &str,
    transfer: &str,
) -> TenantControlPlane {
    let mut spec = source.spec.clone();
    let (schema, user) = place(source).unzip();
    spec.data_store_schema = schema;
    spec.data_store_username = user;
    let mut annotations = source.metadata.annotations.clone().unwrap_or_default();
    annotations.retain(|key, _| !LEFT_BEHIND.contains(&key.as_str()));
    annotations.insert(annotations::AWAITED_BY.to_owned(), transfer.to_owned());
    if let Some(address) = assigned_address(source) {
        annotations.insert(annotations::LOAD_BALANCER_ADDRESS.to_owned(), address.to_string());
    }
    let mut made = TenantControlPlane::new(name, spec);
    made.metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: source.metadata.labels.clone(),
        annotations: Some(annotations),
        // From the start: whoever deletes it meanwhile must not leave anything in the store.
        finalizers: Some(vec![finalizers::DATA_STORE_SETUP.to_owned()]),
        ..ObjectMeta::default()
    };
    made
}

/// The address that a load balancer has given.
fn assigned_address(source: &TenantControlPlane) -> Option<IpAddr> {
    let is_assigned = source.spec.control_plane.service.service_type == ServiceType::LoadBalancer
        && source.spec.network_profile.as_ref().is_none_or(|network| network.address.is_none());
    let endpoint = source.status.as_ref()?.control_plane_endpoint.as_deref().filter(|_| is_assigned)?;
    endpoint.parse::<SocketAddr>().ok().map(|address| address.ip())
}

/// A Secret that goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Luggage {
    /// Its name at the source.
    pub from: String,
    /// Its name at the destination.
    pub to: String,
    /// Whether the control plane cannot go on without it.
    pub is_needed: bool,
}

/// What a control plane named `from` takes along when it is called `to` afterwards: its authorities, the keys of its
/// tokens, its password in the store and the key of its backups. All else is made from these.
#[must_use]
pub fn luggage(from: &str, to: &str) -> Vec<Luggage> {
    let parts =
        [Component::Ca, Component::FrontProxyCa, Component::ServiceAccount, Component::DataStoreConfig];
    let needed = parts.into_iter().map(|part| Luggage {
        from: part.object_name(from),
        to: part.object_name(to),
        is_needed: true,
    });
    let key = |tenant| key_secret_name(tenant, &api::BackupEncryption::default());
    needed.chain([Luggage { from: key(from), to: key(to), is_needed: false }]).collect()
}

/// A Secret as it stands at the destination, where it belongs to `successor`.
#[must_use]
pub fn unpacked(secret: &Secret, name: &str, successor: &TenantControlPlane) -> Secret {
    let mut labels = secret.metadata.labels.clone().unwrap_or_default();
    if let (Some(label), Some(name)) = (labels.get_mut(labels::NAME), &successor.metadata.name) {
        label.clone_from(name);
    }
    let mut annotations = secret.metadata.annotations.clone().unwrap_or_default();
    annotations.retain(|key, _| key != "flotilla.dev/desired-hash");
    Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: successor.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: Some(annotations),
            owner_references: Some(vec![owner(successor)]),
            ..ObjectMeta::default()
        },
        data: secret.data.clone(),
        type_: secret.type_.clone(),
        ..Secret::default()
    }
}

#[cfg(test)]
mod tests;
