//! Takes a control plane away: its keys and user in the store, then the finalizers.
//!
//! Everything else is owned by the control plane and collected by the management cluster.

use api::TenantControlPlane;
use api::names::{Component, annotations, finalizers};
use datastore::TenantSpace;
use futures::future::join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use kubekit::{FinalizerError, has_finalizer, set_finalizers};
use serde_json::json;

use super::rivals::{Claim, taken};
use crate::context::Context;
use crate::data_stores::{held_in, used_by};
use crate::stores::{StoreError, connection};
use crate::transfers;

/// Why a control plane could not be taken away yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteError {
    /// The store holds the tenant's data and could not be told to drop it.
    #[error(
        "the tenant's data in its DataStore could not be removed: {source}; it is tried again, and \
         `kubectl annotate tcp {name} flotilla.dev/force-delete=true` deletes the control plane without it"
    )]
    Store {
        /// Name of the control plane.
        name: String,
        /// The store's reason.
        #[source]
        source: StoreError,
    },
    /// The shared tunnel could not be told.
    #[error("failed to remove what the shared tunnel knows of `{name}`; it is tried again")]
    Tunnel {
        /// Name of the control plane.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// It could not be found out whether what the store holds belongs to another control plane by now.
    #[error("failed to find out whether `{name}` was given to another tenant; it is tried again")]
    Transfer {
        /// Name of the control plane.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// A transfer is under way, which says whose the contents are.
    #[error("ClusterTransfer `{transfer}` works on `{name}`, which is deleted after that")]
    InTransfer {
        /// Name of the control plane.
        name: String,
        /// Name of the transfer.
        transfer: String,
    },
    /// A finalizer could not be changed.
    #[error(transparent)]
    Finalizer(#[from] FinalizerError),
    /// The Secret of the settings could not be let go.
    #[error("failed to let go of the Secret `{name}`")]
    Secret {
        /// Name of the Secret.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Annotation by which a user gives up the data in an unreachable store.
const FORCE_DELETE: &str = "flotilla.dev/force-delete";

/// Removes what the store holds and lets the object go.
pub(super) async fn delete(tenant: &TenantControlPlane, context: &Context) -> Result<(), DeleteError> {
    context.gate.forget(tenant);
    context.copies.cancel(&tenant.uid().unwrap_or_default());
    context.sessions.end(&tenant.uid().unwrap_or_default());
    if !has_finalizer(tenant, finalizers::DATA_STORE_SETUP) {
        // Kamaji's, which has nothing to wait for here; alone it stands where Kamaji was stopped half-way.
        let is_left = has_finalizer(tenant, finalizers::TENANT_CONTROLLERS);
        return if is_left { set_own(context, tenant, &[]).await } else { Ok(()) };
    }
    let has_contents = owns_contents(tenant, context).await?;
    if has_contents && let Err(source) = remove_from_stores(tenant, context).await {
        if tenant.annotations().get(FORCE_DELETE).is_none_or(|value| value != "true") {
            return Err(DeleteError::Store { name: tenant.name_any(), source });
        }
        tracing::warn!(tenant = tenant.name_any(), %source, "deleted by force; its data stays in the store");
    }
    release_config_secret(tenant, context).await?;
    if desired::shared_tunnel::is_wished(&tenant.spec) {
        let forgotten = crate::tunnel::forget(context, &tenant.uid().unwrap_or_default()).await;
        forgotten
            .map_err(|source| DeleteError::Tunnel { name: tenant.name_any(), source: Box::new(source) })?;
    }
    set_own(context, tenant, &[]).await
}

/// Whether what the stores hold in its place goes with it: not if a transfer has given that to another one, or has
/// not brought it. While a transfer is under way, it decides first.
async fn owns_contents(tenant: &TenantControlPlane, context: &Context) -> Result<bool, DeleteError> {
    let failed = |source| DeleteError::Transfer { name: tenant.name_any(), source: Box::new(source) };
    let known = transfers::all(&context.client).await.map_err(failed)?;
    let uid = tenant.uid().unwrap_or_default();
    if known.iter().any(|transfer| transfers::has_given_away(transfer, &uid)) {
        return Ok(false);
    }
    let annotations = tenant.annotations();
    let awaited_by = annotations.get(annotations::AWAITED_BY);
    let holder = awaited_by.or_else(|| annotations.get(annotations::GIVEN_AWAY_BY));
    if let Some(transfer) = known.iter().find(|known| holder == Some(&known.name_any()))
        && !transfers::has_ended(transfer)
    {
        return Err(DeleteError::InTransfer { name: tenant.name_any(), transfer: transfer.name_any() });
    }
    Ok(awaited_by.is_none())
}

/// Adds our finalizer before anything is made in the store.
pub(super) async fn protect(tenant: &TenantControlPlane, context: &Context) -> Result<(), DeleteError> {
    if has_finalizer(tenant, finalizers::DATA_STORE_SETUP) {
        return Ok(());
    }
    set_own(context, tenant, &[finalizers::DATA_STORE_SETUP]).await
}

/// Removes the tenant from every store that holds something of it. A store that is no longer there holds
/// nothing.
async fn remove_from_stores(tenant: &TenantControlPlane, context: &Context) -> Result<(), StoreError> {
    let Some(space) = own_space(tenant, context) else { return Ok(()) };
    let held = held_in(tenant);
    let remove = |name| {
        let space = &space;
        Box::pin(async move { (name, remove_from_store(name, space, context).await) })
    };
    let used = used_by(tenant, context.settings.default_store());
    // Each is tried, so that one that does not answer leaves nothing behind in the others.
    for (name, removed) in join_all(used.into_iter().map(remove)).await {
        match removed {
            // A pass that was cut off may have begun there, but nothing says so.
            Err(error) if !held.contains(name) => {
                tracing::debug!(datastore = name, %error, "not looked at for what a tenant left");
            }
            other => other?,
        }
    }
    Ok(())
}

/// The tenant's place in its stores; none if it is another control plane's.
fn own_space(tenant: &TenantControlPlane, context: &Context) -> Option<TenantSpace> {
    let setup = tenant.status.as_ref().map(|status| status.storage.setup.clone()).unwrap_or_default();
    if let (Some(schema), Some(user)) = (setup.schema, setup.user) {
        return Some(TenantSpace { schema, user });
    }
    let uid = tenant.uid()?;
    let text = |wished: &Option<String>| wished.clone().filter(|text| !text.is_empty());
    let space = TenantSpace {
        schema: text(&tenant.spec.data_store_schema).unwrap_or_else(|| uid.clone()),
        user: text(&tenant.spec.data_store_username).unwrap_or_else(|| uid.clone()),
    };
    let claim = Claim { uid: &uid, schema: &space.schema, user: &space.user };
    taken(claim, tenant, context.caches.tenants.state().into_iter()).is_none().then_some(space)
}

async fn remove_from_store(name: &str, space: &TenantSpace, context: &Context) -> Result<(), StoreError> {
    let Some(object) = context.caches.data_stores.get(name) else { return Ok(()) };
    let wanted = connection(&context.client, &object).await?;
    let store = context.connections.open(name, &wanted).await?;
    // With the contents goes the pass of a copy that another replica still runs.
    store.remove(space).await.map_err(|source| StoreError::Store { name: name.to_owned(), source })
}

/// The Secret carries Kamaji's finalizer, so that the settings outlive an early deletion of it.
async fn release_config_secret(tenant: &TenantControlPlane, context: &Context) -> Result<(), DeleteError> {
    let name = Component::DataStoreConfig.object_name(&tenant.name_any());
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &tenant.namespace().unwrap_or_default());
    let patch = json!({"metadata": {"finalizers": null}});
    match api.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(source) => Err(DeleteError::Secret { name, source: Box::new(source) }),
    }
}

/// Leaves of our finalizers only those that are wanted.
async fn set_own(context: &Context, tenant: &TenantControlPlane, wanted: &[&str]) -> Result<(), DeleteError> {
    let api = Api::namespaced(context.client.clone(), &tenant.namespace().unwrap_or_default());
    let ours = [finalizers::DATA_STORE_SETUP, finalizers::TENANT_CONTROLLERS];
    Ok(set_finalizers(&api, tenant, &ours, wanted).await?)
}
