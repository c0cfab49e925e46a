//! Rules about what a spec refers to: DataStores, and the kinds that its cluster must serve.

use api::validation::Fault;
use api::{Driver, TenantControlPlane};
use kube::Client;

use crate::discovery::serves_tls_routes;
use crate::stores::DataStoreLookup;

/// Faults of the DataStores that a spec names, where it names others than before.
pub(super) fn stores(
    old: Option<&TenantControlPlane>,
    new: &TenantControlPlane,
    known: &DataStoreLookup,
) -> Vec<Fault> {
    let mut found = Vec::new();
    if old.is_none_or(|old| old.spec.data_store != new.spec.data_store) {
        found.extend(missing("spec.dataStore".to_owned(), named(new), known));
    }
    if old.is_none_or(|old| old.spec.data_store_overrides != new.spec.data_store_overrides) {
        found.extend(overrides(new, known));
    }
    found
}

/// Faults of a Gateway where the cluster serves no TLS routes.
pub(super) async fn gateway(
    old: Option<&TenantControlPlane>,
    new: &TenantControlPlane,
    client: &Client,
) -> Option<Fault> {
    let has_gateway = |tenant: &TenantControlPlane| tenant.spec.control_plane.gateway.is_some();
    if !has_gateway(new) || old.is_some_and(has_gateway) {
        return None;
    }
    match serves_tls_routes(client).await {
        Ok(false) => Some(Fault::new(
            "spec.controlPlane.gateway",
            "set",
            "needs the kind TLSRoute of gateway.networking.k8s.io/v1, which the cluster does not serve; \
             install Gateway API first",
        )),
        // What could not be found out is found out by the reconciler.
        Ok(true) | Err(_) => None,
    }
}

fn named(tenant: &TenantControlPlane) -> Option<&str> {
    tenant.spec.data_store.as_deref().filter(|name| !name.is_empty())
}

fn missing(path: String, name: Option<&str>, known: &DataStoreLookup) -> Option<Fault> {
    let name = name.filter(|name| !known.contains(name))?;
    let message = "there is no DataStore of that name; create it first, or name one that \
                   `kubectl get datastores` lists";
    Some(Fault::new(path, name, message))
}

fn overrides(new: &TenantControlPlane, known: &DataStoreLookup) -> Vec<Fault> {
    let mut found = Vec::new();
    for (index, entry) in new.spec.data_store_overrides.iter().enumerate() {
        let path = format!("spec.dataStoreOverrides[{index}].dataStore");
        let name = entry.data_store.as_deref().filter(|name| !name.is_empty());
        found.extend(missing(path.clone(), name, known));
        let Some(store) = name.and_then(|name| known.get(name)) else { continue };
        if store.spec.driver != Driver::Etcd {
            let message = format!(
                "has driver {}; only a DataStore of driver etcd takes single resources",
                store.spec.driver
            );
            found.push(Fault::new(path, name.unwrap_or_default(), message));
        }
    }
    found
}
