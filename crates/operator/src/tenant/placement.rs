//! Chooses a store for a control plane that names none, and sees that no store gets more than it takes.

use api::TenantControlPlane;
use desired::DataStoreOutcome;
use desired::placement::{StoreSelector, selector_of};
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use crate::context::Context;
use crate::data_stores::chain;
use crate::places::Known;
use crate::settings::StorePolicy;

/// Gives the control plane a place in a store, unless it has one.
pub(super) fn take(
    tenant: &TenantControlPlane,
    name: &str,
    context: &Context,
) -> Result<(), DataStoreOutcome<'static>> {
    // One that is not there is told of by who reads it.
    let Some(store) = context.caches.data_stores.get(name) else { return Ok(()) };
    let tenants = context.caches.tenants.state();
    let known = Known { tenants: &tenants, default_store: context.settings.default_store() };
    context.places.take(tenant, &store, known).map_err(|message| DataStoreOutcome::NoRoom { message })
}

/// Chooses a store and writes it into the spec, as the scheduler writes a node into a pod's: there it
/// stands whatever becomes of this pass, and the next one goes on from it.
pub(super) async fn choose(tenant: &TenantControlPlane, context: &Context) -> DataStoreOutcome<'static> {
    let own = match selector_of(tenant) {
        Ok(own) => own,
        Err(message) => return DataStoreOutcome::NoRoom { message },
    };
    if own.is_none() && context.settings.datastore_policy == StorePolicy::Default {
        return DataStoreOutcome::Unnamed;
    }
    let selectors: Vec<&StoreSelector> = own.iter().chain([&context.settings.datastore_selector]).collect();
    let (tenants, stores) = (context.caches.tenants.state(), context.caches.data_stores.all());
    let known = Known { tenants: &tenants, default_store: context.settings.default_store() };
    let chosen = match context.places.choose(tenant, &stores, &selectors, known) {
        Ok(chosen) => chosen,
        Err(message) => return DataStoreOutcome::NoRoom { message },
    };
    let api: Api<TenantControlPlane> =
        Api::namespaced(context.client.clone(), &tenant.namespace().unwrap_or_default());
    // With the version that was read: the user may have named another one meanwhile.
    let patch = json!({
        "metadata": {"resourceVersion": tenant.metadata.resource_version}, "spec": {"dataStore": chosen},
    });
    match api.patch(&tenant.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
        Ok(_) => DataStoreOutcome::Pending,
        Err(error) => {
            context.places.give_back(&tenant.uid().unwrap_or_default(), &chosen);
            let message = format!("the choice could not be written to spec.dataStore: {}", chain(&error));
            DataStoreOutcome::NotReady { name: chosen, message }
        }
    }
}
