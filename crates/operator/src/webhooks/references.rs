//! Rules about what a spec refers to: DataStores, and the kinds that its cluster must serve.

use std::sync::Arc;

use api::validation::Fault;
use api::{DataStore, Driver, TenantControlPlane};
use kube::{Api, Client};

use super::Admission;
use crate::discovery::serves_tls_routes;

/// Faults of the DataStores that a spec names, where it names others than before.
pub(super) async fn stores(
    old: Option<&TenantControlPlane>,
    new: &TenantControlPlane,
    admission: &Admission,
) -> Vec<Fault> {
    let mut found = Vec::new();
    let wished =
        named(new).filter(|name| old.is_none_or(|old| old.spec.data_store.as_deref() != Some(*name)));
    if let Some(name) = wished {
        found.extend(find("spec.dataStore", name, admission).await.err());
    }
    if old.is_none_or(|old| old.spec.data_store_overrides != new.spec.data_store_overrides) {
        found.extend(overrides(new, admission).await);
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

/// The DataStore of a name. The cache may not have seen one that was made together with the control plane:
/// then the API server is asked, and if it does not answer, the reconciler finds out.
async fn find(path: &str, name: &str, admission: &Admission) -> Result<Option<Arc<DataStore>>, Fault> {
    if let Some(known) = admission.data_stores.get(name) {
        return Ok(Some(known));
    }
    let message = "there is no DataStore of that name; create it first, or name one that \
                   `kubectl get datastores` lists";
    match Api::<DataStore>::all(admission.client.clone()).get_opt(name).await {
        Ok(Some(found)) => Ok(Some(Arc::new(found))),
        Ok(None) => Err(Fault::new(path, name, message)),
        Err(_) => Ok(None),
    }
}

async fn overrides(new: &TenantControlPlane, admission: &Admission) -> Vec<Fault> {
    let mut found = Vec::new();
    for (index, entry) in new.spec.data_store_overrides.iter().enumerate() {
        let path = format!("spec.dataStoreOverrides[{index}].dataStore");
        let Some(name) = entry.data_store.as_deref().filter(|name| !name.is_empty()) else { continue };
        match find(&path, name, admission).await {
            Ok(Some(store)) if store.spec.driver != Driver::Etcd => {
                let message = format!(
                    "has driver {}; only a DataStore of driver etcd takes single resources",
                    store.spec.driver
                );
                found.push(Fault::new(path, name, message));
            }
            Ok(_) => {}
            Err(fault) => found.push(fault),
        }
    }
    found
}
